"""Vectors that were computed once, found again by passage and encoder.

    <root>/.vectors/<encoder>/<hash>.vectors     finished: see `hinterland.indexes.segments`
                             /pending/           blocks of a run that has not ended
                             /joined/            the blocks of a run that has not published yet
                    /.shards/                    shards of an index that is being built
                    /.lock, .stale               who embeds, and whether something was forgotten meanwhile

A vector is kept under the hash of its passage and the fingerprint of its encoder. So a rebuild
embeds only what changed, whatever the chunk settings and versions it goes through, and an index
of another factory embeds nothing.

What a run embeds depends on what is finished when it begins. It is cut into blocks named by
their texts, and all of them become finished in one rename at the end. So a run that is killed and
started again meets the same finished files, makes the same blocks, and ends with the same bytes.

Embedding takes hours where a removal takes seconds, and a removal must not wait. So there are two
locks. Finished files belong to who holds the index's writer lock; ``pending``, ``joined`` and
``.shards`` belong to who holds `EmbeddingCache.embedding`. Who forgets passages while another
embeds leaves that one's files alone and a mark; then the cache is pruned when the embedding is
over, or by the next writer if it was killed.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hinterland.core.files import storage_errors, sweep_half_written
from hinterland.core.locks import hold, hold_if_free
from hinterland.indexes.segments import SUFFIX, Keys, Segment, gather, open_segment, write_segment

__all__ = ["CACHE", "EmbeddingCache", "VectorStore"]

#: The cache's folder in an index's folder.
CACHE = ".vectors"
_PENDING, _JOINED, _SHARDS = "pending", "joined", ".shards"
_LOCK, _STALE = ".lock", ".stale"
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
        files = [path for each in (folder, folder / _JOINED) for path in sorted(each.glob(f"[!.]*{SUFFIX}"))]
        for path in files:
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

    def join(self, blocks: Iterable[Path]) -> None:
        """Make one file of blocks, all at once, and empty the pending folder.

        The caller holds `EmbeddingCache.embedding`. The file is finished when `commit` moves it.

        Raises:
            StorageError: The disk is full, or the folder cannot be written.
        """
        found = [open_segment(path, self.dimension) for path in blocks]
        new = [block for block in found if block is not None]
        if new:
            joined = self.folder / _JOINED
            with storage_errors(joined):
                joined.mkdir(parents=True, exist_ok=True)
                path = write_segment(joined, new, [np.ones(len(each.keys), np.bool_) for each in new])
            made = None if path is None else open_segment(path, self.dimension)
            if made is not None and all(each.path != made.path for each in self._segments):
                self._segments.append(made)
        shutil.rmtree(self.pending, ignore_errors=True)


def _commit(folder: Path) -> None:
    """Move an encoder's joined files to the finished ones, and join these if they are many."""
    for path in sorted(folder.glob(f"{_JOINED}/[!.]*{SUFFIX}")):
        path.replace(folder / path.name)
    _remove_empty(folder / _JOINED)
    paths = sorted(folder.glob(f"[!.]*{SUFFIX}"))
    if len(paths) > _MOST:
        found = [segment for segment in map(open_segment, paths) if segment is not None]
        made = write_segment(folder, found, [np.ones(len(each.keys), np.bool_) for each in found])
        for path in paths:
            if path != made:
                path.unlink(missing_ok=True)


