"""Compaction compares with all dead vectors, some cells at a time."""

from __future__ import annotations

import tracemalloc

import numpy as np

from hinterland.indexes.change_compact import _like


def test_many_dead_vectors_are_compared_in_little_memory() -> None:
    left, dead = np.eye(4, dtype=np.float32)[np.arange(8192) % 3], np.zeros((20_000, 4), np.float32)
    dead[:, 3] = 1
    dead[7] = [0, 1, 0, 0]
    tracemalloc.start()
    found = _like(left, dead)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    np.testing.assert_array_equal(found, np.arange(1, 8192, 3))
    assert peak < 200_000_000  # all at once: 655 MB
