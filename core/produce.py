"""The seam for engines: many targets, each made once, whole or not at all.

An engine calls a function once for every target that is not there yet. What is shared by
all engines stands here: how one target is made atomically, and which are still to make.
"""

from __future__ import annotations

import os
import pickle
import shutil
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from pathlib import Path
from typing import TypeVar
from uuid import uuid4

import pyarrow as pa
import pyarrow.parquet as pq

from hinterland.core.errors import EngineError, HinterlandError
from hinterland.core.files import storage_errors
from hinterland.core.parquet import parquet_errors
from hinterland.core.registry import Registry

__all__ = ["ENGINES", "Engine", "StageFunction", "make_target", "pending", "sweep"]

T = TypeVar("T")

#: A pure function of one shard. It must be importable, because workers import it.
StageFunction = Callable[[pa.Table], pa.Table]


class Engine(ABC):
    """Makes targets, in this process, in others, or on a cluster."""

    @abstractmethod
    def produce(
        self, make: Callable[[T, Path], None], items: Sequence[T], targets: Sequence[Path], *, label: str
    ) -> None:
        """Call ``make(item, temporary)`` for each item whose target is not there yet.

        ``make`` writes a file or a folder at ``temporary``, a path beside the target at
        which nothing is; it becomes the target by rename. A target that exists is
        finished and skipped, so a killed run goes on where it stopped. What is written
        must depend on the item alone: then the bytes are the same whatever the engine,
        the number of workers and the order.

        Args:
            make: An importable function or a ``functools.partial`` of one; workers import it.
            items: What to make the targets from; picklable.
            targets: One path for each item, all different.
            label: What is being done, for the progress line and errors.

        Raises:
            EngineError: A worker died, or wrote nothing.
            HinterlandError: Whatever ``make`` raised, as it was raised there.
            StorageError: The disk is full, or a folder cannot be written.
        """

    def started(self) -> AbstractContextManager[None]:
        """Hold what the engine runs on for several calls; without it each call starts its own."""
        return nullcontext()

    def map_shards(
        self, function: StageFunction, shards: Sequence[Path], out: Path, *, label: str
    ) -> list[Path]:
        """Write ``function(shard)`` for each shard into ``out`` under the same name.

        A shard that is already in ``out`` is finished and is not done again.

        Raises:
            CorpusError: A shard is missing or cannot be read as Parquet.
            EngineError: A worker died.
            StorageError: The disk is full, or ``out`` cannot be written.
        """
        targets = [out / shard.name for shard in shards]
        with storage_errors(out):
            out.mkdir(parents=True, exist_ok=True)
        self.produce(partial(_apply, function), shards, targets, label=label)
        return targets


ENGINES: Registry[type[Engine]] = Registry("engine")


def _apply(function: StageFunction, shard: Path, temporary: Path) -> None:
    """Write ``function`` of a Parquet file as a Parquet file."""
    with parquet_errors(shard, cure="restore the file or write the corpus again"):
        read = pq.read_table(shard)
    pq.write_table(function(read), temporary, compression="zstd")


def pending(items: Sequence[T], targets: Sequence[Path]) -> list[tuple[T, Path]]:
    """Return the items whose targets are still to be made, after making their folders.

    What an earlier, killed run left half made for them is removed.

    Raises:
        StorageError: A folder cannot be made.
        ValueError: A target occurs twice, or there are more items than targets or fewer.
    """
    if len(set(targets)) != len(targets):
        raise ValueError("two items have the same target")
    pairs = [(item, target) for item, target in zip(items, targets, strict=True) if not target.exists()]
    for folder in {target.parent for _, target in pairs}:
        with storage_errors(folder):
            folder.mkdir(parents=True, exist_ok=True)
    sweep([target for _, target in pairs])
    return pairs


def sweep(targets: Sequence[Path]) -> None:
    """Remove what killed workers left half made beside ``targets``."""
    names: dict[Path, set[str]] = {}
    for target in targets:
        names.setdefault(target.parent, set()).add(target.name)
    for folder, wanted in names.items():
        for path in folder.glob(".*.tmp"):
            if path.name[1:].rsplit(".", 2)[0] in wanted:
                _remove(path)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def make_target(make: Callable[[T, Path], None], pair: tuple[T, Path]) -> None:
    """Make one target atomically: it is whole, flushed to disk, or not there.

    Raises:
        EngineError: Nothing was written, or the error raised cannot be sent to another process.
        StorageError: The disk is full, or the folder cannot be written.
    """
    item, target = pair
    if target.exists():  # made by a worker that died after it, or by another run
        return
    # Not the process id alone: on a cluster two machines write into one folder.
    temporary = target.with_name(f".{target.name}.{uuid4().hex}.tmp")
    with storage_errors(target):
        try:
            make(item, temporary)
            if not temporary.exists():
                raise EngineError(
                    "nothing was written", where=str(target), cure="report this to who wrote the stage"
                )
            _flush(temporary)
            temporary.rename(target)
        except (HinterlandError, OSError):
            raise
        except Exception as error:
            raise _portable(error, target) from error
        finally:
            _remove(temporary)


def _flush(path: Path) -> None:
    """Have a file, or all files of a folder, on the disk before the rename."""
    for file in [path] if path.is_file() else [each for each in path.rglob("*") if each.is_file()]:
        with file.open("rb") as handle:
            os.fsync(handle.fileno())


def _portable(error: Exception, target: Path) -> Exception:
    """Return the error, or an `EngineError` with its words where it cannot be pickled."""
    try:
        pickle.loads(pickle.dumps(error))  # noqa: S301 - what was pickled a moment ago
    except Exception:
        return EngineError(
            f"{type(error).__name__}: {error}", where=str(target), cure="see the words of the error"
        )
    return error
