"""The LangChain store: LangChain's own suite for stores, and what that suite does not ask."""

from __future__ import annotations

import asyncio
import json
import logging
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from langchain_core.documents import Document
from langchain_core.embeddings import DeterministicFakeEmbedding, Embeddings
from langchain_core.indexing import InMemoryRecordManager, index
from langchain_core.vectorstores import InMemoryVectorStore, VectorStore
from langchain_tests.integration_tests.vectorstores import EMBEDDING_SIZE, VectorStoreIntegrationTests
from letter_embedder import LetterEmbedder

from hinterland.core.errors import ConfigError, IndexBundleError, StorageError
from hinterland.indexes.bundle import open_bundle, writer_lock
from hinterland.indexes.change import compact, remove
from hinterland.indexes.chunk_types import with_title
from hinterland.indexes.embed import SentenceEmbedder
from hinterland.indexes.embed_cache import CACHE, EmbeddingCache
from hinterland.indexes.langchain_embed import HinterlandEmbeddings, LangChainEmbedder, as_embedder
from hinterland.indexes.langchain_store import HinterlandVectorStore
from hinterland.indexes.lexical import LexicalConfig, LexicalIndex
from hinterland.indexes.removal_rules import Rule, lay_down, lift
from hinterland.indexes.segments import keys_of

PLACES = [
    Document(
        "Nairobi is the capital of Kenya.", metadata={"source": "web", "year": 2021, "tags": ["city", "law"]}
    ),
    Document(
        "Mount Kenya is 5,199 m high.", metadata={"source": "atlas", "year": 1999, "at": {"lat": -0.15}}
    ),
    Document("Lima is the capital of Peru.", metadata={"source": "web", "year": 2015}),
    Document("Peru exports copper and zinc.", metadata={"source": "news", "kept": True}),
    Document("Reykjavik is the capital of Iceland.", metadata={}),
]
IDS = ["nairobi", "mountain", "lima", "copper", "reykjavik"]


class TestStandard(VectorStoreIntegrationTests):  # type: ignore[misc]
    @pytest.fixture
    def vectorstore(self, tmp_path: Path) -> VectorStore:
        return HinterlandVectorStore(tmp_path / "store", self.get_embeddings())


class TestStandardWithAGraph(VectorStoreIntegrationTests):  # type: ignore[misc]
    @pytest.fixture
    def vectorstore(self, tmp_path: Path) -> VectorStore:
        return HinterlandVectorStore(
            tmp_path / "store", self.get_embeddings(), factory="HNSW32", lexical=None
        )


@pytest.fixture
def store(tmp_path: Path) -> HinterlandVectorStore:
    made = HinterlandVectorStore(tmp_path / "places", LetterEmbedder(64), lexical=LexicalConfig())
    made.add_documents(PLACES, ids=IDS)
    return made


def files_with(root: Path, text: str) -> list[Path]:
    """Return the files below a folder that hold a text: as bytes, or in a table's strings."""
    found = []
    for file in sorted(each for each in root.rglob("*") if each.is_file()):
        data = file.read_bytes()
        if file.suffix == ".parquet":
            data += json.dumps(pq.read_table(file).to_pydict(), ensure_ascii=False, default=str).encode()
        if text.encode() in data:
            found.append(file)
    return found


def test_agrees_with_langchain_s_own_store(store: HinterlandVectorStore) -> None:
    other = InMemoryVectorStore(store.embeddings)
    other.add_documents(PLACES, ids=IDS)
    for query in ("capital of Kenya", "copper", "a high mountain"):
        ours, theirs = (each.similarity_search_with_score(query, k=5) for each in (store, other))
        assert [document for document, _ in ours] == [document for document, _ in theirs]
        assert [score for _, score in ours] == pytest.approx([score for _, score in theirs], abs=1e-6)
        for weight in (0.0, 0.3, 1.0):
            mmr = {"k": 3, "fetch_k": 5, "lambda_mult": weight}
            assert store.max_marginal_relevance_search(query, **mmr) == (
                other.max_marginal_relevance_search(query, **mmr)
            )
        vector = [3 * number for number in store.embeddings.embed_query(query)]  # of any length
        assert store.similarity_search_by_vector(vector, k=2) == store.similarity_search(query, k=2)


