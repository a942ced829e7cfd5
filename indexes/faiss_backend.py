"""FAISS by factory string (Johnson et al. 2019; Douze et al. 2024, arXiv:2401.08281)."""

from __future__ import annotations

import math
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hinterland.core.errors import ConfigError, IndexBundleError
from hinterland.core.imports import require_faiss
from hinterland.indexes.backend import BACKENDS, Mask, Vectors

__all__ = ["FaissBackend", "FaissType", "auto_factory"]

_FLAT_BELOW = 50_000  # up to here exact search answers in milliseconds
_GRAPH_BELOW = 1_000_000  # above, a graph's memory and build time outgrow its speed
_TRAIN_PER_LIST = 64  # training vectors per IVF list; FAISS asks for 39 to 256


def auto_factory(rows: int) -> str:
    """Return the factory string for so many vectors: exact while that is fast enough.

    >>> [auto_factory(rows) for rows in (10, 100_000, 2_000_000)]
    ['Flat', 'HNSW32', 'IVF4096,SQ8']
    """
    if rows < _FLAT_BELOW:
        return "Flat"
    if rows < _GRAPH_BELOW:
        return "HNSW32"
    lists = 2 ** round(math.log2(4 * math.sqrt(rows)))
    return f"IVF{min(lists, 65536)},SQ8"


def _first_line(error: Exception) -> str:
    """Return what FAISS complains of, without its source lines."""
    text = " ".join(str(error).split())
    return text.partition("Error: ")[2] or text


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


def _graph_in(faiss: ModuleType, index: Any) -> bool:
    index = faiss.downcast_index(index)
    if isinstance(index, faiss.IndexPreTransform):
        return _graph_in(faiss, index.index)
    if isinstance(index, faiss.IndexRefine):
        return _graph_in(faiss, index.base_index)
    return isinstance(index, faiss.IndexHNSW)


def _fill(faiss: ModuleType, index: Any, vectors: Vectors) -> Any:
    """Train and fill ``index``, on a GPU if FAISS has one, and return it on the CPU."""
    graph = _graph_in(faiss, index)
    gpus = faiss.get_num_gpus() if hasattr(faiss, "StandardGpuResources") else 0
    if gpus and not graph and not isinstance(faiss.downcast_index(index), faiss.IndexFlat):
        resources = faiss.StandardGpuResources()
        on_gpu = faiss.index_cpu_to_gpu(resources, 0, index)
        on_gpu.train(vectors)
        on_gpu.add(vectors)
        return faiss.index_gpu_to_cpu(on_gpu)
    if not index.is_trained:
        index.train(vectors)
    threads = faiss.omp_get_max_threads()
    if graph:  # threads race for a graph's links; alone, the same vectors give the same bytes
        faiss.omp_set_num_threads(1)
    try:
        index.add(vectors)
    finally:
        faiss.omp_set_num_threads(threads)
    return index


class FaissType:
    """Makes FAISS backends."""

    def build(self, vectors: Vectors, *, factory: str = "auto", seed: int = 0) -> FaissBackend:
        """See `BackendType.build`."""
        faiss = require_faiss()
        rows, dimension = vectors.shape
        name = auto_factory(rows) if factory == "auto" else factory
        vectors = np.ascontiguousarray(vectors, np.float32)
        try:
            index = faiss.index_factory(dimension, name, faiss.METRIC_INNER_PRODUCT)
        except RuntimeError as error:
            raise ConfigError(
                f"FAISS does not know the factory string {name!r}: {_first_line(error)}",
                where="factory",
                cure="write factory: auto, or one such as Flat, HNSW32, IVF1024,SQ8",
            ) from error
        inner = faiss.try_extract_index_ivf(index)
        lists = 0 if inner is None else int(inner.nlist)
        if inner is not None:
            inner.cp.seed = seed & 0x7FFFFFFF
            inner.cp.max_points_per_centroid = max(inner.cp.max_points_per_centroid, _TRAIN_PER_LIST)
            if rows < lists:
                raise ConfigError(
                    f"{rows} vectors are too few for {lists} lists ({name})",
                    where="factory",
                    cure="write factory: auto",
                )
        try:
            index = _fill(faiss, index, vectors)
        except RuntimeError as error:
            raise ConfigError(
                f"FAISS cannot build {name!r} over {rows} vectors of {dimension}: {_first_line(error)}",
                where="factory",
                cure="write factory: auto",
            ) from error
        parameters = {"efSearch": 64} if _graph_in(faiss, index) else {}
        if lists:
            parameters["nprobe"] = min(lists, max(16, lists // 64))
        return FaissBackend(index, name, parameters)

    def load(self, path: Path, *, settings: dict[str, Any]) -> FaissBackend:
        """See `BackendType.load`."""
        faiss = require_faiss()
        try:
            index = faiss.deserialize_index(np.frombuffer(path.read_bytes(), dtype=np.uint8))
        except (RuntimeError, OSError) as error:
            raise IndexBundleError(
                f"FAISS cannot read the index: {_first_line(error)}",
                where=str(path),
                cure="build the index again",
            ) from error
        return FaissBackend(index, str(settings.get("factory", "")), dict(settings.get("parameters", {})))


BACKENDS.register("faiss")(FaissType())
