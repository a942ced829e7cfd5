"""Exact duplicates: clusters, sizes, and the copy that is kept."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hinterland.core.errors import ConfigError
from hinterland.curate.dedup import POLICIES, RULES, exact_duplicates, normalised_hash


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