def test_relevance_thresholds_and_retrievers(store: HinterlandVectorStore) -> None:
    (document, score), *_ = store.similarity_search_with_relevance_scores("Lima is the capital of Peru.", k=2)
    assert (document.id, score) == ("lima", pytest.approx(1.0, abs=1e-6))
    close = store.as_retriever(
        search_type="similarity_score_threshold", search_kwargs={"score_threshold": 0.99, "k": 5}
    )
    assert [each.id for each in close.invoke("Lima is the capital of Peru.")] == ["lima"]
    spread = store.as_retriever(search_type="mmr", search_kwargs={"k": 2, "filter": {"source": "web"}})
    assert {each.id for each in spread.invoke("Lima")} == {"nairobi", "lima"}
    assert store.max_marginal_relevance_search("Lima", filter={"source": "nowhere"}) == []


@pytest.mark.parametrize(
    ("conditions", "fitting"),
    [
        ({"source": "web"}, {"nairobi", "lima"}),
        ({"source": ["web", "news"]}, {"nairobi", "lima", "copper"}),
        ({"source": "web", "year": {"$gt": 2015}}, {"nairobi"}),
        ({"year": {"$gte": 1999, "$lt": 2021}}, {"mountain", "lima"}),
        ({"$or": [{"year": {"$lte": 1999}}, {"kept": True}]}, {"mountain", "copper"}),
        ({"$and": [{"source": {"$ne": "web"}}, {"year": {"$exists": True}}]}, {"mountain"}),
        ({"source": {"$nin": ["web", "atlas"]}}, {"copper"}),
        ({"tags": "law"}, {"nairobi"}),
        ({"at.lat": {"$lt": 0}}, {"mountain"}),
        ({"kept": 1}, set()),
        ({"source": None}, {"reykjavik"}),
        ({"$not": {"source": "web"}}, {"mountain", "copper", "reykjavik"}),
        ({}, set(IDS)),
        ("year >= 2015 and source in ['web']", {"nairobi", "lima"}),
        ("at.lat < 0 or kept", {"mountain", "copper"}),
        ("ismissing(source)", {"reykjavik"}),
        ("document_id == 'lima'", {"lima"}),
    ],
)
def test_filters(store: HinterlandVectorStore, conditions: Any, fitting: set[str]) -> None:
    assert {each.id for each in store.similarity_search("the capital", k=5, filter=conditions)} == fitting
    best = store.similarity_search("Lima is the capital of Peru.", k=1, filter=conditions)
    assert len(best) == min(1, len(fitting))  # the filter comes first: the nearest that fits is found


@pytest.mark.parametrize(
    ("conditions", "complaint"),
    [
        ({"year": {"$above": 1}}, r"unknown operator '\$above'"),
        ({1: "a"}, "a key of metadata is a string"),
        ({"$gt": 1}, r"operators stand under a key"),
        ({"year": {"$in": 3}}, "needs a list"),
        ({"year": {"$gt": [3]}}, "needs a number or a string"),
        ({"year": {"$exists": 1}}, "true or false"),
        ({"$or": []}, "list of mappings"),
        ({"$not": 3}, "a filter is a mapping"),
        ("yeer > 3", "no column 'yeer'"),
        ("source > 3", "number is compared with a string"),
    ],
)
def test_filters_that_cannot_be_read(store: HinterlandVectorStore, conditions: Any, complaint: str) -> None:
    with pytest.raises(ConfigError, match=complaint):
        store.similarity_search("x", filter=conditions)


