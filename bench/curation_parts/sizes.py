"""Memory and time of ``hinterland curate`` on texts of several sizes."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psutil
from gpu_parts.common import Row, Table

from curation_parts.data import Page
from curation_parts.synthetic import write_corpus_of
from hinterland.core.files import read_json, write_text

__all__ = ["measure_sizes"]

_INTERVAL = 0.2  # seconds between looks at the processes' memory


@dataclass
class Watched:
    """What a command and its children took.

    Attributes:
        seconds: By the clock.
        status: The exit status.
        peaks: The largest resident memory seen of each process, in bytes, by process id.
        error: The end of what it wrote to stderr.
    """

    seconds: float = 0.0
    status: int = 0
    peaks: dict[int, int] = field(default_factory=dict)
    error: str = ""

    @property
    def peak_mb(self) -> float:
        """The largest process's peak, in MB (10^6 bytes)."""
        return max(self.peaks.values(), default=0) / 1e6


def watch(command: Sequence[str], log: Path) -> Watched:
    """Run a command and look at the memory of all its processes five times a second."""
    found = Watched()
    begun = time.perf_counter()
    with log.open("wb") as handle:
        process = psutil.Popen([*command], stdout=handle, stderr=subprocess.STDOUT)
        while process.poll() is None:
            for each in _family(process):
                try:
                    found.peaks[each.pid] = max(found.peaks.get(each.pid, 0), each.memory_info().rss)
                except psutil.Error:  # it has ended
                    continue
            time.sleep(_INTERVAL)
    found.seconds = time.perf_counter() - begun
    found.status = process.returncode
    found.error = log.read_text(encoding="utf-8", errors="replace")[-600:]
    return found


def _family(process: psutil.Process) -> Iterator[psutil.Process]:
    try:
        yield process
        yield from process.children(recursive=True)
    except psutil.Error:
        return


def measure_sizes(
    sizes: Sequence[float], pages: Sequence[Page], *, folder: Path, workers: int
) -> Iterator[Table]:
    """Curate texts of each size (in GB) and report seconds and memory.

    Args:
        sizes: GB of JSONL, 10^9 bytes.
        pages: Where the sentences come from.
        folder: For the texts and the runs; removed size by size.
        workers: Processes for the run.
    """
    table = Table(
        f"Memory and time of `hinterland curate`, {workers} workers",
        [
            "Sentences of the pages put together anew, 3% exact and 3% near copies; all filters, exact"
            " duplicates, near-duplicates; no language model. MB are 10^6 bytes.",
            f"Peak: the largest resident memory of any one process, looked at every {_INTERVAL} s.",
        ],
    )
    for size in sorted(sizes):
        place = folder / f"{size:g}gb"
        try:
            files = write_corpus_of(size, pages, place / "in")
            table.rows.append(curated(files, place, workers))
        finally:
            shutil.rmtree(place, ignore_errors=True)
    first = table.rows[0] if table.rows else {}
    for row in table.rows:
        row["time / size"] = (row["seconds"] / row["GB"]) / (first["seconds"] / first["GB"])
    table.notes.append("time / size: seconds per GB, as a multiple of the first row's.")
    yield table


def curated(files: Sequence[Path], place: Path, workers: int) -> Row:
    """Run the command on the files; return its line in the table.

    Raises:
        RuntimeError: The command failed.
    """
    config = place / "curate.yaml"
    out = place / "out"
    settings = {
        "input": [str(file) for file in files],
        "out": str(out),
        "workers": workers,
        "quality": {"model": None},
    }
    write_text(config, json.dumps(settings))  # JSON is YAML, too
    command = [sys.executable, "-m", "hinterland.core.cli", "curate", str(config)]
    found = watch(command, place / "log.txt")
    if found.status:
        raise RuntimeError(f"hinterland curate ended with {found.status}: {found.error}")
    manifest = read_json(out / "manifest.json")
    stages = {name: record["seconds"] for name, record in manifest["stages"].items()}
    return {
        "GB": sum(file.stat().st_size for file in files) / 1e9,
        "documents": manifest["counts"]["in"],
        **{f"{name} s": seconds for name, seconds in stages.items()},
        "seconds": found.seconds,
        "MB/s": sum(file.stat().st_size for file in files) / 1e6 / found.seconds,
        "peak MB": found.peak_mb,
        "processes": len(found.peaks),
    }
