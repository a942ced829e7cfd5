"""C4's measures, by hand, and which lines it keeps."""

from __future__ import annotations

import math

import pytest

from hinterland.curate.filters.c4 import C4
from hinterland.curate.variants.sentences import count_sentences


def measure(text: str) -> dict[str, float]:
    scores = C4().score([text])
    return {column.partition(".")[2]: float(values[0]) for column, values in scores.items()}


SENTENCE = "Fishing feeds the islands."


@pytest.mark.parametrize(
    "line",
    [
        "Two words.",
        "no full stop here",
        "it goes on and on...",
        "Please enable Javascript to read this.",
        "We make use of cookies here.",
        "Read our Privacy Policy before you go.",
        "a long one " + "x" * 1001 + ".",
    ],
)
def test_lines_that_go(line: str) -> None:
    assert measure(line)["sentences"] == 0


@pytest.mark.parametrize("line", [SENTENCE, 'He said "come back"', "Is it far?", "It is an island.[12]"])
def test_lines_that_stay(line: str) -> None:
    assert measure(line)["sentences"] == 1


def test_the_rule_on_punctuation_can_be_switched_off() -> None:
    text = "\n".join(["no full stop here"] * 5)
    assert C4(terminal_punctuation=False).score([text])["c4.sentences"][0] == 5


@pytest.mark.parametrize(
    ("line", "number"),
    [
        ("One.", 1),
        ("One. Two! Three?", 3),
        ('He said "no." Then he left.', 2),
        ("GDP grew 3.5 percent in 2020.", 1),
        ("No end", 1),
        ("e.g. the sea", 1),
    ],
)
def test_sentences(line: str, number: int) -> None:
    assert count_sentences(line) == number
    assert C4(min_words=1, terminal_punctuation=False).score([line])["c4.sentences"][0] == number


def test_measures_by_hand() -> None:
    found = measure(f"{SENTENCE}\nMenu\n{SENTENCE} {SENTENCE}")
    assert found["sentences"] == 3
    assert found["kept_characters"] == (26 + 53) / (26 + 4 + 53)
    assert not found["lorem_ipsum"]
    assert math.isnan(measure("")["kept_characters"])


def test_each_rule_gives_its_reason() -> None:
    page = "\n".join([SENTENCE] * 5)
    scores = C4().score([page, SENTENCE, page + "\nLorem ipsum dolor", page + "\nif (x) { y }"])
    out = {rule.reason: (~rule.passes(scores[rule.column])).tolist() for rule in C4().rules}
    assert out == {
        "c4.sentences": [False, True, False, False],
        "c4.lorem_ipsum": [False, False, True, False],
        "c4.curly_bracket": [False, False, False, True],
    }
    assert scores["c4.lorem_ipsum"].dtype == bool
