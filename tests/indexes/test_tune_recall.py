"""Recall worked by hand, and intervals that cover what they say."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hinterland.core.seeds import generator
from hinterland.indexes.tune_recall import exact_floor, lower_bound, recall_interval, recalls

#: On a circle: the neighbours of 0° are, in order, rows 0 to 4.
ANGLES = np.radians([0, 10, 20, 30, 40])
CIRCLE = np.stack([np.cos(ANGLES), np.sin(ANGLES)], axis=1).astype(np.float32)


def test_by_hand() -> None:
    query = CIRCLE[:1]
    floor = exact_floor(query, CIRCLE, 3)
    assert floor[0] == pytest.approx(np.cos(np.radians(20)))
    for found, expected in (([0, 1, 2], 1.0), ([2, 0, 1], 1.0), ([0, 1, 3], 2 / 3), ([3, 4, -1], 0.0)):
        assert recalls(np.array([found]), query, CIRCLE, floor, 3)[0] == pytest.approx(expected)


def test_a_chunk_is_not_its_own_neighbour() -> None:
    own = np.array([0, 2])
    queries = CIRCLE[own]
    floor = exact_floor(queries, CIRCLE, 2, own)
    np.testing.assert_allclose(floor, np.cos(np.radians([20, 10])), atol=1e-6)
    # The first finds itself, the second does not, so that its last is one too many.
    found = np.array([[0, 1, 2], [1, 3, 4]])
    np.testing.assert_allclose(recalls(found, queries, CIRCLE, floor, 2, own), [1.0, 1.0])
    found = np.array([[0, 1, 4], [2, 0, 3]])
    np.testing.assert_allclose(recalls(found, queries, CIRCLE, floor, 2, own), [0.5, 0.5])


def test_an_equal_vector_is_as_right_as_the_other() -> None:
    twins = np.repeat(CIRCLE, 2, axis=0)
    floor = exact_floor(CIRCLE[:1], twins, 1)
    for row in (0, 1):
        assert recalls(np.array([[row]]), CIRCLE[:1], twins, floor, 1)[0] == 1.0


@given(st.lists(st.integers(0, 10), min_size=2, max_size=60))
def test_bounds_lie_where_they_must(counts: list[int]) -> None:
    values = np.asarray(counts) / 10
    found = recall_interval(values, 10)
    assert 0 <= found.low <= found.estimate <= found.high <= 1
    assert 0 <= lower_bound(values, 10) < values.mean() or values.mean() == 0


def test_perfect_queries_are_not_certainty() -> None:
    assert lower_bound(np.ones(100), 10) == pytest.approx(100 / 101)
    assert lower_bound(np.ones(15), 10) == pytest.approx(15 / 16)  # one more that finds nothing


@pytest.mark.parametrize(("count", "least"), [(50, 0.91), (500, 0.93)])
def test_coverage(count: int, least: float) -> None:
    """Recalls of one query hang together: beta-binomial, mean 0.95, sd about 0.10."""
    random = generator(0, "coverage")
    runs = 600
    chances = random.beta(6.65, 0.35, size=(runs, count))
    values = random.binomial(10, chances) / 10
    below = np.mean([lower_bound(line, 10) <= 0.95 for line in values])
    inside = np.mean([(i := recall_interval(line, 10)).low <= 0.95 <= i.high for line in values])
    assert below >= least - 0.02  # skewed towards 1: the one-sided bound is a little less sure
    assert inside >= least
    # Wilson over pooled neighbours, as if all were independent, covers far less.
    share, n, z = values.mean(axis=1), 10 * count, 1.96
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    reach = z * np.sqrt(share * (1 - share) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    assert np.mean(np.abs(middle - 0.95) <= reach) < inside - 0.05
