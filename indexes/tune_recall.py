"""Recall@k of approximate search against exact search, and how sure it is.

The recall of one query is the share of its k true neighbours that were found; a row that is as
near as the k-th true neighbour counts as one, since equal vectors are equally right. Neighbours
of one query are found or missed together, so queries are what is counted: intervals are
Student's t over the recalls of queries, not Wilson's over pooled neighbours.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t as student  # type: ignore[import-untyped]

from hinterland.core.imports import require_faiss
from hinterland.core.stats import Interval
from hinterland.indexes.backend import Vectors

__all__ = ["exact_floor", "lower_bound", "recall_interval", "recalls"]

Floats = NDArray[np.float64]
Rows = NDArray[np.int64]

#: Scores this close are equal: float32 sums differ by their order of adding.
_EQUAL = 2e-6
_BLOCK = 1024  # queries at a time


def exact_floor(queries: Vectors, vectors: Vectors, k: int, own: Rows | None = None) -> Floats:
    """Return the score of each query's k-th true neighbour by exact search, shape (queries,).

    Args:
        queries: Shape (queries, dimension).
        vectors: All that can be found, shape (rows, dimension), float32.
        k: From 1 to the number of rows; one less if a row is left out.
        own: For each query the row that is left out: the query itself.
    """
    faiss = require_faiss()
    wanted = k if own is None else k + 1
    floor = np.empty(len(queries), np.float64)
    for start in range(0, len(queries), _BLOCK):
        part = slice(start, start + _BLOCK)
        scores, rows = faiss.knn(queries[part], vectors, wanted, metric=faiss.METRIC_INNER_PRODUCT)
        if own is not None:
            scores, rows = _without(scores, rows, own[part])
        floor[part] = scores[:, k - 1]
    return floor


def _without(scores: Vectors, rows: Rows, own: Rows) -> tuple[Vectors, Rows]:
    """Leave each line's own row out, or its last one where its own is not there."""
    keep = rows != own[:, None]
    keep[keep.all(axis=1), -1] = False
    shape = (len(rows), rows.shape[1] - 1)
    return scores[keep].reshape(shape), rows[keep].reshape(shape)


def recalls(
    found: Rows, queries: Vectors, vectors: Vectors, floor: Floats, k: int, own: Rows | None = None
) -> Floats:
    """Return each query's recall@k, shape (queries,).

    Args:
        found: Rows of ``vectors`` found, shape (queries, k), one more if ``own`` is given; -1 is a miss.
        queries: Shape (queries, dimension).
        vectors: Shape (rows, dimension).
        floor: What `exact_floor` gave.
        k: How many neighbours.
        own: The row that each query is itself.
    """
    if own is not None:
        _, found = _without(found.astype(np.float32), found, own)
    hits = np.empty(len(queries), np.float64)
    for start in range(0, len(queries), _BLOCK):
        part = slice(start, start + _BLOCK)
        rows = found[part, :k]
        scores = np.einsum("qd,qkd->qk", queries[part], vectors[rows])
        hits[part] = ((scores >= floor[part, None] - _EQUAL) & (rows >= 0)).sum(axis=1)
    return hits / k


def _spread(values: Floats, k: int) -> float:
    """Return the standard error of the mean; never less than if one neighbour had been missed.

    Perfect queries alone would otherwise count as certainty.
    """
    count = len(values)
    variance = float(values.var(ddof=1)) if count > 1 else 0.25
    return math.sqrt(max(variance, 1 / (k * k * count)) / count)


def lower_bound(values: Floats, k: int, *, level: float = 0.95) -> float:
    """Return the one-sided lower confidence bound of the mean recall.

    It is Student's, but never above the mean with one more query that finds nothing. That second
    limit is conformal risk control (Angelopoulos et al. 2022, arXiv:2208.02814): whatever the
    distribution, a setting chosen by it keeps the promise on a fresh query in expectation. It
    rules where queries are few and by luck all alike: 15 queries cannot show a recall of 0.95.
    """
    quantile = float(student.ppf(level, max(len(values) - 1, 1)))
    mean = float(values.mean())
    bound = min(mean - quantile * _spread(values, k), mean * len(values) / (len(values) + 1))
    return max(bound, 0.0)


def recall_interval(values: Floats, k: int, *, level: float = 0.95) -> Interval:
    """Return the mean recall with its two-sided interval."""
    mean = float(values.mean())
    reach = float(student.ppf((1 + level) / 2, max(len(values) - 1, 1))) * _spread(values, k)
    return Interval(mean, max(mean - reach, 0.0), min(mean + reach, 1.0), level)