def test_replaced_and_deleted_texts_are_gone_from_every_file(store: HinterlandVectorStore) -> None:
    assert files_with(store.root, "Reykjavik")
    store.add_documents([Document("Nuuk is the capital of Greenland.")], ids=["reykjavik"])
    assert store.delete(["copper", "not there"])
    for text in ("Reykjavik", "copper", "zinc"):
        assert files_with(store.root, text) == []
    bundle = open_bundle(store.root)
    words = LexicalIndex.load(bundle.folder / "bm25", size=4, config=LexicalConfig())
    assert words.search(["zinc Reykjavik"], 4)[1].tolist() == [[-1] * 4]
    assert words.search(["Greenland"], 1)[1].tolist() == [[3]]
    assert store.get_by_ids(["reykjavik", "copper"])[0].page_content.startswith("Nuuk")
    assert len(store) == 4
    assert bundle.manifest["changes"] == [
        {"what": "langchain", "chunks_added": 6, "chunks_removed": 2, "times": 3}
    ]
    assert len(list((store.root / "versions").iterdir())) == 1


def test_half_of_the_vectors_dead_and_they_are_dropped(store: HinterlandVectorStore) -> None:
    size = (open_bundle(store.root).folder / "dense.faiss").stat().st_size
    store.delete(IDS[:2])
    assert (open_bundle(store.root).folder / "dense.faiss").stat().st_size == size  # linked
    store.delete(IDS[2:3])
    assert (open_bundle(store.root).folder / "dense.faiss").stat().st_size == size - 3 * 64 * 4
    assert [each.id for each in store.similarity_search("Reykjavik", k=9)] == ["reykjavik", "copper"]
    store.delete()
    assert store.similarity_search("x") == []
    assert (len(store), bool(store)) == (0, True)
    store.add_texts(["again"], ids=["a"])
    assert [each.id for each in HinterlandVectorStore(store.root, store.embedder).similarity_search("x")] == [
        "a"
    ]


def test_what_does_not_change_is_not_published(store: HinterlandVectorStore) -> None:
    embedder, before = store.embedder, store.version
    assert isinstance(embedder, LetterEmbedder)
    seen = embedder.seen
    store.add_documents(PLACES[1:3], ids=IDS[1:3])
    store.delete(["not there"])
    store.add_documents([])
    assert (store.version, embedder.seen) == (before, seen)
    store.add_texts([PLACES[0].page_content], [{"source": "book"}], ids=["nairobi"])
    assert store.version != before
    assert embedder.seen == seen  # the text is the same, so is its vector
    assert store.get_by_ids(["nairobi"])[0].metadata == {"source": "book"}
    store.add_texts(["twice", "once", "twice"], ids=["x", "y", "z"])
    assert embedder.seen == seen + 2


def test_readers_and_writers_see_each_other(store: HinterlandVectorStore) -> None:
    reader = HinterlandVectorStore(store.root, LetterEmbedder(64))
    store.add_texts(["Quito is the capital of Ecuador."], ids=["quito"])
    assert reader.get_by_ids(["quito"])[0].page_content.startswith("Quito")
    reader.delete(["quito"])
    assert store.get_by_ids(["quito"]) == []
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: (store, reader)[number % 2].add_texts([f"n{number}"]), range(16)))
    assert len(store) == len(reader) == 21

    async def together() -> None:
        await asyncio.gather(*(store.aadd_texts([f"a{number}"]) for number in range(4)))

    asyncio.run(together())
    assert len(reader) == 25
    with writer_lock(store.root):
        slow = HinterlandVectorStore(store.root, LetterEmbedder(64), wait_seconds=0.2)
        with pytest.raises(StorageError, match="another process is writing"):
            slow.add_texts(["x"])
    assert len(slow) == 25


