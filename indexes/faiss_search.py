"""One FAISS search with as little around it as there can be.

A graph answers a single query in 50 µs, so that microseconds count: FAISS's own function is
called past its Python wrapper, whose checks were made before, and answers are sorted again
only where two scores are equal.
"""

from __future__ import annotations

import math
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hinterland.indexes.backend import Mask, Vectors

__all__ = ["Found", "Rows", "Selection", "by_row", "filtered_afterwards", "raw_search"]

Rows = NDArray[np.int64]
#: Scores and rows.
Found = tuple[Vectors, Rows]

_FLOAT32, _INT64 = np.dtype(np.float32), np.dtype(np.int64)


class Selection:
    """A mask as FAISS reads it.

    Attributes:
        mask: The mask, shape (size,).
        allowed: How many rows it allows.
        selector: FAISS's selector; it reads bits that this object keeps alive.
        how: What to search and with which parameters, once that is worked out.
    """

    def __init__(self, faiss: ModuleType, mask: Mask) -> None:
        self.mask = mask
        self.allowed = int(np.count_nonzero(mask))
        self._bits = np.packbits(mask, bitorder="little")
        self.selector = faiss.IDSelectorBitmap(len(mask), faiss.swig_ptr(self._bits))
        self.how: tuple[Any, Any] | None = None


def raw_search(faiss: ModuleType, index: Any, parameters: Any, queries: Vectors, k: int) -> Found:
    """Search; ``queries`` is float32, contiguous and of the right width."""
    count, pointer = len(queries), faiss.swig_ptr
    scores, rows = np.empty((count, k), _FLOAT32), np.empty((count, k), _INT64)
    index.search_c(count, pointer(queries), k, pointer(scores), pointer(rows), parameters)
    return scores, rows


def by_row(scores: Vectors, rows: NDArray[np.int64]) -> Found:
    """Put equal scores, which FAISS leaves in any order, in the order of their rows."""
    if len(scores) == 1 and len(set(line := scores[0].tolist())) == len(line):
        return scores, rows  # one query: quicker than NumPy
    same = scores[:, 1:] == scores[:, :-1]
    if not same.any():
        return scores, rows
    lines = same.any(axis=1)
    order = np.lexsort((rows[lines], -scores[lines]), axis=1)
    scores[lines] = np.take_along_axis(scores[lines], order, 1)
    rows[lines] = np.take_along_axis(rows[lines], order, 1)
    return scores, rows


def filtered_afterwards(
    faiss: ModuleType, index: Any, parameters: Any, queries: Vectors, k: int, selection: Selection
) -> Found:
    """Search an index of a class that takes no selector: look deeper until enough is allowed.

    These classes compare a query with every code anyway; only the ranking grows.
    """
    size = len(selection.mask)
    depth = min(size, max(2 * k, math.ceil(1.5 * k * size / selection.allowed)))
    scores = np.full((len(queries), k), -np.inf, np.float32)
    rows = np.full((len(queries), k), -1, np.int64)
    left = np.arange(len(queries))
    while len(left):
        found_scores, found = raw_search(faiss, index, parameters, queries[left], depth)
        good = (found >= 0) & selection.mask[found]
        enough = good.sum(axis=1) >= k
        done = enough if depth < size else np.ones(len(left), dtype=np.bool_)
        for place in np.flatnonzero(done):
            best = np.flatnonzero(good[place])[:k]
            scores[left[place], : len(best)] = found_scores[place, best]
            rows[left[place], : len(best)] = found[place, best]
        left, depth = left[~done], min(size, 4 * depth)
    return scores, rows
