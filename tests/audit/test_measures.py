"""Means by group: by hand, in simulation, and what is not measured."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hinterland.core.errors import CorpusError
from hinterland.curate.audit.groups import Grouping, encode
from hinterland.curate.audit.measures import measure_of

NAN = float("nan")


def grouping(labels: list[str | None]) -> Grouping:
    return Grouping("region", *encode(labels))


def test_by_hand() -> None:
    made = grouping(["A", "A", "A", "B", "B", None])
    values = [1.0, 2.0, NAN, 4.0, 6.0, 2.0]
    found = measure_of(values, made, np.arange(6), 6, "loss", resamples=200, min_documents=2)
    everything, a, b, unknown = found.rows
    assert (found.column, found.grouping, found.unmeasured) == ("loss", "region", 1)
    assert (everything.group, everything.documents, everything.mean.estimate) == ("all", 5, 3.0)
    assert math.isnan(everything.difference.estimate)
    assert (a.documents, a.clusters, a.mean.estimate, a.difference.estimate) == (2, 2, 1.5, -2.5)
    assert (b.mean.estimate, b.difference.estimate) == (5.0, pytest.approx(5 - 5 / 3))
    assert unknown.group == "unknown"
    assert not unknown.ranked
    assert not a.ranked  # two clusters
    weighed = measure_of(values, made, np.arange(6), 6, "loss", weight=[3, 1, 9, 1, 1, 0], resamples=200)
    assert weighed.rows[1].mean.estimate == 1.25
    assert weighed.rows[2].difference.estimate == 5 - 1.25


def test_all_right_is_not_certain() -> None:
    right = np.array([1.0] * 40 + [1.0, 0.0] * 20)
    made = grouping(["A"] * 40 + ["B"] * 40)
    found = measure_of(right, made, np.arange(80) % 20, 20, "accuracy", resamples=300)
    _, a, b = found.rows
    assert a.mean.estimate == 1
    assert a.mean.low < 1
    assert a.mean.high == 1
    assert a.ranked
    assert a.difference.estimate == 0.5
    assert 0 < a.difference.low < 0.5 < a.difference.high < 1
    assert b.difference.low == pytest.approx(-a.difference.high)
    wrong = measure_of(1 - right, made, np.arange(80) % 20, 20, "error", resamples=300)
    assert wrong.rows[1].mean.low == 0
    assert wrong.rows[1].mean.high > 0


def test_one_cluster_one_group_and_nothing() -> None:
    one = measure_of([1.0, 2.0], grouping(["A", "A"]), np.zeros(2, np.int64), 1, "x", resamples=100)
    assert one.rows[1].mean.estimate == 1.5
    assert math.isnan(one.rows[1].mean.low)
    assert math.isnan(one.rows[1].difference.estimate)
    none = measure_of([NAN, NAN], grouping(["A", "B"]), np.arange(2), 2, "x", resamples=100)
    assert none.unmeasured == 2
    assert [each.documents for each in none.rows] == [0, 0, 0]
    assert math.isnan(none.rows[0].mean.estimate)
    empty = measure_of([], grouping([]), np.empty(0, np.int64), 0, "x", resamples=100)
    assert [each.group for each in empty.rows] == ["all"]


def test_bad_input() -> None:
    made, clusters = grouping(["A", "B"]), np.arange(2)
    with pytest.raises(CorpusError, match="3 values, 2 group labels"):
        measure_of([1, 2, 3], made, clusters, 2, "x")
    with pytest.raises(CorpusError, match="1 values are infinite"):
        measure_of([1, math.inf], made, clusters, 2, "x")
    for weight in ([-1, 1], [NAN, 1], [1]):
        with pytest.raises(CorpusError, match="weight is negative or missing"):
            measure_of([1, 2], made, clusters, 2, "x", weight=weight)


def test_intervals_cover_in_simulation() -> None:
    rng = np.random.default_rng(5)
    covered = missed = 0
    for seed in range(150):
        clusters = np.repeat(np.arange(24), 10)
        level = rng.normal(0, 1, 24)
        values = level[clusters] + rng.normal(0, 1, 240)
        made = Grouping("g", (clusters >= 8).astype(np.int64), ("A", "B"))
        found = measure_of(values, made, clusters, 24, "x", seed=seed, resamples=400)
        _, a, _ = found.rows
        covered += a.mean.low <= 0 <= a.mean.high
        missed += a.difference.excludes(0.0)
    assert 0.9 <= covered / 150 <= 1
    assert missed / 150 <= 0.1


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["A", "B", "C"]),
            st.one_of(st.just(NAN), st.floats(-5, 5), st.sampled_from([0.0, 1.0])),
            st.integers(0, 6),
        ),
        max_size=40,
    )
)
def test_means_and_bounds(rows: list[tuple[str, float, int]]) -> None:
    labels, values, clusters = ([each[at] for each in rows] for at in range(3))
    made = grouping(labels)
    found = measure_of(values, made, np.array(clusters, dtype=np.int64), 7, "x", resamples=100)
    numbers = np.array(values, dtype=float)
    assert found.unmeasured == int(np.isnan(numbers).sum())
    for each in found.rows[1:]:
        mine = np.array([label == each.group for label in labels], dtype=bool) & np.isfinite(numbers)
        rest = np.array([label != each.group for label in labels], dtype=bool) & np.isfinite(numbers)
        assert each.documents == mine.sum()
        if mine.any():
            assert each.mean.estimate == pytest.approx(numbers[mine].mean(), abs=1e-9)
        if mine.any() and rest.any():
            assert each.difference.estimate == pytest.approx(
                numbers[mine].mean() - numbers[rest].mean(), abs=1e-9
            )
        for interval in (each.mean, each.difference):
            if math.isfinite(interval.low):
                assert interval.low <= interval.estimate + 1e-9 <= interval.high + 2e-9
