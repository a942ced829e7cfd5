"""Normalised discounted cumulative gain at k: are the best documents first?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hinterland.core import ranking_metrics
from hinterland.eval.metrics.base import RANKING_METRICS

__all__ = ["ndcg"]


@RANKING_METRICS.register("ndcg")
def ndcg(ranking: Sequence[str], relevance: Mapping[str, float], k: int) -> float:
    """Return nDCG@k (`hinterland.core.ranking_metrics.ndcg`) of judgements that are never below 0.

    Raises:
        ValueError: ``k`` is below 1, or a relevance is negative.
    """
    if any(value < 0 for value in relevance.values()):
        raise ValueError("a relevance is negative")
    return ranking_metrics.ndcg(ranking, relevance, k)
