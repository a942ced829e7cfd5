"""Make a FAISS index from a factory string: choose it, train it, fill it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

import numpy as np

from hinterland.core.engine import LocalEngine
from hinterland.core.errors import ConfigError, IndexBundleError
from hinterland.core.imports import require_faiss
from hinterland.core.progress import track
from hinterland.core.seeds import generator
from hinterland.indexes.backend import Vectors
from hinterland.indexes.build_options import BuildOptions
from hinterland.indexes.faiss_gpu import fill_on_gpu, gpus
from hinterland.indexes.faiss_shards import fill_by_shards, mergeable, train
from hinterland.indexes.faiss_size import auto_factory, choose, make_empty

__all__ = ["auto_factory", "build_faiss", "first_line", "one_thread_for_graphs"]

_TRAIN_PER_LIST = 256  # training vectors per IVF list, the most that FAISS's clustering takes
_TRAIN = 131_072  # training vectors at least, for codebooks: 256 for each of 256 entries, and as many again
_STEP = 65_536  # vectors added at a time


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


@contextmanager
def one_thread_for_graphs(faiss: ModuleType, index: Any) -> Iterator[None]:
    """Use one thread for a graph, whose links threads race for: equal vectors give equal bytes."""
    threads = faiss.omp_get_max_threads()
    if graph_in(faiss, index):
        faiss.omp_set_num_threads(1)
    try:
        yield
    finally:
        faiss.omp_set_num_threads(threads)


def _parts(faiss: ModuleType, index: Any, vectors: Vectors) -> Iterator[Vectors]:
    """Yield the vectors some at a time; a graph gets all at once, since it orders them by level."""
    step = len(vectors) if graph_in(faiss, index) else _STEP
    starts = range(0, len(vectors), max(step, 1))
    for start in track(starts, "fill") if len(starts) > 1 else starts:
        yield np.ascontiguousarray(vectors[start : start + step], np.float32)


def _sample(vectors: Vectors, lists: int, seed: int) -> Vectors:
    size = max(_TRAIN_PER_LIST * lists, _TRAIN)
    if len(vectors) <= size:
        return np.ascontiguousarray(vectors, np.float32)
    rows = np.sort(generator(seed, "train").choice(len(vectors), size, replace=False))
    return np.ascontiguousarray(vectors[rows], np.float32)


def _fill(
    faiss: ModuleType,
    index: Any,
    vectors: Vectors,
    lists: int,
    seed: int,
    options: BuildOptions,
    on_disk: bool,
) -> Any:
    """Train and fill ``index`` and return it on the CPU."""
    flat = isinstance(faiss.downcast_index(index), faiss.IndexFlat)
    count = 0 if flat or graph_in(faiss, index) or on_disk else gpus(faiss, options.device)
    if count:
        sample = _sample(vectors, lists, seed)
        there = fill_on_gpu(faiss, index, sample, _parts(faiss, index, vectors), count=count, seed=seed)
        if there is not None:
            return there
    engine = options.engine or LocalEngine()
    alone = isinstance(engine, LocalEngine) and engine.workers <= 1
    if options.work is not None and mergeable(faiss, index) and (on_disk or not alone):
        index = train(faiss, index, lambda: _sample(vectors, lists, seed), options.work)
        return fill_by_shards(faiss, index, vectors, engine=engine, work=options.work, on_disk=on_disk)
    if not index.is_trained:
        index.train(_sample(vectors, lists, seed))
    with one_thread_for_graphs(faiss, index):
        for part in _parts(faiss, index, vectors):
            index.add(part)
    return index


def build_faiss(
    vectors: Vectors, *, factory: str, seed: int, options: BuildOptions | None = None
) -> tuple[Any, str, dict[str, int]]:
    """Return an index over ``vectors`` on the CPU, its factory string, and search parameters.

    Args:
        vectors: Shape (rows, dimension); they may be mapped from a file.
        factory: The FAISS factory string, or ``auto``.
        seed: For the training of clustered indexes.
        options: Memory, device, engine.

    Raises:
        ConfigError: The factory string cannot be used for these vectors, or there is no GPU.
        EngineError: A worker died.
        IndexBundleError: A vector is not finite.
    """
    faiss, options = require_faiss(), options or BuildOptions()
    rows, dimension = vectors.shape
    for start in range(0, rows, _STEP):
        if not np.isfinite(vectors[start : start + _STEP]).all():
            raise IndexBundleError(
                "a vector holds numbers that are not finite",
                where=f"vectors {start} to {min(start + _STEP, rows) - 1}",
                cure="use another model, or embed in float32",
            )
    gpus(faiss, options.device)  # a GPU that is asked for and not there is refused, whatever is built
    chosen = choose(factory, rows, dimension, memory=options.memory, lists_on_disk=options.lists_on_disk)
    index = make_empty(faiss, dimension, chosen.factory)
    inner = faiss.try_extract_index_ivf(index)
    lists = 0 if inner is None else int(inner.nlist)
    if inner is not None:
        inner.cp.seed = seed & 0x7FFFFFFF
        if rows < lists:
            raise ConfigError(
                f"{rows} vectors are too few for {lists} lists ({chosen.factory})",
                where="factory",
                cure="write factory: auto",
            )
    try:
        index = _fill(faiss, index, vectors, lists, seed, options, chosen.on_disk)
    except RuntimeError as error:
        raise ConfigError(
            f"FAISS cannot build {chosen.factory!r} over {rows} vectors of {dimension}: {first_line(error)}",
            where="factory",
            cure="write factory: auto",
        ) from error
    parameters = {"efSearch": 64} if graph_in(faiss, index) else {}
    if lists:
        parameters["nprobe"] = min(lists, max(16, lists // 64))
    return index, chosen.factory, parameters
