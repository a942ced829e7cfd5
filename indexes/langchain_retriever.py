"""An index, or any `Searcher`, as a LangChain retriever."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING, Any

from langchain_core.documents import Document
from langchain_core.embeddings import Embeddings
from langchain_core.retrievers import BaseRetriever
from pydantic import Field

from hinterland.core.files import read_json
from hinterland.indexes.bundle import MANIFEST, current_version
from hinterland.indexes.embed import Embedder
from hinterland.indexes.langchain_embed import as_embedder
from hinterland.indexes.langchain_rows import hit_document
from hinterland.indexes.search import Index
from hinterland.indexes.search_config import SearchConfig

if TYPE_CHECKING:
    from langchain_core.callbacks import CallbackManagerForRetrieverRun

__all__ = ["HinterlandRetriever"]


class HinterlandRetriever(BaseRetriever):  # type: ignore[misc] # langchain_core is untyped here
    """Finds passages in an index as LangChain's documents.

    A document's id is the chunk's; its metadata are ``chunk_id``, ``document_id``, the span
    (``start``, ``end``), ``title``, ``source``, ``license``, ``url``, ``date``, ``country``,
    ``score``, and ``parts``, which says what the score is made of.

    Attributes:
        index: What is searched: an `Index`, or another `searcher.Searcher`.
        k: Passages to a query. ``invoke(query, k=…)`` sets it for one call.
        where: A condition that passages must fit (`core.expressions`); ``where=`` likewise.
        allow: Ids of documents that may be found; all when ``None``; ``allow=`` likewise.
    """

    index: Any
    k: int = Field(default=4, ge=1)
    where: str = ""
    allow: tuple[str, ...] | None = None

    @classmethod
    def open(
        cls,
        root: Path | str,
        *,
        embedding: Embeddings | Embedder | None = None,
        search: SearchConfig | None = None,
        **settings: Any,
    ) -> HinterlandRetriever:
        """Open an index and return a retriever over it.

        Args:
            root: The index's folder.
            embedding: Embeds queries: LangChain's embeddings or an `Embedder`; ``None`` loads the one
                that the index names.
            search: How to rank; ``None``: as the index's manifest says.
            settings: ``k``, ``where``, ``allow``.

        Raises:
            IndexBundleError: The index is missing or damaged, or was built with another encoder.
            ModelSourceError: The encoder cannot be had.
        """
        root = Path(root)
        embedder = None
        if embedding is not None:
            made = read_json(root / "versions" / current_version(root) / MANIFEST)
            embedder = as_embedder(embedding, recorded=made["embedder"])
        return cls(index=Index.open(root, embedder=embedder).using(search), **settings)

    def _get_relevant_documents(
        self,
        query: str,
        *,
        run_manager: CallbackManagerForRetrieverRun,  # noqa: ARG002 - as the base has it
        k: int | None = None,
        where: str | None = None,
        allow: Collection[str] | None = None,
    ) -> list[Document]:
        (found,) = self.index.search(
            [query],
            self.k if k is None else k,
            allow=self.allow if allow is None else allow,
            where=(self.where if where is None else where) or None,
        )
        return [hit_document(hit) for hit in found]
