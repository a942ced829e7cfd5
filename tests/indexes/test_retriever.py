"""An index as a function from queries to documents, with the real encoder."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

from hinterland.core.corpus import write_corpus
from hinterland.core.errors import IndexBundleError
from hinterland.indexes import retriever
from hinterland.indexes.build import build_index
from hinterland.indexes.embed import SentenceEmbedder
from hinterland.indexes.retriever import open_index


def test_documents_best_first(
    built: Path, embedder: SentenceEmbedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    find = open_index(built, embedder=embedder)
    queries = ["What is the capital of Kenya?", "Which metals does Peru sell abroad?", "yen"]
    found = find(queries, 2)
    assert [each[0] for each in found] == ["ken-gov", "per-eco", "jpn-eco"]
    assert [len(each) for each in found] == [2, 2, 2]
    assert find([], 2) == []
    assert len(find(["capital"], 50)[0]) == 7  # all that there are
    monkeypatch.setattr(retriever, "_BATCH", 2)
    assert find(queries, 2) == found


def test_a_document_counts_once(tmp_path: Path, embedder: SentenceEmbedder) -> None:
    about = " ".join(f"Nairobi is the capital of Kenya, sentence {number}." for number in range(200))
    texts = {"id": ["long", "short"], "text": [about, "Lima is the capital of Peru."]}
    corpus = write_corpus(tmp_path / "corpus", pa.table(texts))
    build_index(corpus, tmp_path / "index", embedder)
    assert open_index(tmp_path / "index", embedder=embedder)(["capital of Kenya"], 2) == [["long", "short"]]


def test_no_index(tmp_path: Path) -> None:
    with pytest.raises(IndexBundleError):
        open_index(tmp_path)
