"""LlamaIndex with FAISS, run in its own environment; see `tool`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import faiss
from llama_index.core import StorageContext, VectorStoreIndex, load_index_from_storage
from llama_index.core.schema import QueryBundle, TextNode
from llama_index.embeddings.huggingface import HuggingFaceEmbedding
from llama_index.vector_stores.faiss import FaissVectorStore
from tool import Found, answer_for


class LlamaIndex:
    """LlamaIndex with its FAISS store.

    Args:
        model: The encoder's folder.
        batch: Texts to a batch; it hands them to the encoder in the order they come.
        tokens: Tokens that are read of a text.
    """

    packages = ("llama-index-core", "llama-index-vector-stores-faiss", "llama-index-embeddings-huggingface")

    def __init__(self, model: str, *, batch: int, tokens: int) -> None:
        self._embed = HuggingFaceEmbedding(
            model_name=model, device="cpu", embed_batch_size=batch, max_length=tokens, normalize=True
        )
        self._dimension = len(self._embed.get_text_embedding("a"))
        self._nodes: list[TextNode] = []
        self._index: Any = None

    def prepare(self, ids: list[str], texts: list[str], _folder: Path) -> None:
        """Make nodes."""
        self._nodes = [TextNode(id_=key, text=text) for key, text in zip(ids, texts, strict=True)]

    def build(self, folder: Path) -> None:
        """Index and save."""
        store = FaissVectorStore(faiss_index=faiss.IndexFlatIP(self._dimension))
        nodes = [node.model_copy() for node in self._nodes]
        index = VectorStoreIndex(
            nodes=nodes,
            storage_context=StorageContext.from_defaults(vector_store=store),
            embed_model=self._embed,
        )
        index.storage_context.persist(persist_dir=str(folder))

    def open(self, folder: Path) -> None:
        """Load; the encoder is at hand."""
        store = FaissVectorStore.from_persist_dir(str(folder))
        context = StorageContext.from_defaults(vector_store=store, persist_dir=str(folder))
        self._index = load_index_from_storage(context, embed_model=self._embed)

    def _retrieve(self, query: Any, k: int) -> Found:
        found = self._index.as_retriever(similarity_top_k=k).retrieve(query)
        return [(hit.node.node_id, float(hit.score), hit.node.get_content()) for hit in found]

    def search(self, query: str, k: int) -> Found:
        """Embed and search."""
        return self._retrieve(query, k)

    def search_vector(self, query: str, vector: Any, k: int) -> Found:
        """Search with a vector."""
        return self._retrieve(QueryBundle(query, embedding=vector.tolist()), k)

    def search_many(self, queries: list[str], k: int) -> list[Found]:
        """Search one by one: it has no call for many."""
        return [self.search(query, k) for query in queries]


if __name__ == "__main__":
    answer_for(LlamaIndex)
