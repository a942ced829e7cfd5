"""Building indexes on the GPU and on the CPU, at recall against exact search."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from functools import partial
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gpu_parts.common import SEED, Row, SkippedError, Table, interval, one_line, release, sized, timed
from gpu_parts.vectors import DIMENSION, NEIGHBOURS, Mixture, Rows, Vectors, exact_neighbours, recalls
from hinterland.adapt.precision import device
from hinterland.core.errors import HinterlandError
from hinterland.core.imports import require_faiss
from hinterland.core.stats import bootstrap_mean, paired_difference
from hinterland.indexes.faiss_backend import FaissBackend, FaissType

__all__ = ["indexing"]

Builder = Callable[[], tuple[Any, Row]]


def has_gpu(faiss: ModuleType) -> bool:
    """Whether this FAISS builds on a GPU that is here."""
    return hasattr(faiss, "StandardGpuResources") and faiss.get_num_gpus() > 0


def build_lists(faiss: ModuleType, factory: str, vectors: Vectors, place: str) -> tuple[Any, Row]:
    """Train, fill and bring to the CPU an inverted-file index; return it with its seconds."""
    index = target = faiss.index_factory(DIMENSION, factory, faiss.METRIC_INNER_PRODUCT)
    if place == "gpu":
        target = faiss.index_cpu_to_gpu(faiss.StandardGpuResources(), 0, index)
    target.cp.seed = SEED + 1  # set on the target: FAISS does not copy it to the GPU
    train_seconds, _ = timed(lambda: target.train(vectors))
    add_seconds, _ = timed(lambda: target.add(vectors))
    clone_seconds = None
    if place == "gpu":
        clone_seconds, index = timed(lambda: faiss.index_gpu_to_cpu(target))
    return index, seconds_row(train_seconds, add_seconds, clone_seconds)


def build_kit(factory: str, vectors: Vectors) -> tuple[Any, Row]:
    """Build as the kit does: on a GPU where FAISS has one; return the index with its seconds."""
    seconds, backend = timed(lambda: FaissType().build(vectors, factory=factory, seed=SEED + 1))
    return backend, {**seconds_row(None, None, None), "total s": seconds}


def build_graph(faiss: ModuleType, vectors: Vectors, place: str) -> tuple[Any, Row]:
    """Build HNSW on the CPU's threads, or CAGRA on the GPU and its copy for the CPU.

    Over unit vectors, CAGRA's Euclidean order is that of the inner product.
    """
    if place == "cpu":
        graph = faiss.IndexHNSWFlat(DIMENSION, 32, faiss.METRIC_INNER_PRODUCT)
        seconds, _ = timed(lambda: graph.add(vectors))
        return graph, seconds_row(None, seconds, None)
    config = faiss.GpuIndexCagraConfig()
    config.graph_degree, config.intermediate_graph_degree = 64, 128
    built = faiss.GpuIndexCagra(faiss.StandardGpuResources(), DIMENSION, faiss.METRIC_L2, config)
    train_seconds, _ = timed(lambda: built.train(vectors))
    graph = faiss.IndexHNSWCagra()
    graph.base_level_only = True  # upper levels would be inserted one by one on the CPU
    clone_seconds, _ = timed(lambda: built.copyTo(graph))
    return graph, seconds_row(train_seconds, None, clone_seconds)


def seconds_row(train_s: float | None, add_s: float | None, clone_s: float | None) -> Row:
    """Return the seconds of a build and their sum."""
    parts = [value for value in (train_s, add_s, clone_s) if value is not None]
    return {"train s": train_s, "add s": add_s, "to cpu s": clone_s, "total s": math.fsum(parts)}


def compare_builds(
    table: Table,
    builds: Mapping[tuple[str, str], Builder],
    search: Callable[[Any], Rows],
    truth: Rows,
) -> None:
    """Build each index, search it on the CPU, and note the GPU's recall less the CPU's."""
    found: dict[tuple[str, str], NDArray[np.float64]] = {}
    for (factory, place), build in builds.items():
        try:
            index, seconds = build()
            search_seconds, rows = timed(partial(search, index))
        except (RuntimeError, HinterlandError) as error:  # RuntimeError is FAISS's for all that it cannot do
            table.notes.append(f"{factory} on {place} failed: {one_line(error)}")
            continue
        share = found[factory, place] = recalls(rows, truth)
        recall = bootstrap_mean(share, seed=SEED)
        table.rows.append(
            {
                "index": factory,
                "built on": place,
                **seconds,
                "recall@10": recall.estimate,
                "95%": interval(recall),
                "queries/s on cpu": len(truth) / search_seconds,
            }
        )
        del index
        release()
    for (factory, place), share in found.items():
        base = found.get((factory, "cpu"))
        if place != "cpu" and base is not None:
            change = paired_difference(base, share, seed=SEED)
            table.notes.append(
                f"{factory}: recall of {place} less cpu {change.estimate:+.4f} ({interval(change)})."
            )


def lists_table(faiss: ModuleType, vectors: Vectors, queries: Vectors, truth: Rows) -> Table:
    """Compare inverted-file indexes built on the CPU, on the GPU, and by the kit."""
    lists = 2 ** round(math.log2(min(4 * math.sqrt(len(vectors)), len(vectors) / 64)))
    probe = min(lists, max(16, lists // 64))
    table = Table(
        f"Building inverted files over {len(vectors):,} × {DIMENSION} vectors",
        [
            f"{faiss.omp_get_max_threads()} CPU threads; {len(queries):,} held-out queries; searched on "
            f"the CPU at nprobe {probe}, the kit's default. 'kit' is FaissType.build, end to end."
        ],
    )
    places = ["cpu", *(["gpu"] if has_gpu(faiss) else []), "kit"]
    if not has_gpu(faiss):
        table.notes.append("Skipped the GPU builds: this FAISS sees no GPU.")
    builds: dict[tuple[str, str], Builder] = {}
    for factory in (f"IVF{lists},Flat", f"IVF{lists},SQ8"):
        for place in places:
            builds[factory, place] = (
                partial(build_kit, factory, vectors)
                if place == "kit"
                else partial(build_lists, faiss, factory, vectors, place)
            )

    def search(index: Any) -> Rows:
        if not isinstance(index, FaissBackend):
            index.nprobe = probe
        return np.asarray(index.search(queries, NEIGHBOURS)[1])

    compare_builds(table, builds, search, truth)
    return table


def graphs_table(faiss: ModuleType, vectors: Vectors, queries: Vectors, truth: Rows) -> Table:
    """Compare an HNSW graph built on the CPU with a CAGRA graph built on the GPU."""
    table = Table(
        f"Building graphs over {len(vectors):,} × {DIMENSION} vectors",
        ["cpu: HNSW32 on all threads; gpu: CAGRA of degree 64. Both searched on the CPU at efSearch 64."],
    )
    builds: dict[tuple[str, str], Builder] = {("graph", "cpu"): partial(build_graph, faiss, vectors, "cpu")}
    if has_gpu(faiss) and hasattr(faiss, "GpuIndexCagra"):
        builds["graph", "gpu"] = partial(build_graph, faiss, vectors, "gpu")
    else:
        table.notes.append("Skipped CAGRA: it needs a GPU and a FAISS with cuVS (faiss-gpu-cuvs).")

    def search(index: Any) -> Rows:
        index.hnsw.efSearch = 64
        return np.asarray(index.search(queries, NEIGHBOURS)[1])

    compare_builds(table, builds, search, truth)
    return table


def indexing(scale: float) -> Iterator[Table]:
    """Compare building on the GPU with building on the CPU, at recall against exact search."""
    try:
        faiss = require_faiss()
    except (HinterlandError, ImportError) as error:  # a GPU wheel may lack a CUDA library
        raise SkippedError(str(error)) from error
    rows = sized(5_000_000, scale, 4096)
    mixture = Mixture(clusters=max(16, rows // 500))
    vectors, queries = mixture.draw(rows, "vectors"), mixture.draw(sized(2000, scale, 100), "queries")
    seconds, truth = timed(lambda: exact_neighbours(vectors, queries))
    if has_gpu(faiss):  # start CUDA's libraries before anything is timed
        with suppress(RuntimeError):  # it fails again below, and is noted there
            build_lists(faiss, "IVF16,SQ8", vectors[:4096], "gpu")
    table = lists_table(faiss, vectors, queries, truth)
    table.notes.append(
        f"Exact search (PyTorch, float32, {device()}): {len(queries) / seconds:,.0f} queries/s."
    )
    yield table
    few = np.ascontiguousarray(vectors[: max(4096, rows // 5)])
    yield graphs_table(faiss, few, queries, exact_neighbours(few, queries))