class EmbeddingCache:
    """The cached vectors of an index.

    Args:
        folder: ``<root>/.vectors``; it need not exist.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._mine = False

    @contextmanager
    def embedding(self, *, wait_seconds: float = 0.0) -> Iterator[None]:
        """Hold the files of who embeds. Who wants the writer's lock, too, takes it after this one.

        Raises:
            StorageError: Another process embeds for this index, or the folder cannot be written.
        """
        found, cure = "another process is embedding for this index", "wait for it, or give another folder"
        with hold(self.folder / _LOCK, found, cure=cure, wait_seconds=wait_seconds):
            self._mine = True
            try:
                yield
            finally:
                self._mine = False

    @contextmanager
    def alone(self) -> Iterator[bool]:
        """Yield whether nobody else embeds, and see to it that nobody begins."""
        if self._mine or not (self.folder / _LOCK).exists():
            yield True
            return
        with hold_if_free(self.folder / _LOCK) as held:
            yield held

    def commit(self) -> None:
        """Make finished what `embed_passages` joined. The caller holds both locks.

        Raises:
            StorageError: The disk is full, or the folder cannot be written.
        """
        with storage_errors(self.folder):
            for encoder in sorted(self.folder.glob("[!.]*")):
                if encoder.is_dir():
                    _commit(encoder)

    def settle(self, needed: Callable[[], Mapping[str, Keys]]) -> None:
        """Prune the cache if passages were forgotten while somebody embedded who does not any more.

        Args:
            needed: Returns what `prune` is to keep. The caller holds the writer's lock.

        Raises:
            StorageError: The disk is full, or a file cannot be written.
        """
        if (self.folder / _STALE).exists():
            with self.alone() as alone:
                if alone:
                    self._filter(_within(self.folder, needed()), all_files=True)
                    (self.folder / _STALE).unlink(missing_ok=True)

    def sweep(self) -> None:
        """Delete half files of who was killed. The caller holds both locks."""
        sweep_half_written(self.folder)

    @property
    def unfinished(self) -> list[Path]:
        """The folders that belong to who embeds."""
        return [
            self.shards,
            *(path for name in (_PENDING, _JOINED) for path in self.folder.glob(f"*/{name}")),
        ]

    @property
    def shards(self) -> Path:
        """A folder for what a build makes of the vectors; `forget` and `prune` empty it."""
        return self.folder / _SHARDS

    def store(self, fingerprint: str, dimension: int) -> VectorStore:
        """Open the vectors of an encoder; damaged files are removed."""
        return VectorStore(self.folder / fingerprint, dimension)

    def forget(self, keys: Keys) -> int:
        """Delete the vectors of passages, of every encoder, finished or not.

        Args:
            keys: The passages' keys (`hinterland.indexes.segments.keys_of`).

        Returns:
            How many vectors were deleted.

        Raises:
            StorageError: The disk is full, or a file cannot be written.
        """
        if not len(keys):
            return 0
        lookup = _lookup(self.folder, keys)
        return self._filtered(lambda _, found: lookup.rows_of(found) < 0)

    def prune(self, needed: Mapping[str, Keys]) -> int:
        """Delete the vectors that nothing needs.

        Args:
            needed: For each encoder's fingerprint the keys of its passages; what is not named is
                deleted.

        Returns:
            How many vectors were deleted.

        Raises:
            StorageError: The disk is full, or a file cannot be written.
        """
        return self._filtered(_within(self.folder, needed))

    def _filtered(self, keep: Callable[[str, Keys], NDArray[np.bool_]]) -> int:
        with self.alone() as alone:
            if not alone:
                with storage_errors(self.folder):
                    (self.folder / _STALE).touch()
            return self._filter(keep, all_files=alone)

    def _filter(self, keep: Callable[[str, Keys], NDArray[np.bool_]], *, all_files: bool) -> int:
        """Rewrite files with the rows kept, and return how many vectors went."""
        deleted = 0
        with storage_errors(self.folder):
            if all_files:
                shutil.rmtree(self.shards, ignore_errors=True)
            for encoder in sorted(each for each in self.folder.glob("[!.]*") if each.is_dir()):
                folders = [encoder, *((encoder / each for each in (_PENDING, _JOINED)) if all_files else ())]
                for folder in folders:
                    for leftover in folder.glob(".*"):
                        leftover.unlink(missing_ok=True)  # of a writer that was killed
                    for path in sorted(folder.glob(f"*{SUFFIX}")):
                        segment = open_segment(path)
                        if segment is None:
                            path.unlink(missing_ok=True)
                            continue
                        kept = keep(encoder.name, segment.keys)
                        if kept.all():
                            continue
                        deleted += int((~kept).sum())
                        # A pending block with a row less is no longer what its name says: it is done again.
                        if folder.name != _PENDING:
                            write_segment(folder, [segment], [kept])
                        path.unlink(missing_ok=True)
                for folder in reversed(folders):
                    _remove_empty(folder)
        return deleted


def _lookup(folder: Path, keys: Keys) -> Segment:
    """Return keys to look others up in."""
    ordered = keys[np.lexsort((keys[:, 1], keys[:, 0]))]
    return Segment(folder, ordered, np.zeros((0, 0), dtype=np.float32))


def _within(folder: Path, needed: Mapping[str, Keys]) -> Callable[[str, Keys], NDArray[np.bool_]]:
    """Return a function that says which keys of an encoder are needed."""
    lookups = {fingerprint: _lookup(folder, keys) for fingerprint, keys in needed.items()}

    def keep(fingerprint: str, keys: Keys) -> NDArray[np.bool_]:
        lookup = lookups.get(fingerprint)
        return np.zeros(len(keys), np.bool_) if lookup is None else lookup.rows_of(keys) >= 0

    return keep


def _remove_empty(folder: Path) -> None:
    if folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()
