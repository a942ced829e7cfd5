"""The whole of a search over a real index: words, both, rules, reranking, diversity, filters, notes."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from ranked_passages import PASSAGES, publish_passages, tiny_cross_encoder

from hinterland.core.errors import ConfigError, IndexBundleError, ModelSourceError
from hinterland.indexes.embed import SentenceEmbedder
from hinterland.indexes.search import Index
from hinterland.indexes.search_config import (
    DecayConfig,
    FusionConfig,
    MmrConfig,
    RerankConfig,
    RuleConfig,
    SearchConfig,
)
from hinterland.indexes.searcher import Searcher

QUERY = "malaria mosquitoes at night"
BM25, HYBRID = SearchConfig(mode="bm25"), SearchConfig(mode="hybrid")
CONVEX = SearchConfig(mode="hybrid", fusion=FusionConfig(method="convex"))


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory, embedder: SentenceEmbedder) -> Index:
    return Index.open(publish_passages(tmp_path_factory.mktemp("plain"), embedder), embedder=embedder)


@pytest.fixture(scope="module")
def gaps(tmp_path_factory: pytest.TempPathFactory, embedder: SentenceEmbedder) -> Index:
    """The same, with dead rows that would be found before all others."""
    root = publish_passages(tmp_path_factory.mktemp("gaps"), embedder, dead=True)
    return Index.open(root, embedder=embedder)


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_cross_encoder(tmp_path_factory.mktemp("cross"))


def ids(index: Index, how: SearchConfig, k: int = 8, where: str | None = None) -> list[str]:
    return [hit.document_id for hit in index.search([QUERY], k, how=how, where=where)[0]]


def test_the_parts_of_each_mode(index: Index) -> None:
    for how, parts in (
        (SearchConfig(), ["dense"]),
        (BM25, ["bm25"]),
        (CONVEX, ["dense", "bm25", "fused"]),
    ):
        (result,) = index.search([QUERY], 3, how=how)
        assert [list(hit.parts) for hit in result] == [parts] * 3
        assert all(hit.score == hit.parts[parts[-1]] for hit in result)
        assert [hit.score for hit in result] == sorted((hit.score for hit in result), reverse=True)
    hit = index.search([QUERY], 1, how=CONVEX)[0][0]
    assert (hit.source, hit.license, hit.country) == ("forum", "CC0", "PER")
    assert hit.text[hit.start : hit.end] == hit.text


def test_both_is_made_of_the_two(index: Index) -> None:
    vector = index.embed_queries([QUERY])
    dense = {hit.document_id: hit.score for hit in index.search([QUERY], 8, vectors=vector)[0]}
    words = {hit.document_id: hit.score for hit in index.search([QUERY], 8, how=BM25)[0]}
    (both,) = index.search([QUERY], 8, how=CONVEX, vectors=vector)
    background = float(index.rankings.background(vector)[0])
    top_dense, top_words = max(dense.values()), max(words.values())
    for hit in both:
        cosine = max(dense[hit.document_id] - background, 0) / (top_dense - background)
        bm25 = words.get(hit.document_id, 0.0) / top_words
        assert hit.parts["fused"] == pytest.approx(0.5 * cosine + 0.5 * bm25, abs=1e-5)
    (ranks,) = index.search([QUERY], 8, how=HYBRID, vectors=vector)
    places = [list(side).index(ranks[0].document_id) + 1 for side in (dense, words)]
    assert ranks[0].score == pytest.approx(sum(1 / (60 + place) for place in places))


def test_a_ranking_cut_short_is_completed(index: Index) -> None:
    shallow = SearchConfig(mode="hybrid", depth=1, fusion=FusionConfig(method="convex"))
    (result,) = index.search(["glaciers at night"], 1, how=shallow.model_copy(update={"depth": 2}))
    (whole,) = index.search(["glaciers at night"], 8, how=CONVEX)
    assert result[0].parts["dense"] == pytest.approx(whole[0].parts["dense"], abs=1e-5)
    assert result[0].parts["bm25"] == pytest.approx(whole[0].parts["bm25"])


def test_dead_rows_are_never_found(index: Index, gaps: Index) -> None:
    assert gaps.rankings.backend.size == 2 * len(gaps) == 2 * len(index)
    diverse = SearchConfig(mmr=MmrConfig())
    queries = [QUERY, "malaria", "metro in Lima"]
    vectors = index.embed_queries(queries)
    for how in (SearchConfig(), BM25, HYBRID, CONVEX, diverse):
        both = (one.search(queries, 8, how=how, vectors=vectors) for one in (gaps, index))
        for mine, theirs in zip(*both, strict=True):
            assert [hit.chunk_id for hit in mine] == [hit.chunk_id for hit in theirs]
            np.testing.assert_allclose([h.score for h in mine], [h.score for h in theirs], atol=1e-5)
    kenya = "country == 'KEN'"
    assert ids(gaps, SearchConfig(), where=kenya) == ids(index, SearchConfig(), where=kenya)
    assert [hit.document_id for hit in gaps.search_documents(["malaria"], 3)[0]] == [
        hit.document_id for hit in index.search_documents(["malaria"], 3)[0]
    ]


def test_filters_on_any_column_come_first(index: Index) -> None:
    for how in (SearchConfig(), BM25, HYBRID, CONVEX):
        (result,) = index.search([QUERY], 2, how=how, where="country == 'KEN' and source != 'forum'")
        assert {hit.document_id for hit in result} == {"s1", "s2"}
        assert not result.note
        (both,) = index.search([QUERY], 5, how=how, where="country == 'KEN'", allow=["f1", "n1"])
        assert [hit.document_id for hit in both] == ["f1"]
        assert both.note == "5 asked for, 1 found: the filter leaves 1 chunks"
    always = SearchConfig(where="source == 'news'")
    assert ids(index, always) == ["n1"]
    assert ids(index, always, where="country == 'KEN'") == []
    with pytest.raises(ConfigError, match="did you mean 'country'"):
        index.search([QUERY], 1, where="contry == 'KEN'")


def test_words_that_nothing_has(index: Index) -> None:
    (result,) = index.search(["zyzzyva"], 2, how=BM25)
    assert (len(result), result.note) == (
        0,
        "2 asked for, 0 found: no other chunk shares a word with the query",
    )
    assert index.search_documents(["zyzzyva"], 2, how=BM25) == [[]]
    (empty,) = index.search([""], 2, how=BM25)
    assert len(empty) == 0
    assert len(index.search(["zyzzyva"], 2, how=HYBRID)[0]) == 2  # vectors find something


def test_recent_science_over_old_forum_posts(index: Index) -> None:
    plain = ids(index, CONVEX, 5)
    assert plain[0] == "f3"
    rules = (
        RuleConfig(when="source == 'forum'", weight=0.5),
        RuleConfig(when="source == 'science'", decay=DecayConfig(half_life_years=10, floor=0.2)),
    )
    (result,) = index.search([QUERY], 5, how=CONVEX.model_copy(update={"rules": rules}))
    assert result[0].document_id == "s1"
    best = max(hit.parts["fused"] for hit in index.search([QUERY], 1, how=CONVEX)[0])
    forum = next(hit for hit in result if hit.document_id == "f3")
    assert forum.parts["rules"] == pytest.approx(forum.parts["fused"] / best * 0.5)
    assert list(forum.parts) == ["dense", "bm25", "fused", "rules"]
    # Weights do not hang on how many candidates a filter leaves.
    (few,) = index.search([QUERY], 2, how=CONVEX.model_copy(update={"rules": rules}), allow=["f3", "s1"])
    assert [hit.document_id for hit in few] == ["s1", "f3"]


def test_a_weight_of_0_leaves_out_and_k_still_come(index: Index) -> None:
    how = SearchConfig(rules=(RuleConfig(when="source == 'forum'", weight=0),))
    (result,) = index.search([QUERY], 5, how=how)
    assert len(result) == 5
    assert "forum" not in {hit.source for hit in result}
    assert index.search([QUERY], 6, how=how)[0].note == "6 asked for, 5 found: the filter leaves 5 chunks"


def test_caps_look_deeper_and_say_when_they_run_out(index: Index) -> None:
    how = SearchConfig(depth=1, rules=(RuleConfig(most=1),))
    (result,) = index.search([QUERY], 4, how=how)
    assert len(result) == 4
    assert {hit.source for hit in result} == {"science", "forum", "news", None}
    (short,) = index.search([QUERY], 6, how=how)
    assert short.note == "6 asked for, 4 found: the rules allow no more of the same sources"
    diverse = how.model_copy(update={"mmr": MmrConfig(depth=2)})
    assert len(index.search([QUERY], 4, how=diverse)[0]) == 4


def test_diversity(index: Index) -> None:
    alone = SearchConfig(mmr=MmrConfig(relevance=1))
    assert ids(index, alone) == ids(index, SearchConfig())
    (result,) = index.search([QUERY], 3, how=SearchConfig(mmr=MmrConfig(relevance=0.3)))
    assert result[0].document_id == ids(index, SearchConfig())[0]
    assert list(result[0].parts) == ["dense", "mmr"]
    assert [hit.document_id for hit in result] != ids(index, SearchConfig(), 3)
    # What is chosen second is less like the first than what is second best.
    named = [*(hit.document_id for hit in result), ids(index, SearchConfig(), 2)[1]]
    rows = np.array([[passage[0] for passage in PASSAGES].index(name) for name in named])
    first, second, _, nearest = index.rankings.vectors(rows)
    assert first @ second < first @ nearest


def test_reranking_reads_the_best(index: Index, encoder: Path) -> None:
    from sentence_transformers import CrossEncoder

    how = CONVEX.model_copy(update={"rerank": RerankConfig(model=str(encoder), depth=4, device="cpu")})
    (result,) = index.search([QUERY], 3, how=how)
    assert list(result[0].parts) == ["dense", "bm25", "fused", "rerank"]
    read = index.search([QUERY], 4, how=CONVEX)[0]
    reference = CrossEncoder(str(encoder), device="cpu")
    scores = reference.predict([(QUERY, hit.passage) for hit in read], show_progress_bar=False)
    expected = sorted(zip(scores, (hit.chunk_id for hit in read), strict=True), reverse=True)[:3]
    assert [hit.chunk_id for hit in result] == [chunk for _, chunk in expected]
    np.testing.assert_allclose([hit.score for hit in result], [score for score, _ in expected], rtol=1e-4)
    ruled = how.model_copy(update={"rules": (RuleConfig(when="source == 'forum'", weight=0.1),)})
    (last,) = index.search([QUERY], 3, how=ruled)
    assert list(last[0].parts)[-2:] == ["rerank", "rules"]


def test_models_that_do_not_rerank(index: Index, tmp_path: Path) -> None:
    two = tiny_cross_encoder(tmp_path / "two", labels=2)
    with pytest.raises(ModelSourceError, match="2 numbers for a pair"):
        index.search([QUERY], 1, how=SearchConfig(rerank=RerankConfig(model=str(two), device="cpu")))
    with pytest.raises(ModelSourceError, match="no such model"):
        index.using(SearchConfig(rerank=RerankConfig(model="/no/such/folder")))


def test_documents_of_both(index: Index) -> None:
    (found,) = index.search_documents([QUERY], 3, how=CONVEX)
    assert [hit.document_id for hit in found] == ids(index, CONVEX, 3)


def test_without_words(tmp_path: Path, embedder: SentenceEmbedder) -> None:
    index = Index.open(publish_passages(tmp_path / "index", embedder, words=False), embedder=embedder)
    assert len(index.search([QUERY], 2)[0]) == 2
    for how in (BM25, HYBRID):
        with pytest.raises(IndexBundleError, match=r"built without them[\s\S]*build it again with bm25"):
            index.search([QUERY], 2, how=how)


def test_format_1_still_opens(tmp_path: Path, embedder: SentenceEmbedder, index: Index) -> None:
    """As it was before rows and words: no column ``row``, no ``bm25``, format 1."""
    from hinterland.core.files import hash_file, write_json, write_text

    root = publish_passages(tmp_path / "index", embedder, words=False)
    old = next((root / "versions").iterdir())
    table = pq.read_table(old / "chunks.parquet").drop_columns(["row"])
    pq.write_table(table, old / "chunks.parquet")
    manifest = json.loads((old / "manifest.json").read_text())
    manifest["format"] = 1
    manifest["files"]["chunks.parquet"] = hash_file(old / "chunks.parquet")
    write_json(old / "manifest.json", manifest)
    version = hash_file(old / "manifest.json")[:24]
    old.rename(old.parent / version)
    write_text(root / "CURRENT", version + "\n")
    assert ids(Index.open(root, embedder=embedder), SearchConfig()) == ids(index, SearchConfig())


def test_the_manifest_says_how(tmp_path: Path, embedder: SentenceEmbedder, index: Index) -> None:
    root = publish_passages(tmp_path / "index", embedder, search={"mode": "bm25"})
    worded = Index.open(root, embedder=embedder, memory_map=True)
    assert worded.how == BM25
    assert list(worded.search([QUERY], 1)[0][0].parts) == ["bm25"]
    assert list(worded.search([QUERY], 1, how=SearchConfig())[0][0].parts) == ["dense"]
    using = worded.using(CONVEX)
    assert isinstance(using, Searcher)
    assert list(using.search([QUERY], 1)[0][0].parts) == ["dense", "bm25", "fused"]
    assert worded.using(None) is worded
    prints = {one.fingerprint for one in (worded, using, worded.using(HYBRID), worded.using(BM25))}
    assert len(prints) == 4


def test_the_same_again(index: Index) -> None:
    how = CONVEX.model_copy(update={"mmr": MmrConfig(), "rules": (RuleConfig(most=2),)})
    assert index.search([QUERY, "Peru"], 4, how=how) == index.search([QUERY, "Peru"], 4, how=how)


@pytest.mark.parametrize("factory", ["HNSW8", "SQ8", "IVF2,SQ8"])
def test_other_kinds_of_index(factory: str, tmp_path: Path, embedder: SentenceEmbedder, index: Index) -> None:
    root = publish_passages(tmp_path / "index", embedder, factory=factory)
    other = Index.open(root, embedder=embedder)
    how = CONVEX.model_copy(update={"mmr": MmrConfig(relevance=0.9), "depth": 2})
    assert ids(other, how, 2) == ids(index, how, 2)
