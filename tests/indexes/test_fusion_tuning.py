"""The weight of fusion on judged queries: the curve by hand, and the choice."""

from __future__ import annotations

from math import log2

import pytest
from ranked_passages import publish_passages

from hinterland.core.errors import ConfigError, IndexBundleError
from hinterland.indexes.embed import SentenceEmbedder
from hinterland.indexes.fusion_tuning import fusion_ndcg, tune_fusion
from hinterland.indexes.search import Index
from hinterland.indexes.search_config import FusionConfig, SearchConfig

QUERIES = {"a": "malaria mosquitoes at night", "b": "chloroquine", "unjudged": "x"}
QRELS = {"a": {"f3": 1.0, "f1": 1.0}, "b": {"s2": 2.0, "not there": 1.0}, "unjudged": {"f1": 0.0}}


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory, embedder: SentenceEmbedder) -> Index:
    return Index.open(publish_passages(tmp_path_factory.mktemp("tuned"), embedder), embedder=embedder)


def test_the_curve_is_what_searches_give(index: Index) -> None:
    weights = (0.0, 0.4, 1.0)
    found = fusion_ndcg(index, QUERIES, QRELS, weights=weights)
    assert found.shape == (2, 3)
    ideal = [1 + 1 / log2(3), 2 + 1 / log2(3)]
    for column, weight in enumerate(weights):
        how = SearchConfig(mode="hybrid", fusion=FusionConfig(method="convex", dense=weight))
        results = index.search_documents([QUERIES["a"], QUERIES["b"]], 10, how=how)
        for row, (name, hits) in enumerate(zip("ab", results, strict=True)):
            gains = [QRELS[name].get(hit.document_id, 0) / log2(rank + 1) for rank, hit in enumerate(hits, 1)]
            assert found[row, column] == pytest.approx(sum(gains) / ideal[row])


def test_the_best_is_taken_and_of_equals_the_middle(index: Index) -> None:
    config, curve = tune_fusion(index, QUERIES, QRELS)
    means = curve.by_query.mean(axis=0)
    best = [weight for weight, mean in zip(curve.weights, means, strict=True) if mean > means.max() - 1e-9]
    assert config == FusionConfig(method="convex", dense=min(best, key=lambda weight: abs(weight - 0.5)))
    assert (curve.queries, curve.k) == (2, 10)
    told = curve.as_dict()
    assert told["metric"] == "ndcg@10"
    assert [point["dense"] for point in told["points"]] == list(curve.weights)
    ranks, _ = tune_fusion(index, QUERIES, QRELS, base=FusionConfig(method="rrf"), weights=(0.5,))
    assert ranks == FusionConfig(method="rrf")


def test_what_cannot_be_tuned(
    index: Index, tmp_path_factory: pytest.TempPathFactory, embedder: SentenceEmbedder
) -> None:
    with pytest.raises(ConfigError, match="no query has a relevant document"):
        tune_fusion(index, {"unjudged": "x"}, QRELS)
    root = publish_passages(tmp_path_factory.mktemp("wordless"), embedder, words=False)
    with pytest.raises(IndexBundleError, match="built without them"):
        tune_fusion(Index.open(root, embedder=embedder), QUERIES, QRELS)
