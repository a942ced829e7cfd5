from __future__ import annotations

import math
import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import bootstrap, norm

from hinterland.core.stats import (
    Interval,
    bootstrap_mean,
    cluster_weights,
    paired_difference,
    percentile_interval,
)

NAN = math.nan
FLOATS = st.floats(-100, 100)


def test_intervals_by_hand() -> None:
    replicates = np.arange(101, dtype=float)
    found = percentile_interval(50.0, replicates, level=0.9)
    assert (found.low, found.high, found.level) == pytest.approx((5.0, 95.0, 0.9))
    assert percentile_interval(1.0, np.array([NAN, 1.0, math.inf])) == Interval(1.0, 1.0, 1.0)
    nothing = percentile_interval(1.0, np.array([NAN]))
    assert math.isnan(nothing.low)
    assert not nothing.excludes(0.0)


def test_excludes_is_about_the_outside() -> None:
    assert Interval(2, 1, 3).excludes(0)
    assert Interval(2, 1, 3).excludes(4)
    assert not Interval(2, 1, 3).excludes(1)
    assert not Interval(NAN, NAN, NAN).excludes(0)


def test_the_mean_leaves_the_unmeasured_out() -> None:
    found = bootstrap_mean([1.0, NAN, 3.0])
    assert found.estimate == 2.0
    assert (found.low, found.high) == (1.0, 3.0)
    assert math.isnan(bootstrap_mean([]).estimate)
    assert math.isnan(bootstrap_mean([NAN]).low)
    assert bootstrap_mean([4.0]) == Interval(4.0, 4.0, 4.0)


def test_it_agrees_with_scipy_and_with_the_normal_theory() -> None:
    values = np.random.default_rng(1).exponential(size=200)
    found = bootstrap_mean(values, resamples=10_000)
    theirs = bootstrap(
        (values,), np.mean, n_resamples=10_000, method="percentile", rng=np.random.default_rng(2)
    ).confidence_interval
    assert (found.low, found.high) == pytest.approx((theirs.low, theirs.high), abs=0.01)
    error = values.std() / math.sqrt(200) * norm.ppf(0.975)
    assert found.high - found.low == pytest.approx(2 * error, rel=0.05)


def test_the_interval_covers_the_truth_about_as_often_as_it_says() -> None:
    draw = np.random.default_rng(0)
    hits = 0
    for seed in range(300):
        found = bootstrap_mean(draw.normal(size=50), resamples=400, seed=seed)
        hits += not found.excludes(0.0)
    assert 0.90 <= hits / 300 <= 0.98


def test_large_samples_need_no_large_memory() -> None:
    tracemalloc.start()
    found = bootstrap_mean(np.tile([0.0, 1.0], 100_000), resamples=100)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found.estimate == 0.5
    assert peak < 100e6  # all at once would be 320 MB


def test_blocks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    values = np.random.default_rng(0).normal(size=97)
    whole = bootstrap_mean(values)
    monkeypatch.setattr("hinterland.core.stats._BLOCK", 1000)
    blocks = bootstrap_mean(values)
    assert (blocks.low, blocks.high) == pytest.approx((whole.low, whole.high), rel=1e-12)


def test_pairs_cancel_what_makes_items_hard() -> None:
    hard = np.random.default_rng(0).normal(0, 10, size=50)
    found = paired_difference(hard, hard + 1)
    assert (found.low, found.high) == pytest.approx((1.0, 1.0))
    assert paired_difference([1.0, NAN, 0.0], [2.0, 5.0, NAN]) == Interval(1.0, 1.0, 1.0)
    with pytest.raises(ValueError, match=r"equal lengths, found \(1,\) and \(2,\)"):
        paired_difference([1.0], [1.0, 2.0])


@given(st.lists(FLOATS, min_size=1, max_size=20))
def test_the_interval_lies_within_the_data(values: list[float]) -> None:
    found = bootstrap_mean(values, resamples=50)
    slack = 1e-9 * (1 + max(map(abs, values)))
    assert min(values) - slack <= found.low <= found.high + slack <= max(values) + 2 * slack


@given(st.lists(FLOATS, min_size=1, max_size=20), st.integers(0, 3))
def test_a_seed_is_a_result(values: list[float], seed: int) -> None:
    assert bootstrap_mean(values, resamples=50, seed=seed) == bootstrap_mean(values, resamples=50, seed=seed)


@given(st.integers(0, 30), st.integers(1, 20))
def test_cluster_weights_draw_as_many_as_there_are(clusters: int, resamples: int) -> None:
    weights = cluster_weights(clusters, resamples=resamples, seed=0)
    assert weights.shape == (resamples, clusters)
    if clusters:
        assert np.all(weights.sum(axis=1) == clusters)
        assert np.all(weights >= 0)
