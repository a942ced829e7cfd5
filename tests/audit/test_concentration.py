"""Effective numbers, Gini and the largest hundredth: closed forms, by hand, and large."""

from __future__ import annotations

import math
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hinterland.curate.audit.concentration import concentration_of, gini, hill
from hinterland.curate.audit.groups import encode

COUNTS = st.lists(st.integers(1, 1000), min_size=1, max_size=30)


def test_by_hand() -> None:
    codes, names = encode(["a", "a", "a", "b", None, "c"])
    found = concentration_of(codes, names, [1, 2, 3, 4, 100, 0], "source")
    # Shares 3/5, 1/5, 1/5: Σp² = 11/25; Gini: Σ|xi − xj| over all 9 pairs is 8, / (2 · 3² · 5/3) = 4/15.
    assert (found.sources, found.unknown_documents) == (3, 1)
    assert found.hill[0] == 3
    assert found.hill[1] == pytest.approx(math.exp(-(0.6 * math.log(0.6) + 0.4 * math.log(0.2))))
    assert found.hill[2] == pytest.approx(25 / 11)
    assert found.gini == pytest.approx(4 / 15)
    assert (found.top_sources, found.top_share, found.top_token_share) == (1, 0.6, 0.6)
    assert found.largest == (("a", 3), ("b", 1), ("c", 1))


@given(COUNTS, st.integers(2, 5))
def test_closed_forms(counts: list[int], times: int) -> None:
    n = len(counts)
    assert hill([7] * n, 0) == pytest.approx(n)
    assert hill([7] * n, 1) == pytest.approx(n)
    assert hill([7] * n, 2) == pytest.approx(n)
    assert gini([7] * n) == pytest.approx(0, abs=1e-12)
    # Replication (Hill 1973): copies of a community multiply its effective number, and leave Gini.
    for order in (0, 1, 2, 3.5):
        assert hill(counts * times, order) == pytest.approx(times * hill(counts, order))
    assert gini(counts * times) == pytest.approx(gini(counts), abs=1e-12)


@given(COUNTS)
def test_bounds_and_order(counts: list[int]) -> None:
    zero, one, two = (hill(counts, order) for order in (0, 1, 2))
    assert 1 - 1e-9 <= two <= one + 1e-9 <= zero + 2e-9
    assert hill(counts, 1) == pytest.approx(hill(counts, 1 + 1e-7), rel=1e-5)  # the limit
    x = np.array(counts, dtype=float)
    pairs = np.abs(x[:, None] - x).sum() / (2 * len(x) ** 2 * x.mean())
    assert gini(counts) == pytest.approx(pairs, abs=1e-12)
    assert hill([*counts, 0, 0], 1) == pytest.approx(one)


def test_no_source_and_one_source() -> None:
    codes, names = encode([None, None])
    none = concentration_of(codes, names, [1, 1])
    assert (none.sources, none.unknown_documents, none.hill, none.top_sources) == (0, 2, (0, 0, 0), 0)
    assert math.isnan(none.gini)
    assert math.isnan(none.top_share)
    assert none.largest == ()
    empty = concentration_of(np.empty(0, dtype=np.int64), (), [])
    assert (empty.sources, empty.unknown_documents) == (0, 0)
    codes, names = encode(["x"] * 5)
    one = concentration_of(codes, names, [0] * 5)
    assert (one.hill, one.gini, one.top_share) == ((1, 1, 1), 0, 1)
    assert math.isnan(one.top_token_share)


def test_the_largest_hundredth_is_not_more() -> None:
    counts = [50] + [1] * 198
    codes = np.repeat(np.arange(199), counts)
    names = tuple(f"s{number:03}" for number in range(199))
    found = concentration_of(codes, names, np.ones(len(codes)))
    assert (found.top_sources, found.top_share) == (1, 50 / 248)
    assert len(found.largest) == 10
    assert found.largest[1][0] == "s001"  # ties in the order of the names


def test_a_million_sources() -> None:
    n = 1_000_000
    names = tuple(map(str, range(n)))
    start = time.perf_counter()
    found = concentration_of(np.arange(n), names, np.ones(n))
    assert time.perf_counter() - start < 10
    assert found.hill == pytest.approx((n, n, n))
    assert found.gini == pytest.approx(0, abs=1e-9)
    assert (found.top_sources, found.top_share) == (10_000, 0.01)
