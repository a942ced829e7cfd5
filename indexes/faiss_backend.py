"""FAISS by factory string (Johnson et al. 2019; Douze et al. 2024, arXiv:2401.08281)."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hinterland.core.errors import IndexBundleError
from hinterland.core.imports import require_faiss
from hinterland.indexes.backend import BACKENDS, Mask, Vectors
from hinterland.indexes.faiss_build import build_faiss, first_line

__all__ = ["FaissBackend", "FaissType"]


class FaissBackend:
    """A FAISS index.

    Args:
        index: The index, on the CPU.
        factory: The factory string it was made from.
        parameters: Search parameters (``efSearch``, ``nprobe``).
    """

    def __init__(self, index: Any, factory: str, parameters: dict[str, int]) -> None:
        self._index, self._factory, self._parameters = index, factory, parameters

    @property
    def size(self) -> int:
        """See `IndexBackend.size`."""
        return int(self._index.ntotal)

    @property
    def dimension(self) -> int:
        """See `IndexBackend.dimension`."""
        return int(self._index.d)

    def describe(self) -> dict[str, Any]:
        """See `IndexBackend.describe`."""
        return {"backend": "faiss", "factory": self._factory, "parameters": dict(self._parameters)}

    def save(self, path: Path) -> None:
        """See `IndexBackend.save`."""
        path.write_bytes(require_faiss().serialize_index(self._index).tobytes())

    def search(
        self, queries: Vectors, k: int, allow: Mask | None = None
    ) -> tuple[Vectors, NDArray[np.int64]]:
        """See `IndexBackend.search`."""
        allowed = self.size if allow is None else int(allow.sum())
        k = min(k, allowed)
        if not k or not len(queries):
            return np.zeros((len(queries), k), np.float32), np.zeros((len(queries), k), np.int64)
        faiss = require_faiss()
        bits = None if allow is None else np.packbits(allow, bitorder="little")
        selector = (
            None if bits is None else faiss.IDSelectorBitmap(self.size, faiss.swig_ptr(bits))
        )  # `bits` must outlive the search
        scores, rows = self._search(faiss, queries, k, selector, exhaustive=False)
        short = (rows < 0).any(axis=1)
        if short.any():
            # Few rows are allowed, or the lists probed hold few: look everywhere.
            scores[short], rows[short] = self._search(faiss, queries[short], k, selector, exhaustive=True)
        order = np.lexsort((rows, -scores), axis=1)
        return np.take_along_axis(scores, order, 1), np.take_along_axis(rows, order, 1)

    def _search(
        self, faiss: ModuleType, queries: Vectors, k: int, selector: Any, *, exhaustive: bool
    ) -> tuple[Vectors, NDArray[np.int64]]:
        index, parameters = _with_parameters(
            faiss, self._index, self._parameters, selector, exhaustive=exhaustive
        )
        scores, rows = index.search(np.ascontiguousarray(queries, np.float32), k, params=parameters)
        return scores, rows


def _with_parameters(
    faiss: ModuleType, index: Any, given: dict[str, int], selector: Any, *, exhaustive: bool
) -> tuple[Any, Any]:
    """Return the index to search and the parameter object of its class, selector included."""
    index = faiss.downcast_index(index)
    if isinstance(index, faiss.IndexPreTransform):
        _, inner = _with_parameters(faiss, index.index, given, selector, exhaustive=exhaustive)
        return index, faiss.SearchParametersPreTransform(index_params=inner)
    if isinstance(index, faiss.IndexRefine):
        _, inner = _with_parameters(faiss, index.base_index, given, selector, exhaustive=exhaustive)
        factor = given.get("k_factor", 4)
        return index, faiss.IndexRefineSearchParameters(
            k_factor=factor, base_index_params=inner, sel=selector
        )
    if isinstance(index, faiss.IndexHNSW):
        if exhaustive:  # a graph may not reach every allowed node; its storage holds them all
            return faiss.downcast_index(index.storage), faiss.SearchParameters(sel=selector)
        return index, faiss.SearchParametersHNSW(efSearch=given.get("efSearch", 64), sel=selector)
    if isinstance(index, faiss.IndexIVF):
        probe = index.nlist if exhaustive else min(given.get("nprobe", 16), index.nlist)
        kind = faiss.IVFPQSearchParameters if isinstance(index, faiss.IndexIVFPQ) else None
        return index, (kind or faiss.SearchParametersIVF)(nprobe=probe, sel=selector)
    return index, faiss.SearchParameters(sel=selector)


class FaissType:
    """Makes FAISS backends."""

    def build(self, vectors: Vectors, *, factory: str = "auto", seed: int = 0) -> FaissBackend:
        """See `BackendType.build`."""
        return FaissBackend(*build_faiss(vectors, factory=factory, seed=seed))

    def load(self, path: Path, *, settings: dict[str, Any]) -> FaissBackend:
        """See `BackendType.load`."""
        faiss = require_faiss()
        try:
            index = faiss.deserialize_index(np.frombuffer(path.read_bytes(), dtype=np.uint8))
        except (RuntimeError, OSError) as error:
            raise IndexBundleError(
                f"FAISS cannot read the index: {first_line(error)}",
                where=str(path),
                cure="build the index again",
            ) from error
        return FaissBackend(index, str(settings.get("factory", "")), dict(settings.get("parameters", {})))


BACKENDS.register("faiss")(FaissType())