def test_what_was_removed_by_a_rule_stays_out(store: HinterlandVectorStore) -> None:
    by_source = Rule.make(columns={"source": ["leak"], "owner": ["Ann"]})
    for rule in (by_source, Rule.make(where="year < 1900"), Rule.make(ids=["gone"])):
        lay_down(store.root, rule)
    before = store.version
    kept_out: list[tuple[dict[str, Any], str]] = [
        ({"source": "leak", "owner": "Ann"}, "a"),
        ({"year": 1850}, "b"),
        ({}, "gone"),
    ]
    for metadata, identity in kept_out:
        with pytest.raises(IndexBundleError, match="1 of 2 documents fit rule"):
            store.add_texts(["fine", "not fine"], [{}, metadata], ids=["x", identity])
    assert store.version == before
    store.add_texts(["a", "b"], [{"source": "leak", "owner": "Bob"}, {"year": 1950}])
    lift(store.root, by_source.id)
    store.add_texts(["a"], [{"source": "leak", "owner": "Ann"}])
    assert len(store) == 8


def test_a_rule_holds_whatever_kind_a_value_is_of(store: HinterlandVectorStore) -> None:
    lay_down(store.root, Rule.make(columns={"year": ["2020"], "kept": ["true"]}))
    for year in (2020, 2020.0, "2020"):
        with pytest.raises(IndexBundleError, match="1 of 2 documents fit rule"):
            store.add_texts(["a", "b"], [{"year": year, "kept": True}, {"year": "n. d.", "kept": 1}])
    assert len(store) == 5


def test_changes_from_outside_hold_for_the_store(store: HinterlandVectorStore) -> None:
    receipt = remove(store.root, Rule.make(columns={"source": ["web"]}))
    assert (receipt["documents"], receipt["residue"]["clean"]) == (2, True)
    assert files_with(store.root, "Nairobi") == []
    assert [each.id for each in store.similarity_search("Nairobi", k=9, filter={"source": "web"})] == []
    store.delete(["copper"])
    assert compact(store.root)["vectors_dropped"] == 1
    assert {each.id for each in store.similarity_search("x", k=9)} == {"mountain", "reykjavik"}
    store.add_texts(["Nuuk"], ids=["nuuk"])
    assert store.similarity_search("Nuuk", k=1)[0].id == "nuuk"


def test_many_changes_in_one_version(store: HinterlandVectorStore) -> None:
    def times() -> int:
        return int(open_bundle(store.root).manifest["changes"][-1]["times"])

    with store.together():
        before = times()
        for number in range(5):
            store.add_texts([f"text {number}"], ids=[f"t{number}"])
        store.delete(["t0", "lima"])
        store.add_texts(["changed"], ids=["t1"])
        with store.together():  # inside another, it is part of that
            store.delete(["t2"])
        assert times() == before
    assert times() == before + 1
    assert {each.id for each in store.similarity_search("x", k=99)} == {*IDS, "t1", "t3", "t4"} - {"lima"}
    assert store.get_by_ids(["t1"])[0].page_content == "changed"
    with store.together():
        store.delete()
        store.add_texts(["alone"], ids=["a"])
        assert [each.id for each in store.similarity_search("x")] == ["a"]  # a search sees it
        store.add_texts(["b"], ids=["b"])
    assert len(store) == 2
    with pytest.raises(RuntimeError, match="on the way"), store.together(most=2):  # noqa: PT012 - one after another
        store.add_texts(["c"], ids=["c"])
        store.add_texts(["d"], ids=["d"])
        assert times() == before + 4
        store.add_texts(["e"], ids=["e"])
        raise RuntimeError("on the way")
    assert len(store) == 5  # what was added was promised


def test_what_waits_outlives_another_writer(tmp_path: Path) -> None:
    store = HinterlandVectorStore(tmp_path / "places", LetterEmbedder(64), wait_seconds=0)
    with store.together():
        store.add_texts(["Nuuk"], ids=["nuuk"])
        with writer_lock(store.root), pytest.raises(StorageError, match="another process"):
            store.similarity_search("Nuuk")
    assert [each.id for each in store.similarity_search("Nuuk")] == ["nuuk"]


