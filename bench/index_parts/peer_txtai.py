"""txtai, run in its own environment; see `tool`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tool import Found, answer_for
from txtai import Embeddings


class Txtai:
    """txtai with FAISS and SQLite, which keeps the texts.

    Args:
        model: The encoder's folder.
        batch: Texts to a batch; it sorts 1,024 texts at a time by length.
        tokens: Tokens that are read of a text; it would read 512.
    """

    packages = ("txtai",)

    def __init__(self, model: str, *, batch: int, tokens: int) -> None:
        self._settings: dict[str, Any] = {
            "path": model,
            "method": "transformers",
            "gpu": False,
            "maxlength": tokens,
            "encodebatch": batch,
            "content": True,
            "backend": "faiss",
            "faiss": {"components": "IDMap,Flat"},
        }
        self._models: dict[str, Any] = {}
        self._embeddings = self._new()
        self._rows: list[tuple[str, str]] = []

    def _new(self) -> Any:
        return Embeddings(dict(self._settings), models=self._models)

    def prepare(self, ids: list[str], texts: list[str], _folder: Path) -> None:
        """Keep ids and texts in memory."""
        self._rows = list(zip(ids, texts, strict=True))

    def build(self, folder: Path) -> None:
        """Index and save."""
        self._embeddings = self._new()
        self._embeddings.index(self._rows)
        self._embeddings.save(str(folder))

    def open(self, folder: Path) -> None:
        """Load; the encoder is at hand."""
        self._embeddings = Embeddings(models=self._models)
        self._embeddings.load(str(folder))

    def search(self, query: str, k: int) -> Found:
        """Embed and search."""
        return _found(self._embeddings.search(query, k))

    def search_vector(self, _query: str, vector: Any, k: int) -> Found:
        """Search with a vector."""
        return _found(self._embeddings.search(vector, k))

    def search_many(self, queries: list[str], k: int) -> list[Found]:
        """Embed all queries and search for all."""
        return [_found(rows) for rows in self._embeddings.batchsearch(queries, k)]


def _found(rows: list[dict[str, Any]]) -> Found:
    return [(row["id"], float(row["score"]), row["text"]) for row in rows]


if __name__ == "__main__":
    answer_for(Txtai)
