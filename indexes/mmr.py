"""Maximal marginal relevance: each next passage is relevant, and unlike those already chosen."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

__all__ = ["diversify"]

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]


def diversify(
    relevance: Floats,
    vectors: NDArray[np.float32],
    k: int,
    *,
    weight: float,
    shuts: Callable[[int], Mask] | None = None,
) -> tuple[NDArray[np.int64], Floats]:
    """Choose up to ``k`` candidates by maximal marginal relevance.

    Each next one has the greatest λ · relevance − (1 − λ) · (its greatest cosine with those chosen):
    Carbonell and Goldstein 1998 (https://doi.org/10.1145/290941.291025). Before the first is chosen,
    nothing is taken off. Equal values go to the first candidate. It takes time in proportion to
    candidates times choices.

    Args:
        relevance: 0 to 1, shape (candidates,).
        vectors: Unit vectors, shape (candidates, dimension).
        k: How many.
        weight: λ, 0 to 1.
        shuts: Told of each candidate that is chosen; returns which ones may not be chosen after it,
            shape (candidates,).

    Returns:
        The chosen candidates in order, and the value that each was chosen at.
    """
    likeness = np.zeros(len(relevance))
    left = np.ones(len(relevance), dtype=np.bool_)
    chosen: list[int] = []
    values: list[float] = []
    while len(chosen) < k and left.any():
        value = np.where(left, weight * relevance - (1 - weight) * likeness, -np.inf)
        best = int(value.argmax())
        left[best] = False
        if shuts is not None:
            left &= ~shuts(best)
        cosines = np.asarray(vectors @ vectors[best], dtype=np.float64)
        likeness = cosines if not chosen else np.maximum(likeness, cosines)
        chosen.append(best)
        values.append(float(value[best]))
    return np.asarray(chosen, dtype=np.int64), np.asarray(values, dtype=np.float64)
