"""The same targets on a Ray cluster, with Ray Data: bytes as `LocalEngine` writes them.

All machines see the run's folder at the same path (a shared file system) and have hinterland
installed. A cluster that runs already is used and left running; otherwise one is started
on this machine and stopped at the end.
"""

from __future__ import annotations

import logging
import os
import pickle
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from hinterland.core.errors import EngineError
from hinterland.core.imports import require
from hinterland.core.produce import ENGINES, Engine, make_target, pending, sweep
from hinterland.core.progress import track

__all__ = ["RayEngine"]

T = TypeVar("T")

#: Shared memory for a local cluster: results go by file, so little travels through it.
_OBJECT_STORE_BYTES = 128 * 1024**2
_CURE = "check the address and that the cluster runs (ray status)"


@ENGINES.register("ray")
@dataclass(frozen=True)
class RayEngine(Engine):
    """Tasks on a Ray cluster; a task whose worker or machine dies is done again.

    Args:
        workers: Tasks at a time; ``None`` is as many as the cluster has CPUs.
        address: The cluster's address; ``None`` takes the one this process is connected
            to, else ``RAY_ADDRESS``, else a local cluster is started.
        retries: How often a task is done again after its worker died.
    """

    workers: int | None = None
    address: str | None = None
    retries: int = 3

    def produce(
        self, make: Callable[[T, Path], None], items: Sequence[T], targets: Sequence[Path], *, label: str
    ) -> None:
        """See `Engine.produce`.

        Raises:
            MissingDependencyError: Ray is not installed.
        """
        targets = [target.absolute() for target in targets]
        pairs = pending(items, targets)
        if not pairs:
            return
        with self.started():
            try:
                self._run(make, pairs, label)
            finally:
                sweep([target for _, target in pairs])

    @contextmanager
    def started(self) -> Iterator[None]:
        """Hold the connection to a cluster, so that several calls start one only once.

        Raises:
            EngineError: No cluster answers at the address, or none can be started.
            MissingDependencyError: Ray is not installed.
        """
        ray = _ray()
        if ray.is_initialized():
            yield
            return
        address = self.address or os.environ.get("RAY_ADDRESS") or "local"
        options: dict[str, Any] = {"address": address, "logging_level": logging.ERROR, "log_to_driver": False}
        if address == "local":
            options |= {
                "num_cpus": self.workers,
                "include_dashboard": False,
                "object_store_memory": _OBJECT_STORE_BYTES,
            }
        else:
            _check_answers(address)
        with _term_handler_kept(), _environment(RAY_USAGE_STATS_ENABLED="0"):
            try:
                ray.init(**options)
            except (ConnectionError, RuntimeError, TimeoutError, ValueError) as error:
                raise EngineError(
                    f"no Ray cluster: {' '.join(str(error).split())}", where=address, cure=_CURE
                ) from error
            try:
                yield
            finally:
                ray.shutdown()  # disconnects; stops the cluster only if it was started here

    def _run(self, make: Callable[[T, Path], None], pairs: list[tuple[T, Path]], label: str) -> None:
        ray = _ray()
        rows = [{"pair": pickle.dumps(pair)} for pair in pairs]
        with _quiet(ray.data.DataContext.get_current()):
            results = ray.data.from_items(rows, override_num_blocks=len(rows)).map_batches(
                partial(_do_task, ray.cloudpickle.dumps(make), sys.path, str(Path.cwd()), self.retries),
                batch_size=1,
                num_cpus=1,
                concurrency=min(self.workers, len(rows)) if self.workers else None,
            )
            try:
                for row in track(results.iter_rows(), label, total=len(pairs)):
                    if row["error"]:
                        raise pickle.loads(row["error"])  # noqa: S301 - from our own worker
            except ray.exceptions.RayError as error:
                raise EngineError(
                    f"the Ray cluster failed: {' '.join(str(error).split())[:300]}",
                    where=label,
                    cure=f"{_CURE}, then run again; finished shards are kept",
                ) from error


def _ray() -> Any:
    cure = "pip install 'hinterland[ray]'"
    require("ray.data", cure=cure)
    return require("ray", cure=cure)


def _check_answers(address: str) -> None:
    """Look whether anything listens at ``host:port``; Ray itself gives up after minutes."""
    host, sign, port = address.removeprefix("ray://").rpartition(":")
    if not sign or not port.isdigit():
        return  # "auto": Ray looks for it
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=10).close()
    except OSError as error:
        raise EngineError(f"no Ray cluster answers: {error}", where=address, cure=_CURE) from error


def _do_task(
    make: bytes, modules: list[str], folder: str, retries: int, batch: dict[str, Any]
) -> dict[str, Any]:
    """Make one target in a worker; an error is returned, so that it arrives as it was raised.

    Ray Data does a task whose worker died again without end, and has no setting for it.
    So each attempt is written down in a file beside the target, one byte each.
    """
    if Path(folder).is_dir():
        os.chdir(folder)  # items may hold paths relative to where the run was started
    sys.path.extend(path for path in modules if path not in sys.path)  # as a spawned process has it
    try:
        function = pickle.loads(make)  # noqa: S301 - from our own driver
        pair = pickle.loads(batch["pair"][0])  # noqa: S301 - from our own driver
        attempts = pair[1].with_name(f".{pair[1].name}.attempts.tmp")
        with attempts.open("ab") as handle:
            handle.write(b".")
        died = attempts.stat().st_size - 1
        if died > retries:
            raise EngineError(
                f"a worker process died {died} times, most likely of too little memory",
                where=str(pair[1]),
                cure="run again with fewer workers; finished shards are kept",
            )
        make_target(function, pair)
        attempts.unlink()
    except Exception as error:
        return {"error": [pickle.dumps(error)]}
    return {"error": [b""]}


@contextmanager
def _quiet(context: Any) -> Iterator[None]:
    """Have Ray Data keep the order of items and leave the terminal to our progress line."""
    logger = logging.getLogger("ray.data")
    level = logger.level
    bars, order = context.enable_progress_bars, context.execution_options.preserve_order
    context.enable_progress_bars, context.execution_options.preserve_order = False, True
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)
        context.enable_progress_bars, context.execution_options.preserve_order = bars, order


@contextmanager
def _term_handler_kept() -> Iterator[None]:
    """Put the process's own SIGTERM handler back, which connecting to Ray replaces."""
    with ExitStack() as stack:
        if threading.current_thread() is threading.main_thread():
            stack.callback(signal.signal, signal.SIGTERM, signal.getsignal(signal.SIGTERM))
        yield


@contextmanager
def _environment(**values: str) -> Iterator[None]:
    """Set variables of the environment that Ray's processes inherit, then put them back."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
