"""A program in its own process and environment, called over stdin and stdout."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from types import TracebackType
from typing import Any

__all__ = ["Worker", "WorkerError"]

#: What tells libraries how many threads to use.
THREADS = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMBA_NUM_THREADS",
    "ARROW_NUM_THREADS",
    "RAYON_NUM_THREADS",
)


class WorkerError(RuntimeError):
    """A call failed over there; the message is what it said."""


class Worker:
    """A running program; see `serve.serve` for the other end.

    Args:
        python: The interpreter.
        program: The file's name in this folder, or a path; it can import `serve`.
        core: The core it is bound to, where ``taskset`` is there; ``None`` leaves it free.
        threads: Threads of its libraries; one, so that one core's work is measured.
    """

    def __init__(
        self, python: Path, program: str | Path, *, core: int | None = None, threads: int = 1
    ) -> None:
        bind = ["taskset", "-c", str(core)] if core is not None and shutil.which("taskset") else []
        self.bound, here = bool(bind), Path(__file__).resolve().parent
        self._process = subprocess.Popen(
            [*bind, str(python), "-u", str(here / program)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={
                **os.environ,
                **dict.fromkeys(THREADS, str(threads)),
                "PYTHONWARNINGS": "ignore",
                "PYTHONPATH": str(here),
            },
        )

    def call(self, name: str, /, **arguments: Any) -> Any:
        """Return what the program answers.

        Raises:
            WorkerError: The call failed, or the program is gone.
        """
        assert self._process.stdin
        assert self._process.stdout
        try:
            self._process.stdin.write(json.dumps({"call": name, **arguments}) + "\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            pass
        line = self._process.stdout.readline()
        if not line:
            raise WorkerError(f"ended with exit status {self._process.wait()}")
        answer = json.loads(line)
        if "error" in answer:
            raise WorkerError(answer["error"])
        return answer["ok"]

    def __enter__(self) -> Worker:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.close()
        try:
            self._process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()
