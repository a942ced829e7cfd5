"""The kit, run in a process of its own; see `tool`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
from tool import Found, answer_for

from hinterland.core.corpus import Corpus, write_corpus
from hinterland.indexes.build import build_index
from hinterland.indexes.embed import EmbedConfig, SentenceEmbedder
from hinterland.indexes.lexical import LexicalConfig
from hinterland.indexes.search import Index, Result


class Hinterland:
    """The kit.

    Args:
        model: The encoder's folder.
        dtype: Of its weights.
        words: Whether BM25 is built, too.
        tokens: Tokens to a chunk, as the passages were cut.
    """

    packages = ("hinterland", "pyarrow", "bm25s")

    def __init__(self, model: str, *, dtype: str, words: bool, tokens: int) -> None:
        self._embedder = SentenceEmbedder(EmbedConfig.model_validate({"model": model, "dtype": dtype}))
        self._words = LexicalConfig() if words else None
        self._tokens = tokens
        self._corpus: Corpus | None = None
        self._index: Index | None = None

    def prepare(self, ids: list[str], texts: list[str], folder: Path) -> None:
        """Write the passages as a corpus: a document each."""
        self._corpus = write_corpus(folder, pa.table({"id": ids, "text": texts}))

    def build(self, folder: Path) -> None:
        """Chunk, embed, index and publish."""
        assert self._corpus is not None
        found = build_index(
            self._corpus,
            folder,
            self._embedder,
            chunk_tokens=self._tokens,
            factory="Flat",
            lexical=self._words,
        )
        if found["chunks"] != len(self._corpus):
            raise RuntimeError(f"{len(self._corpus)} passages became {found['chunks']} chunks")

    def open(self, folder: Path) -> None:
        """Open the published version."""
        self._index = Index.open(folder, embedder=self._embedder)

    def search(self, query: str, k: int) -> Found:
        """Embed and search."""
        return self._found(query, k)[0]

    def search_vector(self, query: str, vector: Any, k: int) -> Found:
        """Search with a vector."""
        return self._found(query, k, vectors=vector[None])[0]

    def search_many(self, queries: list[str], k: int) -> list[Found]:
        """Embed all queries and search for all."""
        assert self._index is not None
        return [_plain(result) for result in self._index.search(queries, k)]

    def _found(self, query: str, k: int, **given: Any) -> list[Found]:
        assert self._index is not None
        return [_plain(result) for result in self._index.search([query], k, **given)]


def _plain(result: Result) -> Found:
    return [(hit.document_id, hit.score, hit.text) for hit in result]


if __name__ == "__main__":
    answer_for(Hinterland)
