"""Hashed words: against a plain Python reading, and values that saved models rest on."""

from __future__ import annotations

import unicodedata
from collections import Counter
from itertools import pairwise

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from hinterland.curate import hashing
from hinterland.curate.hashing import words
from hinterland.curate.kernels.hashed import FEATURES, count_ngrams, hash_word
from hinterland.curate.kernels.unicode import DIACRITICS, LIMIT, UNSPACED
from hinterland.curate.words import Batch

MASK = 2**64 - 1


def plain_words(text: str) -> list[str]:
    """ASCII and Latin letters only: lower case, no diacritics, no apostrophes."""
    text = unicodedata.normalize("NFD", text.lower())
    text = "".join(mark for mark in text if not 0x300 <= ord(mark) < 0x370 and mark not in "'’")
    return "".join(mark if mark.isalnum() or mark == "_" else " " for mark in text).split()


def plain_mix(value: int) -> int:
    value ^= value >> 33
    value = value * 0xFF51AFD7ED558CCD & MASK
    value ^= value >> 33
    value = value * 0xC4CEB9FE1A85EC53 & MASK
    return value ^ value >> 33


def test_the_format_stands() -> None:
    # A saved model is only right with these: change them together with hashing.VERSION.
    assert hashing.VERSION == "hinterland-words-1"
    assert [hash_word(word) for word in ("the", "dont", "北")] == [
        14645693024798636849,
        17719453776021000667,
        4006507432301604918,
    ]
    found = count_ngrams(words(["the sea the sea"]))
    assert found.indices.tolist() == [832511, 101273, 238470, 857362]
    assert found.counts.tolist() == [2, 2, 2, 1]
    ranges = [
        (0x0E00, 0x0F00), (0x0F00, 0x10A0), (0x1780, 0x1800), (0x3041, 0x3100), (0x31F0, 0x3200),
        (0x3400, 0x4DC0), (0x4E00, 0xA000), (0xF900, 0xFB00), (0x20000, 0x40000),
    ]  # fmt: skip
    assert [(script.start, script.stop) for script in UNSPACED] == ranges
    assert LIMIT == 0x40000
    assert (DIACRITICS.start, DIACRITICS.stop) == (0x0300, 0x0370)


def test_words_by_hand() -> None:
    found = words(["Don't — l'été 北京 ok!", "", "don’t l'e\u0301te\u0301 state-of_art", "..."])
    assert np.diff(found.offsets).tolist() == [5, 0, 4, 0]
    expected = ["dont", "lete", "北", "京", "ok", "dont", "lete", "state", "of_art"]
    assert found.hashes.tolist() == [hash_word(word) for word in expected]


@settings(max_examples=150, deadline=None)
@given(st.lists(st.text(st.sampled_from("abzABZ09_éÉüñ'’ .,-\n\t"), max_size=40), max_size=4))
def test_words_are_those_of_plain_python(texts: list[str]) -> None:
    found = words(texts)
    expected = [[hash_word(word) for word in plain_words(text)] for text in texts]
    assert found.hashes.tolist() == [each for text in expected for each in text]
    assert np.diff(found.offsets).tolist() == [len(text) for text in expected]


@settings(max_examples=100, deadline=None)
@given(st.lists(st.text(max_size=60), max_size=4), st.text(max_size=60))
def test_a_document_does_not_depend_on_its_neighbours(others: list[str], text: str) -> None:
    alone, together = count_ngrams(words([text])), count_ngrams(words([*others, text]))
    start = together.offsets[-2]
    np.testing.assert_array_equal(alone.indices, together.indices[start:])
    np.testing.assert_array_equal(alone.counts, together.counts[start:])


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(["sea", "salt", "the", "boat"]), max_size=12))
def test_features_are_counted_unigrams_and_bigrams(chosen: list[str]) -> None:
    found = count_ngrams(words([" ".join(chosen)]))
    hashes = [hash_word(word) for word in chosen]
    pairs = pairwise(hashes)
    grams = [*hashes, *(plain_mix((one * 0x9E3779B97F4A7C15 + two) & MASK) for one, two in pairs)]
    expected = Counter(gram >> 44 for gram in grams)
    assert dict(zip(found.indices.tolist(), found.counts.tolist(), strict=True)) == expected
    assert all(0 <= index < FEATURES for index in expected)


def test_a_batch_is_split_once() -> None:
    batch = Batch(["one two", "three"])
    assert words(batch) is words(batch)
