"""Search in any LangChain vector store, as in an index of this library.

From some millions of chunks on, or where several machines write, a served store is the better
place (docs say from what size). What a store cannot do is done here and said:

- **Scores** are the store's own. Where they are distances (the best is the lowest), a hit's score
  is the negative distance, so that higher is always better; ``parts["store"]`` is what it gave.
- **Filters.** Ids in ``allow`` become the store's own filter where ``allow_filter`` says how.
  Conditions in ``where``, and ids otherwise, are applied to what the store returns: more is asked
  for, four times as much each time, until k fit, the store has no more, or ``deepest`` is
  reached. The note of a result that stays short says which.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from langchain_core.documents import Document
from langchain_core.vectorstores import VectorStore
from numpy.typing import NDArray

from hinterland.core.errors import IndexBundleError
from hinterland.core.run import fingerprint
from hinterland.indexes.hits import Hit, Result
from hinterland.indexes.metadata_filter import metadata_mask
from hinterland.indexes.searcher import Allow

__all__ = ["ENCODER", "StoreSearcher", "hit_of"]

#: Names that a condition may use although nothing found has them.
_COLUMNS = ("document_id", "title", "source", "license", "url", "date", "country", "lang")
#: The key under which a passage says what embedded it (`Embedder.space`).
ENCODER = "encoder"
_WIDER = 4


class StoreSearcher:
    """A LangChain vector store as a `Searcher`.

    Args:
        store: The store; it embeds the queries.
        name: What tells this content from other content, for fingerprints: address, collection,
            and a version if the content changes. A store does not say it.
        allow_filter: Makes the store's own filter, for its argument ``filter``, out of document
            ids; ``None``: ids are applied to what comes back.
        encoder: The `Embedder.space` that queries are embedded in. `fill_store` writes down that of
            the passages; where they differ, the search is refused.
        deepest: How many passages are asked for at most.
        distances: Whether the store's scores are distances; ``None``: told from their order.
        close: Ends the connection; called by `close` and at the end of a ``with`` block.
    """

    def __init__(
        self,
        store: VectorStore,
        *,
        name: str,
        allow_filter: Callable[[list[str]], Any] | None = None,
        encoder: str = "",
        deepest: int = 1024,
        distances: bool | None = None,
        close: Callable[[], None] = lambda: None,
    ) -> None:
        self.store, self._name, self._filter = store, name, allow_filter
        self._encoder, self._close = encoder, close
        self._deepest, self._distances = deepest, distances

    def close(self) -> None:
        """End the connection to the store."""
        self._close()

    def __enter__(self) -> StoreSearcher:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def name(self) -> str:
        """What the store was called when it was opened."""
        return self._name

    @property
    def fingerprint(self) -> str:
        """A hash of the store's kind and name. The content behind it may change."""
        kind = type(self.store)
        return fingerprint("store", f"{kind.__module__}.{kind.__qualname__}", self._name)

    def mask(self, allow: Allow) -> NDArray[np.bool_]:  # noqa: ARG002 - as the protocol has it
        """A store cannot list its passages.

        Raises:
            IndexBundleError: Always.
        """
        raise IndexBundleError(
            "a vector store cannot list what it holds", where=self._name, cure="give document ids to search"
        )

    def search(
        self, queries: Sequence[str], k: int = 10, *, allow: Allow | None = None, where: str | None = None
    ) -> list[Result]:
        """See `Searcher.search`. Each query is one call to the store, more where it is filtered here.

        Raises:
            ValueError: ``k`` is below 1.
            ConfigError: The condition cannot be read.
            IndexBundleError: ``allow`` is a mask, the store gives no scores, or its passages were
                embedded by another encoder.
        """
        if k < 1:
            raise ValueError(f"k must be at least 1, found {k}")
        if isinstance(allow, np.ndarray):
            self.mask(allow)
        ids = None if allow is None else sorted({str(each) for each in allow})
        return [self._one(query, k, ids, where or "") for query in queries]

    def _one(self, query: str, k: int, allow: list[str] | None, where: str) -> Result:
        if allow is not None and not allow:
            return Result(query, (), k, f"{k} asked for, 0 found: the filter leaves nothing")
        ours = bool(where) or (allow is not None and self._filter is None)
        asked = min(_WIDER * k, max(self._deepest, k)) if ours else k
        while True:
            found = self._ask(query, asked, allow)
            hits = self._fitting(found, allow, where)
            if len(hits) >= k or len(found) < asked or asked >= self._deepest or not ours:
                break
            asked = min(asked * _WIDER, self._deepest)
        note = ""
        if len(hits) < k:
            more = ours and len(found) >= asked
            reason = (
                f"the store filters only afterwards, and of the best {len(found)} no more fit"
                if more
                else f"the store returned {len(found)}" + (", of which these fit" if ours else "")
            )
            note = f"{k} asked for, {len(hits)} found: {reason}"
        return Result(query, tuple(hits[:k]), k, note)

    def _ask(self, query: str, k: int, allow: list[str] | None) -> list[tuple[Document, float]]:
        own = {"filter": self._filter(allow)} if allow is not None and self._filter else {}
        try:
            found = list(self.store.similarity_search_with_score(query, k=k, **own))
        except NotImplementedError as error:
            raise IndexBundleError(
                "the vector store gives no scores", where=self._name, cure="use another store"
            ) from error
        for document, _ in found:
            made = document.metadata.get(ENCODER)
            if made and self._encoder and made != self._encoder:
                raise IndexBundleError(
                    f"the encoder's fingerprint is {self._encoder}, the store was filled with {made}",
                    where=self._name,
                    cure="search with the model, prompts and length it was filled with, or fill another",
                )
        return found

    def _fitting(
        self, found: list[tuple[Document, float]], allow: Collection[str] | None, where: str
    ) -> list[Hit]:
        """Return what fits as hits, in the store's order."""
        lower = self._distances
        if lower is None:
            lower = len(found) > 1 and found[0][1] < found[-1][1]
        hits = [hit_of(document, float(score), lower=lower) for document, score in found]
        if allow is not None:
            wanted = set(allow)
            keep = np.array([hit.document_id in wanted for hit in hits], dtype=np.bool_)
        else:
            keep = np.ones(len(hits), dtype=np.bool_)
        if where and hits:
            columns = pa.table({name: pa.nulls(len(hits), pa.string()) for name in _COLUMNS})
            metadata = [
                {**document.metadata, "document_id": hit.document_id}
                for (document, _), hit in zip(found, hits, strict=True)
            ]
            keep &= metadata_mask(where, metadata, columns)
        return [hit for hit, kept in zip(hits, keep, strict=True) if kept]


