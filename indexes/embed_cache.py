"""Vectors that were computed once, found again by passage and encoder.

    <root>/.vectors/<encoder>/<hash>.vectors     finished: see `hinterland.indexes.segments`
                             /pending/           blocks of a run that has not ended
                    /.shards/                    shards of an index that is being built

A vector is kept under the hash of its passage and the fingerprint of its encoder. So a rebuild
embeds only what changed, whatever the chunk settings and versions it goes through, and an index
of another factory embeds nothing.

What a run embeds depends on what is finished when it begins. It is cut into blocks named by
their texts, and all of them become finished in one rename at the end. So a run that is killed and
started again meets the same finished files, makes the same blocks, and ends with the same bytes.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hinterland.core.files import storage_errors
from hinterland.indexes.segments import SUFFIX, Keys, Segment, gather, keys_of, open_segment, write_segment

__all__ = ["CACHE", "EmbeddingCache", "VectorStore"]

#: The cache's folder in an index's folder.
CACHE = ".vectors"
_PENDING, _SHARDS = "pending", ".shards"
_MOST = 8  # finished files before they are joined

Vectors = NDArray[np.float32]


class VectorStore:
    """The vectors of one encoder.

    Args:
        folder: Where they are.
        dimension: Numbers in a vector.
    """

    def __init__(self, folder: Path, dimension: int) -> None:
        self.folder, self.dimension = folder, dimension
        self._segments: list[Segment] = []
        for path in sorted(folder.glob(f"[!.]*{SUFFIX}")):
            segment = open_segment(path, dimension, verify=True)
            if segment is None:
                path.unlink(missing_ok=True)
            else:
                self._segments.append(segment)

    @property
    def pending(self) -> Path:
        """Where blocks are that are not finished together yet."""
        return self.folder / _PENDING

    def find(self, keys: Keys) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return each key's segment and row there, both -1 where it is unknown; shape (keys,)."""
        number = np.full(len(keys), -1, dtype=np.int64)
        row = np.full(len(keys), -1, dtype=np.int64)
        for each, segment in enumerate(self._segments):
            left = np.flatnonzero(number < 0)
            found = segment.rows_of(keys[left])
            number[left[found >= 0]] = each
            row[left[found >= 0]] = found[found >= 0]
        return number, row

    def read(self, keys: Keys, out: Vectors, *, rows: int = 16_384) -> None:
        """Write the vectors of known keys into ``out``, shape (keys, dimension), some rows at a time.

        Raises:
            KeyError: A key is unknown.
        """
        for start in range(0, len(keys), rows):
            number, row = self.find(keys[start : start + rows])
            if (number < 0).any():
                raise KeyError("a passage has no vector in the cache")
            out[start : start + rows] = gather(self._segments, number, row, self.dimension)

    def commit(self, blocks: Iterable[Path]) -> None:
        """Make blocks finished, all at once, and empty the pending folder.

        Raises:
            StorageError: The disk is full, or the folder cannot be written.
        """
        found = [open_segment(path, self.dimension) for path in blocks]
        new = [block for block in found if block is not None]
        if new:
            joined = [*self._segments, *new] if len(self._segments) >= _MOST else new
            with storage_errors(self.folder):
                path = write_segment(self.folder, joined, [np.ones(len(s.keys), np.bool_) for s in joined])
            if joined is not new:
                for segment in self._segments:
                    if segment.path != path:
                        segment.path.unlink(missing_ok=True)
                self._segments = []
            made = None if path is None else open_segment(path, self.dimension)
            if made is not None and all(each.path != made.path for each in self._segments):
                self._segments.append(made)
        shutil.rmtree(self.pending, ignore_errors=True)


class EmbeddingCache:
    """The cached vectors of an index. Whoever writes to it holds the index's writer lock.

    Args:
        folder: ``<root>/.vectors``; it need not exist.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def shards(self) -> Path:
        """A folder for what a build makes of the vectors; `forget` and `prune` empty it."""
        return self.folder / _SHARDS

    def store(self, fingerprint: str, dimension: int) -> VectorStore:
        """Open the vectors of an encoder; damaged files are removed."""
        return VectorStore(self.folder / fingerprint, dimension)

    def forget(self, passages: Iterable[str | bytes]) -> int:
        """Delete the vectors of passages, of every encoder, finished or pending.

        Args:
            passages: Passages as they were embedded (title path and text), or their keys as
                `hinterland.indexes.segments.key_of` gives them.

        Returns:
            How many vectors were deleted.

        Raises:
            StorageError: The disk is full, or a file cannot be written.
        """
        gone = keys_of(passages)
        if not len(gone):
            return 0
        gone = gone[np.lexsort((gone[:, 1], gone[:, 0]))]
        lookup = Segment(self.folder, gone, np.zeros((0, 0), dtype=np.float32))
        return self._filter(lambda _, keys: lookup.rows_of(keys) < 0)

    def prune(self, needed: Mapping[str, Iterable[str | bytes]]) -> int:
        """Delete the vectors that nothing needs.

        Args:
            needed: For each encoder's fingerprint its passages, or their keys; what is not named
                is deleted.

        Returns:
            How many vectors were deleted.

        Raises:
            StorageError: The disk is full, or a file cannot be written.
        """
        lookups = {}
        for fingerprint, passages in needed.items():
            keys = keys_of(passages)
            keys = keys[np.lexsort((keys[:, 1], keys[:, 0]))]
            lookups[fingerprint] = Segment(self.folder, keys, np.zeros((0, 0), dtype=np.float32))

        def keep(fingerprint: str, keys: Keys) -> NDArray[np.bool_]:
            lookup = lookups.get(fingerprint)
            return np.zeros(len(keys), np.bool_) if lookup is None else lookup.rows_of(keys) >= 0

        return self._filter(keep)

    def _filter(self, keep: Callable[[str, Keys], NDArray[np.bool_]]) -> int:
        """Rewrite every file with the rows kept, and return how many vectors went."""
        deleted = 0
        with storage_errors(self.folder):
            shutil.rmtree(self.shards, ignore_errors=True)
            for encoder in sorted(each for each in self.folder.glob("*") if each.is_dir()):
                for leftover in [*encoder.glob(".*"), *encoder.glob(f"{_PENDING}/.*")]:
                    leftover.unlink(missing_ok=True)  # of a writer that was killed
                for path in sorted(encoder.rglob(f"*{SUFFIX}")):
                    segment = open_segment(path)
                    if segment is None:
                        path.unlink(missing_ok=True)
                        continue
                    kept = keep(encoder.name, segment.keys)
                    if kept.all():
                        continue
                    deleted += int((~kept).sum())
                    # A pending block with a row less is no longer what its name says: it is done again.
                    if path.parent == encoder:
                        write_segment(encoder, [segment], [kept])
                    path.unlink(missing_ok=True)
                _remove_empty(encoder / _PENDING)
                _remove_empty(encoder)
        return deleted


def _remove_empty(folder: Path) -> None:
    if folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()
