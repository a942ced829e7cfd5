"""Measure one setting of an index: recall against exact search, and time."""

from __future__ import annotations

import time
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from hinterland.indexes.backend import IndexBackend
from hinterland.indexes.tune_open import Measured
from hinterland.indexes.tune_queries import Asked
from hinterland.indexes.tune_recall import exact_floor, lower_bound, recalls
from hinterland.indexes.tune_walk import Point

__all__ = ["Bench"]

_SINGLE = 48  # queries searched alone for a median
_LEAST = 0.02  # seconds a batch is timed for at least


class Bench:
    """Queries with their true neighbours, ready to measure settings.

    Args:
        index: The index.
        asked: The queries.
        k: Neighbours; at most as many as there are to find.
        level: Of the one-sided bounds.
    """

    def __init__(self, index: Measured, asked: Asked, k: int, *, level: float = 0.95) -> None:
        self.index, self.asked, self.k, self.level = index, asked, k, level
        self._floor = exact_floor(asked.vectors, index.vectors, k, asked.own)
        self._wanted = k if asked.own is None else k + 1

    def recalls(self, parameters: Mapping[str, int]) -> NDArray[np.float64]:
        """Return each query's recall at a setting."""
        return self._recalls(self._batch(self.index.backend.tuned(parameters)))

    def point(self, parameters: Mapping[str, int]) -> Point:
        """Measure recall and time at a setting."""
        backend = self.index.backend.tuned(parameters)
        start = time.perf_counter()
        found = self._batch(backend)
        best = spent = time.perf_counter() - start
        while spent < _LEAST:
            start = time.perf_counter()
            self._batch(backend)
            took = time.perf_counter() - start
            best, spent = min(best, took), spent + took
        values = self._recalls(found)
        return Point(
            dict(parameters),
            float(values.mean()),
            lower_bound(values, self.k, level=self.level),
            self._single(backend),
            len(self.asked) / best,
        )

    def _batch(self, backend: IndexBackend) -> NDArray[np.int64]:
        _, rows = backend.search(self.asked.vectors, self._wanted, self.index.allow)
        return rows

    def _recalls(self, rows: NDArray[np.int64]) -> NDArray[np.float64]:
        found = self.index.live_of[rows]
        if found.shape[1] < self._wanted:  # the index holds fewer
            short = self._wanted - found.shape[1]
            found = np.pad(found, ((0, 0), (0, short)), constant_values=-1)
        asked = self.asked
        return recalls(found, asked.vectors, self.index.vectors, self._floor, self.k, asked.own)

    def _single(self, backend: IndexBackend) -> float:
        """Return the median milliseconds of a query searched alone."""
        taken = []
        for place in range(min(_SINGLE, len(self.asked))):
            query = self.asked.vectors[place : place + 1]
            start = time.perf_counter()
            backend.search(query, self._wanted, self.index.allow)
            taken.append(time.perf_counter() - start)
        return 1000 * float(np.median(taken))
