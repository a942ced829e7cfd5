"""Make a FAISS index from a factory string: choose it, train it, fill it."""

from __future__ import annotations

import math
from types import ModuleType
from typing import Any

import numpy as np

from hinterland.core.errors import ConfigError
from hinterland.core.imports import require_faiss
from hinterland.indexes.backend import Vectors

__all__ = ["auto_factory", "build_faiss", "first_line", "graph_in"]

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


def first_line(error: Exception) -> str:
    """Return what FAISS complains of, without its source lines."""
    text = " ".join(str(error).split())
    return text.partition("Error: ")[2] or text


def graph_in(faiss: ModuleType, index: Any) -> bool:
    """Whether the index, or what it wraps, is an HNSW graph."""
    index = faiss.downcast_index(index)
    if isinstance(index, faiss.IndexPreTransform):
        return graph_in(faiss, index.index)
    if isinstance(index, faiss.IndexRefine):
        return graph_in(faiss, index.base_index)
    return isinstance(index, faiss.IndexHNSW)


def _fill(faiss: ModuleType, index: Any, vectors: Vectors) -> Any:
    """Train and fill ``index``, on a GPU if FAISS has one, and return it on the CPU."""
    graph = graph_in(faiss, index)
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


def build_faiss(vectors: Vectors, *, factory: str, seed: int) -> tuple[Any, str, dict[str, int]]:
    """Return an index over ``vectors`` on the CPU, its factory string, and search parameters.

    Args:
        vectors: Shape (rows, dimension).
        factory: The FAISS factory string, or ``auto``.
        seed: For the training of clustered indexes.

    Raises:
        ConfigError: The factory string cannot be used for these vectors.
    """
    faiss = require_faiss()
    rows, dimension = vectors.shape
    name = auto_factory(rows) if factory == "auto" else factory
    vectors = np.ascontiguousarray(vectors, np.float32)
    try:
        index = faiss.index_factory(dimension, name, faiss.METRIC_INNER_PRODUCT)
    except RuntimeError as error:
        raise ConfigError(
            f"FAISS does not know the factory string {name!r}: {first_line(error)}",
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
            f"FAISS cannot build {name!r} over {rows} vectors of {dimension}: {first_line(error)}",
            where="factory",
            cure="write factory: auto",
        ) from error
    parameters = {"efSearch": 64} if graph_in(faiss, index) else {}
    if lists:
        parameters["nprobe"] = min(lists, max(16, lists // 64))
    return index, name, parameters
