"""Answers without their wrapping, and the passages that hold them: worked by hand."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hinterland.core.system import Passage
from hinterland.rag.clean import clean_answer, normalise, supporting_passage


@pytest.mark.parametrize(
    ("said", "text", "marks"),
    [
        ("Nairobi", "Nairobi", ()),
        ("Nairobi [1].", "Nairobi", (1,)),
        ("Nairobi [1][2]", "Nairobi", (1, 2)),
        ("Nairobi [2, 1; 2].", "Nairobi", (2, 1)),
        ("Nairobi 【3】", "Nairobi", (3,)),
        ("Nairobi [passage 2]", "Nairobi", (2,)),
        ("The answer is Nairobi.", "Nairobi", ()),
        ("The correct answer is: Nairobi.", "Nairobi", ()),
        ('The answer to the question is: "Haitian"', "Haitian", ()),
        ("Answer: The answer is **Nairobi**.", "Nairobi", ()),
        ("Short answer - Nairobi", "Nairobi", ()),
        ("According to the passages, Nairobi [1].", "Nairobi", (1,)),
        ("Based on the given text, Nairobi", "Nairobi", ()),
        ('"Nairobi."', "Nairobi", ()),
        ("Nairobi\n\nQuestion: What is next? Answer: x [9]", "Nairobi", ()),
        ("Washington, D.C.", "Washington, D.C.", ()),
        ("the U.S.", "the U.S.", ()),
        ("Acme Inc.", "Acme Inc.", ()),
        ("It depends...", "It depends...", ()),
        ("One. Two.", "One. Two.", ()),
        ("5.3 million.", "5.3 million", ()),
        ("Rock 'n' roll", "Rock 'n' roll", ()),
        ('"A" and "B"', '"A" and "B"', ()),
        ("The answering machine", "The answering machine", ()),
        ("a [b] c [1234]", "a [b] c [1234]", ()),
        ("[1]", "", (1,)),
        (".ke", ".ke", ()),
        ("", "", ()),
    ],
)
def test_by_hand(said: str, text: str, marks: tuple[int, ...]) -> None:
    cleaned = clean_answer(said)
    assert (cleaned.text, cleaned.marks) == (text, marks)


@pytest.mark.parametrize(
    ("question", "said", "text"),
    [
        ("What is the capital of Kenya?", "The capital of Kenya is Nairobi.", "Nairobi"),
        ("What is the capital of Iceland?", "Iceland's capital is Reykjavik.", "Reykjavik"),
        ("What is the capital of Kenya?", "The capital city of Kenya is Nairobi [1].", "Nairobi"),
        ("What currency is used in Norway?", "The currency used in Norway is the krone.", "the krone"),
        ("What currency is used in Norway?", "In Norway, the official currency is the krone.", "the krone"),
        ("What is an official language of Kenya?", "It is Swahili.", "Swahili"),
        ("Which are the ports of Peru?", "The ports of Peru are: Callao and Ilo", "Callao and Ilo"),
        # Words that are not the question's stay: they may be what was asked for.
        (
            "What is the capital of Kenya?",
            "Nairobi is the capital of Kenya.",
            "Nairobi is the capital of Kenya",
        ),
        (
            "What is the capital of Kenya?",
            "The largest city of Peru is Lima.",
            "The largest city of Peru is Lima",
        ),
        ("", "The capital is Nairobi.", "The capital is Nairobi"),
    ],
)
def test_the_questions_own_words_go(question: str, said: str, text: str) -> None:
    assert clean_answer(said, question).text == text


@given(st.text(max_size=120), st.text(max_size=60))
def test_cleaning_only_takes_away(said: str, question: str) -> None:
    cleaned = clean_answer(said, question)
    rest = iter(said)
    assert all(character in rest for character in cleaned.text)  # a subsequence
    assert all(0 <= mark <= 999 for mark in cleaned.marks)


@given(st.text(alphabet="ab .\"*'", max_size=30))
def test_cleaning_a_clean_answer_changes_nothing_but_more_wrapping(said: str) -> None:
    once = clean_answer(said).text
    assert len(clean_answer(once).text) <= len(once)


def test_normalise() -> None:
    assert normalise("The Café’s “big” U.S. day!") == "cafés big u s day"


def passages(*texts: str) -> list[Passage]:
    return [Passage(f"c{n}", f"d{n}", text, 1.0 - n / 10, "Kenya") for n, text in enumerate(texts)]


@pytest.mark.parametrize(
    ("answer", "texts", "expected"),
    [
        ("Nairobi", ["Mombasa is a port.", "The capital of Kenya is Nairobi."], 1),
        # Both hold it: the one that shares more with the question.
        ("Nairobi", ["Nairobi has traffic.", "The capital of Kenya is Nairobi."], 1),
        ("Nairobi", ["The capital is Nairobi.", "The capital is Nairobi."], 0),
        ("nairobi", ["Nairobians live here."], None),
        ("Kisumu", ["The capital of Kenya is Nairobi."], None),
        ("Kenya", ["Text without it."], 0),  # the title is part of what the model saw
        ("yes", ["Yes, it is."], None),
        ("", ["x"], None),
        ("red green blue black white", ["blue, red, green and black"], 0),
        ("red green blue black white", ["blue, red and green"], None),
    ],
)
def test_support(answer: str, texts: list[str], expected: int | None) -> None:
    assert supporting_passage(answer, "What is the capital?", passages(*texts)) == expected
