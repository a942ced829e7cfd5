"""Recall at k: which share of the relevant documents is among the first k?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hinterland.eval.metrics.base import RANKING_METRICS

__all__ = ["recall"]


@RANKING_METRICS.register("recall")
def recall(ranking: Sequence[str], relevance: Mapping[str, float], k: int) -> float:
    """Return the share of the relevant documents that are among the first ``k``.

    Args:
        ranking: Document ids, best first. Of repeated ids the first counts, so a document
            found through several of its chunks takes one place.
        relevance: Relevance by document id; above 0 is relevant.
        k: How many documents are looked at, from 1.

    Returns:
        From 0 to 1; NaN if no document is relevant.

    Raises:
        ValueError: ``k`` is below 1.
    """
    if k < 1:
        raise ValueError(f"k is at least 1, found {k}")
    relevant = {document for document, value in relevance.items() if value > 0}
    if not relevant:
        return float("nan")
    return len(relevant.intersection(list(dict.fromkeys(ranking))[:k])) / len(relevant)
