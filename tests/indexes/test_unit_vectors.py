from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.preprocessing import normalize

from hinterland.indexes.unit_vectors import unit_vectors

FLOATS = st.floats(-1e3, 1e3, width=32).filter(lambda value: value == 0 or abs(value) > 1e-3)


def test_by_hand() -> None:
    found = unit_vectors(np.array([[3, 4], [0, 0], [0, -2]], np.float32))
    np.testing.assert_array_equal(found, np.array([[0.6, 0.8], [0, 0], [0, -1]], np.float32))
    assert found.dtype == np.float32
    np.testing.assert_array_equal(unit_vectors(np.array([0.0, 5.0])), np.array([0, 1], np.float32))
    assert unit_vectors(np.zeros((0, 3), np.float32)).shape == (0, 3)


def test_no_direction_is_made_of_next_to_nothing() -> None:
    tiny = unit_vectors(np.array([[1e-15, 0]], np.float32))
    np.testing.assert_allclose(tiny, [[1e-3, 0]], rtol=1e-6)
    assert np.isnan(unit_vectors(np.array([[np.nan, 1]], np.float32))).all()  # refused by who stores vectors


@given(arrays(np.float32, (3, 4), elements=FLOATS))
def test_agrees_with_scikit_learn(vectors: np.ndarray[tuple[int, int], np.dtype[np.float32]]) -> None:
    np.testing.assert_allclose(unit_vectors(vectors), normalize(vectors), atol=1e-6)
