"""Engines make targets from items; the bytes out do not depend on which engine it is."""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from multiprocessing import get_context, parent_process
from multiprocessing.connection import wait
from pathlib import Path
from typing import TypeVar

from hinterland.core.errors import EngineError
from hinterland.core.produce import ENGINES, Engine, StageFunction, make_target, pending, sweep
from hinterland.core.progress import track
from hinterland.core.ray_engine import RayEngine

__all__ = ["ENGINES", "Engine", "LocalEngine", "RayEngine", "StageFunction"]

T = TypeVar("T")


@ENGINES.register("local")
@dataclass(frozen=True)
class LocalEngine(Engine):
    """Processes on this machine; one worker runs in this process.

    Args:
        workers: Processes to use.
    """

    workers: int = 1
    _held: list[ProcessPoolExecutor | None] = field(
        default_factory=list, init=False, repr=False, compare=False
    )

    @contextmanager
    def started(self) -> Iterator[None]:
        """Hold the processes from the first call that needs them, since each imports anew."""
        if self._held:
            yield
            return
        self._held.append(None)
        try:
            yield
        finally:
            pool = self._held.pop()
            if pool is not None:
                pool.shutdown(cancel_futures=True)

    def produce(
        self, make: Callable[[T, Path], None], items: Sequence[T], targets: Sequence[Path], *, label: str
    ) -> None:
        """See `Engine.produce`."""
        pairs = pending(items, targets)
        work = partial(make_target, make)
        if self.workers <= 1 or len(pairs) <= 1:
            for pair in track(pairs, label):
                work(pair)
            return
        try:
            with self.started():
                pool = self._held[0] = self._held[0] or self._pool()
                deque(track(pool.map(work, pairs), label, total=len(pairs)), maxlen=0)
        except BrokenProcessPool as error:
            if self._held:
                self._held[0] = None
            sweep([target for _, target in pairs])
            raise EngineError(
                "a worker process died, most likely of too little memory",
                where=label,
                cure="run again with fewer workers; finished shards are kept",
            ) from error

    def _pool(self) -> ProcessPoolExecutor:
        """Return a pool; held for several calls it is of full size, since the next may need it."""
        # spawn: a forked child of a process that runs threads (torch, faiss) can hang.
        return ProcessPoolExecutor(
            self.workers, mp_context=get_context("spawn"), initializer=_end_with_parent
        )


def _end_with_parent() -> None:
    """End this worker when the process that started it is gone; a killed one cannot say so."""
    parent = parent_process()
    if parent is not None:
        threading.Thread(target=_wait_and_exit, args=(parent.sentinel,), daemon=True).start()


def _wait_and_exit(sentinel: int) -> None:
    wait([sentinel])
    os._exit(1)
