"""Haystack with FAISS, run in its own environment; see `tool`."""

from __future__ import annotations

import os

# Set before the import: it sends usage statistics otherwise.
os.environ["HAYSTACK_TELEMETRY_ENABLED"] = "False"

from pathlib import Path
from typing import Any

from haystack import Document
from haystack.utils import ComponentDevice
from haystack_integrations.components.embedders.sentence_transformers import (
    SentenceTransformersDocumentEmbedder,
    SentenceTransformersTextEmbedder,
)
from haystack_integrations.components.retrievers.faiss import FAISSEmbeddingRetriever
from haystack_integrations.document_stores.faiss import FAISSDocumentStore
from tool import Found, answer_for


class Haystack:
    """Haystack's components, called as its pipeline calls them, without the pipeline's own time.

    Its FAISS store is by L2 distance, which ranks unit vectors as the inner product does.

    Args:
        model: The encoder's folder.
        batch: Texts to a batch; the encoder sorts all texts by length.
        tokens: Tokens that are read of a text: the encoder's own limit, or fewer.
    """

    packages = ("haystack-ai", "faiss-haystack", "sentence-transformers-haystack")

    def __init__(self, model: str, *, batch: int, tokens: int) -> None:
        device = ComponentDevice.from_str("cpu")
        shared: dict[str, Any] = {
            "model": model,
            "device": device,
            "normalize_embeddings": True,
            "progress_bar": False,
            "tokenizer_kwargs": {"model_max_length": tokens},
        }
        self._documents = SentenceTransformersDocumentEmbedder(**shared, batch_size=batch)
        self._query = SentenceTransformersTextEmbedder(**shared)
        self._documents.warm_up()
        self._query.warm_up()
        self._dimension = len(self._query.run("a")["embedding"])
        self._rows: list[Document] = []
        self._retriever: Any = None

    def prepare(self, ids: list[str], texts: list[str], _folder: Path) -> None:
        """Make documents."""
        self._rows = [Document(id=key, content=text) for key, text in zip(ids, texts, strict=True)]

    def build(self, folder: Path) -> None:
        """Index and save."""
        store = FAISSDocumentStore(embedding_dim=self._dimension)
        store.write_documents(self._documents.run(self._rows)["documents"])
        folder.mkdir(parents=True, exist_ok=True)
        store.save(folder / "store")

    def open(self, folder: Path) -> None:
        """Load; the encoder is at hand."""
        store = FAISSDocumentStore(embedding_dim=self._dimension)
        store.load(folder / "store")
        self._retriever = FAISSEmbeddingRetriever(document_store=store)

    def _retrieve(self, vector: list[float], k: int) -> Found:
        found = self._retriever.run(query_embedding=vector, top_k=k)["documents"]
        return [(hit.id, hit.score, hit.content) for hit in found]

    def search(self, query: str, k: int) -> Found:
        """Embed and search."""
        return self._retrieve(self._query.run(query)["embedding"], k)

    def search_vector(self, _query: str, vector: Any, k: int) -> Found:
        """Search with a vector."""
        return self._retrieve(vector.tolist(), k)

    def search_many(self, queries: list[str], k: int) -> list[Found]:
        """Search one by one: it has no call for many."""
        return [self.search(query, k) for query in queries]


if __name__ == "__main__":
    answer_for(Haystack)
