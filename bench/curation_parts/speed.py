"""MB of text a second on one core: the kit and its peers in turns, on the same core and texts."""

from __future__ import annotations

import os
import statistics
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from gpu_parts.common import Row, Table

from curation_parts.data import Page, megabytes, write_pages
from curation_parts.worker import Worker
from hinterland.core.progress import track

__all__ = ["OURS", "Speed", "measure_speed"]

OURS = "hinterland"
#: What is timed, by name: the program, the call, and what it does.
_TURNS: dict[str, tuple[str, str, str]] = {
    OURS: (OURS, "time", "Gopher, C4, FineWeb, MinHash signature, hashes for exact duplicates"),
    "datatrove": ("datatrove", "time", "the same filters on every document, MinHash signature"),
    "datatrove, as a pipeline": (
        "datatrove",
        "time_pipeline",
        "FineWeb's chain: what a filter drops goes no further",
    ),
    "dolma": ("dolma", "time", "gopher_v2 and c4_v2 alone"),
}
#: A turn of the kit is over in no time, so it goes over the texts for at least so long.
_LEAST = 1.0


class Speed:
    """Measured seconds.

    Args:
        size: MB of text that each turn goes over.
        documents: How many documents.
    """

    def __init__(self, size: float, documents: int, *, core: int | None) -> None:
        self.size, self.documents, self.core = size, documents, core
        self.cpu: dict[str, list[float]] = {}
        self.wall: dict[str, list[float]] = {}

    def rate(self, name: str) -> float | None:
        """Return the median MB in a CPU second, ``None`` if it was not measured."""
        return self.size / statistics.median(self.cpu[name]) if name in self.cpu else None

    def ratio(self, name: str) -> float | None:
        """Return how many times as fast the kit is: the median over pairs of turns."""
        if name not in self.cpu:
            return None
        pairs = zip(self.cpu[name], self.cpu[OURS], strict=True)
        return statistics.median(theirs / ours for theirs, ours in pairs)

    def table(self) -> Table:
        """Return the rates as a table."""
        place = f"bound to core {self.core}" if self.core is not None else "not bound to a core"
        rows: list[Row] = []
        for name, seconds in self.cpu.items():
            rates = sorted(self.size / each for each in seconds)
            rows.append(
                {
                    "tool": name,
                    "MB/s": self.rate(name),
                    "slowest": rates[0],
                    "fastest": rates[-1],
                    "MB/s by the clock": self.size / statistics.median(self.wall[name]),
                    "documents/s": self.documents / statistics.median(seconds),
                    "ours / its": self.ratio(name),
                    "what": _TURNS[name][2],
                }
            )
        turns = len(next(iter(self.cpu.values()), ()))
        return Table(
            "Speed on one core",
            [
                f"{self.documents:,} documents, {self.size:.2f} MB (10^6 bytes of UTF-8), already in memory;"
                f" one thread, {place}; {turns} turns each, one after the other; warm.",
                "MB/s is of CPU seconds (median, slowest, fastest); the last columns but one are ratios of"
                " neighbouring turns (median).",
            ],
            rows,
        )


def free_core() -> int | None:
    """Return a core this process may use, where cores can be chosen."""
    return max(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else None


def measure_speed(
    pages: Sequence[Page], peers: Mapping[str, tuple[Path, str]], *, turns: int, folder: Path
) -> Speed:
    """Time the kit and its peers in turns.

    Args:
        pages: The texts.
        peers: Interpreter and program of each peer that is there.
        turns: How often each goes over the texts.
        folder: For files.
    """
    file = write_pages(folder / "speed.jsonl", pages)
    core = free_core()
    programs = {OURS: (Path(sys.executable), "ours.py"), **peers}
    workers = {name: Worker(*program, core=core) for name, program in programs.items()}
    timed = {name: turn for name, turn in _TURNS.items() if turn[0] in workers}
    speed = Speed(megabytes(pages), len(pages), core=core)
    if not all(worker.bound for worker in workers.values()):
        speed.core = None
    try:
        for worker in workers.values():
            worker.call("load", path=str(file))
            worker.call("warm")
        for _ in track(range(turns), "speed"):
            for name, (program, call, _what) in timed.items():
                seconds = workers[program].call(call, least=_LEAST)
                speed.cpu.setdefault(name, []).append(seconds["cpu"])
                speed.wall.setdefault(name, []).append(seconds["wall"])
    finally:
        for worker in workers.values():
            worker.__exit__(None, None, None)
    return speed
