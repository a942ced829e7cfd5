"""Shares of a gap: by hand, against all orders, and what must hold of any decisions."""

from __future__ import annotations

import math
import time
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from hinterland.core.errors import CorpusError
from hinterland.curate.audit.attribution import OTHER, attribute, order_matters
from hinterland.curate.audit.claims import ALL
from hinterland.curate.audit.groups import Grouping
from hinterland.curate.audit.parts import Attribution, FilterShare
from hinterland.curate.audit.retention import retention

Bools = NDArray[np.bool_]


def shares(
    decisions: dict[str, list[bool] | Bools],
    codes: NDArray[np.int64],
    *,
    clusters: NDArray[np.int64] | None = None,
    resamples: int = 100,
    labels: tuple[str, ...] = ("a", "b"),
    **more: object,
) -> tuple[Attribution, ...]:
    clusters = np.arange(len(codes)) % 12 if clusters is None else clusters
    grouping = Grouping("kind", codes, labels)
    return attribute(
        decisions, grouping, clusters, int(clusters.max()) + 1, resamples=resamples, min_documents=1, **more
    )  # type: ignore[arg-type]


def part(found: Attribution, name: str) -> FilterShare:
    return next(each for each in found.filters if each.filter == name)


def halves(size: int = 20) -> NDArray[np.int64]:
    return np.repeat([0, 1], size)


def test_by_hand() -> None:
    # Of 20 documents of a: 4 dropped by f alone, 4 by both, 2 by g alone; of b 2 by g alone.
    f, g = np.ones(40, bool), np.ones(40, bool)
    f[:8] = False
    g[4:10] = False
    g[20:22] = False
    first, second = shares({"f": f, "g": g}, halves())
    assert first.group == "a"
    assert first.gap.estimate == pytest.approx(18 / 20 - 10 / 20)
    assert part(first, "f").shapley.estimate == pytest.approx((4 + 4 / 2) / 20)
    assert part(first, "g").shapley.estimate == pytest.approx((2 + 4 / 2) / 20 - 2 / 20)
    assert (part(first, "f").first, part(first, "f").last) == pytest.approx((8 / 20, 4 / 20))
    assert (part(first, "g").first, part(first, "g").last) == pytest.approx((6 / 20 - 2 / 20, 0))
    assert [each.filter for each in first.filters] == ["f", "g"]
    assert second.gap.estimate == pytest.approx(-first.gap.estimate)
    assert first.method == "exact"
    assert first.gap.low < first.gap.estimate < first.gap.high
    assert part(first, "f").shapley.low < 0.3 < part(first, "f").shapley.high


def test_other_rules_have_the_rest() -> None:
    # f drops 4 of a; the cap behind ALL another 2 of a, and lets one of the 4 back in.
    f = np.arange(40) >= 4
    together = f.copy()
    together[4:6] = False
    together[0] = True
    found = shares({"f": f, ALL: together}, halves())[0]
    assert found.gap.estimate == pytest.approx(5 / 20)
    assert part(found, "f").shapley.estimate == pytest.approx((3 + 1 / 2) / 20)
    assert part(found, OTHER).shapley.estimate == pytest.approx((2 - 1 / 2) / 20)
    assert (part(found, "f").first, part(found, "f").last) == pytest.approx((4 / 20, 3 / 20))
    assert (part(found, OTHER).first, part(found, OTHER).last) == pytest.approx((2 / 20, 1 / 20))


def test_weights_are_other_rules() -> None:
    f = np.arange(40) >= 4
    weight = np.where(np.arange(40) < 20, 0.5, 2.0)
    found = shares({"f": f, ALL: f}, halves(), weight=weight)[0]
    assert found.gap.estimate == pytest.approx(2.0 - 0.4)
    assert part(found, "f").shapley.estimate == pytest.approx(0.2)
    assert part(found, OTHER).shapley.estimate == pytest.approx(1.4)
    with pytest.raises(CorpusError, match="weight is negative"):
        shares({"f": f}, halves(), weight=np.full(40, -1.0))


