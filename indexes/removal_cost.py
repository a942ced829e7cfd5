"""What a removal costs in quality, estimated on given queries before anything is removed.

Each query is searched twice: among all documents, and among those that stay. Differences are
paired by query, with bootstrap intervals. A judged document that goes still counts as one that
should be found: that is the loss a user feels.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from hinterland.core.ranking_metrics import ndcg, recall
from hinterland.core.stats import Interval, bootstrap_mean, paired_difference
from hinterland.indexes.search import Index

__all__ = ["removal_cost"]


def removal_cost(
    index: Index,
    removed: set[str],
    queries: Mapping[str, str],
    judged: Mapping[str, Mapping[str, float]] | None = None,
    *,
    k: int = 10,
) -> dict[str, Any]:
    """Estimate what searches lose when documents go.

    Args:
        index: The index with the documents.
        removed: Ids of the documents to go.
        queries: Queries by id.
        judged: Grades by document id, by query id.
        k: How many documents are looked at.

    Returns:
        ``overlap``: the share of the first ``k`` that stays the same, with its interval. With
        judgements ``ndcg`` and ``recall``: before, after and the paired difference.
    """
    names, texts = list(queries), list(queries.values())
    stay = set(index.document_ids) - removed
    before = [[hit.document_id for hit in hits] for hits in index.search_documents(texts, k)]
    after = [[hit.document_id for hit in hits] for hits in index.search_documents(texts, k, allow=stay)]
    same = [
        len(set(one) & set(two)) / len(one) if one else math.nan
        for one, two in zip(before, after, strict=True)
    ]
    told: dict[str, Any] = {
        "queries": len(names),
        "k": k,
        "overlap": _interval(bootstrap_mean(same)),
        "queries_changed": int(sum(one != two for one, two in zip(before, after, strict=True))),
    }
    for name, measure in (("ndcg", ndcg), ("recall", recall)) if judged else ():
        grades = [judged.get(query, {}) for query in names] if judged else []
        first = np.asarray(
            [measure(ranking, grade, k) for ranking, grade in zip(before, grades, strict=True)]
        )
        second = np.asarray(
            [measure(ranking, grade, k) for ranking, grade in zip(after, grades, strict=True)]
        )
        known = np.isfinite(first)
        told["judged"] = int(known.sum())
        told[f"{name}@{k}"] = {
            "before": round(float(first[known].mean()), 4) if known.any() else None,
            "after": round(float(second[known].mean()), 4) if known.any() else None,
            "difference": _interval(paired_difference(first, second)),
        }
    return told


def _interval(found: Interval) -> dict[str, float | None]:
    parts = {"estimate": found.estimate, "low": found.low, "high": found.high}
    return {name: round(value, 4) if math.isfinite(value) else None for name, value in parts.items()}
