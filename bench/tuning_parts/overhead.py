"""What the kit's backend costs above FAISS itself, at equal parameters."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator

import numpy as np
from gpu_parts.common import Row
from numpy.typing import NDArray

from hinterland.core.imports import require_faiss
from hinterland.indexes.faiss_backend import FaissBackend, FaissType
from hinterland.indexes.faiss_parameters import searcher
from hinterland.indexes.tune_recall import exact_floor, recalls

__all__ = ["overheads"]

Vectors = NDArray[np.float32]
K, BATCH = 10, 256

#: The settings of each kind of index, from fast to thorough.
SETTINGS = {
    "Flat": ({},),
    "HNSW32": ({"efSearch": 16}, {"efSearch": 64}, {"efSearch": 256}),
    "SQ8": ({"nprobe": 4}, {"nprobe": 16}, {"nprobe": 64}),
    "RFlat": ({"nprobe": 4, "k_factor": 4}, {"nprobe": 16, "k_factor": 8}, {"nprobe": 64, "k_factor": 16}),
}


def _paired(ours: Callable[[], object], raw: Callable[[], object], rounds: int) -> tuple[float, float, float]:
    """Return both medians in seconds, and the median of raw over ours; who goes first alternates."""
    ours(), raw()
    times: tuple[list[float], list[float]] = ([], [])
    for number in range(rounds):
        order = (0, 1) if number % 2 else (1, 0)
        for which in order:
            start = time.perf_counter()
            (ours, raw)[which]()
            times[which].append(time.perf_counter() - start)
    ratios = [theirs / mine for mine, theirs in zip(*times, strict=True)]
    return statistics.median(times[0]), statistics.median(times[1]), statistics.median(ratios)


def _line(backend: FaissBackend, queries: Vectors, setting: dict[str, int], found: Row) -> Row:
    faiss = require_faiss()
    index, parameters = searcher(faiss, backend.raw, setting)
    batch = np.ascontiguousarray(queries[:BATCH])
    mine, theirs, ratio = _paired(
        lambda: backend.search(batch, K), lambda: index.search(batch, K, params=parameters), 41
    )
    ones = [np.ascontiguousarray(batch[place : place + 1]) for place in range(min(100, len(batch)))]
    alone = [
        _paired(
            lambda one=one: backend.search(one, K),  # type: ignore[misc]
            lambda one=one: index.search(one, K, params=parameters),  # type: ignore[misc]
            20,
        )
        for one in ones
    ]
    single = [statistics.median(column) for column in zip(*alone, strict=True)]
    return {
        **found,
        f"batch {BATCH}: kit, queries/s": f"{len(batch) / mine:,.0f}",
        "FAISS": f"{len(batch) / theirs:,.0f}",
        "kit / FAISS": f"{ratio:.3f}",
        "one query: kit, queries/s": f"{1 / single[0]:,.0f}",
        "FAISS ": f"{1 / single[1]:,.0f}",
        "kit / FAISS ": f"{single[2]:.3f}",
    }


def overheads(vectors: Vectors, queries: Vectors, factories: list[str]) -> Iterator[Row]:
    """Yield one line for each index and setting: recall, and both speeds.

    Args:
        vectors: What is indexed, shape (rows, dimension).
        queries: Shape (queries, dimension), at least a batch.
        factories: FAISS factory strings.
    """
    floor = exact_floor(queries, vectors, K)
    for factory in factories:
        built = FaissType().build(vectors, factory=factory, seed=0)
        kind = factory.rpartition(",")[2]
        for setting in SETTINGS[kind]:
            backend = built.tuned(setting)
            rows = backend.search(queries, K)[1]
            recall = float(recalls(rows, queries, vectors, floor, K).mean())
            words = ", ".join(f"{name} {value}" for name, value in setting.items()) or "exact"
            yield _line(
                backend, queries, setting, {"index": factory, "setting": words, "recall@10": f"{recall:.3f}"}
            )
