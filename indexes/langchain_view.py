"""One version of an index as the LangChain store reads it: chunks, metadata, vectors."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from langchain_core.documents import Document
from numpy.typing import NDArray

from hinterland.indexes.backend import IndexBackend
from hinterland.indexes.bundle import Bundle, read_current
from hinterland.indexes.embed import Embedder
from hinterland.indexes.encoder import check_space
from hinterland.indexes.langchain_rows import as_document, chunk_rows, metadata_of
from hinterland.indexes.metadata_filter import metadata_mask
from hinterland.indexes.version import dense_rows, read_parts

__all__ = ["Filter", "View", "open_view"]

Filter = Mapping[str, Any] | str
_FILTERS = 32  # masks kept for filters that come again


@dataclass(frozen=True)
class View:
    """A version; nothing in it changes.

    Attributes:
        bundle: The published version; ``None`` before the first.
        backend: Its vectors.
        chunks: Its live chunks.
    """

    bundle: Bundle | None
    backend: IndexBackend | None
    chunks: pa.Table

    @classmethod
    def empty(cls) -> View:
        """Return what a store holds before anything is published."""
        return cls(None, None, chunk_rows([], []))

    @property
    def version(self) -> str:
        """The version's name; empty before the first."""
        return self.bundle.version if self.bundle else ""

    @cached_property
    def rows(self) -> NDArray[np.int64]:
        """Each chunk's row among the vectors."""
        return dense_rows(self.chunks)

    @cached_property
    def place(self) -> dict[str, int]:
        """Where each id stands among the chunks."""
        return {identity: number for number, identity in enumerate(self.chunks["id"].to_pylist())}

    @cached_property
    def metadata(self) -> list[dict[str, Any]]:
        """Each chunk's metadata."""
        return metadata_of(self.chunks)

    @cached_property
    def _masks(self) -> dict[str, NDArray[np.bool_]]:
        return {}

    @cached_property
    def _chunk_of(self) -> NDArray[np.int64]:
        """Which chunk each vector is of; -1 where it is dead."""
        chunk_of = np.full(self.backend.size if self.backend else 0, -1, dtype=np.int64)
        chunk_of[self.rows] = np.arange(len(self.rows))
        return chunk_of

    def fitting(self, conditions: Filter | None) -> NDArray[np.bool_]:
        """Return which vectors may be found, shape (vectors,).

        Raises:
            ConfigError: The filter cannot be read.
        """
        if not conditions:
            return self._chunk_of >= 0
        key = json.dumps(conditions, sort_keys=True, default=repr)
        if key not in self._masks:
            if len(self._masks) >= _FILTERS:
                self._masks.pop(next(iter(self._masks)), None)
            allow = np.zeros(len(self._chunk_of), dtype=np.bool_)
            allow[self.rows[metadata_mask(conditions, self.metadata, self.chunks)]] = True
            self._masks[key] = allow
        return self._masks[key]

    def search(
        self, vector: NDArray[np.float32], k: int, conditions: Filter | None
    ) -> list[tuple[int, float]]:
        """Return the nearest chunks' places and cosines, best first.

        Args:
            vector: A unit vector, shape (dimension,).
            k: How many; fewer come back only where fewer fit.
            conditions: What chunks must fit; applied before the search.
        """
        if self.backend is None or k < 1:
            return []
        allow = self.fitting(conditions)
        scores, rows = self.backend.search(vector[None, :], k, None if allow.all() else allow)
        return [
            (int(self._chunk_of[row]), float(score))
            for row, score in zip(rows[0], scores[0], strict=True)
            if row >= 0
        ]

    def documents(self, places: Sequence[int]) -> list[Document]:
        """Return chunks as LangChain's documents."""
        taken = self.chunks.take(pa.array(list(places), pa.int64()))
        triples = zip(taken["id"].to_pylist(), taken["text"].to_pylist(), metadata_of(taken), strict=True)
        return [as_document(*triple) for triple in triples]


def open_view(root: Path, embedder: Embedder) -> View:
    """Open the version that is served, checking every file.

    Raises:
        IndexBundleError: It is damaged, of a newer format, or made with another encoder.
    """

    def read(bundle: Bundle) -> View:
        check_space(embedder, bundle)
        chunks, backend = read_parts(bundle)
        return View(bundle, backend, chunks)

    return read_current(root, read)