def hit_of(document: Document, score: float, *, lower: bool = False) -> Hit:
    """Return what a store found as a hit.

    What `fill_store` put into the metadata is taken from there. For other documents the id is the
    store's, else a hash of the text; the document is the ``source``, else the passage itself.

    Args:
        document: The passage.
        score: What the store ranked it by.
        lower: Whether a lower score is a better one.
    """
    metadata: Mapping[str, Any] = document.metadata

    def text(name: str) -> str | None:
        value = metadata.get(name)
        return None if value is None else str(value)

    content, title = document.page_content, text("title") or ""
    if title:  # it is in the content too, because that is what gets embedded
        content = content.removeprefix(f"{title}\n")
    chunk = text("chunk_id") or document.id or text("_id")
    if chunk is None:
        chunk = hashlib.sha256(content.encode("utf-8", "surrogatepass")).hexdigest()[:24]
    start, end = metadata.get("start"), metadata.get("end")
    if not isinstance(start, int) or not isinstance(end, int):
        start, end = 0, len(content)
    return Hit(
        chunk,
        text("document_id") or text("source") or chunk,
        start,
        end,
        content,
        title,
        -score if lower else score,
        text("source"),
        text("license"),
        text("url"),
        text("date"),
        text("country"),
        {"store": score},
    )
