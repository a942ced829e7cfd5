"""Maximal marginal relevance by hand."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from hinterland.indexes.mmr import diversify

#: Two alike, one across both.
VECTORS = np.array([[1, 0], [1, 0], [0, 1]], np.float32)
RELEVANCE = np.array([1.0, 0.9, 0.5])


def test_by_hand() -> None:
    chosen, values = diversify(RELEVANCE, VECTORS, 3, weight=0.5)
    # First .5·1; then .5·.5 − .5·0 against .5·.9 − .5·1; then the twin.
    assert chosen.tolist() == [0, 2, 1]
    np.testing.assert_allclose(values, [0.5, 0.25, -0.05])


def test_relevance_alone() -> None:
    chosen, values = diversify(RELEVANCE, VECTORS, 2, weight=1)
    assert chosen.tolist() == [0, 1]
    np.testing.assert_allclose(values, [1, 0.9])


def test_the_first_is_the_most_relevant_even_where_all_point_away() -> None:
    vectors = np.array([[1, 0], [-1, 0]], np.float32)
    chosen, values = diversify(np.array([0.1, 0.2]), vectors, 2, weight=0.5)
    assert chosen.tolist() == [1, 0]
    np.testing.assert_allclose(values, [0.1, 0.55])  # unlike the first: 0.05 + 0.5


def test_what_a_choice_rules_out_is_passed_over() -> None:
    told: list[int] = []

    def shuts(number: int) -> NDArray[np.bool_]:
        told.append(number)
        return np.array([False, False, number == 0])

    chosen, values = diversify(RELEVANCE, VECTORS, 3, weight=0.5, shuts=shuts)
    assert chosen.tolist() == told == [0, 1]
    np.testing.assert_allclose(values, [0.5, -0.05])
    assert diversify(RELEVANCE, VECTORS, 0, weight=0.5)[0].tolist() == []


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(-1, 1)), max_size=12), st.integers(0, 12))
def test_each_once_and_values_fall(items: list[tuple[float, float]], k: int) -> None:
    relevance = np.array([item[0] for item in items])
    angles = np.array([item[1] for item in items]) * np.pi / 2
    vectors = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
    chosen, values = diversify(relevance, vectors, k, weight=0.7)
    assert len(set(chosen.tolist())) == len(chosen) == min(k, len(items))
    # Cosines here are at least −1 and at first nothing is taken off, so only later values must fall.
    assert (np.diff(values[1:]) <= 1e-6).all()
