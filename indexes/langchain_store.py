# ruff: noqa: A002 - LangChain calls it `filter`
"""An index as a LangChain vector store: what is added is found at once, what is deleted is gone.

Every change publishes a version as a whole: a reader sees the old one or the new one, and a
process that is killed leaves the old one. That makes a change cost in proportion to the index,
not to the change: add documents in large batches, or put many changes into one version:

    with store.together():
        index(documents, records, store, cleanup="full")
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import RLock
from typing import Any

import numpy as np
import pyarrow as pa
from langchain_core.documents import Document
from langchain_core.embeddings import Embeddings
from langchain_core.vectorstores import VectorStore
from numpy.typing import NDArray

from hinterland.core.errors import IndexBundleError, StorageError
from hinterland.indexes.bundle import CURRENT, open_bundle
from hinterland.indexes.change_faiss import vectors_of
from hinterland.indexes.embed import Embedder, SentenceEmbedder
from hinterland.indexes.encoder import encoder
from hinterland.indexes.langchain_embed import LangChainEmbedder, as_embedder, as_embeddings
from hinterland.indexes.langchain_queue import Queue
from hinterland.indexes.langchain_rows import chunk_rows
from hinterland.indexes.langchain_view import Filter, View
from hinterland.indexes.langchain_write import StoreSettings, change, current_view
from hinterland.indexes.lexical import LexicalConfig
from hinterland.indexes.mmr import diversify
from hinterland.indexes.unit_vectors import unit_vectors

__all__ = ["HinterlandVectorStore"]

_LOG = logging.getLogger(__name__)


class HinterlandVectorStore(VectorStore):  # type: ignore[misc] # langchain_core is untyped here
    """A vector store over an index's folder, which need not exist yet.

    A document is one chunk: it is not cut. A text longer than the encoder reads is found by its
    beginning; `long_texts` counts those where the encoder says what it reads, and the first is
    logged as a warning. Searches are by vectors and exact or not as the index is; scores are
    cosines, higher is better. For words, fusion and reranking use `HinterlandRetriever`.

    ``filter=`` is a mapping (`metadata_filter`) or a condition such as
    ``"year >= 2020 and source in ['web']"``; it is applied before the search, so that ``k``
    documents come back as long as ``k`` fit. The keys are those of the metadata; the columns
    of an index made by ``hinterland index build`` are metadata too.

    Args:
        root: The index's folder.
        embedding: LangChain's embeddings or an `Embedder`; ``None``: the one the index names,
            or the kit's default for a new one.
        factory: For a new index: a FAISS factory string that needs no training.
        lexical: For a new index: how words are indexed beside the vectors, for `HinterlandRetriever`;
            ``None`` leaves them out, which makes each change about ten times as cheap.
        wait_seconds: How long a change waits for another writer.

    Raises:
        IndexBundleError: The index is damaged, or made with another embedding.
        ModelSourceError: The encoder cannot be had.
    """

    def __init__(
        self,
        root: Path | str,
        embedding: Embeddings | Embedder | None = None,
        *,
        factory: str = "Flat",
        lexical: LexicalConfig | None = None,
        wait_seconds: float = 60.0,
    ) -> None:
        self.root = Path(root)
        bundle = open_bundle(self.root) if (self.root / CURRENT).is_file() else None
        if embedding is None:
            embedding = encoder(bundle) if bundle else SentenceEmbedder()
        self.embedder = as_embedder(embedding, recorded=bundle.manifest["embedder"] if bundle else None)
        self.long_texts = 0
        self._settings = StoreSettings(factory, lexical, wait_seconds)
        self._lock, self._view = RLock(), View.empty()
        self._queue: Queue | None = None
        self._latest()

    @classmethod
    def from_texts(
        cls,
        texts: list[str],
        embedding: Embeddings | Embedder,
        metadatas: list[dict[str, Any]] | None = None,
        *,
        ids: list[str] | None = None,
        root: Path | str,
        **settings: Any,
    ) -> HinterlandVectorStore:
        """Open the store at ``root`` and add texts to it.

        Args:
            texts: The texts.
            embedding: LangChain's embeddings or an `Embedder`.
            metadatas: Of each text.
            ids: Of each text.
            root: The index's folder.
            settings: As for the class.
        """
        store = cls(root, embedding, **settings)
        store.add_texts(texts, metadatas, ids=ids)
        return store

    @contextmanager
    def together(self, most: int = 10_000) -> Iterator[None]:
        """Publish the changes made inside the block as one version.

        A search inside it, and every ``most`` added documents, publish what there is so far; so
        does an error, before it goes on. Where another writer or a full disk stops it, what waits goes
        into the next try. What waits when the process is killed is lost. Documents
        are refused only when they are published.
        """
        with self._lock:
            outer = self._queue is not None
            if not outer:
                self._queue, self._most = Queue(), most
        try:
            yield
        finally:
            if not outer:
                with self._lock:
                    try:
                        self._publish()
                    finally:
                        self._queue = None

    @property
    def embeddings(self) -> Embeddings:
        """What embeds, as LangChain takes it."""
        return as_embeddings(self.embedder)

    @property
    def version(self) -> str:
        """The version served; empty before the first."""
        return self._latest().version

    def __len__(self) -> int:
        return int(self._latest().chunks.num_rows)

    def __bool__(self) -> bool:
        return True  # an empty store is a store

    def add_texts(
        self,
        texts: Iterable[str],
        metadatas: list[dict[str, Any]] | None = None,
        *,
        ids: Sequence[str | None] | None = None,
        **kwargs: Any,  # noqa: ARG002 - LangChain passes what other stores take (batch_size)
    ) -> list[str]:
        """Add texts, or replace those with the same ids, in one version.

        Args:
            texts: The texts. An empty one can be stored and is found by its id or filter.
            metadatas: Of each text: anything that JSON can hold.
            ids: Of each text; where one is missing it is made up. Of equal ids the last counts.
            kwargs: Not used.

        Returns:
            The ids, in the order of the texts.

        Raises:
            ValueError: There are not as many metadatas or ids as texts.
            ConfigError: Metadata cannot be kept as JSON, or a text holds half a character.
            StorageError: Another writer did not end in time, or the disk is full.
            IndexBundleError: The embedding gave a vector that is not finite, or a document fits a rule by
                which documents were removed (``hinterland index remove``).
        """
        written = list(texts)
        for name, given in (("metadatas", metadatas), ("ids", ids)):
            if given is not None and len(given) != len(written):
                raise ValueError(f"{len(given)} {name} for {len(written)} texts")
        named = [each or uuid.uuid4().hex for each in ids or [None] * len(written)]
        documents = [
            Document(page_content=text, metadata=metadata or {})
            for text, metadata in zip(written, metadatas or [{}] * len(written), strict=True)
        ]
        last = dict(zip(named, documents, strict=True))
        if last:
            self._count_long([each.page_content for each in last.values()])
            self._change(add=chunk_rows(list(last), list(last.values())))
        return named

    def delete(self, ids: list[str] | None = None, **kwargs: Any) -> bool:  # noqa: ARG002 - as the base
        """Delete documents by their ids, in one version; older versions go with them.

        Args:
            ids: The ids; those that are not there do not matter. ``None`` deletes everything,
                as LangChain has it.
            kwargs: Not used.
        """
        self._change(add=chunk_rows([], []), remove=ids)
        return True

    def get_by_ids(self, ids: Sequence[str], /) -> list[Document]:
        """Return the documents with these ids that are there, in the order asked for."""
        view = self._latest()
        return view.documents([view.place[each] for each in dict.fromkeys(ids) if each in view.place])

    def similarity_search(
        self, query: str, k: int = 4, filter: Filter | None = None, **kwargs: Any
    ) -> list[Document]:
        """Return the ``k`` nearest documents."""
        return [document for document, _ in self.similarity_search_with_score(query, k, filter, **kwargs)]

    def similarity_search_with_score(
        self,
        query: str,
        k: int = 4,
        filter: Filter | None = None,
        **kwargs: Any,  # noqa: ARG002 - LangChain passes what other stores take
    ) -> list[tuple[Document, float]]:
        """Return the ``k`` nearest documents and their cosines, −1 to 1, higher is better."""
        return self._found(self.embedder.queries([query])[0], k, filter)

    def similarity_search_by_vector(
        self, embedding: list[float], k: int = 4, filter: Filter | None = None, **kwargs: Any
    ) -> list[Document]:
        """Return the documents nearest to a vector of any length."""
        return [
            each for each, _ in self.similarity_search_with_score_by_vector(embedding, k, filter, **kwargs)
        ]

    def similarity_search_with_score_by_vector(
        self,
        embedding: list[float],
        k: int = 4,
        filter: Filter | None = None,
        **kwargs: Any,  # noqa: ARG002 - LangChain passes what other stores take
    ) -> list[tuple[Document, float]]:
        """Return the documents nearest to a vector of any length, and their cosines."""
        return self._found(self._unit(embedding), k, filter)

    def max_marginal_relevance_search(
        self,
        query: str,
        k: int = 4,
        fetch_k: int = 20,
        lambda_mult: float = 0.5,
        filter: Filter | None = None,
        **kwargs: Any,
    ) -> list[Document]:
        """Return ``k`` of the ``fetch_k`` nearest that differ from each other (Carbonell and Goldstein 1998).

        ``lambda_mult`` is λ: 1 ranks by relevance alone, 0 by difference.
        """
        vector = [float(number) for number in self.embedder.queries([query])[0]]
        return self.max_marginal_relevance_search_by_vector(vector, k, fetch_k, lambda_mult, filter, **kwargs)

    def max_marginal_relevance_search_by_vector(
        self,
        embedding: list[float],
        k: int = 4,
        fetch_k: int = 20,
        lambda_mult: float = 0.5,
        filter: Filter | None = None,
        **kwargs: Any,  # noqa: ARG002 - LangChain passes what other stores take
    ) -> list[Document]:
        """See `max_marginal_relevance_search`."""
        view = self._latest()
        found = view.search(self._unit(embedding), max(fetch_k, k), filter)
        if view.backend is None or not found:
            return []
        places = [place for place, _ in found]
        vectors = vectors_of(view.backend, view.rows[places])
        relevance = np.asarray([score for _, score in found], dtype=np.float64)
        chosen, _ = diversify(relevance, vectors, k, weight=lambda_mult)
        return view.documents([places[each] for each in chosen])

    def _select_relevance_score_fn(self) -> Callable[[float], float]:
        return lambda cosine: min(max((cosine + 1) / 2, 0.0), 1.0)

    def _latest(self) -> View:
        with self._lock:
            self._publish()
            self._view = current_view(self.root, self.embedder, self._view)
            return self._view

    def _publish(self) -> None:
        """Publish what waits. The caller holds the lock."""
        waiting = self._queue
        if waiting:
            add, remove = waiting.in_sum(chunk_rows([], []))
            self._queue = Queue()
            try:
                self._view = change(
                    self.root, self.embedder, self._settings, self._view, add=add, remove=remove
                )
            except StorageError:  # another writer, a full disk: it may work the next time
                self._queue = waiting
                raise

    def _change(self, *, add: pa.Table, remove: Collection[str] | None = ()) -> None:
        with self._lock:
            if self._queue is not None:
                self._queue.remove(remove)
                self._queue.add(add)
                if len(self._queue.added) >= self._most:
                    self._publish()
                return
            known = self._view
        view = change(self.root, self.embedder, self._settings, known, add=add, remove=remove)
        with self._lock:
            self._view = view

    def _found(
        self, vector: NDArray[np.float32], k: int, conditions: Filter | None
    ) -> list[tuple[Document, float]]:
        view = self._latest()
        found = view.search(vector, k, conditions)
        documents = view.documents([place for place, _ in found])
        return [(document, score) for document, (_, score) in zip(documents, found, strict=True)]

    def _unit(self, embedding: Sequence[float]) -> NDArray[np.float32]:
        vector = np.asarray(embedding, dtype=np.float32)
        if vector.shape != (self.embedder.dimension,):
            raise IndexBundleError(
                f"a vector of shape {vector.shape} for {self.embedder.dimension} dimensions",
                where=str(self.root),
                cure="embed with the store's embedding",
            )
        return unit_vectors(vector)

    def _count_long(self, texts: Sequence[str]) -> None:
        """Count texts that the encoder does not read to the end, and say so the first time."""
        if isinstance(self.embedder, LangChainEmbedder):
            return
        tokenizer = self.embedder.tokenizer
        room = tokenizer.max_tokens - tokenizer.overhead
        # A token has at least one character, so short texts need no counting.
        long = [text for text in texts if len(text) > room]
        cut = sum(len(spans) > room for spans in tokenizer.token_spans(long))
        if cut and not self.long_texts:
            _LOG.warning(
                "%d of %d texts are longer than the %d tokens that the encoder reads: searches by vector see "
                "their beginnings only. Split documents before adding them.",
                cut,
                len(texts),
                tokenizer.max_tokens,
            )
        self.long_texts += cut
