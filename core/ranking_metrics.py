"""How good a ranking is, by judgements of its documents: nDCG@k and recall@k.

Both look at documents: of one that stands twice in a ranking (found through several of its chunks)
the first place counts. A query without a relevant document measures nothing: its value is NaN, which
`hinterland.core.stats` leaves out of means and differences.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from math import fsum, log2, nan
from typing import TypeVar

__all__ = ["ndcg", "recall"]

Document = TypeVar("Document", bound=Hashable)


def ndcg(ranking: Sequence[Document], relevance: Mapping[Document, float], k: int) -> float:
    """Return nDCG@k, for binary and for graded relevance.

    Järvelin and Kekäläinen 2002 (https://doi.org/10.1145/582415.582418) with the discount in use
    since: the gain at rank r is divided by log2(r + 1). The gain is the relevance itself, as in
    trec_eval and scikit-learn, not 2^relevance − 1; as in trec_eval, relevance below 0 (some
    collections mark spam so) gains nothing.

    Args:
        ranking: Documents, best first.
        relevance: Relevance by document; documents not named have 0.
        k: How many documents are looked at, from 1.

    Returns:
        From 0 to 1; NaN if no document is relevant.

    Raises:
        ValueError: ``k`` is below 1.

    >>> round(ndcg(["b", "a"], {"a": 1.0}, 10), 4)
    0.6309
    """
    seen = _first(ranking, k)
    ideal = _dcg(sorted((value for value in relevance.values() if value > 0), reverse=True)[:k])
    return _dcg(max(relevance.get(document, 0.0), 0.0) for document in seen) / ideal if ideal else nan


def recall(ranking: Sequence[Document], relevance: Mapping[Document, float], k: int) -> float:
    """Return the share of the relevant documents that are among the first ``k``.

    Args:
        ranking: Documents, best first.
        relevance: Relevance by document; above 0 is relevant.
        k: How many documents are looked at, from 1.

    Returns:
        From 0 to 1; NaN if no document is relevant.

    Raises:
        ValueError: ``k`` is below 1.

    >>> recall(["b", "a"], {"a": 1.0, "c": 2.0}, 10)
    0.5
    """
    seen = _first(ranking, k)
    relevant = {document for document, value in relevance.items() if value > 0}
    return len(relevant.intersection(seen)) / len(relevant) if relevant else nan


def _first(ranking: Sequence[Document], k: int) -> Sequence[Document]:
    """Return the first ``k`` different documents."""
    if k < 1:
        raise ValueError(f"k is at least 1, found {k}")
    first = ranking[:k]
    return first if len(set(first)) == len(first) else list(dict.fromkeys(ranking))[:k]


def _dcg(gains: Iterable[float]) -> float:
    return fsum(gain / log2(rank + 1) for rank, gain in enumerate(gains, 1))
