"""The shingle sets of the documents that may have near-duplicates, on disk."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from hinterland.core.errors import CorpusError
from hinterland.core.parquet import parquet_errors, row_batches
from hinterland.curate.dedup.layout import Group, Place, load, save

__all__ = ["READ_BYTES", "ShingleStore", "slices", "write_shingles"]

#: Bytes of shingle sets that are in memory at a time.
READ_BYTES = 64 * 1024**2

_BYTES = 8  # per shingle
_DATA = "shingles.bin"


def write_shingles(group: Group, target: Path, *, place: Place, minhash: Any) -> None:
    """Write the shingle sets of a group's documents that take part; the others' are empty.

    Args:
        group: The shards.
        target: A folder to be made.
        place: Where the plan is.
        minhash: The `MinHash` settings.
    """
    from hinterland.curate.kernels.minhash import shingle_sets
    from hinterland.curate.words import batches

    target.mkdir()
    involved = load(place.plan, "involved")
    lengths = np.zeros(sum(group.rows), dtype=np.int64)
    at = 0
    with (target / _DATA).open("wb") as handle:
        for path in group.texts:
            for texts in _texts(path):
                chosen = np.flatnonzero(involved[group.start + at : group.start + at + len(texts)])
                found = [np.empty(0, np.int64)]
                for batch in batches(pa.chunked_array([texts.take(pa.array(chosen))])):
                    hashes, offsets = shingle_sets(batch, minhash)
                    handle.write(np.ascontiguousarray(hashes).data)
                    found.append(np.diff(offsets))
                lengths[at + chosen] = np.concatenate(found)
                at += len(texts)
    save(target, offsets=np.concatenate([[0], np.cumsum(lengths)]))


def _texts(path: Path) -> Iterator[pa.Array]:
    with parquet_errors(path, cure="restore the file or write the corpus again"):
        for batch in row_batches(path, ["text"]):
            yield batch["text"].cast(pa.large_string())


class ShingleStore:
    """Reads shingle sets by rank, without keeping them in memory.

    Args:
        place: Where the search's pieces are.
    """

    def __init__(self, place: Place) -> None:
        folders = place.pieces("shingles", place.groups)
        offsets = [np.asarray(load(folder, "offsets")) for folder in folders]
        self._row_of_rank = load(place.order, "row_of_rank")
        self._lengths = np.concatenate([np.empty(0, np.int64), *(np.diff(each) for each in offsets)])
        self._at = np.concatenate([np.empty(0, np.int64), *(each[:-1] for each in offsets)])
        self._starts = np.cumsum([0, *(len(each) - 1 for each in offsets)])
        self._files = [os.open(folder / _DATA, os.O_RDONLY) for folder in folders]

    def __enter__(self) -> ShingleStore:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for file in self._files:
            os.close(file)
        self._files = []

    def lengths(self, ranks: NDArray[Any]) -> NDArray[np.int64]:
        """Return the number of shingles of each document."""
        found: NDArray[np.int64] = self._lengths[self._row_of_rank[ranks]]
        return found

    def read(self, ranks: NDArray[Any]) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
        """Return the sets of documents, one after the other, and where each begins."""
        rows = self._row_of_rank[ranks]
        lengths = self._lengths[rows]
        offsets = np.concatenate([[0], np.cumsum(lengths)])
        data = np.empty(int(offsets[-1]), dtype=np.uint64)
        view = data.data.cast("B")
        files = np.searchsorted(self._starts, rows, side="right") - 1
        jobs = zip(
            files.tolist(),
            (self._at[rows] * _BYTES).tolist(),
            (offsets[:-1] * _BYTES).tolist(),
            (offsets[1:] * _BYTES).tolist(),
            strict=True,
        )
        for file, at, start, stop in jobs:
            if os.preadv(self._files[file], [view[start:stop]], at) != stop - start:
                raise CorpusError(
                    "a piece of the duplicate search is too short",
                    cure="delete the work folder and run again",
                )
        return data, offsets


def slices(lengths: NDArray[np.int64]) -> Iterator[tuple[int, int]]:
    """Yield ranges of places whose sets fit into `READ_BYTES`, each of one place at least."""
    total = np.concatenate([[0], np.cumsum(lengths * _BYTES)])
    start = 0
    while start < len(lengths):
        stop = int(np.searchsorted(total, total[start] + READ_BYTES, side="right")) - 1
        stop = max(stop, start + 1)
        yield start, stop
        start = stop
