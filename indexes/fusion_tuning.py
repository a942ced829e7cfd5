"""Choose the weight of vectors against words on queries whose relevant documents are known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hinterland.core.errors import ConfigError
from hinterland.core.ranking_metrics import ndcg
from hinterland.core.stats import Interval, bootstrap_mean
from hinterland.indexes.fusion import fuse
from hinterland.indexes.search import Index
from hinterland.indexes.search_config import FusionConfig

__all__ = ["WEIGHTS", "FusionCurve", "fusion_ndcg", "tune_fusion"]

#: The weights that are tried.
WEIGHTS = tuple(round(step / 20, 2) for step in range(21))

_BATCH = 64  # queries at a time: candidates are held for that many


@dataclass(frozen=True)
class FusionCurve:
    """nDCG@k by weight of the vectors.

    Attributes:
        weights: The weights, shape (weights,).
        mean: The mean over the queries, with its interval, for each weight.
        by_query: Shape (queries, weights).
        queries: How many queries there are.
        k: How many documents count.
    """

    weights: tuple[float, ...]
    mean: tuple[Interval, ...]
    by_query: NDArray[np.float64]
    queries: int
    k: int

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON-able values, for a manifest."""
        points = [
            {"dense": weight, **asdict(mean)} for weight, mean in zip(self.weights, self.mean, strict=True)
        ]
        return {"metric": f"ndcg@{self.k}", "queries": self.queries, "points": points}


def fusion_ndcg(
    index: Index,
    queries: Mapping[str, str],
    qrels: Mapping[str, Mapping[str, float]],
    *,
    base: FusionConfig | None = None,
    weights: Sequence[float] = WEIGHTS,
    k: int = 10,
    depth: int = 100,
) -> NDArray[np.float64]:
    """Return each query's nDCG@k (documents, at their best chunk) by weight, shape (queries, weights).

    Args:
        index: The index; it needs words.
        queries: Texts by id; those without a relevant document are left out.
        qrels: Relevance by document id, by query id.
        base: The other settings of the fusion.
        weights: The weights of the vectors to try.
        k: How many documents count.
        depth: How deep each ranking is read.

    Raises:
        IndexBundleError: The index has no words.
        ConfigError: No query has a relevant document.
    """
    base = base or FusionConfig(method="convex")
    index.using(index.how.model_copy(update={"mode": "hybrid"}))  # refused without words
    judged = [name for name in queries if any(value > 0 for value in qrels.get(name, {}).values())]
    if not judged:
        raise ConfigError(
            "no query has a relevant document", where="qrels", cure="give qrels of these queries"
        )
    found = np.zeros((len(judged), len(weights)))
    for start in range(0, len(judged), _BATCH):
        names = judged[start : start + _BATCH]
        texts = [queries[name] for name in names]
        candidates = index.rankings.candidates(
            texts, index.embed_queries(texts), depth, None, words=True, complete=base.method == "convex"
        )
        for place, (name, each) in enumerate(zip(names, candidates, strict=True), start):
            if each.dense is None or each.words is None:
                raise AssertionError("both rankings were asked for")
            for column, weight in enumerate(weights):
                config = base.model_copy(update={"dense": weight})
                scores, _ = fuse(each.dense, each.words, config, background=each.background)
                ranking = index.documents_of(each.rows[np.argsort(-scores, kind="stable")])
                found[place, column] = ndcg(ranking, qrels[name], k)
    return found


def tune_fusion(
    index: Index,
    queries: Mapping[str, str],
    qrels: Mapping[str, Mapping[str, float]],
    *,
    base: FusionConfig | None = None,
    weights: Sequence[float] = WEIGHTS,
    k: int = 10,
    depth: int = 100,
    seed: int = 0,
) -> tuple[FusionConfig, FusionCurve]:
    """Return the fusion of highest mean nDCG@k on the queries, and the whole curve.

    The figure at the chosen weight flatters: it was chosen on these queries. Judge it on others, or by
    cross-validation over ``by_query``. Of equal weights the one nearest to ½ is taken.

    Args:
        index: The index; it needs words.
        queries: Texts by id.
        qrels: Relevance by document id, by query id.
        base: The other settings of the fusion.
        weights: The weights of the vectors to try.
        k: How many documents count.
        depth: How deep each ranking is read.
        seed: For the intervals.

    Raises:
        IndexBundleError: The index has no words.
        ConfigError: No query has a relevant document.
    """
    base = base or FusionConfig(method="convex")
    found = fusion_ndcg(index, queries, qrels, base=base, weights=weights, k=k, depth=depth)
    means = found.mean(axis=0)
    best = max(range(len(weights)), key=lambda number: (round(means[number], 9), -abs(weights[number] - 0.5)))
    intervals = tuple(bootstrap_mean(column, seed=seed) for column in found.T)
    curve = FusionCurve(tuple(weights), intervals, found, len(found), k)
    return base.model_copy(update={"dense": weights[best]}), curve
