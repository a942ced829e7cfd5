"""Search over a real corpus, encoder and index: from the corpus to hits with their sources."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from hinterland.core.corpus import Corpus, write_corpus
from hinterland.core.errors import ConfigError, IndexBundleError, StorageError
from hinterland.indexes import search as search_module
from hinterland.indexes.build import build_index, title_of
from hinterland.indexes.bundle import writer_lock
from hinterland.indexes.embed import EmbedConfig, SentenceEmbedder
from hinterland.indexes.search import Index

QUESTIONS = {
    "What is the capital of Kenya?": "ken-gov",
    "How high is the tallest mountain in Kenya?": "ken-geo",
    "What money do people pay with in Japan?": "jpn-eco",
    "Which metals does Peru sell abroad?": "per-eco",
}


@pytest.fixture(scope="module")
def index(built: Path, embedder: SentenceEmbedder) -> Index:
    return Index.open(built, embedder=embedder)


def test_finds_the_right_documents(index: Index) -> None:
    results = index.search(list(QUESTIONS), 3)
    assert [result[0].document_id for result in results] == list(QUESTIONS.values())
    hit = results[0][0]
    assert (hit.source, hit.license, hit.title) == ("source-ken", "public domain", "Kenya › Government")
    assert hit.text.startswith("The capital of Kenya")
    assert hit.start == 0
    assert hit.passage == f"{hit.title}\n{hit.text}"
    assert [len(result) for result in results] == [3] * 4
    assert not any(result.note for result in results)
    assert results[0].as_dict()["hits"][0]["document_id"] == "ken-gov"
    assert "dropped" not in index.document_ids


def test_k_above_the_size_is_fine_and_said(index: Index) -> None:
    (result,) = index.search(["capital"], 50)
    assert len(result) == len(index) == 7
    assert result.note == "50 asked for, 7 found: the index holds 7 chunks"


def test_filters_come_before_the_search(index: Index) -> None:
    question = "What is the capital of Kenya?"
    allow = {"isl-gov", "fra-gov", "jpn-eco", "not in the index"}
    (by_ids,) = index.search([question], 3, allow=allow)
    assert {hit.document_id for hit in by_ids} == allow - {"not in the index"}
    mask = index.mask(allow)
    assert mask.sum() == 3
    (by_mask,) = index.search([question], 3, allow=mask, vectors=index.embed_queries([question]))
    assert by_mask.hits == by_ids.hits
    (few,) = index.search([question], 2, allow=["isl-gov"])
    assert few.note == "2 asked for, 1 found: the filter leaves 1 chunks"
    (none,) = index.search([question], 2, allow=[])
    assert (len(none), none.note) == (0, "2 asked for, 0 found: the filter leaves 0 chunks")
    assert index.search([], 2) == []


def test_bad_arguments(index: Index) -> None:
    for method in (index.search, index.search_documents):
        with pytest.raises(ValueError, match="at least 1"):
            method(["x"], 0)
    with pytest.raises(ValueError, match="7 booleans"):
        index.search(["x"], 1, allow=np.ones(3, dtype=np.bool_))
    with pytest.raises(IndexBundleError, match="dimensions"):
        index.search(["x"], 1, vectors=np.ones((1, 3), np.float32))


def test_documents_are_ranked_by_their_best_chunk(tmp_path: Path, embedder: SentenceEmbedder) -> None:
    about = " ".join(f"Nairobi is the capital of Kenya, sentence {number}." for number in range(40))
    table = pa.table(
        {
            "id": ["long", "short", "other"],
            "text": [about, "Kenya has many lions and tea farms.", "Copper and zinc."],
        }
    )
    corpus = write_corpus(tmp_path / "corpus", table)
    result = build_index(corpus, tmp_path / "index", embedder, chunk_tokens=32)
    assert result["chunks"] > 15
    index = Index.open(tmp_path / "index", embedder=embedder)
    (chunks,) = index.search(["Nairobi is the capital of Kenya"], len(index))
    best: dict[str, float] = {}
    for hit in chunks:
        best.setdefault(hit.document_id, hit.score)
    (documents,) = index.search_documents(["Nairobi is the capital of Kenya"], 10)
    assert [(hit.document_id, pytest.approx(hit.score, abs=1e-6)) for hit in documents] == list(best.items())
    # One document's many chunks fill the first look; the search goes deeper for the second.
    (two,) = index.search_documents(["Nairobi is the capital of Kenya"], 2)
    assert [hit.document_id for hit in two] == ["long", "short"]
    (masked,) = index.search_documents(["Nairobi is the capital of Kenya"], 2, allow={"other", "short"})
    assert [hit.document_id for hit in masked] == ["short", "other"]
    assert index.search_documents(["Nairobi is the capital of Kenya"], 2, allow=[]) == [[]]


def test_a_rebuild_gives_the_same_version_without_embedding(
    built: Path, corpus: Corpus, embedder: SentenceEmbedder
) -> None:
    before = Index.open(built, embedder=embedder).fingerprint

    def cached() -> dict[Path, int]:
        files = (built / ".vectors").rglob("*")
        return {file: file.stat().st_mtime_ns for file in files if file.name != ".lock"}

    there = cached()
    assert build_index(corpus, built, embedder)["version"] == before
    assert cached() == there


def test_the_manifest_names_the_encoder(built: Path) -> None:
    index = Index.open(built)
    assert index.search(["capital of Peru"], 1)[0][0].document_id == "per-gov"


def test_another_encoder_is_refused(built: Path, embedder: SentenceEmbedder) -> None:
    prompted = SentenceEmbedder(EmbedConfig(query_prompt="query: ", dtype="float32", device="cpu"))
    with pytest.raises(IndexBundleError, match="fingerprint"):
        Index.open(built, embedder=prompted)

    class Wide:
        dimension, space = 768, embedder.space

    with pytest.raises(IndexBundleError, match="768 dimensions, the index has 384"):
        Index.open(built, embedder=Wide())  # type: ignore[arg-type]


def test_what_cannot_be_indexed(tmp_path: Path, corpus: Corpus, embedder: SentenceEmbedder) -> None:
    blank = write_corpus(tmp_path / "blank", pa.table({"id": ["a"], "text": [" "]}))
    with pytest.raises(IndexBundleError, match="all 1 documents are empty"):
        build_index(blank, tmp_path / "index", embedder)
    nothing = pa.table({"id": pa.array([], pa.string()), "text": pa.array([], pa.string())})
    with pytest.raises(IndexBundleError, match="no document to index among 0"):
        build_index(write_corpus(tmp_path / "none", nothing), tmp_path / "index", embedder)
    with pytest.raises(ConfigError, match="leaves"):
        build_index(corpus, tmp_path / "index", embedder, chunk_tokens=5)
    with writer_lock(tmp_path / "index"), pytest.raises(StorageError, match="another process"):
        build_index(corpus, tmp_path / "index", embedder)


def test_all_documents_when_asked(tmp_path: Path, corpus: Corpus, embedder: SentenceEmbedder) -> None:
    result = build_index(corpus, tmp_path / "all", embedder, only_kept=False)
    assert result["documents"] == 8


@pytest.mark.parametrize(
    ("meta", "title"),
    [
        ('{"title": "A ›\\n B"}', "A › B"),
        ("{}", ""),
        (None, ""),
        ("not json", ""),
        ("[1]", ""),
        ('{"title": "Ke\\ud800nya"}', "Ke?nya"),
    ],
)
def test_titles(meta: str | None, title: str) -> None:
    assert title_of(meta) == title


def test_the_public_names() -> None:
    assert search_module.__all__ == ["Allow", "DocumentHit", "Hit", "Index", "Result"]
