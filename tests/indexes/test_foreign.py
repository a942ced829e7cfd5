"""A store that others serve: Qdrant without a server, filled from an index and searched like one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from langchain_core.documents import Document
from langchain_core.embeddings import DeterministicFakeEmbedding
from langchain_core.vectorstores import InMemoryVectorStore, VectorStore

from hinterland.core.corpus import Corpus
from hinterland.core.errors import ConfigError, IndexBundleError, RegistryError, StorageError
from hinterland.indexes.bundle import CHUNKS, open_bundle
from hinterland.indexes.embed import EmbedConfig, SentenceEmbedder
from hinterland.indexes.foreign import StoreSearcher, hit_of
from hinterland.indexes.foreign_fill import Filled, fill_store
from hinterland.indexes.langchain_embed import HinterlandEmbeddings
from hinterland.indexes.search import Index
from hinterland.indexes.searcher import Searcher
from hinterland.indexes.vector_stores import VECTOR_STORES, StoreConfig, open_store

QUESTIONS = ["What is the capital of Kenya?", "Which metals does Peru sell abroad?", "yen"]


def config(folder: Path, **settings: object) -> StoreConfig:
    return StoreConfig(settings={"path": str(folder), "collection": "places", **settings})


@pytest.fixture(scope="module")
def qdrant(
    built: Path, embedder: SentenceEmbedder, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[StoreSearcher]:
    folder = tmp_path_factory.mktemp("qdrant")
    searcher = open_store(config(folder), embedder=embedder, create=True)
    assert fill_store(built, searcher.store, batch=3) == Filled(7, 7, 0, resumable=True)
    yield searcher
    searcher.close()


@pytest.fixture
def memory(built: Path, embedder: SentenceEmbedder) -> StoreSearcher:
    """A store whose filter is a function, which the kit is not told of."""
    store = InMemoryVectorStore(HinterlandEmbeddings(embedder))
    fill_store(built, store)
    return StoreSearcher(store, name="memory", encoder=embedder.space)


def test_finds_what_the_exact_index_finds(
    qdrant: StoreSearcher, memory: StoreSearcher, built: Path, embedder: SentenceEmbedder
) -> None:
    index = Index.open(built, embedder=embedder)
    for searcher in (qdrant, memory):
        assert isinstance(searcher, Searcher)
        for ours, theirs in zip(index.search(QUESTIONS, 5), searcher.search(QUESTIONS, 5), strict=True):
            assert [hit.chunk_id for hit in theirs] == [hit.chunk_id for hit in ours]
            for one, other in zip(ours, theirs, strict=True):
                assert other.score == pytest.approx(one.score, abs=1e-5)
                assert other.parts == {"store": other.score}
                for name in ("document_id", "start", "end", "text", "title", "source", "license"):
                    assert getattr(other, name) == getattr(one, name)
            assert not theirs.note


def test_k_above_the_size_is_said(qdrant: StoreSearcher) -> None:
    (result,) = qdrant.search(["capital"], 50)
    assert (len(result), result.note) == (7, "50 asked for, 7 found: the store returned 7")
    with pytest.raises(ValueError, match="at least 1"):
        qdrant.search(["capital"], 0)


@pytest.mark.parametrize("name", ["qdrant", "memory"])
def test_filters_by_document_and_by_condition(
    name: str, request: pytest.FixtureRequest, built: Path, embedder: SentenceEmbedder
) -> None:
    searcher: StoreSearcher = request.getfixturevalue(name)
    index = Index.open(built, embedder=embedder)
    allow = ["isl-gov", "jpn-eco", "not there"]
    (found,) = searcher.search(QUESTIONS[:1], 2, allow=allow)
    (exact,) = index.search(QUESTIONS[:1], 2, allow=allow)
    assert [hit.chunk_id for hit in found] == [hit.chunk_id for hit in exact]
    (found,) = searcher.search(QUESTIONS[:1], 2, where="source == 'source-per'")
    assert {hit.document_id for hit in found} == {"per-gov", "per-eco"}
    (few,) = searcher.search(QUESTIONS[:1], 3, allow=["ken-gov", "per-gov"], where="source == 'source-per'")
    assert [hit.document_id for hit in few] == ["per-gov"]
    assert few.note.startswith("3 asked for, 1 found: the store returned")
    (none,) = searcher.search(["x"], 2, allow=[])
    assert none.note == "2 asked for, 0 found: the filter leaves nothing"
    (none,) = searcher.search(["x"], 2, where="country == 'KEN'")  # no passage says its country
    assert len(none) == 0
    with pytest.raises(ConfigError, match="no column 'colour'"):
        searcher.search(["x"], 2, where="colour == 'red'")
    with pytest.raises(IndexBundleError, match="cannot list"):
        searcher.search(["x"], 2, allow=np.ones(7, dtype=np.bool_))


def test_looks_only_so_deep(memory: StoreSearcher, embedder: SentenceEmbedder) -> None:
    shallow = StoreSearcher(memory.store, name="memory", deepest=4)
    (result,) = shallow.search(["What is the capital of Kenya?"], 1, where="source == 'source-jpn'")
    assert len(result) == 0
    assert result.note == (
        "1 asked for, 0 found: the store filters only afterwards, and of the best 4 no more fit"
    )
    (result,) = memory.search(["What is the capital of Kenya?"], 1, where="source == 'source-jpn'")
    assert [hit.document_id for hit in result] == ["jpn-eco"]


def test_distances_become_scores() -> None:
    class Distances(InMemoryVectorStore):  # type: ignore[misc]
        def similarity_search_with_score(
            self, query: str, k: int = 4, **kwargs: object
        ) -> list[tuple[Document, float]]:
            return [(Document("near"), 0.25), (Document("far", id="b", metadata={"source": "web"}), 0.5)][:k]

    class Blind(Distances):
        def similarity_search_with_score(
            self, query: str, k: int = 4, **kwargs: object
        ) -> list[tuple[Document, float]]:
            raise NotImplementedError

    searcher = StoreSearcher(Distances(None), name="x")
    (result,) = searcher.search(["q"], 2)
    assert [(hit.score, hit.parts["store"]) for hit in result] == [(-0.25, 0.25), (-0.5, 0.5)]
    assert (result[1].chunk_id, result[1].document_id, result[1].source) == ("b", "web", "web")
    assert (result[0].start, result[0].end, len(result[0].chunk_id)) == (0, 4, 24)
    (one,) = StoreSearcher(Distances(None), name="x", distances=True).search(["q"], 1)
    assert one[0].score == -0.25
    with pytest.raises(IndexBundleError, match="no scores"):
        StoreSearcher(Blind(None), name="x").search(["q"])


def test_an_upload_goes_on_where_it_stopped(built: Path, embedder: SentenceEmbedder) -> None:
    class Failing(InMemoryVectorStore):  # type: ignore[misc]
        left = 1

        def add_documents(self, documents: list[Document], ids: list[str] | None = None) -> list[str]:
            if not self.left:
                raise ConnectionError("the line is down")
            self.left -= 1
            return list(super().add_documents(documents, ids))

    store = Failing(HinterlandEmbeddings(embedder))
    with pytest.raises(ConnectionError):
        fill_store(built, store, batch=3)
    store.left = 10
    assert fill_store(built, store, batch=3) == Filled(7, 4, 3, resumable=True)
    assert fill_store(built, store, batch=3) == Filled(7, 0, 7, resumable=True)
    chunks = pq.read_table(open_bundle(built).folder / CHUNKS)
    changed = chunks.set_column(
        chunks.column_names.index("text"), "text", [["changed", *chunks["text"].to_pylist()[1:]]]
    )
    assert fill_store(changed, store, batch=3).uploaded == 1

    class Mute(InMemoryVectorStore):  # type: ignore[misc]
        def get_by_ids(self, ids: list[str], /) -> list[Document]:
            raise NotImplementedError

    assert fill_store(built, Mute(HinterlandEmbeddings(embedder))) == Filled(7, 7, 0, resumable=False)


def test_a_corpus_is_cut_as_an_index_cuts_it(
    corpus: Corpus, memory: StoreSearcher, embedder: SentenceEmbedder
) -> None:
    store = InMemoryVectorStore(HinterlandEmbeddings(embedder))
    assert fill_store(corpus, store).uploaded == 7
    assert {key: each["text"] for key, each in store.store.items()} == {
        key: each["text"] for key, each in memory.store.store.items()
    }
    with pytest.raises(ConfigError, match="nothing can be chunked"):
        fill_store(corpus, InMemoryVectorStore(DeterministicFakeEmbedding(size=6)))


def test_documents_of_others() -> None:
    hit = hit_of(Document("Kenya\nNairobi", metadata={"title": "Kenya", "_id": 7, "start": "x"}), 0.5)
    assert (hit.text, hit.title, hit.chunk_id, hit.document_id) == ("Nairobi", "Kenya", "7", "7")
    assert hit.passage == "Kenya\nNairobi"


def test_another_encoder_is_refused(memory: StoreSearcher, tmp_path: Path) -> None:
    prompted = SentenceEmbedder(EmbedConfig(query_prompt="query: ", dtype="float32", device="cpu"))
    store: VectorStore = InMemoryVectorStore(HinterlandEmbeddings(prompted))
    store.store = memory.store.store
    with pytest.raises(IndexBundleError, match="the store was filled with"):
        StoreSearcher(store, name="memory", encoder=prompted.space).search(["x"])


def test_stores_that_cannot_be_opened(tmp_path: Path, embedder: SentenceEmbedder) -> None:
    with pytest.raises(IndexBundleError, match="no collection 'places'"):
        open_store(config(tmp_path), embedder=embedder)
    with pytest.raises(ConfigError, match="either url or path"):
        open_store(config(tmp_path, url="http://localhost:1"), embedder=embedder)
    with pytest.raises(ConfigError, match="unknown key 'collektion'"):
        open_store(config(tmp_path, collektion="x"), embedder=embedder)
    with pytest.raises(RegistryError, match="unknown vector_store 'qdrand'"):
        open_store(StoreConfig(kind="qdrand"), embedder=embedder)
    nowhere = StoreConfig(settings={"url": "http://127.0.0.1:9", "collection": "x"})
    with pytest.raises(StorageError, match="does not answer"):
        open_store(nowhere, embedder=embedder)
    assert "qdrant" in VECTOR_STORES


# Qdrant leaves its lock file open when it refuses a folder.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_folder_is_one_process_s(tmp_path: Path, embedder: SentenceEmbedder) -> None:
    first = open_store(config(tmp_path), embedder=embedder, create=True)
    with pytest.raises(StorageError, match="already accessed"):
        open_store(config(tmp_path), embedder=embedder)
    first.close()

    class Narrow:
        dimension, space = 6, "x"

        def passages(self, texts: list[str]) -> np.ndarray:
            return np.ones((len(texts), 6), np.float32)

    with pytest.raises(IndexBundleError, match="dimension"):
        open_store(config(tmp_path), embedder=Narrow())  # type: ignore[arg-type]
