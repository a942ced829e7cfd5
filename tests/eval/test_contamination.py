from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hinterland.core.corpus import write_corpus
from hinterland.core.errors import CorpusError
from hinterland.eval.contamination import Document, corpus_documents, find_contamination
from hinterland.eval.task import Question

LONG = Question(
    "nile",
    "Which river, counted among the longest on Earth, flows from Lake Victoria to the sea?",
    ("The Nile", "Nile"),
    ("egy-geo",),
)
SHORT = Question("ken", "Capital of Kenya?", ("Nairobi",), ("ken-gov",))
TINY = Question("x", "Why?", ("because",))


def test_a_copied_question_is_found_whatever_its_case_and_punctuation() -> None:
    text = "A quiz. WHICH RIVER (counted among the longest on earth) flows from Lake Victoria, to the sea?"
    found = find_contamination([LONG, TINY], [Document("clean", "Rivers flow."), Document("quiz", text)])
    assert not found.clean
    assert [(o.question, o.document) for o in found.overlaps] == [("nile", "quiz")]
    # 13 words; the articles are left out on both sides.
    assert found.overlaps[0].words == (
        "which river counted among longest on earth flows from lake victoria to sea"
    )
    assert (found.documents, found.questions, found.questions_hit, found.too_short) == (2, 2, 1, 1)
    assert found.verdict.startswith("LEAK: 1 of 2 questions overlap with training texts")


def test_twelve_words_in_a_row_are_not_thirteen() -> None:
    text = "counted among the longest on Earth, flows from Lake Victoria to the sea"
    assert find_contamination([LONG], [Document("d", text)]).clean
    assert not find_contamination([LONG], [Document("d", text)], n=11).clean


def test_a_statement_shorter_than_n_is_looked_for_whole() -> None:
    question = Question("k", "Nairobi is the capital of", ("Kenya",))
    assert not find_contamination([question], [Document("d", "Yes, Nairobi is the capital of Kenya.")]).clean
    assert find_contamination([question], [Document("d", "Nairobi is the capital of a country.")]).clean
    # Four words can stand anywhere by chance: counted, not looked for.
    found = find_contamination([SHORT], [Document("d", "capital of kenya nairobi")])
    assert found.clean
    assert found.too_short == 1
    assert "1 too short to tell" in found.verdict


def test_gold_documents_and_held_out_countries_are_found() -> None:
    documents = [
        Document("ken-gov", "text", "KEN"),
        Document("per-gov", "text", "PER"),
        Document("unplaced", "text", None),
    ]
    found = find_contamination([SHORT], documents, held_out=["PER", "UGA"])
    assert found.gold_documents == ("ken-gov",)
    assert found.held_out == ("per-gov",)
    assert "1 gold documents and 1 texts of held-out countries" in found.verdict
    assert found.as_dict()["held_out_hit"] == 1


def test_offenders_are_cut_in_the_result_and_counted_in_full() -> None:
    documents = [Document(f"d{n}", "", "PER") for n in range(5)]
    value = find_contamination([], documents, held_out=["PER"]).as_dict(limit=2)
    assert (value["held_out_hit"], value["held_out"]) == (5, ["d0", "d1"])


def test_nothing_to_look_for_or_in() -> None:
    assert find_contamination([], []).clean
    assert find_contamination([LONG], [Document("d", "")]).clean
    with pytest.raises(CorpusError, match="unknown country code 'Peru'"):
        find_contamination([], [], held_out=["Peru"])
    with pytest.raises(ValueError, match="at least 1"):
        find_contamination([], [], n=0)


WORDS = st.lists(st.sampled_from(["k", "l", "m", "n", "o", "p", "q"]), min_size=1, max_size=30)


@given(WORDS, WORDS, st.integers(1, 8))
def test_it_finds_what_a_plain_search_finds(question: list[str], text: list[str], n: int) -> None:
    asked = Question("q", " ".join(question), ("z",))
    statement = [*question, "z"]
    grams = {" ".join(statement[i : i + n]) for i in range(max(1, len(statement) - n + 1))}
    expected = any(f" {gram} " in f" {' '.join(text)} " for gram in grams) and len(statement) >= min(5, n)
    found = find_contamination([asked], [Document("d", " ".join(text))], n=n)
    assert found.clean == (not expected)


def test_a_corpus_is_gone_through_shard_by_shard(tmp_path: Path) -> None:
    rows = [{"id": f"d{n}", "text": f"text {n}", "country": "PER" if n % 2 else None} for n in range(7)]
    corpus = write_corpus(tmp_path / "c", pa.Table.from_pylist(rows), rows_per_shard=3)
    documents = list(corpus_documents(corpus))
    assert [(d.id, d.text, d.country) for d in documents] == [
        (r["id"], r["text"], r["country"]) for r in rows
    ]
