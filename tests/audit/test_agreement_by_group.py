"""Agreement of two filters by group: counts by hand, intervals, and which pairs."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hinterland.core.errors import CorpusError
from hinterland.curate.audit.agreement_by_group import agreement_of, agreements, variant_pairs
from hinterland.curate.audit.claims import ALL
from hinterland.curate.audit.groups import Grouping
from hinterland.curate.audit.retention import retention


def grouping(size: int, labels: tuple[str, ...] = ("a", "b")) -> Grouping:
    return Grouping("kind", (np.arange(size) % len(labels)).astype(np.int64), labels)


def test_by_hand() -> None:
    first = np.array([1, 1, 1, 0, 0, 0, 1, 0], bool)
    second = np.array([1, 0, 1, 1, 0, 0, 1, 1], bool)
    found = agreement_of(
        first, second, grouping(8), np.arange(8) // 2, 4, names=("c4", "c4@dolma"), min_documents=1
    )
    assert (found.first, found.second, found.grouping) == ("c4", "c4@dolma", "kind")
    rows = {row.group: row for row in found.rows}
    assert [row.group for row in found.rows] == ["all", "a", "b"]
    # a: both, both, neither, both; b: only first, only second, neither, only second.
    assert (rows["a"].both, rows["a"].only_first, rows["a"].only_second, rows["a"].neither) == (3, 0, 0, 1)
    assert (rows["b"].both, rows["b"].only_first, rows["b"].only_second, rows["b"].neither) == (0, 1, 2, 1)
    assert (rows["all"].both, rows["all"].only_first, rows["all"].only_second, rows["all"].neither) == (
        3, 1, 2, 2,
    )  # fmt: skip
    assert rows["b"].agreement.estimate == 0.25
    assert rows["all"].documents == 8
    assert rows["all"].agreement.estimate == 5 / 8
    assert rows["a"].agreement.low < 1  # all alike, and yet only four clusters
    assert not rows["a"].ranked
    assert rows["all"].ranked


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 2**32), st.integers(1, 60))
def test_counts_add_up(seed: int, size: int) -> None:
    rng = np.random.default_rng(seed)
    first, second = rng.random(size) < 0.6, rng.random(size) < 0.5
    each = grouping(size, ("a", "b", "unknown"))
    one = agreement_of(first, second, each, np.arange(size), size, resamples=100)
    other = agreement_of(second, first, each, np.arange(size), size, resamples=100)
    for row, mirrored in zip(one.rows, other.rows, strict=True):
        assert row.both + row.only_first + row.only_second + row.neither == row.documents
        assert (row.only_first, row.only_second) == (mirrored.only_second, mirrored.only_first)
        if row.documents:
            assert row.agreement.estimate == pytest.approx((row.both + row.neither) / row.documents)
        else:
            assert math.isnan(row.agreement.estimate)
    whole = one.rows[0]
    for name in ("both", "only_first", "only_second", "neither", "documents"):
        assert getattr(whole, name) == sum(getattr(row, name) for row in one.rows[1:])


def test_interval_is_that_of_retention() -> None:
    rng = np.random.default_rng(2)
    first, second = rng.random(2000) < 0.7, rng.random(2000) < 0.7
    each, clusters = grouping(2000), rng.integers(0, 30, 2000)
    found = agreement_of(first, second, each, clusters, 30)
    expected = retention(first == second, np.ones(2000), each.named(), np.char.mod("%02d", clusters))
    assert found.rows[1].agreement == expected["a"].retention
    assert found.rows[0].agreement == expected.overall.retention


def test_pairs_are_variants_unless_asked() -> None:
    names = ["c4", "c4@dolma", "c4@datatrove", "fineweb", "gopher_quality@dolma", ALL]
    assert variant_pairs(names) == (
        ("c4", "c4@datatrove"), ("c4", "c4@dolma"), ("c4@datatrove", "c4@dolma"),
    )  # fmt: skip
    assert variant_pairs(["c4", "fineweb"]) == ()
    keeps: dict[str, Any] = {name: np.arange(60) % number > 0 for number, name in enumerate(names, 2)}
    by_name = {"kind": grouping(60), "other": grouping(60, ("x", "y", "z"))}
    found = agreements(keeps, by_name, np.arange(60), 60, resamples=100)
    assert [(each.first, each.second, each.grouping) for each in found[:2]] == [
        ("c4", "c4@datatrove", "kind"), ("c4", "c4@dolma", "kind"),
    ]  # fmt: skip
    assert len(found) == 6
    asked = agreements(keeps, by_name, np.arange(60), 60, pairs=[("fineweb", ALL)], resamples=100)
    assert [(each.first, each.second) for each in asked] == [("fineweb", ALL)] * 2
    assert agreements({"c4": keeps["c4"]}, by_name, np.arange(60), 60) == ()


def test_bad_input() -> None:
    with pytest.raises(CorpusError, match="no filter 'c5'"):
        agreements({"c4": [True]}, {}, np.zeros(1, np.int64), 1, pairs=[("c4", "c5")])
    with pytest.raises(CorpusError, match="2 decisions of first, 1 of second"):
        agreement_of([True, True], [True], grouping(2), np.arange(2), 2)
    with pytest.raises(CorpusError, match="1 decisions for 2 documents"):
        agreement_of([True], [True], grouping(2), np.arange(2), 2)
    empty = agreement_of([], [], Grouping("kind", np.empty(0, np.int64), ()), np.empty(0, np.int64), 0)
    assert [row.group for row in empty.rows] == ["all"]
