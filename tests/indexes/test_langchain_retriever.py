"""The LangChain retriever: LangChain's own suite for retrievers, and what documents carry."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from langchain_core.embeddings import DeterministicFakeEmbedding
from langchain_core.retrievers import BaseRetriever
from langchain_tests.integration_tests.retrievers import RetrieversIntegrationTests

from hinterland.core.corpus import Corpus
from hinterland.core.errors import ConfigError, IndexBundleError
from hinterland.indexes.build import build_index
from hinterland.indexes.embed import SentenceEmbedder
from hinterland.indexes.langchain_retriever import HinterlandRetriever
from hinterland.indexes.langchain_store import HinterlandVectorStore
from hinterland.indexes.lexical import LexicalConfig
from hinterland.indexes.search import Index
from hinterland.indexes.search_config import SearchConfig

QUESTION = "What is the capital of Kenya?"


@pytest.fixture(scope="module")
def index(built: Path, embedder: SentenceEmbedder) -> Index:
    return Index.open(built, embedder=embedder)


class TestStandard(RetrieversIntegrationTests):  # type: ignore[misc]
    @pytest.fixture(autouse=True)
    def _open(self, index: Index) -> None:
        self.index = index

    @property
    def retriever_constructor(self) -> type[BaseRetriever]:
        return HinterlandRetriever

    @property
    def retriever_constructor_params(self) -> dict[str, Any]:
        return {"index": self.index}

    @property
    def retriever_query_example(self) -> str:
        return QUESTION


def test_documents_say_where_they_are_from(
    tmp_path: Path, corpus: Corpus, embedder: SentenceEmbedder
) -> None:
    built = tmp_path / "with words"
    build_index(corpus, built, embedder, lexical=LexicalConfig())
    index = Index.open(built, embedder=embedder)
    hybrid = HinterlandRetriever.open(built, embedding=embedder, search=SearchConfig(mode="hybrid"), k=2)
    found = hybrid.invoke(QUESTION)
    (expected,) = index.using(SearchConfig(mode="hybrid")).search([QUESTION], 2)
    assert [each.id for each in found] == [hit.chunk_id for hit in expected]
    hit, metadata = expected[0], found[0].metadata
    assert found[0].page_content == hit.text
    assert metadata == {
        "chunk_id": hit.chunk_id,
        "document_id": "ken-gov",
        "start": 0,
        "end": len(hit.text),
        "title": "Kenya › Government",
        "source": "source-ken",
        "license": "public domain",
        "url": None,
        "date": None,
        "country": None,
        "score": hit.score,
        "parts": dict(hit.parts),
    }
    assert set(metadata["parts"]) >= {"dense", "bm25", "fused"}


def test_conditions_and_ids(built: Path, embedder: SentenceEmbedder) -> None:
    retriever = HinterlandRetriever.open(built, embedding=embedder, where="source == 'source-per'")
    assert {each.metadata["document_id"] for each in retriever.invoke(QUESTION)} == {"per-gov", "per-eco"}
    (one,) = retriever.invoke(QUESTION, where="source == 'source-jpn'")
    assert one.metadata["document_id"] == "jpn-eco"
    (one,) = retriever.invoke(QUESTION, allow=["per-eco", "ken-gov"])
    assert one.metadata["document_id"] == "per-eco"
    assert [len(each) for each in retriever.batch([QUESTION, "yen"])] == [2, 2]
    with pytest.raises(ConfigError, match="no column 'sauce'"):
        retriever.invoke(QUESTION, where="sauce == 'x'")


def test_an_index_that_langchain_s_embedding_made(tmp_path: Path) -> None:
    embedding = DeterministicFakeEmbedding(size=6)
    store = HinterlandVectorStore.from_texts(
        ["Nairobi", "Lima"], embedding, [{"source": "web"}, {}], ids=["n", "l"], root=tmp_path
    )
    assert store.similarity_search("Lima", k=1)[0].id == "l"
    retriever = HinterlandRetriever.open(tmp_path, embedding=DeterministicFakeEmbedding(size=6), k=1)
    assert [each.id for each in retriever.invoke("Lima")] == ["l"]
    assert [each.id for each in retriever.invoke("Lima", where="source == 'web'")] == ["n"]
    with pytest.raises(IndexBundleError, match="dimensions"):
        HinterlandRetriever.open(tmp_path, embedding=DeterministicFakeEmbedding(size=7))
    with pytest.raises(IndexBundleError, match="made with LangChain's DeterministicFakeEmbedding"):
        HinterlandVectorStore(tmp_path)
