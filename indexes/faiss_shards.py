"""Fill an inverted file in shards, by any engine, and merge them.

Every shard is a copy of one trained, empty index, filled with a run of the vectors. Merged in
their order, the lists hold the same rows in the same order as those of an index that was filled
at once, so the bytes do not depend on the engine, the workers or the shards.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hinterland.core.engine import Engine
from hinterland.core.files import atomic_path
from hinterland.core.imports import require_faiss
from hinterland.indexes.faiss_disk import merge_on_disk

__all__ = ["fill_by_shards", "mergeable", "train"]

_ROWS = 262_144  # vectors to a shard
_STEP = 65_536
_TRAINED = "trained.faiss"

Vectors = NDArray[np.float32]


def mergeable(faiss: ModuleType, index: Any) -> bool:
    """Whether copies of the index can be filled apart and merged: plain inverted files can."""
    index = faiss.downcast_index(index)
    if not isinstance(index, faiss.IndexIVF):
        return False
    return isinstance(faiss.downcast_InvertedLists(index.invlists), faiss.ArrayInvertedLists)


def _make_shard(trained: Path, vectors: Path, rows: tuple[int, int], temporary: Path) -> None:
    """Write a shard over some rows; a stage of an engine."""
    faiss = require_faiss()
    index = faiss.read_index(str(trained))
    mapped = np.load(vectors, mmap_mode="r", allow_pickle=False)
    for start in range(rows[0], rows[1], _STEP):
        part = np.ascontiguousarray(mapped[start : min(start + _STEP, rows[1])])
        index.add_with_ids(part, np.arange(start, start + len(part), dtype=np.int64))
    faiss.write_index(index, str(temporary))


def train(faiss: ModuleType, index: Any, sample: Callable[[], Vectors], work: Path) -> Any:
    """Return the index trained; a run that was killed left what its shards were made from.

    Raises:
        StorageError: The disk is full, or the folder cannot be written.
    """
    trained = work / _TRAINED
    if trained.is_file():
        return faiss.read_index(str(trained))
    index.train(sample())
    with atomic_path(trained) as temporary:
        faiss.write_index(index, str(temporary))
    return index


def fill_by_shards(
    faiss: ModuleType,
    index: Any,
    vectors: Vectors,
    *,
    engine: Engine,
    work: Path,
    on_disk: bool,
    rows: int = _ROWS,
) -> Any:
    """Fill an empty inverted file and return it.

    Args:
        faiss: The module.
        index: What `mergeable` says yes to, and `train` has trained.
        vectors: Shape (rows, dimension).
        engine: What fills the shards.
        work: A folder that all workers see, for these vectors and this index alone; shards
            that are there already, of a run that was killed, are not filled again.
        on_disk: Whether the lists stay in a file in ``work`` instead of memory.
        rows: Vectors to a shard.

    Raises:
        EngineError: A worker died.
        StorageError: The disk is full, or the folder cannot be written.
    """
    trained, copy = work / _TRAINED, work / "vectors.npy"
    if not copy.is_file():
        with atomic_path(copy) as temporary:
            mapped = np.lib.format.open_memmap(temporary, mode="w+", dtype=np.float32, shape=vectors.shape)
            for start in range(0, len(vectors), _STEP):
                mapped[start : start + _STEP] = vectors[start : start + _STEP]
            mapped.flush()
            del mapped
    runs = [(start, min(start + rows, len(vectors))) for start in range(0, len(vectors), rows)]
    shards = [work / f"shard-{number:05d}.faiss" for number in range(len(runs))]
    engine.produce(partial(_make_shard, trained, copy), runs, shards, label="fill shards")
    if on_disk:
        (work / "lists").unlink(missing_ok=True)  # of a run that was killed here
        return merge_on_disk(faiss, index, shards, work / "lists")
    for shard in shards:
        index.merge_from(faiss.read_index(str(shard)), 0)  # ids are those of all vectors already
    return index
