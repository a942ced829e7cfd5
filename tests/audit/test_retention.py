"""Retention by group: values by hand, coverage in simulation, honesty at the edges."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hinterland.core.errors import CorpusError
from hinterland.curate.audit.groups import encode
from hinterland.curate.audit.retention import Design, interval, retention


def corpus(shape: dict[str, tuple[int, int, int]]) -> tuple[list[bool], list[int], list[str], list[str]]:
    """Return documents of groups given as (clusters, documents each, kept each); token counts are 1, 2, …"""
    kept, tokens, group, cluster = [], [], [], []
    for name, (clusters, each, keep) in shape.items():
        for c in range(clusters):
            for d in range(each):
                kept.append(d < keep)
                tokens.append(d + 1)
                group.append(name)
                cluster.append(f"{name}{c}")
    return kept, tokens, group, cluster


def test_counts_and_ratios_by_hand() -> None:
    kept, tokens, group, cluster = corpus({"a": (6, 10, 4), "b": (6, 10, 8)})
    measured = retention(kept, tokens, group, cluster)
    a, b = measured["a"], measured["b"]
    assert (a.documents, a.tokens, a.kept_documents, a.kept_tokens, a.clusters) == (60, 330, 24, 60, 6)
    assert a.retention.estimate == pytest.approx(0.4)
    assert a.token_retention.estimate == pytest.approx(60 / 330)  # 1+2+3+4 of 55
    assert b.token_retention.estimate == pytest.approx(36 / 55)
    assert a.vs_rest.estimate == pytest.approx(0.5)
    assert b.vs_rest.estimate == pytest.approx(2.0)
    assert a.vs_best.estimate == pytest.approx(0.5)
    assert (measured.best, measured.worst) == ("b", "a")
    assert measured.overall.retention.estimate == pytest.approx(0.6)
    assert a.retention.low == pytest.approx(0.4)  # every cluster keeps 4 of 10


def test_weights_count() -> None:
    kept, tokens, group, cluster = corpus({"a": (5, 10, 4), "b": (5, 10, 8)})
    weight = [2.0 if label == "a" else 1.0 for label in group]
    measured = retention(kept, tokens, group, cluster, weight)
    assert measured["a"].kept_documents == 40
    assert measured["a"].vs_best.estimate == pytest.approx(1.0)
    with pytest.raises(CorpusError, match="weight is negative or missing"):
        retention(kept, tokens, group, cluster, [-1.0] * len(kept))
    dropped = [math.nan if not k else 1.0 for k in kept]
    assert retention(kept, tokens, group, cluster, dropped)["a"].kept_documents == 20


def test_interval_is_the_percentile_interval_with_many_clusters() -> None:
    drawn = np.linspace(0, 1, 100_001)
    many = interval(0.5, drawn, 100_000)
    assert (many.low, many.high) == (pytest.approx(0.025, abs=1e-4), pytest.approx(0.975, abs=1e-4))
    few = interval(0.5, drawn, 5)  # Φ(−√(5/4) · 2.776) = Φ(−3.104)
    assert few.low == pytest.approx(0.000955, abs=1e-5)
    assert math.isnan(interval(0.5, drawn, 1).low)


def test_one_cluster_has_no_interval_and_is_not_ranked() -> None:
    kept, tokens, group, cluster = corpus({"a": (1, 50, 20), "b": (6, 10, 8), "c": (6, 10, 7)})
    a = retention(kept, tokens, group, cluster)["a"]
    assert math.isnan(a.retention.low)
    assert math.isnan(a.design_effect)
    assert math.isnan(a.p_value)
    assert (a.ranked, a.why_not) == (False, "fewer than 5 clusters")


def test_small_groups_are_shown_and_not_ranked() -> None:
    kept, tokens, group, cluster = corpus({"small": (6, 2, 0), "a": (6, 10, 5), "unknown": (9, 9, 1)})
    measured = retention(kept, tokens, group, cluster)
    assert {row.group: row.why_not for row in measured.groups} == {
        "small": "fewer than 30 documents",
        "a": "",
        "unknown": "unknown, not compared",
    }
    assert measured.best is None  # nothing to compare with
    assert math.isnan(measured.pair_p)
    assert retention(kept, tokens, group, cluster, min_documents=5).worst == "small"


def test_all_or_none_kept_is_not_certain() -> None:
    kept, tokens, group, cluster = corpus({"all": (6, 10, 10), "none": (6, 10, 0), "half": (6, 10, 5)})
    measured = retention(kept, tokens, group, cluster)
    assert measured["all"].retention.estimate == 1
    assert 0.3 < measured["all"].retention.low < 0.95
    assert measured["none"].retention.estimate == 0
    assert 0.05 < measured["none"].retention.high < 0.7
    assert measured["none"].vs_best.estimate == 0
    assert measured["none"].p_value < 0.05


def test_everything_kept_is_no_gap() -> None:
    kept, tokens, group, cluster = corpus({"a": (6, 10, 10), "b": (6, 10, 10)})
    measured = retention(kept, tokens, group, cluster)
    assert not measured["a"].vs_rest.excludes(1.0)
    assert measured.best is None


def test_nothing_kept_has_no_ratio() -> None:
    kept, tokens, group, cluster = corpus({"a": (6, 10, 0), "b": (6, 10, 0)})
    measured = retention(kept, tokens, group, cluster)
    assert math.isnan(measured["a"].vs_rest.estimate)
    assert math.isnan(measured["a"].p_value)


def test_design_effect_grows_with_the_clusters_likeness() -> None:
    rng = np.random.default_rng(5)
    cluster = np.repeat(np.arange(40), 25)
    alike = np.repeat(rng.random(40) < 0.5, 25)
    apart = rng.random(1000) < 0.5
    group = np.where(cluster < 20, "a", "b")
    effects = [
        retention(kept, np.ones(1000), group, cluster.astype(str))["a"].design_effect
        for kept in (alike, apart)
    ]
    assert effects[0] == pytest.approx(25, rel=0.3)  # documents of a cluster are copies
    assert effects[1] == pytest.approx(1, abs=0.7)


def test_same_seed_same_numbers() -> None:
    kept, tokens, group, cluster = corpus({"a": (6, 10, 4), "b": (7, 10, 8), "c": (8, 5, 5)})
    group = [*group[:-10], *["a"] * 10]
    one, two, other = (retention(kept, tokens, group, cluster, seed=s) for s in (1, 1, 2))
    assert repr(one) == repr(two)
    assert repr(one) != repr(other)


def test_bad_input() -> None:
    with pytest.raises(CorpusError, match="2 group labels, 1 clusters, 2 token counts"):
        retention([True, False], [1, 1], ["a", "b"], ["x"])
    with pytest.raises(CorpusError, match="token count is negative"):
        retention([True], [-1], ["a"], ["x"])
    with pytest.raises(CorpusError, match="token count is negative or missing"):
        retention([True], [math.nan], ["a"], ["x"])
    with pytest.raises(CorpusError, match="1 decisions for 2 documents"):
        retention([True], [1, 1], ["a", "b"], ["x", "y"])
    assert retention([], [], [], []).groups == ()


def simulate(rng: np.random.Generator, clusters: int, gap: float) -> tuple[np.ndarray, ...]:
    """Return decisions of two groups whose clusters differ by chance."""
    rates = np.clip(rng.normal(0.6, 0.12, 2 * clusters), 0, 1)
    rates[:clusters] *= gap
    size = rng.integers(5, 30, 2 * clusters)
    cluster = np.repeat(np.arange(2 * clusters), size)
    return (
        rng.random(len(cluster)) < rates[cluster],
        np.where(cluster < clusters, "a", "b"),
        cluster.astype(str),
    )


@pytest.mark.parametrize("clusters", [6, 30])
def test_intervals_cover_in_simulation(clusters: int) -> None:
    rng, hits, ratio_hits, runs = np.random.default_rng(11), 0, 0, 300
    for run in range(runs):
        kept, group, cluster = simulate(rng, clusters, gap=0.8)
        found = retention(kept, np.ones(len(kept)), group, cluster, seed=run, resamples=400)["a"]
        hits += found.retention.low <= 0.48 <= found.retention.high
        ratio_hits += found.vs_rest.low <= 0.8 <= found.vs_rest.high
    assert 0.91 <= hits / runs <= 0.99
    assert 0.91 <= ratio_hits / runs <= 0.995


def test_pair_is_not_found_by_chance() -> None:
    """With ten equal groups the widest of 45 pairs looks large; the corrected p-value must not."""
    rng, found, runs = np.random.default_rng(3), 0, 200
    for run in range(runs):
        cluster = np.repeat(np.arange(120), 10)
        rate = np.clip(rng.normal(0.5, 0.1, 120), 0, 1)
        kept = rng.random(1200) < rate[cluster]
        group = np.array([f"g{i // 12}" for i in cluster])
        found += (
            retention(kept, np.ones(1200), group, cluster.astype(str), seed=run, resamples=300).pair_p < 0.05
        )
    assert found / runs <= 0.09


def test_blocks_give_the_intervals_of_clusters(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(2)
    kept, group = rng.random(6000) < 0.5, np.where(np.arange(6000) % 2, "a", "b")
    single = np.arange(6000).astype(str)
    whole = retention(kept, np.ones(6000), group, single, resamples=1000)["a"].retention
    assert whole.high - whole.low == pytest.approx(2 * 1.96 * math.sqrt(0.25 / 3000), rel=0.15)
    design = Design(*encode(group), np.arange(6000), 6000, np.ones(6000))
    assert design._weights.shape == (2000, 4000)
    assert design.clusters.tolist() == [3000, 3000]


@settings(max_examples=30, deadline=None)
@given(
    st.lists(
        st.tuples(st.booleans(), st.integers(0, 9), st.sampled_from("abc"), st.sampled_from("uvwxyz")),
        min_size=1,
        max_size=40,
    )
)
def test_bounds_enclose_the_estimate(rows: list[tuple[bool, int, str, str]]) -> None:
    kept, tokens, group, cluster = (list(column) for column in zip(*rows, strict=True))
    measured = retention(kept, tokens, group, cluster, resamples=100, min_documents=1)
    assert sum(row.documents for row in measured.groups) == len(rows)
    assert sum(row.kept_documents for row in measured.groups) == sum(kept)
    for row in measured.groups:
        for each in (row.retention, row.token_retention, row.vs_rest, row.vs_best):
            assert not each.low > each.estimate
            assert not each.high < each.estimate


def test_clusters_that_hold_several_groups_count_on_both_sides() -> None:
    clusters = np.arange(400) % 10  # a is in all 10, b in 9 of them
    codes = np.where(clusters == 9, 0, np.arange(400) // 10 % 2).astype(np.int64)
    design = Design(codes, ["a", "b"], clusters, 10, np.ones(400))
    assert design.outside.tolist() == [9, 10]
    nested = Design(clusters % 2, ["a", "b"], clusters, 10, np.ones(400))
    assert nested.outside.tolist() == [5, 5]
