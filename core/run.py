"""The run folder: stages that are done once, with a manifest of what went in and out.

A stage's marker (``<stage>/stage.json``) is written last, by atomic rename. It holds the
fingerprint of what the stage depends on and the hashes of what it wrote. A killed run
finds the markers and goes on from the first stage without one; a changed config or a
changed input changes the fingerprint, and the stages that depend on it run again.
"""

from __future__ import annotations

import hashlib
import json
import platform
import resource
import shutil
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from hinterland.core.errors import StorageError
from hinterland.core.files import hash_file, read_json, storage_errors, sweep_half_written, write_json
from hinterland.core.locks import hold

__all__ = ["Run", "StageRecord", "fingerprint", "package_versions", "peak_rss_mb"]

_PACKAGES = (
    "hinterland",
    "accelerate",
    "faiss-cpu",
    "faiss-gpu",
    "faiss-gpu-cuvs",
    "numpy",
    "peft",
    "pyarrow",
    "safetensors",
    "sentence-transformers",
    "torch",
    "transformers",
)


def fingerprint(*parts: Any) -> str:
    """Return a short hash of JSON-able parts, independent of key order."""
    text = json.dumps(parts, sort_keys=True, default=str, ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[
        :24
    ]  # names of files may be bytes


def package_versions() -> dict[str, str]:
    """Return Python's version and those of the packages that results depend on."""
    found = {"python": platform.python_version()}
    for name in _PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def peak_rss_mb() -> float:
    """Return the peak resident memory of this process so far, in MB (10^6 bytes)."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1e6 if sys.platform == "darwin" else peak * 1024 / 1e6


def _hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)


@dataclass(frozen=True)
class StageRecord:
    """What a finished stage left: its result, its files, its cost."""

    name: str
    fingerprint: str
    seconds: float
    peak_rss_mb: float
    result: dict[str, Any]
    outputs: dict[str, str]
    reused: bool = False


class Run:
    """A folder in which named stages are done once.

    Args:
        folder: Where the run lives; created if missing.
        command: The command, for the manifest.
        config: The resolved config, saved and part of the manifest.
        on_stage: Called with a stage's record when it ends or is reused.

    Raises:
        StorageError: The folder cannot be written, or another run holds it.
    """

    def __init__(
        self,
        folder: Path,
        *,
        command: str,
        config: Mapping[str, Any],
        on_stage: Callable[[StageRecord], None] | None = None,
    ) -> None:
        self.folder, self.command, self.config = folder, command, dict(config)
        self.records: list[StageRecord] = []
        self._on_stage = on_stage
        self._started = time.time()
        with storage_errors(folder):
            try:
                folder.mkdir(parents=True, exist_ok=True)
            except FileNotFoundError as error:  # where the system makes the folders, /proc
                raise StorageError(
                    "no folder can be made here", where=str(folder), cure="give another folder"
                ) from error

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the folder, so that two runs cannot write into it at once."""
        cure = "wait for it, or give another folder"
        with hold(self.folder / ".lock", "another run is writing here", cure=cure):
            yield

    def stage(
        self,
        name: str,
        work: Callable[[Path], Mapping[str, Any]],
        *,
        depends: Mapping[str, Any],
        keep_partial: bool = False,
    ) -> StageRecord:
        """Do a stage, or return its record if it was done with the same inputs.

        Args:
            name: The stage's folder.
            work: Gets the folder, writes its files there, returns a JSON-able result.
            depends: All that the result depends on: config, parents' fingerprints, seeds.
            keep_partial: Leave what an interrupted stage wrote for `work` to resume from,
                as long as it depended on the same things; otherwise it starts empty.

        Raises:
            StorageError: The folder cannot be written.
        """
        key = fingerprint(name, depends)
        folder, marker = self.folder / name, self.folder / name / "stage.json"
        done = self._reusable(marker, key)
        if done is None:
            begun = folder / ".begun"
            # A finished stage that is done again had its files changed from outside, so
            # they are no ground to go on from.
            resumable = keep_partial and not marker.exists() and begun.is_file() and begun.read_text() == key
            with storage_errors(folder):
                if folder.exists() and not resumable:
                    begun.unlink(missing_ok=True)  # first, in case this is killed half-way
                    shutil.rmtree(folder)
                folder.mkdir(parents=True, exist_ok=True)
                sweep_half_written(folder)
                begun.write_text(key)
                start = time.perf_counter()
                # As JSON has it, so that a stage done now and one reused give equal results.
                result = json.loads(json.dumps(dict(work(folder)), default=str, allow_nan=False))
                outputs = {
                    file.relative_to(folder).as_posix(): hash_file(file)
                    for file in sorted(folder.rglob("*"))
                    if file.is_file() and file != marker and not _hidden(file.relative_to(folder))
                }
                done = StageRecord(name, key, time.perf_counter() - start, peak_rss_mb(), result, outputs)
                write_json(marker, asdict(done))
        self.records.append(done)
        if self._on_stage:
            self._on_stage(done)
        return done

    def _reusable(self, marker: Path, key: str) -> StageRecord | None:
        """Return the marker's record if it is for ``key`` and its files are intact."""
        if not marker.is_file():
            return None
        try:
            record = StageRecord(**{**read_json(marker), "reused": True})
        except (StorageError, TypeError):
            return None
        if record.fingerprint != key:
            return None
        for name, digest in record.outputs.items():
            file = marker.parent / name
            if not file.is_file() or hash_file(file) != digest:
                return None
        return record

    def finish(self, **extra: Any) -> None:
        """Write the run's manifest."""
        write_json(
            self.folder / "manifest.json",
            {
                "kind": "run",
                "command": self.command,
                "config": self.config,
                "packages": package_versions(),
                "seconds": round(time.time() - self._started, 2),
                "stages": {record.name: asdict(record) for record in self.records},
                **extra,
            },
        )
