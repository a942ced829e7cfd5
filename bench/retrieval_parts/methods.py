"""nDCG@10 and recall@10 of each way to search, query by query."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hinterland.core.seeds import generator
from hinterland.eval.metrics.ndcg import ndcg
from hinterland.eval.metrics.recall import recall
from hinterland.indexes.fusion_tuning import WEIGHTS, fusion_ndcg
from hinterland.indexes.search import Index
from hinterland.indexes.search_config import FusionConfig, RerankConfig, SearchConfig
from retrieval_parts.data import Collection

__all__ = ["Scores", "by_name", "convex_out_of_fold", "hybrid", "measure"]

K, FOLDS = 10, 5


@dataclass(frozen=True)
class Scores:
    """One method on one collection: arrays over the queries."""

    ndcg: NDArray[np.float64]
    recall: NDArray[np.float64]


def hybrid(weight: float, *, rerank: RerankConfig | None = None) -> SearchConfig:
    """Return vectors and words mixed with this weight of the vectors."""
    return SearchConfig(mode="hybrid", fusion=FusionConfig(method="convex", dense=weight), rerank=rerank)


def measure(
    index: Index, collection: Collection, how: SearchConfig, names: Sequence[str] | None = None
) -> Scores:
    """Search all queries, or those named, and score the documents found."""
    asked = list(collection.queries) if names is None else list(names)
    found = index.search_documents([collection.queries[name] for name in asked], K, how=how)
    rankings = [[hit.document_id for hit in each] for each in found]
    both = [
        (ndcg(ranking, collection.qrels[name], K), recall(ranking, collection.qrels[name], K))
        for name, ranking in zip(asked, rankings, strict=True)
    ]
    return Scores(np.array([one for one, _ in both]), np.array([other for _, other in both]))


def convex_out_of_fold(
    index: Index, collection: Collection, *, seed: int, rerank: RerankConfig | None = None
) -> tuple[Scores, list[float]]:
    """Return each query's scores under the weight that was best on the other folds, and the weights."""
    names = list(collection.queries)
    curve = fusion_ndcg(index, collection.queries, collection.qrels)
    fold = generator(seed, "folds", collection.name).permutation(len(names)) % FOLDS
    ndcgs, recalls, weights = np.zeros(len(names)), np.zeros(len(names)), []
    for number in range(FOLDS):
        held = np.flatnonzero(fold == number)
        weight = WEIGHTS[int(curve[fold != number].mean(axis=0).argmax())]
        weights.append(weight)
        scores = measure(index, collection, hybrid(weight, rerank=rerank), [names[each] for each in held])
        ndcgs[held], recalls[held] = scores.ndcg, scores.recall
    return Scores(ndcgs, recalls), weights


def by_name(found: Mapping[str, Scores | None], metric: str) -> dict[str, float | None]:
    """Return each method's mean, ``None`` where it was not run."""
    return {
        name: None if scores is None else float(getattr(scores, metric).mean())
        for name, scores in found.items()
    }