def test_equal_ids_and_made_up_ids(store: HinterlandVectorStore) -> None:
    ids = store.add_texts(["one", "two", "three"], ids=["same", None, "same"])
    assert (ids[0], ids[2], len(ids[1])) == ("same", "same", 32)
    assert store.get_by_ids(["same", "same"]) == [Document("three", id="same")]
    with pytest.raises(ValueError, match="2 metadatas for 1 texts"):
        store.add_texts(["x"], [{}, {}])
    with pytest.raises(ValueError, match="1 ids for 2 texts"):
        store.add_texts(["x", "y"], ids=["x"])
    before = store.version
    for bad in ({"when": object()}, {"much": float("inf")}):
        with pytest.raises(ConfigError, match="JSON cannot hold"):
            store.add_texts(["x"], [bad])
    with pytest.raises(ConfigError, match="surrogate"):
        store.add_texts(["x\ud800"])
    assert store.version == before


class Broken(DeterministicFakeEmbedding):  # type: ignore[misc]
    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        rows = super().embed_documents(texts)
        return [[float("nan")] * 6 if "nan" in text else row for text, row in zip(texts, rows, strict=True)]


class Other(Embeddings):  # type: ignore[misc]
    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        return [[1.0, 2.0, 3.0, 4.0, 5.0, float(len(text))] for text in texts]

    def embed_query(self, text: str) -> list[float]:
        return self.embed_documents([text])[0]


def test_another_embedding_is_refused(tmp_path: Path, store: HinterlandVectorStore) -> None:
    root = tmp_path / "fake"
    first = HinterlandVectorStore.from_texts(["a", "b"], DeterministicFakeEmbedding(size=6), root=root)
    first.add_texts(["c"])
    again = HinterlandVectorStore(root, DeterministicFakeEmbedding(size=6))
    assert again.similarity_search("c", k=1)[0].page_content == "c"
    assert isinstance(again.embedder, LangChainEmbedder)
    assert isinstance(again.embeddings, DeterministicFakeEmbedding)
    with pytest.raises(IndexBundleError, match="gives 7 dimensions, the index has 6"):
        HinterlandVectorStore(root, DeterministicFakeEmbedding(size=7))
    for other in (Other(), HinterlandEmbeddings(LetterEmbedder(6))):
        with pytest.raises(IndexBundleError, match="fingerprint"):
            HinterlandVectorStore(root, other)
    with pytest.raises(IndexBundleError, match="fingerprint"):
        HinterlandVectorStore(store.root, DeterministicFakeEmbedding(size=64))
    assert as_embedder(store.embeddings) is store.embedder
    with pytest.raises(IndexBundleError, match="shape"):
        store.similarity_search_by_vector([1.0, 2.0])
    broken = HinterlandVectorStore(tmp_path / "nan", Broken(size=6))
    with pytest.raises(IndexBundleError, match="1 vectors that are not finite"):
        broken.add_texts(["fine", "a nan"])
    assert broken.version == ""
    with pytest.raises(ConfigError, match="nothing can be chunked"):
        _ = again.embedder.tokenizer


def test_long_texts_are_counted_and_said_once(
    store: HinterlandVectorStore, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, "hinterland"):
        store.add_texts(["word " * 100, "short"])
        store.add_texts(["other " * 63, "fits " * 62])
    assert store.long_texts == 2
    assert [record.getMessage()[:67] for record in caplog.records] == [
        "1 of 2 texts are longer than the 64 tokens that the encoder reads: "
    ]


