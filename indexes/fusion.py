"""Join the rankings of vectors and of words into one. Pure functions on arrays of one query."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from hinterland.indexes.search_config import FusionConfig

__all__ = ["Fused", "convex", "fuse", "reciprocal_ranks", "unit_scale"]

Floats = NDArray[np.float64]
Rows = NDArray[np.int64]

#: A fused score for each candidate, and the score of a passage that has nothing to do with the query.
Fused = tuple[Floats, float]


def reciprocal_ranks(rankings: Sequence[Rows], size: int, *, weights: Sequence[float], k: int) -> Floats:
    """Return Σ weight / (k + rank) over the rankings that hold a candidate.

    Cormack, Clarke and Büttcher 2009 (https://doi.org/10.1145/1571941.1572114), with weights.

    Args:
        rankings: Candidates by number, best first; one array each.
        size: Candidates.
        weights: One for each ranking; 1 as in the paper.
        k: The constant; 60 in the paper.

    Returns:
        Shape (size,), 0 for a candidate that no ranking holds.
    """
    scores = np.zeros(size)
    for ranking, weight in zip(rankings, weights, strict=True):
        scores[ranking] += weight / (k + 1 + np.arange(len(ranking)))
    return scores


def unit_scale(scores: Floats, floor: float) -> Floats:
    """Return (s − floor) / (max − floor), at least 0; zeros where no score is above the floor.

    >>> unit_scale(np.array([0.5, 0.0, -1.0]), -1.0).tolist()
    [1.0, 0.6666666666666666, 0.0]
    """
    top = scores.max(initial=floor)
    if not top > floor:
        return np.zeros(len(scores))
    return np.asarray(np.maximum(scores - floor, 0) / (top - floor))


def convex(dense: Floats, words: Floats, *, weight: float) -> Floats:
    """Return ``weight`` × dense + (1 − ``weight``) × words, both already of 0 to 1.

    Bruch, Gai and Ingber 2023 (arXiv:2210.11934), eq. 3.
    """
    return np.asarray(weight * dense + (1 - weight) * words)


def fuse(dense: Floats, words: Floats, config: FusionConfig, *, background: float) -> Fused:
    """Return the fused scores of a query's candidates.

    Args:
        dense: Cosines, shape (candidates,); NaN where vectors did not find a candidate, which
            only ``rrf`` allows.
        words: BM25, shape (candidates,); NaN likewise.
        config: How.
        background: What the query's cosine with a passage picked at random is.
    """
    if config.method == "rrf":
        weights = (2 * config.dense, 2 * (1 - config.dense))  # 1 and 1 where both count the same
        rankings = [_ranking(dense), _ranking(words)]
        return reciprocal_ranks(rankings, len(dense), weights=weights, k=config.k), 0.0
    if config.normalise == "min-max":
        floors = float(dense.min(initial=np.inf)), float(words.min(initial=np.inf))
    else:
        floors = (-1.0 if config.normalise == "theoretical" else background), 0.0
    fused = convex(unit_scale(dense, floors[0]), unit_scale(words, floors[1]), weight=config.dense)
    unrelated = unit_scale(np.array([dense.max(initial=background), background]), floors[0])[1]
    return fused, config.dense * float(unrelated)


def _ranking(scores: Floats) -> Rows:
    """Return the candidates that have a score, best first, equal ones in their order."""
    there = np.flatnonzero(~np.isnan(scores))
    return np.asarray(there[np.argsort(-scores[there], kind="stable")])
