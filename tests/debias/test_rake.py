"""Raking: textbook tables by hand, a slow reference, bounds, and margins that cannot be met."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hinterland.core.errors import ConfigError, CorpusError
from hinterland.curate.debias.ipf import fit_weights, scale_groups
from hinterland.curate.debias.kish import design_effect
from hinterland.curate.debias.rake import Weights, rake


def cells(table: list[list[int]]) -> dict[str, list[str]]:
    """Return documents of a two-way table: rows r0, r1, …, columns c0, c1, …"""
    pairs = [(f"r{i}", f"c{j}") for i, row in enumerate(table) for j, n in enumerate(row) for _ in range(n)]
    return {"row": [row for row, _ in pairs], "column": [column for _, column in pairs]}


def sums(weight: np.ndarray, groups: dict[str, list[str]]) -> dict[str, float]:
    return {
        f"{row}{column}": float(
            weight[(np.array(groups["row"]) == row) & (np.array(groups["column"]) == column)].sum()
        )
        for row in sorted(set(groups["row"]))
        for column in sorted(set(groups["column"]))
    }


def slow(
    base: list[float],
    groups: list[list[str]],
    wanted: list[dict[str, float]],
    low: float,
    high: float,
    sweeps: int = 4000,
) -> np.ndarray:
    """Bounded raking as it is written down: every factor by bisection, one group at a time."""
    loose = [float(b) for b in base]
    for _ in range(sweeps):
        moved = 0.0
        for labels, target in zip(groups, wanted, strict=True):
            for label, total in target.items():
                rows = [i for i, each in enumerate(labels) if each == label]
                below, above = -60.0, 60.0
                for _ in range(200):
                    middle = (below + above) / 2
                    got = sum(min(max(loose[i] * math.exp(middle), low), high) for i in rows)
                    below, above = (middle, above) if got < total else (below, middle)
                for i in rows:
                    loose[i] *= math.exp(below)
                moved = max(moved, abs(below))
        if moved < 1e-12:
            break
    return np.array([min(max(each, low), high) for each in loose])


def test_two_by_two_by_hand() -> None:
    groups = cells([[40, 10], [20, 30]])
    half = {"row": {"r0": 1, "r1": 1}, "column": {"c0": 1, "c1": 1}}
    found = rake(groups, half)
    # Scaling keeps the odds ratio, (40 × 30) / (10 × 20) = 6. With all margins 50 the table is
    # [[x, 50 − x], [50 − x, x]] and (x / (50 − x))² = 6.
    x = 50 * math.sqrt(6) / (1 + math.sqrt(6))
    assert sums(found.weight, groups) == {
        "r0c0": pytest.approx(x, abs=1e-4), "r0c1": pytest.approx(50 - x, abs=1e-4),
        "r1c0": pytest.approx(50 - x, abs=1e-4), "r1c1": pytest.approx(x, abs=1e-4),
    }  # fmt: skip
    assert found.converged
    assert found.unmet == {}
    assert found.weight.sum() == pytest.approx(100)
    assert [row.reference for row in found.margins["row"]] == [0.5, 0.5]
    assert [row.after for row in found.margins["column"]] == [pytest.approx(0.5), pytest.approx(0.5)]
    squares = x**2 / 40 + (50 - x) ** 2 / 10 + (50 - x) ** 2 / 20 + x**2 / 30
    assert found.effective_sample_size == pytest.approx(100**2 / squares, rel=1e-5)
    assert found.design_effect == pytest.approx(squares / 100, rel=1e-5)
    assert found.design_effect == pytest.approx(1 + np.std(found.weight) ** 2 / np.mean(found.weight) ** 2)
    assert found.largest_repeat == pytest.approx((50 - x) / 10, rel=1e-5)
    assert found.cost.repeats == pytest.approx(np.maximum(found.weight - 1, 0).sum())


def test_independent_margins_multiply() -> None:
    # All cells equal: the first sweep gives the product of the shares.
    groups = cells([[25, 25], [25, 25]])
    found = rake(groups, {"row": {"r0": 0.8, "r1": 0.2}, "column": {"c0": 0.3, "c1": 0.7}})
    assert list(sums(found.weight, groups).values()) == pytest.approx([24, 56, 6, 14])
    assert found.iterations == 1


def test_three_documents_cannot_be_a_tenth() -> None:
    group = ["a"] * 97 + ["b"] * 3
    found = rake({"region": group}, {"region": {"a": 0.9, "b": 0.1}}, max_weight=2)
    assert found.by_group["b"] == pytest.approx(2)
    assert found.by_group["a"] == pytest.approx(94 / 97)
    assert found.shares_after["b"] == pytest.approx(0.06)
    need = "its 3 documents would need weight 3.3, above 2; it reaches 6.0%, not 10.0%"
    assert found.unmet == {"b": need}
    assert found.trimmed == ("b",)
    assert (found.at_most, found.at_least) == (3, 0)
    text = str(found)
    assert "Not met: b: its 3 documents would need weight 3.3" in text
    assert "design effect" in text
    assert found.to_dict()["margins"]["region"][1]["needed"] == pytest.approx(10 / 3)


def test_the_smallest_weight_is_kept() -> None:
    found = rake({"g": ["a"] * 9 + ["b"]}, {"g": {"a": 0.1, "b": 0.9}}, min_weight=0.5, max_weight=9)
    assert found.by_group == {"a": pytest.approx(0.5), "b": pytest.approx(5.5)}
    low = "its 9 documents would need weight 0.11, below 0.5; it reaches 45.0%, not 10.0%"
    assert found.unmet == {"a": low}
    assert found.at_least == 9


def test_margins_that_conflict_are_named() -> None:
    # All of r0 is c0: the two cannot have different shares.
    groups = {"row": ["r0"] * 5 + ["r1"] * 5, "column": ["c0"] * 5 + ["c1"] * 5}
    found = rake(groups, {"row": {"r0": 0.7, "r1": 0.3}, "column": {"c0": 0.3, "c1": 0.7}})
    assert not found.converged
    assert found.iterations < 1000
    assert set(found.unmet) == {"row: r0", "row: r1"}
    assert found.unmet["row: r0"] == (
        "the margins conflict: with weights from 0 to 5 it reaches 30.0%, not 70.0%"
    )
    assert any("cannot all be met together" in note for note in found.notes)
    assert [row.after for row in found.margins["column"]] == [pytest.approx(0.3), pytest.approx(0.7)]
    assert found.weight.sum() == pytest.approx(10)


def test_others_keep_their_share_and_dropped_ones_weigh_nothing() -> None:
    groups = {"g": ["a"] * 4 + ["b"] * 4 + [None] * 2 + ["z"] * 2}  # type: ignore[list-item]
    kept = [True] * 10 + [True, False]
    found = rake(groups, {"g": {"a": 1, "b": 3}}, kept=kept)  # type: ignore[arg-type]
    assert found.by_group == {
        "a": pytest.approx(0.5), "b": pytest.approx(1.5), "unknown": pytest.approx(1), "z": pytest.approx(1),
    }  # fmt: skip
    assert found.weight[-1] == 0
    assert found.notes == (
        "3 kept documents are in no group of the reference of g: they keep their share together.",
    )


def test_shares_of_tokens_and_weights_before() -> None:
    found = rake({"g": ["a", "a", "b"]}, {"g": {"a": 1, "b": 1}}, tokens=[10, 30, 10], of="tokens")
    assert found.by_group == {"a": pytest.approx(0.625), "b": pytest.approx(2.5)}
    assert found.cost.weighted_tokens_after == pytest.approx(50)
    before = rake({"g": ["a", "a", "b"]}, {"g": {"a": 1, "b": 1}}, weight=[3, 1, 2])
    assert before.weight.tolist() == pytest.approx([2.25, 0.75, 3])


def test_a_share_of_nothing_drops() -> None:
    found = rake({"g": ["a"] * 5 + ["b"] * 5}, {"g": {"a": 1, "b": 0}})
    assert found.weight.tolist() == [2.0] * 5 + [0.0] * 5
    assert found.keep.tolist() == [True] * 5 + [False] * 5
    assert found.cost.share_lost == 0.5


def test_bad_input() -> None:
    with pytest.raises(CorpusError, match="weights sum to 0"):
        rake({"g": ["a", "b"]}, {"g": {"a": 1}}, kept=[False, False])
    with pytest.raises(CorpusError, match="weights sum to 0"):
        rake({"g": []}, {"g": {"a": 1}})
    with pytest.raises(CorpusError, match="weights sum to 0"):
        rake({"g": ["a", "b"]}, {"g": {"a": 1}}, tokens=[0, 0], of="tokens")
    with pytest.raises(CorpusError, match="weight that is negative or missing"):
        rake({"g": ["a", "b"]}, {"g": {"a": 1}}, weight=[1, math.nan])
    with pytest.raises(CorpusError, match="shares sum to 0"):
        rake({"g": ["a", "b"]}, {"g": {"a": 0, "b": 0}})
    with pytest.raises(CorpusError, match="share of 'b' is negative"):
        rake({"g": ["a", "b"]}, {"g": {"a": 1, "b": -1}})
    with pytest.raises(CorpusError, match="no group with documents"):
        rake({"g": ["unknown"] * 3}, {"g": {"a": 1}})
    with pytest.raises(CorpusError, match="different lengths"):
        rake({"g": ["a", "b"], "h": ["x"]}, {"g": {"a": 1}, "h": {"x": 1}})
    with pytest.raises(ConfigError, match="no margin"):
        rake({"g": ["a"]}, {})
    with pytest.raises(ConfigError, match="no groups for the margin 'h'"):
        rake({"g": ["a"]}, {"h": {"a": 1}})
    with pytest.raises(ConfigError, match="min_weight is 2"):
        rake({"g": ["a"]}, {"g": {"a": 1}}, min_weight=2)


def test_factors_meet_sums_where_any_can() -> None:
    loose, amount = np.array([1.0, 2.0, 1.0, 5.0]), np.array([1.0, 1.0, 2.0, 0.0])
    codes = np.array([0, 0, 1, 1])
    factor = scale_groups(loose, amount, codes, np.array([3.0, 9.0]), 0.0, 2.5)
    assert np.clip(loose * factor[codes], 0, 2.5).tolist()[:3] == pytest.approx([1, 2, 2.5])
    assert design_effect([0, 0]) != design_effect([0, 0])  # NaN


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.lists(st.integers(0, 12), min_size=2, max_size=3), min_size=2, max_size=3).filter(
        lambda rows: len({len(row) for row in rows}) == 1 and sum(map(sum, rows)) > 0
    ),
    st.lists(st.floats(0.05, 1), min_size=6, max_size=6),
    st.floats(0, 0.6),
    st.floats(1.5, 8),
)
def test_what_must_hold_for_any_table(
    table: list[list[int]], shares: list[float], low: float, high: float
) -> None:
    groups = cells(table)
    references = {
        "row": {f"r{i}": shares[i] for i in range(len(table))},
        "column": {f"c{j}": shares[3 + j] for j in range(len(table[0]))},
    }
    found = rake(groups, references, min_weight=low, max_weight=high)
    assert found.weight.min() >= low * (1 - 1e-12)
    assert found.weight.max() <= high * (1 + 1e-12)
    assert 0 < found.effective_sample_size <= len(found.weight) + 1e-6
    if found.converged:
        assert found.weight.sum() == pytest.approx(len(found.weight), rel=1e-5)
    for name, rows in found.margins.items():
        for row in rows:
            if f"{name}: {row.group}" not in found.unmet and not found.unmet:
                assert row.after == pytest.approx(row.reference, abs=1e-5)
    assert isinstance(str(found), str)


@settings(max_examples=8, deadline=None)
@given(
    st.lists(st.integers(1, 5), min_size=4, max_size=4),
    st.lists(st.floats(0.3, 1), min_size=4, max_size=4),
    st.sampled_from([(0.0, 50.0), (0.4, 2.0), (0.0, 1.6)]),
)
def test_agrees_with_the_slow_way(
    counts: list[int], shares: list[float], bounds: tuple[float, float]
) -> None:
    groups = cells([counts[:2], counts[2:]])
    references = {"row": {"r0": shares[0], "r1": shares[1]}, "column": {"c0": shares[2], "c1": shares[3]}}
    found = rake(groups, references, min_weight=bounds[0], max_weight=bounds[1], tolerance=1e-10)
    if not found.converged or found.unmet:
        return
    total = len(found.weight)
    wanted = [{g: s / sum(each.values()) * total for g, s in each.items()} for each in references.values()]
    slowly = slow([1.0] * total, [groups["row"], groups["column"]], wanted, *bounds)
    assert found.weight == pytest.approx(slowly, abs=1e-6)


def test_order_of_documents_does_not_matter() -> None:
    rng = np.random.default_rng(0)
    size = 3000
    groups = {"a": rng.choice(list("xyz"), size), "b": rng.choice(list("uvw"), size)}
    references = {"a": {"x": 5, "y": 2, "z": 1}, "b": {"u": 1, "v": 1, "w": 3}}
    tokens = rng.integers(1, 900, size)
    first = rake(groups, references, tokens=tokens, of="tokens")
    order = rng.permutation(size)
    again = rake({k: v[order] for k, v in groups.items()}, references, tokens=tokens[order], of="tokens")
    assert again.weight.tolist() == first.weight[order].tolist()


def test_large_corpus_is_quick() -> None:
    import time

    rng = np.random.default_rng(1)
    size = 300_000
    groups = {name: rng.choice([f"{name}{i}" for i in range(20)], size) for name in ("a", "b", "c")}
    references = {name: {f"{name}{i}": 1 + i % 4 for i in range(20)} for name in groups}
    start = time.perf_counter()
    found: Weights = rake(groups, references)
    assert time.perf_counter() - start < 10
    assert found.converged


def test_a_table_of_units_without_margins() -> None:
    fit = fit_weights(np.array([1.0, 2.0]), np.array([1.0, 1.0]), [], 0.0, 5.0)
    assert (fit.weight.tolist(), fit.converged) == ([1.0, 2.0], True)
