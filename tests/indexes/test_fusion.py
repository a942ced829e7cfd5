"""Fusion by hand: reciprocal ranks, the three scales, the weight."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hinterland.indexes.fusion import convex, fuse, reciprocal_ranks, unit_scale
from hinterland.indexes.search_config import FusionConfig

NAN = float("nan")


def test_reciprocal_ranks_by_the_formula() -> None:
    # Candidate 0 is first and second, 1 second only in the first, 2 first in the second, 3 nowhere.
    first, second = np.array([0, 1]), np.array([2, 0])
    found = reciprocal_ranks([first, second], 4, weights=[1, 1], k=60)
    np.testing.assert_allclose(found, [1 / 61 + 1 / 62, 1 / 62, 1 / 61, 0])
    weighted = reciprocal_ranks([first, second], 4, weights=[0.5, 2], k=0)
    np.testing.assert_allclose(weighted, [0.5 + 1, 0.25, 2, 0])


def test_rrf_counts_only_the_ranking_that_found_a_candidate() -> None:
    dense, words = np.array([0.9, 0.5, NAN]), np.array([NAN, 3.0, 4.0])
    found, floor = fuse(dense, words, FusionConfig(method="rrf"), background=0.2)
    np.testing.assert_allclose(found, [1 / 61, 1 / 62 + 1 / 62, 1 / 61])
    assert floor == 0
    alone, _ = fuse(dense, words, FusionConfig(method="rrf", dense=1), background=0.2)
    np.testing.assert_allclose(alone, [2 / 61, 2 / 62, 0])


def test_scales_by_hand() -> None:
    np.testing.assert_allclose(unit_scale(np.array([3.0, 1.0, -2.0]), 1.0), [1, 0, 0])
    np.testing.assert_allclose(unit_scale(np.array([1.0, 0.5]), -1.0), [1, 0.75])
    assert unit_scale(np.array([0.0, 0.0]), 0.0).tolist() == [0, 0]
    assert unit_scale(np.array([]), 0.0).tolist() == []
    np.testing.assert_allclose(convex(np.array([1.0]), np.array([0.5]), weight=0.8), [0.9])


@pytest.mark.parametrize(
    ("normalise", "expected", "floor"),
    [
        # Cosines .8 .4 → over −1: 1, 1.4/1.8; over the least: 1, 0; over .2: 1, 1/3. BM25 2, 6 → 1/3, 1.
        ("theoretical", [0.5 + 0.5 / 3, 0.5 * 1.4 / 1.8 + 0.5], 0.5 * 1.2 / 1.8),
        ("min-max", [0.5, 0.5], 0.0),
        ("background", [0.5 + 0.5 / 3, 0.5 / 3 + 0.5], 0.0),
    ],
)
def test_convex_by_hand(normalise: str, expected: list[float], floor: float) -> None:
    config = FusionConfig(method="convex", normalise=normalise)  # type: ignore[arg-type]
    found, unrelated = fuse(np.array([0.8, 0.4]), np.array([2.0, 6.0]), config, background=0.2)
    np.testing.assert_allclose(found, expected)
    assert unrelated == pytest.approx(floor)


def test_nothing_to_fuse() -> None:
    empty = np.array([])
    for method in ("rrf", "convex"):
        found, _ = fuse(empty, empty, FusionConfig(method=method), background=0.1)  # type: ignore[arg-type]
        assert found.shape == (0,)


_COSINES = st.lists(st.tuples(st.floats(-1, 1), st.floats(0, 30)), min_size=1, max_size=20)


@given(_COSINES, st.sampled_from(["theoretical", "min-max", "background"]))
def test_weights_of_0_and_1_rank_as_one_side_does(pairs: list[tuple[float, float]], normalise: str) -> None:
    dense, words = (np.array(side) for side in zip(*pairs, strict=True))
    for weight, side in ((1.0, dense), (0.0, words)):
        config = FusionConfig(method="convex", dense=weight, normalise=normalise)  # type: ignore[arg-type]
        found, _ = fuse(dense, words, config, background=-1.0)
        assert (found >= 0).all()
        assert (found <= 1 + 1e-12).all()
        best = found.argmax()
        assert side[best] == pytest.approx(side.max())


def test_reciprocal_ranks_of_two_runs_by_the_formula_of_the_paper() -> None:
    """Runs {a: .9, b: .8, c: .7} and {b: 5, d: 4}: Σ 1 / (60 + rank), Cormack et al. 2009."""
    dense, words = np.array([0.9, 0.8, 0.7, NAN]), np.array([NAN, 5.0, NAN, 4.0])
    found, _ = fuse(dense, words, FusionConfig(), background=0.0)
    np.testing.assert_allclose(found, [1 / 61, 1 / 62 + 1 / 61, 1 / 63, 1 / 62])