def values_by_order(dropped: Bools, last_word: Bools, other: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return each player's mean part over all orders for one document, the others' word last."""
    players = len(dropped) + 1
    totals = np.zeros(players)
    orders = list(permutations(range(players)))
    for order in orders:
        seen: set[int] = set()
        before = 0.0
        for player in order:
            seen.add(player)
            lost = any(dropped[each] for each in seen if each < players - 1)
            has_word = players - 1 in seen and (last_word or not dropped.any())
            now = float(other) if has_word else float(lost)
            totals[player] += now - before
            before = now
    return totals / len(orders)


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 2**32), st.integers(1, 4))
def test_agrees_with_all_orders(seed: int, filters: int) -> None:
    rng = np.random.default_rng(seed)
    size = 24
    kept = {f"f{i}": rng.random(size) < rng.uniform(0.2, 1) for i in range(filters)}
    passed = np.logical_and.reduce(list(kept.values()))
    together = np.where(rng.random(size) < 0.2, ~passed, passed)
    weight = rng.choice([0.5, 1.0, 2.0], size)
    codes = halves(size // 2)
    found = shares({**kept, ALL: together}, codes, weight=weight)[0]
    held = np.where(together, weight, 0.0)
    drops = ~np.array(list(kept.values()))
    each = np.array(
        [values_by_order(drops[:, i], together[i] & ~passed[i], 1 - held[i]) for i in range(size)]
    )
    expected = each[codes == 0].mean(0) - each[codes == 1].mean(0)
    for number, name in enumerate([*kept, OTHER]):
        shown = [row.shapley.estimate for row in found.filters if row.filter == name] or [0.0]
        assert shown[0] == pytest.approx(expected[number], abs=1e-12)
    assert sum(row.shapley.estimate for row in found.filters) == pytest.approx(found.gap.estimate, abs=1e-12)


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 2**32))
def test_what_a_fair_division_must_do(seed: int) -> None:
    rng = np.random.default_rng(seed)
    codes = rng.integers(0, 3, 90)
    f, g = rng.random(90) < 0.6, rng.random(90) < 0.8
    found = shares(
        {"f": f, "twin": f, "g": g, "null": np.ones(90, bool)}, codes, labels=("a", "b", "unknown")
    )
    for each in found:
        assert each.group in ("a", "b")
        assert part(each, "f").shapley.estimate == pytest.approx(part(each, "twin").shapley.estimate)
        none = part(each, "null")
        assert (none.first, none.last, none.shapley.estimate) == (0, 0, 0)
        assert (none.shapley.low, none.shapley.high) == (0, 0)
        assert not none.order_matters
        assert part(each, "f").last == 0
        assert sum(row.shapley.estimate for row in each.filters) == pytest.approx(each.gap.estimate)
        assert OTHER not in [row.filter for row in each.filters]


def test_gap_is_that_of_retention() -> None:
    rng = np.random.default_rng(3)
    codes = rng.integers(0, 2, 3000)
    clusters = rng.integers(0, 25, 3000) * 2 + codes
    keep = rng.random(3000) < 0.5 + 0.2 * codes + 0.1 * (clusters % 3)
    gap = shares({"f": keep}, codes, clusters=clusters, resamples=2000)[0].gap
    names = np.array(["a", "b"])[codes]
    rows = retention(keep, np.ones(3000), names, clusters.astype(str))
    assert gap.estimate == pytest.approx(rows["b"].retention.estimate - rows["a"].retention.estimate)
    low, high = rows["a"].retention.low, rows["a"].retention.high
    assert high - low < gap.high - gap.low < 2.5 * (high - low)


def test_covers_the_true_part() -> None:
    # Rates vary by cluster; the interval should hold the true part in about 95 of 100 corpora.
    rng, held, rounds = np.random.default_rng(8), 0, 120
    clusters = np.repeat(np.arange(40), 25)
    codes = (clusters % 2).astype(np.int64)
    for _ in range(rounds):
        rate = np.clip(0.3 - 0.15 * (np.arange(40) % 2) + rng.normal(0, 0.05, 40), 0, 1)
        drop = rng.random(1000) < rate[clusters]
        other = rng.random(1000) < 0.2
        found = shares({"f": ~drop, "g": ~other}, codes, clusters=clusters, resamples=400)[0]
        # E[1/d] of f: (1 − 0.2) + 0.2 / 2 = 0.9 of its rate.
        held += not part(found, "f").shapley.excludes(0.9 * 0.15)
    assert held >= 0.88 * rounds


def test_group_that_loses_nothing_has_a_spread() -> None:
    rng = np.random.default_rng(0)
    codes = halves(300)
    keep = np.ones(600, bool)
    keep[300:] = rng.random(300) < 0.9
    rare = np.ones(600, bool)
    rare[310] = False
    found = shares({"f": keep, "rare": rare}, codes, resamples=500)[0]
    whole, small = found.gap, part(found, "rare").shapley
    assert whole.low < -0.1 < whole.high
    assert whole.high > 0  # 12 clusters without a loss: up to 2.5 in 13 are not excluded
    assert -0.02 < small.low < small.high < 0.02


def test_order_rule() -> None:
    assert order_matters(0.10, 0.02, 0.12)
    assert order_matters(0.03, -0.02, 0.30)
    assert not order_matters(0.004, -0.004, 0.001)
    assert not order_matters(0.10, 0.09, 0.10)
    assert not order_matters(-0.088, -0.062, -0.02)  # the gap is small, the part the same
    assert not order_matters(0.002, -0.013, 0.2)
    assert order_matters(0.05, 0.0, 0.04)


def test_supported_and_ranked() -> None:
    keep = np.arange(40) % 3 > 0
    found = shares({"f": keep}, halves(), supported={"b"})
    assert [(each.group, each.supported) for each in found] == [("a", False), ("b", True)]
    few = attribute({"f": keep}, Grouping("kind", halves(), ("a", "b")), halves(), 2, resamples=100)
    assert few == ()
    assert shares({"f": keep}, np.zeros(40, np.int64)) == ()
    assert attribute({"f": []}, Grouping("k", np.empty(0, np.int64), ()), np.empty(0, np.int64), 0) == ()


def test_bad_input() -> None:
    with pytest.raises(CorpusError, match="no decision"):
        shares({}, halves())
    with pytest.raises(CorpusError, match="decisions of f do not fit 40 documents"):
        shares({"f": [True]}, halves())


def test_same_seed_same_bytes_and_clusters_without_number() -> None:
    rng = np.random.default_rng(1)
    codes = rng.integers(0, 2, 12_000)
    decisions = {"f": rng.random(12_000) < 0.8}
    clusters = np.arange(12_000)
    one, other = (shares(decisions, codes, clusters=clusters) for _ in range(2))
    assert one == other
    assert math.isfinite(one[0].filters[0].shapley.low)


@pytest.mark.slow
def test_million_documents() -> None:
    rng = np.random.default_rng(0)
    codes = rng.integers(0, 22, 1_000_000)
    decisions = {f"f{i}": rng.random(1_000_000) < 0.95 for i in range(30)}
    start = time.perf_counter()
    found = shares(
        decisions, codes, clusters=rng.integers(0, 1_000_000, 1_000_000), resamples=2000,
        labels=tuple(f"g{i}" for i in range(22)),
    )  # fmt: skip
    assert len(found) == 22
    assert time.perf_counter() - start < 60
