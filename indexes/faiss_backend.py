"""FAISS by factory string (Johnson et al. 2019; Douze et al. 2024, arXiv:2401.08281)."""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
from numpy import vdot
from numpy.typing import NDArray

from hinterland.core.errors import IndexBundleError
from hinterland.core.imports import require_faiss
from hinterland.indexes.backend import BACKENDS, Mask, Vectors
from hinterland.indexes.build_options import BuildOptions
from hinterland.indexes.faiss_build import build_faiss, first_line
from hinterland.indexes.faiss_disk import into_memory, load_index, save_index
from hinterland.indexes.faiss_parameters import grid, searcher, takes_selector
from hinterland.indexes.faiss_rows import (
    add_rows,
    can_remove,
    forget_places,
    keeps_exact,
    mend,
    reconstruct_rows,
    remove_rows,
)
from hinterland.indexes.faiss_search import Found, Rows, Selection, by_row, filtered_afterwards, raw_search

__all__ = ["FaissBackend", "FaissType"]

_FLOAT32, _INT64 = np.dtype(np.float32), np.dtype(np.int64)
_FEW = 1024  # a k no greater is asked of FAISS without asking first whether it holds as many


class FaissBackend:
    """A FAISS index.

    Searches may run in several threads; a search never runs beside `add` or `remove`.

    Args:
        index: The index, on the CPU.
        factory: The factory string it was made from.
        parameters: Search parameters, as in `faiss_parameters`.
    """

    def __init__(self, index: Any, factory: str, parameters: Mapping[str, int]) -> None:
        self._faiss = require_faiss()
        self._index, self._factory, self._parameters = index, factory, dict(parameters)
        self._dimension, self._some = int(index.d), index.ntotal > 0  # asking FAISS takes a microsecond
        self._lock = Lock()
        self._plain = searcher(self._faiss, index, self._parameters)
        self._one = 1, self._dimension
        self._single = self._faiss.swig_ptr, self._plain[0].search_c, self._plain[1]
        self._filters = takes_selector(self._faiss, index)
        self._selection: Selection | None = None

    @property
    def raw(self) -> Any:
        """The FAISS index itself; what is done to it is done to every backend that shares it."""
        return self._index

    @property
    def size(self) -> int:
        """See `IndexBackend.size`."""
        return int(self._index.ntotal)

    @property
    def dimension(self) -> int:
        """See `IndexBackend.dimension`."""
        return self._dimension

    @property
    def exact(self) -> bool:
        """See `IndexBackend.exact`."""
        return keeps_exact(self._faiss, self._index)

    @property
    def can_remove(self) -> bool:
        """See `IndexBackend.can_remove`."""
        return can_remove(self._faiss, self._index)

    def describe(self) -> dict[str, Any]:
        """See `IndexBackend.describe`."""
        return {"backend": "faiss", "factory": self._factory, "parameters": dict(self._parameters)}

    def tuned(self, parameters: Mapping[str, int]) -> FaissBackend:
        """See `IndexBackend.tuned`."""
        return FaissBackend(self._index, self._factory, parameters)

    def grid(self) -> dict[str, list[int]]:
        """See `IndexBackend.grid`."""
        return grid(self._faiss, self._index)

    def save(self, path: Path) -> None:
        """See `IndexBackend.save`."""
        with self._lock:
            forget_places(self._faiss, self._index)
            save_index(self._faiss, self._index, path)

    def reconstruct(self, rows: NDArray[np.int64]) -> Vectors:
        """See `IndexBackend.reconstruct`."""
        rows = self._there(rows)
        if not len(rows):
            return np.zeros((0, self.dimension), np.float32)
        try:
            with self._lock:  # the first call may make a table of places
                return reconstruct_rows(self._faiss, self._index, rows)
        except RuntimeError as error:
            raise IndexBundleError(
                f"an index {self._factory!r} cannot give vectors back: {first_line(error)}",
                cure="build it with another factory, or with a refining copy: add ,RFlat",
            ) from error

    def add(self, vectors: Vectors) -> None:
        """See `IndexBackend.add`."""
        vectors = self._checked(vectors)
        with self._lock:
            forget_places(self._faiss, self._index)
            self._selection = None
            if len(vectors):
                into_memory(self._faiss, self._index)
                add_rows(self._faiss, self._index, vectors)
                self._some = True

    def remove(self, rows: NDArray[np.int64]) -> None:
        """See `IndexBackend.remove`."""
        rows = np.unique(self._there(rows))
        if not self.can_remove:
            raise IndexBundleError(
                f"rows cannot be taken out of an index {self._factory!r}",
                cure="build it again from the vectors that stay",
            )
        with self._lock:
            forget_places(self._faiss, self._index)
            self._selection = None
            if len(rows):
                into_memory(self._faiss, self._index)
                remove_rows(self._faiss, self._index, rows)
                self._some = self._index.ntotal > 0

    def search(
        self, queries: Vectors, k: int, allow: Mask | None = None
    ) -> tuple[Vectors, NDArray[np.int64]]:
        """See `IndexBackend.search`."""
        if (
            allow is None
            and self._some
            and 0 < k <= _FEW
            and queries.shape == self._one
            and queries.dtype is _FLOAT32
            and queries.flags.c_contiguous
            and isfinite(vdot(queries, queries))  # a third of the time of `np.isfinite(queries).all()`
        ):  # One query without a filter, written out: each call between would cost as much as a check.
            scores, rows = np.empty((1, k), _FLOAT32), np.empty((1, k), _INT64)
            pointer, call, how = self._single
            call(1, pointer(queries), k, pointer(scores), pointer(rows), how)
            if rows.item(k - 1) >= 0 and len(set(scores.tolist()[0])) == k:
                return scores, rows
            return self._settled(queries, scores, rows, None)
        queries = self._checked(queries)
        if k < 0:
            raise ValueError(f"k must not be negative, found {k}")
        selection = None if allow is None else self._select(allow)
        if selection is not None:
            k = min(k, selection.allowed)
        elif k > _FEW or not self._some:
            k = min(k, self.size)
        if not k or not len(queries):
            return np.zeros((len(queries), k), np.float32), np.zeros((len(queries), k), np.int64)
        if selection is None:
            scores, rows = raw_search(self._faiss, *self._plain, queries, k)
        else:
            scores, rows = self._within(queries, k, selection, exhaustive=False)
        return self._settled(queries, scores, rows, selection)

    def _settled(self, queries: Vectors, scores: Vectors, rows: Rows, selection: Selection | None) -> Found:
        """Order equal scores by row.

        Where rows are missing, because few are allowed or the lists probed hold few, look everywhere.
        """
        if rows[:, -1].min() >= 0:  # what was not found stands last in its line
            return by_row(scores, rows)
        k = min(rows.shape[1], self.size)
        scores, rows = np.ascontiguousarray(scores[:, :k]), np.ascontiguousarray(rows[:, :k])
        short = (rows < 0).any(axis=1)
        if short.any():
            scores[short], rows[short] = self._within(queries[short], k, selection, exhaustive=True)
        return by_row(scores, rows)

    def _within(self, queries: Vectors, k: int, selection: Selection | None, *, exhaustive: bool) -> Found:
        if selection is not None and not self._filters:
            return filtered_afterwards(self._faiss, *self._plain, queries, k, selection)
        how = None if selection is None or exhaustive else selection.how
        if how is None:
            chosen = None if selection is None else selection.selector
            how = searcher(self._faiss, self._index, self._parameters, chosen, exhaustive=exhaustive)
            if selection is not None and not exhaustive:
                selection.how = how
        return raw_search(self._faiss, *how, queries, k)

    def _select(self, allow: Mask) -> Selection:
        """Pack a mask for FAISS; a read-only one that comes again is packed once."""
        kept = self._selection
        if kept is not None and kept.mask is allow:
            return kept
        if allow.shape != (self.size,) or allow.dtype != np.bool_:
            raise ValueError(f"a mask needs {self.size} booleans, found {allow.dtype} {allow.shape}")
        selection = Selection(self._faiss, allow)
        if not allow.flags.writeable and allow.base is None:
            self._selection = selection
        return selection

    def _checked(self, vectors: Vectors) -> Vectors:
        if vectors.dtype != _FLOAT32 or not vectors.flags.c_contiguous:
            vectors = np.ascontiguousarray(vectors, np.float32)
        if vectors.ndim != 2 or vectors.shape[1] != self._dimension:
            raise ValueError(f"vectors need the shape (n, {self._dimension}), found {vectors.shape}")
        if not np.isfinite(vectors).all():
            raise ValueError("a vector holds numbers that are not finite")
        return vectors

    def _there(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        rows = np.ascontiguousarray(rows, np.int64)
        if rows.ndim != 1 or (len(rows) and (rows.min() < 0 or rows.max() >= self.size)):
            raise ValueError(f"rows must be a list of numbers from 0 to {self.size - 1}")
        return rows


class FaissType:
    """Makes FAISS backends."""

    def build(
        self, vectors: Vectors, *, factory: str = "auto", seed: int = 0, options: BuildOptions | None = None
    ) -> FaissBackend:
        """See `BackendType.build`."""
        return FaissBackend(*build_faiss(vectors, factory=factory, seed=seed, options=options))

    def load(self, path: Path, *, settings: dict[str, Any]) -> FaissBackend:
        """See `BackendType.load`."""
        faiss = require_faiss()
        try:
            index = load_index(faiss, path)
        except (RuntimeError, OSError) as error:
            raise IndexBundleError(
                f"FAISS cannot read the index: {first_line(error)}",
                where=str(path),
                cure="build the index again",
            ) from error
        mend(faiss, index)
        return FaissBackend(index, str(settings.get("factory", "")), dict(settings.get("parameters", {})))


BACKENDS.register("faiss")(FaissType())
