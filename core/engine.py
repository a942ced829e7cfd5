"""Engines apply one stage function to every shard; the bytes out do not depend on which."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Protocol

import pyarrow as pa
import pyarrow.parquet as pq

from hinterland.core.errors import CorpusError, EngineError
from hinterland.core.files import atomic_path, storage_errors
from hinterland.core.progress import track
from hinterland.core.registry import Registry

__all__ = ["ENGINES", "Engine", "LocalEngine", "StageFunction"]

#: A pure function of one shard. It must be importable, because workers import it.
StageFunction = Callable[[pa.Table], pa.Table]


class Engine(Protocol):
    """Runs a stage function over shards."""

    def map_shards(
        self, function: StageFunction, shards: Sequence[Path], out: Path, *, label: str
    ) -> list[Path]:
        """Write ``function(shard)`` for each shard into ``out`` under the same name.

        A shard that is already in ``out`` is finished (it came there by rename) and is
        not done again.
        """
        ...


ENGINES: Registry[type[Engine]] = Registry("engine")


def _do_shard(function: StageFunction, out: Path, shard: Path) -> Path:
    target = out / shard.name
    if not target.exists():
        try:
            read = pq.read_table(shard)
        except (pa.ArrowInvalid, OSError) as error:
            raise CorpusError(
                f"a shard cannot be read: {' '.join(str(error).split())}",
                where=str(shard),
                cure="restore the file or write the corpus again",
            ) from error
        table = function(read)
        with atomic_path(target) as temporary:
            pq.write_table(table, temporary, compression="zstd")
    return target


@ENGINES.register("local")
@dataclass(frozen=True)
class LocalEngine:
    """Processes on this machine; one worker runs in this process.

    Args:
        workers: Processes to use.
    """

    workers: int = 1

    def map_shards(
        self, function: StageFunction, shards: Sequence[Path], out: Path, *, label: str
    ) -> list[Path]:
        """See `Engine.map_shards`."""
        with storage_errors(out):
            out.mkdir(parents=True, exist_ok=True)
        work = partial(_do_shard, function, out)
        if self.workers <= 1 or len(shards) <= 1:
            return [work(shard) for shard in track(shards, label)]
        # spawn: a forked child of a process that runs threads (torch, faiss) can hang.
        with ProcessPoolExecutor(self.workers, mp_context=get_context("spawn")) as pool:
            try:
                return list(track(pool.map(work, shards), label, total=len(shards)))
            except BrokenProcessPool as error:
                raise EngineError(
                    "a worker process died, most likely of too little memory",
                    where=label,
                    cure="run again with fewer workers; finished shards are kept",
                ) from error