@pytest.mark.parametrize("cleanup", ["incremental", "full", "scoped_full"])
def test_langchain_s_indexing(tmp_path: Path, cleanup: Any) -> None:
    store = HinterlandVectorStore(tmp_path / "store", LetterEmbedder(64))
    records = InMemoryRecordManager("places")
    records.create_schema()

    def run(documents: list[Document]) -> tuple[int, int, int]:
        done = index(documents, records, store, cleanup=cleanup, source_id_key="source", key_encoder="sha256")
        return done["num_added"], done["num_skipped"], done["num_deleted"]

    first = [
        Document(text, metadata={"source": source}) for text, source in (("a", "1"), ("b", "1"), ("c", "2"))
    ]
    assert run(first) == (3, 0, 0)
    version = store.version
    assert run(first) == (0, 3, 0)
    assert store.version == version
    changed = [first[0], Document("b, changed", metadata={"source": "1"})]
    if cleanup == "full":  # what was not given again goes
        assert run(changed) == (1, 1, 2)
        assert {each.page_content for each in store.similarity_search("b", k=9)} == {"a", "b, changed"}
    else:
        assert run(changed) == (1, 1, 1)
        assert {each.page_content for each in store.similarity_search("b", k=9)} == {"a", "b, changed", "c"}


def test_an_index_that_was_built_is_a_store(built: Path, embedder: SentenceEmbedder, tmp_path: Path) -> None:
    import shutil

    root = tmp_path / "built"
    shutil.copytree(built, root)
    store = HinterlandVectorStore(root, HinterlandEmbeddings(embedder))
    (found,) = store.similarity_search("What is the capital of Kenya?", k=1, filter={"source": "source-ken"})
    assert found.metadata["document_id"] == "ken-gov"
    assert found.metadata["title"] == "Kenya › Government"
    store.add_texts(
        ["Quito is the capital of Ecuador."], [{"source": "new", "license": "CC0-1.0"}], ids=["q"]
    )
    assert store.similarity_search("capital of Ecuador", k=1)[0].metadata == {
        "source": "new",
        "license": "CC0-1.0",
    }
    store.delete([found.id])
    assert len(store) == 7
    assert files_with(root / "versions", "Nairobi") == []
    best = store.similarity_search("What is the capital of Kenya?", k=7, filter="license == 'public domain'")
    assert len(best) == 6
    # What the build had cached of the passage went with it; the others' vectors stayed.
    gone, kept = (with_title(each.metadata["title"], each.page_content) for each in (found, best[0]))
    cache = EmbeddingCache(root / CACHE)
    assert (cache.forget(keys_of([gone])), cache.forget(keys_of([kept]))) == (0, 1)


texts = st.text("abc", max_size=3)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    steps=st.lists(
        st.one_of(
            st.dictionaries(st.sampled_from("pqrstu"), texts, min_size=1),
            st.sets(st.sampled_from("pqrstu"), min_size=1),
        ),
        max_size=8,
    )
)
def test_any_sequence_of_changes_is_what_a_dictionary_holds(
    tmp_path_factory: pytest.TempPathFactory, steps: list[dict[str, str] | set[str]]
) -> None:
    root = tmp_path_factory.mktemp("changes")
    store = HinterlandVectorStore(root, DeterministicFakeEmbedding(size=EMBEDDING_SIZE))
    held: dict[str, str] = {}
    for step in steps:
        if isinstance(step, dict):
            store.add_texts(list(step.values()), ids=list(step))
            held |= step
        else:
            store.delete(sorted(step))
            held = {key: text for key, text in held.items() if key not in step}
    fresh = HinterlandVectorStore(root, DeterministicFakeEmbedding(size=EMBEDDING_SIZE))
    for each in (store, fresh):
        found = each.similarity_search_with_score("abc", k=10)
        assert {document.id: document.page_content for document, _ in found} == held
        vectors = LangChainEmbedder(DeterministicFakeEmbedding(size=EMBEDDING_SIZE))
        for document, score in found:
            (cosine,) = vectors.passages([document.page_content]) @ vectors.queries(["abc"])[0]
            assert score == pytest.approx(float(np.float32(cosine)), abs=1e-5)
