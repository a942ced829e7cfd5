"""What debiasing decides reaches an index: weight 0 keeps a document out, and no weight puts it in twice."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from hinterland.core.corpus import Corpus, write_corpus
from hinterland.core.errors import CorpusError, IndexBundleError
from hinterland.indexes.build import build_index, read_documents
from hinterland.indexes.embed import SentenceEmbedder
from hinterland.indexes.search import Index


def weighted(path: Path, corpus: Corpus, weights: list[Any]) -> Corpus:
    import pyarrow as pa

    return write_corpus(path, corpus.read().append_column("weight", pa.array(weights)))


def test_weight_0_is_not_indexed(tmp_path: Path, corpus: Corpus, embedder: SentenceEmbedder) -> None:
    changed = weighted(tmp_path / "c", corpus, [0.0, 3.0, 1.0, 1.0, 0.2, 1.0, 1.0, 0.0])
    assert read_documents(changed)["id"].to_pylist() == [
        "ken-geo", "per-gov", "per-eco", "isl-gov", "jpn-eco", "fra-gov",
    ]  # fmt: skip
    result = build_index(changed, tmp_path / "index", embedder)
    assert result["documents"] == 6
    index = Index.open(tmp_path / "index", embedder=embedder)
    found = [hit.document_id for hit in index.search(["capital of Kenya"], 20)[0]]
    assert "ken-gov" not in found
    assert found.count("ken-geo") == 1  # whatever its weight
    assert "weight" not in read_documents(changed).column_names


def test_weights_do_not_change_a_ranking(tmp_path: Path, corpus: Corpus, embedder: SentenceEmbedder) -> None:
    queries = ["capital of Peru", "exports", "highest mountain"]
    ranked = []
    for name, weights in {"even": [1.0] * 8, "uneven": [0.01, 5.0, 0.1, 1.0, 2.0, 0.5, 3.0, 0.0]}.items():
        build_index(weighted(tmp_path / name, corpus, weights), tmp_path / f"i-{name}", embedder)
        index = Index.open(tmp_path / f"i-{name}", embedder=embedder)
        ranked.append([[hit.document_id for hit in each] for each in index.search(queries, 5)])
    assert ranked[0] == ranked[1]


def test_all_documents_when_asked_whatever_their_weight(tmp_path: Path, corpus: Corpus) -> None:
    changed = weighted(tmp_path / "c", corpus, [0.0] * 8)
    assert read_documents(changed, only_kept=False).num_rows == 8
    with pytest.raises(IndexBundleError, match="only_kept: false"):
        read_documents(changed)


@pytest.mark.parametrize("weight", [-1.0, float("nan"), float("inf"), None])
def test_a_bad_weight_is_refused(tmp_path: Path, corpus: Corpus, weight: float | None) -> None:
    changed = weighted(tmp_path / "c", corpus, [1.0, weight, *[1.0] * 6])
    with pytest.raises(CorpusError, match="1 kept documents have a weight that is negative"):
        read_documents(changed)
    # Of a document that is not kept nothing is asked.
    assert read_documents(weighted(tmp_path / "d", corpus, [*[1.0] * 7, weight])).num_rows == 7


def test_weights_that_are_words(tmp_path: Path, corpus: Corpus) -> None:
    with pytest.raises(CorpusError, match="holds no numbers"):
        read_documents(weighted(tmp_path / "c", corpus, ["heavy"] * 8))
