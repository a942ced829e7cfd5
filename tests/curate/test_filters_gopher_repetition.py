"""Gopher's repetition measures, by hand and against a slow, literal reading of the paper."""

from __future__ import annotations

import math
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hinterland.curate.filters.gopher_repetition import GopherRepetition


def measure(text: str) -> dict[str, float]:
    scores = GopherRepetition().score([text])
    return {column.partition(".")[2]: float(values[0]) for column, values in scores.items()}


small_texts = st.lists(st.sampled_from(["a", "bb", "ccc", "d"]), min_size=1, max_size=40).map(" ".join)


def duplicate_share(words: list[str], n: int) -> float:
    """Mark every character of every n-gram that occurs more than once, then count marks."""
    grams = [tuple(words[i : i + n]) for i in range(len(words) - n + 1)]
    counts = Counter(grams)
    marked = {i + j for i, gram in enumerate(grams) if counts[gram] > 1 for j in range(n)}
    return sum(len(words[i]) for i in marked) / sum(map(len, words))


def test_lines_and_paragraphs_by_hand() -> None:
    found = measure("one\ntwo\none\n\nfour\n\nfour")
    # lines: one two one four four; paragraphs: "one\ntwo\none", four, four
    assert found["duplicate_lines"] == 2 / 5
    assert found["duplicate_line_characters"] == (3 + 4) / (3 + 3 + 3 + 4 + 4)
    assert found["duplicate_paragraphs"] == 1 / 3
    assert found["duplicate_paragraph_characters"] == 4 / (11 + 4 + 4)


def test_ngrams_by_hand() -> None:
    found = measure("aa b aa b c")
    assert found["top_2gram"] == (2 + 1) * 2 / 7  # "aa b" twice
    assert found["top_3gram"] == 0
    five = "one two three four five"
    found = measure(f"{five} x {five}")
    assert found["duplicate_5gram"] == pytest.approx(2 * 19 / (2 * 19 + 1))
    assert found["duplicate_6gram"] == 0


@given(small_texts)
def test_duplicate_ngrams_are_the_marked_characters(text: str) -> None:
    found = measure(text)
    for n in range(5, 11):
        assert found[f"duplicate_{n}gram"] == pytest.approx(duplicate_share(text.split(), n))


@given(small_texts)
def test_top_ngrams_are_the_most_frequent(text: str) -> None:
    words = text.split()
    for n in (2, 3, 4):
        counts = Counter(tuple(words[i : i + n]) for i in range(len(words) - n + 1))
        gram, count = counts.most_common(1)[0] if counts else ((), 0)
        expected = sum(map(len, gram)) * count / sum(map(len, words)) if count > 1 else 0
        assert measure(text)[f"top_{n}gram"] == pytest.approx(expected)


def test_blank_lines_are_not_duplicates() -> None:
    assert measure("one\n\n\n\ntwo\n\n\nthree")["duplicate_lines"] == 0


def test_no_words_are_unmeasured() -> None:
    assert all(math.isnan(value) for value in measure("").values())


def test_varied_prose_passes_and_a_chant_does_not() -> None:
    texts = ["No two of these words are ever quite alike", "row your boat gently down " * 20]
    scores = GopherRepetition().score(texts)
    kept = [all(rule.passes(scores[rule.column])[row] for rule in GopherRepetition().rules) for row in (0, 1)]
    assert kept == [True, False]
    assert len(GopherRepetition().rules) == 13
