"""Search a published index: filters before the search, and the whole k or a stated shortfall."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

import hinterland.indexes.faiss_backend  # noqa: F401 - files itself in BACKENDS
from hinterland.core.errors import IndexBundleError
from hinterland.indexes.backend import BACKENDS, IndexBackend
from hinterland.indexes.bundle import CHUNKS, DENSE, Bundle, open_bundle
from hinterland.indexes.embed import EmbedConfig, Embedder, SentenceEmbedder
from hinterland.indexes.hits import DocumentHit, Hit, Result

__all__ = ["Allow", "DocumentHit", "Hit", "Index", "Result"]

#: Which documents may be found: their ids, or a mask over the index's rows (`Index.mask`).
Allow = Collection[str] | NDArray[np.bool_]


class Index:
    """An opened index. It keeps its version, whatever is published after it was opened.

    Args:
        bundle: The published version.
        backend: Its vectors.
        chunks: Its chunks.
        embedder: Embeds queries.
    """

    def __init__(self, bundle: Bundle, backend: IndexBackend, chunks: pa.Table, embedder: Embedder) -> None:
        self.bundle, self.embedder = bundle, embedder
        self._backend, self._chunks = backend, chunks
        ids = chunks["document_id"].combine_chunks().dictionary_encode()
        self._documents = ids.dictionary.to_pylist()
        self._document_of = np.asarray(ids.indices.to_numpy(zero_copy_only=False), dtype=np.int64)
        self._number = {document: number for number, document in enumerate(self._documents)}

    @classmethod
    def open(cls, root: Path, *, embedder: Embedder | None = None) -> Index:
        """Open the version that ``root`` serves, checking every file.

        Args:
            root: The index's folder.
            embedder: Embeds queries; ``None`` loads the one the manifest names.

        Raises:
            IndexBundleError: The index is missing, damaged, of a newer format, or was built
                with another encoder than ``embedder``.
            ModelSourceError: The encoder that the manifest names cannot be had.
        """
        bundle = open_bundle(root)
        made = bundle.manifest["embedder"]
        if embedder is None:
            named = {key: made[key] for key in ("model", "query_prompt", "passage_prompt", "max_tokens")}
            embedder = SentenceEmbedder(EmbedConfig(**named))
        _check_embedder(embedder, made, root)
        settings = bundle.manifest["index"]
        backend = BACKENDS.get(settings["backend"]).load(bundle.folder / DENSE, settings=settings)
        chunks = pq.read_table(bundle.folder / CHUNKS)
        if not backend.size == chunks.num_rows or backend.dimension != made["dimension"]:
            raise IndexBundleError(
                f"{backend.size} vectors of {backend.dimension} numbers for {chunks.num_rows} chunks",
                where=str(bundle.folder),
                cure="build the index again",
            )
        return cls(bundle, backend, chunks, embedder)

    def __len__(self) -> int:
        return int(self._backend.size)

    @property
    def fingerprint(self) -> str:
        """The version: equal for equal content."""
        return self.bundle.version

    @property
    def document_ids(self) -> list[str]:
        """The documents that have chunks, in the order of their first chunk."""
        return list(self._documents)

    def mask(self, allow: Allow) -> NDArray[np.bool_]:
        """Return which rows belong to the allowed documents, shape (len(self),).

        A mask is computed once and given to many searches; ids without a chunk in the
        index match nothing.

        Raises:
            ValueError: A mask of another length was given.
        """
        if isinstance(allow, np.ndarray):
            if allow.shape != (len(self),) or allow.dtype != np.bool_:
                raise ValueError(f"a mask needs {len(self)} booleans, found {allow.dtype} {allow.shape}")
            return allow
        allowed = np.zeros(len(self._documents), dtype=np.bool_)
        allowed[[self._number[document] for document in set(allow) if document in self._number]] = True
        return np.asarray(allowed[self._document_of])

    def embed_queries(self, queries: Sequence[str]) -> NDArray[np.float32]:
        """Return the queries' unit vectors, to be given to several searches."""
        return self.embedder.queries(queries)

    def search(
        self,
        queries: Sequence[str],
        k: int = 10,
        *,
        allow: Allow | None = None,
        vectors: NDArray[np.float32] | None = None,
    ) -> list[Result]:
        """Return the ``k`` best chunks for each query.

        Args:
            queries: The queries, embedded in batches.
            k: How many; fewer come back only if fewer are there, and the result's note says so.
            allow: Which documents may be found. It is applied inside the search.
            vectors: The queries' vectors if they are at hand, shape (queries, dimension).

        Raises:
            ValueError: ``k`` is below 1, or a mask of another length was given.
        """
        if k < 1:
            raise ValueError(f"k must be at least 1, found {k}")
        mask = None if allow is None else self.mask(allow)
        scores, rows = self._backend.search(self._vectors(queries, vectors), k, mask)
        pool = len(self) if mask is None else int(mask.sum())
        taken = self._chunks.take(pa.array(rows[rows >= 0].reshape(-1))).to_pylist()
        results, next_hit = [], iter(taken)
        for query, line, row in zip(queries, scores.tolist(), rows.tolist(), strict=True):
            hits = tuple(
                _hit(next(next_hit), score) for score, number in zip(line, row, strict=True) if number >= 0
            )
            results.append(Result(query, hits, k, _note(len(hits), k, pool, filtered=mask is not None)))
        return results

    def search_documents(
        self,
        queries: Sequence[str],
        k: int = 10,
        *,
        allow: Allow | None = None,
        vectors: NDArray[np.float32] | None = None,
    ) -> list[list[DocumentHit]]:
        """Return the ``k`` best documents for each query, each scored by its best chunk.

        Args:
            queries: The queries.
            k: How many documents.
            allow: Which documents may be found.
            vectors: The queries' vectors if they are at hand.
        """
        if k < 1:
            raise ValueError(f"k must be at least 1, found {k}")
        mask = None if allow is None else self.mask(allow)
        embedded = self._vectors(queries, vectors)
        rows_there = self._document_of if mask is None else self._document_of[mask]
        documents_there = len(np.unique(rows_there))
        wanted, chunks = min(k, documents_there), 4 * k
        found: list[list[DocumentHit]] = [[] for _ in queries]
        left = np.arange(len(queries))
        while len(left) and wanted:
            scores, rows = self._backend.search(embedded[left], chunks, mask)
            for number, line, row in zip(left, scores, rows, strict=True):
                found[number] = self._best_chunks(line, row)[:k]
            # A document with many good chunks crowds out others: look deeper for those queries.
            left = np.asarray([number for number in left if len(found[number]) < wanted], dtype=np.int64)
            if chunks >= len(rows_there):
                break
            chunks *= 4
        return found

    def _best_chunks(self, scores: NDArray[np.float32], rows: NDArray[np.int64]) -> list[DocumentHit]:
        """Return the documents of a ranked list of chunks, each at its first chunk."""
        there = rows[rows >= 0]
        _, first = np.unique(self._document_of[there], return_index=True)
        order = np.sort(first)
        ids = self._chunks["id"].take(pa.array(there[order])).to_pylist()
        return [
            DocumentHit(self._documents[int(self._document_of[there[place]])], float(scores[place]), chunk_id)
            for place, chunk_id in zip(order.tolist(), ids, strict=True)
        ]

    def _vectors(self, queries: Sequence[str], given: NDArray[np.float32] | None) -> NDArray[np.float32]:
        vectors = self.embed_queries(queries) if given is None else given
        if vectors.shape != (len(queries), self._backend.dimension):
            raise IndexBundleError(
                f"query vectors of shape {vectors.shape} for {len(queries)} queries "
                f"and an index of {self._backend.dimension} dimensions",
                where=str(self.bundle.folder),
                cure="embed queries with the encoder the index was built with",
            )
        return vectors


def _check_embedder(embedder: Embedder, made: dict[str, Any], root: Path) -> None:
    if embedder.dimension != made["dimension"]:
        problem = f"the encoder gives {embedder.dimension} dimensions, the index has {made['dimension']}"
    elif embedder.space != made["space"]:
        problem = f"the encoder's fingerprint is {embedder.space}, the index was built with {made['space']}"
    else:
        return
    raise IndexBundleError(
        problem,
        where=str(root),
        cure=f"search with the model, prompts and length it was built with ({made['model']}), or build again",
    )


def _hit(row: dict[str, Any], score: float) -> Hit:
    return Hit(
        row["id"],
        row["document_id"],
        row["start"],
        row["end"],
        row["text"],
        row["title"],
        score,
        row["source"],
        row["license"],
        row["url"],
        row["date"],
        row["country"],
        {"dense": score},
    )


def _note(found: int, asked: int, pool: int, *, filtered: bool) -> str:
    if found >= asked:
        return ""
    where = "the filter leaves" if filtered else "the index holds"
    return f"{asked} asked for, {found} found: {where} {pool} chunks"
