"""Exact duplicates: hashes, clusters, sizes, and the copy that is kept."""

from __future__ import annotations

import re

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hinterland.core.errors import ConfigError
from hinterland.curate.dedup import (
    DUPLICATE_RULES,
    POLICIES,
    RULES,
    exact_duplicates,
    exact_hashes,
    normalised_hash,
    paragraph_hashes,
    text_hashes,
)
from hinterland.curate.words import Batch

_BLANK_LINE = re.compile(r"\n\s*\n")


def normalised(text: str) -> str:
    return " ".join(text.casefold().split())


def paragraphs_of(text: str) -> list[str]:
    found = [normalised(part) for part in _BLANK_LINE.split(text.strip()) if part.strip()]
    return found if len(found) > 1 else [normalised(line) for line in text.split("\n") if line.strip()]


awkward = st.text(
    st.one_of(
        st.sampled_from("aAbB  \n\n\t\rßİŉΐﬃς\x85\x1c\u2028\u3000é中😀\x00"),
        st.characters(exclude_categories=["Cs"]),
    ),
    max_size=40,
)


@settings(deadline=None)  # the first call compiles
@given(st.lists(awkward, max_size=8))
def test_the_compiled_hashes_are_those_of_python(texts: list[str]) -> None:
    found = text_hashes(texts)
    assert [digest.tobytes().hex() for digest in found.exact] == [normalised_hash(text) for text in texts]
    parts = [paragraphs_of(text) for text in texts]
    assert found.counts.tolist() == [len(each) for each in parts]
    flat = [part for each in parts for part in each]
    assert found.characters.tolist() == [len(part) for part in flat]
    same = {(one == other, left == right) for one, left in zip(flat, found.paragraphs, strict=True)
            for other, right in zip(flat, found.paragraphs, strict=True)}  # fmt: skip
    assert same <= {(True, True), (False, False)}


def test_every_case_folding() -> None:
    texts = [
        chr(code)
        for code in range(0x110000)
        if not 0xD800 <= code < 0xE000 and chr(code).casefold() != chr(code)
    ]
    assert len(texts) > 1000
    assert [digest.tobytes().hex() for digest in exact_hashes(texts)] == [
        normalised_hash(text) for text in texts
    ]


def test_paragraphs_are_hashed_apart_from_their_documents() -> None:
    hashes, counts, characters = paragraph_hashes(["One  two\n \nTHREE\nfour", "three FOUR", "one two"])
    assert counts.tolist() == [2, 1, 1]
    assert characters.tolist() == [7, 10, 10, 7]
    assert (hashes[0], hashes[1]) == (hashes[3], hashes[2])
    assert hashes[0] != hashes[1]


def test_a_slice_of_a_column_is_read_as_it_stands() -> None:
    column = pa.array(["left out", "The Sea", "Ländereien", ""]).slice(1, 2)
    found = text_hashes(Batch.from_arrow(column))
    assert [each.tobytes().hex() for each in found.exact] == [
        normalised_hash("The Sea"),
        normalised_hash("Ländereien"),
    ]


def test_the_rules_by_default() -> None:
    assert {rule.column for rule in DUPLICATE_RULES} == {
        "exact_dup.first",
        "para_dup.share",
        "near_dup.first",
    }
    assert DUPLICATE_RULES[:1] == RULES
    # Copied paragraphs are measured, and drop nothing unless a config gives a bound.
    assert DUPLICATE_RULES[1].passes([0.8, 1.0, float("nan")]).tolist() == [True, True, True]


def test_case_and_white_space_do_not_matter_and_words_do() -> None:
    assert normalised_hash("The  Sea\n") == normalised_hash("the sea")
    assert normalised_hash("the sea") != normalised_hash("thesea")


def test_clusters_by_hand() -> None:
    found = exact_duplicates(["b", "a", "c"], ["The sea", "the  sea   ", "the land"])
    clusters = found["exact_dup.cluster"].tolist()
    assert clusters[0] == clusters[1] != clusters[2]
    assert found["exact_dup.size"].tolist() == [2, 2, 1]
    assert found["exact_dup.first"].tolist() == [False, True, True]
    assert RULES[0].passes(found["exact_dup.first"]).tolist() == [False, True, True]


def test_the_longest_copy() -> None:
    texts = ["The sea", "the  sea", "the sea  "]
    found = exact_duplicates(["a", "b", "c"], texts, policy="longest")
    assert found["exact_dup.first"].tolist() == [False, False, True]
    tie = exact_duplicates(["b", "a"], ["x", "X"], policy="longest")
    assert tie["exact_dup.first"].tolist() == [False, True]


def test_the_oldest_and_the_rarest() -> None:
    ids, texts = ["a", "b", "c", "d"], ["x"] * 4
    dates = ["2002", None, "2001-12-31", "2001-12-31T10:00:00Z"]
    found = exact_duplicates(ids, texts, policy="oldest", dates=dates)
    assert found["exact_dup.first"].tolist() == [False, False, True, False]
    sources = ["big", "big", "small", None]
    found = exact_duplicates(ids, texts, policy="rarest", sources=sources)
    assert found["exact_dup.first"].tolist() == [False, False, True, False]
    found = exact_duplicates(ids, texts, policy="rarest", sources=["big", "big", "big", None])
    assert found["exact_dup.first"].tolist() == [False, False, False, True]


def test_no_documents() -> None:
    assert all(len(values) == 0 for values in exact_duplicates([], []).values())


def test_an_unknown_policy() -> None:
    with pytest.raises(ConfigError, match="longest"):
        exact_duplicates(["a"], ["x"], policy="longset")  # type: ignore[arg-type]


@given(
    st.lists(st.sampled_from(["a", "A", "a ", "b", "B b"]), max_size=12), st.randoms(use_true_random=False)
)
def test_order_does_not_matter(texts: list[str], random: object) -> None:
    ids = [f"{number:02d}" for number in range(len(texts))]
    order = list(range(len(texts)))
    random.shuffle(order)  # type: ignore[attr-defined]
    for policy in POLICIES:
        straight = exact_duplicates(ids, texts, policy=policy)
        shuffled = exact_duplicates([ids[i] for i in order], [texts[i] for i in order], policy=policy)
        for column, values in straight.items():
            assert [values[i] for i in order] == shuffled[column].tolist()
        clusters = set(straight["exact_dup.cluster"].tolist())
        assert straight["exact_dup.first"].sum() == len(clusters)
