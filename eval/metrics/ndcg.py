"""Normalised discounted cumulative gain at k: are the best documents first?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from math import fsum, log2

from hinterland.eval.metrics.base import RANKING_METRICS

__all__ = ["ndcg"]


def _dcg(gains: Iterable[float]) -> float:
    return fsum(gain / log2(rank + 1) for rank, gain in enumerate(gains, 1))


@RANKING_METRICS.register("ndcg")
def ndcg(ranking: Sequence[str], relevance: Mapping[str, float], k: int) -> float:
    """Return nDCG@k, for binary and for graded relevance.

    Järvelin and Kekäläinen 2002 (https://doi.org/10.1145/582415.582418) with the discount
    in use since: the gain at rank r is divided by log2(r + 1). The gain is the relevance
    itself, as in trec_eval and scikit-learn, not 2^relevance − 1.

    Args:
        ranking: Document ids, best first; of repeated ids the first counts.
        relevance: Relevance by document id; documents not named have 0.
        k: How many documents are looked at, from 1.

    Returns:
        From 0 to 1; NaN if no document is relevant.

    Raises:
        ValueError: ``k`` is below 1, or a relevance is negative.
    """
    if k < 1:
        raise ValueError(f"k is at least 1, found {k}")
    if any(value < 0 for value in relevance.values()):
        raise ValueError("a relevance is negative")
    ideal = _dcg(sorted(relevance.values(), reverse=True)[:k])
    if not ideal:
        return float("nan")
    return _dcg(relevance.get(document, 0.0) for document in list(dict.fromkeys(ranking))[:k]) / ideal
