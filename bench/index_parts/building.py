"""Build times: every tool over the same passages, in turns whose order changes."""

from __future__ import annotations

import shutil
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from curation_parts.worker import Worker, WorkerError
from gpu_parts.common import Row, Table

from hinterland.core.progress import track
from index_parts.systems import OURS, System

__all__ = ["FLOOR", "Builds", "build_all", "ratio"]

FLOOR = "the encoder alone"
#: Texts to a batch for the encoder alone: what sentence-transformers takes unless told otherwise.
FLOOR_BATCH = 32


@dataclass
class Builds:
    """What was measured of each tool, by its name.

    Attributes:
        wall: Seconds by the clock, a turn each.
        cpu: Seconds of the processor, all threads.
        start: What a worker said when it was loaded.
        last: What the last build said: size on disk, peak of memory.
        missing: Why a tool was not measured.
    """

    wall: dict[str, list[float]] = field(default_factory=dict)
    cpu: dict[str, list[float]] = field(default_factory=dict)
    start: dict[str, dict[str, Any]] = field(default_factory=dict)
    last: dict[str, dict[str, float]] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)

    def note(self, name: str, seconds: Mapping[str, float]) -> None:
        """Keep a turn's seconds."""
        self.wall.setdefault(name, []).append(seconds["wall"])
        self.cpu.setdefault(name, []).append(seconds["cpu"])

    def table(self, systems: Sequence[System], *, passages: int, threads: int) -> Table:
        """Return the times as a table."""
        words = {system.name: system.words for system in systems} | {
            FLOOR: f"sentence-transformers, float32; batches of {FLOOR_BATCH}; sorts all texts by characters"
        }
        rows: list[Row] = []
        for name, wall in self.wall.items():
            last = self.last.get(name, {})
            loaded = self.start.get(name, {}).get("mb")
            rows.append(
                {
                    "tool": name,
                    "build s": statistics.median(wall),
                    "least": min(wall),
                    "most": max(wall),
                    "CPU s": statistics.median(self.cpu[name]),
                    "its / ours": ratio(wall, self.wall.get(OURS)),
                    "its / ours, CPU": ratio(self.cpu[name], self.cpu.get(OURS)),
                    "MB on disk": last["bytes"] / 1e6 if last else None,
                    "peak MB": last.get("mb"),
                    "MB when loaded": loaded,
                    "settings": words.get(name, ""),
                }
            )
        turns = len(next(iter(self.wall.values()), []))
        return Table(
            "Build",
            [
                f"From {passages:,} passages in memory (the kit: in a corpus on disk) to a saved index, the"
                f" encoder loaded and warm; {threads} threads; {turns} turns, whose order changes.",
                "build s: median by the clock, with least and most; CPU s: of the processor, all threads."
                " its / ours: the median over turns of its seconds by the kit's; above 1 the kit is faster.",
                "Exact search in all: Flat. Each reads a passage whole and has the same encoder and threads.",
                "The kit's own index holds hashes and a manifest, too, and every file is synced to disk.",
            ],
            rows,
        )


def ratio(theirs: Sequence[float], ours: Sequence[float] | None) -> float | None:
    """Return the median over turns of their seconds by ours.

    >>> ratio([2.0, 9.0, 4.0], [1.0, 3.0, 2.0])
    2.0
    """
    if not ours:
        return None
    return statistics.median(its / own for its, own in zip(theirs, ours, strict=False))


def build_all(
    systems: Sequence[System], *, model: str, passages: Path, folder: Path, threads: int, turns: int
) -> Builds:
    """Build with each tool in turns; what it saved last stays in ``folder``, in `place` of its name.

    Args:
        systems: The tools; the kit's come first.
        model: The encoder's folder.
        passages: JSONL of the passages.
        folder: For what is saved, and for ``vectors.npy`` of the bare encoder.
        threads: Threads of each.
        turns: How often each builds.
    """
    builds = Builds()
    workers: dict[str, Worker] = {}
    try:
        for system in track(systems, "loading"):
            worker = system.worker(threads=threads)
            workers[system.name] = worker
            place = folder / f"{place_of(system.name)}-start"
            try:
                builds.start[system.name] = worker.call(
                    "start",
                    model=model,
                    threads=threads,
                    passages=str(passages),
                    folder=str(place),
                    **system.settings,
                )
            except WorkerError as error:
                builds.missing[system.name] = f"failed: {error}"
                del workers[system.name]
                worker.__exit__(None, None, None)
        for turn in track(range(turns), "builds"):
            names = [FLOOR, *workers]
            for name in [*names[turn % len(names) :], *names[: turn % len(names)]]:
                _one(name, workers, builds, folder)
    finally:
        for worker in workers.values():
            worker.__exit__(None, None, None)
    order = [FLOOR, *(system.name for system in systems)]
    for times in (builds.wall, builds.cpu):
        kept = {name: times[name] for name in order if name in times}
        times.clear()
        times.update(kept)
    return builds


def _one(name: str, workers: dict[str, Worker], builds: Builds, folder: Path) -> None:
    """Build once, or embed once with the bare encoder."""
    if name == FLOOR:
        if OURS in workers:
            call = {"batch": FLOOR_BATCH, "out": str(folder / "vectors.npy")}
            builds.note(name, workers[OURS].call("encode", **call))
        return
    place = folder / place_of(name)
    shutil.rmtree(place, ignore_errors=True)
    try:
        told = workers[name].call("build", folder=str(place))
    except WorkerError as error:
        builds.missing[name] = f"failed: {error}"
        workers.pop(name).__exit__(None, None, None)
        return
    builds.note(name, told)
    # A worker's peak only rises: the first build's is that of one build.
    builds.last[name] = {**told, "mb": builds.last.get(name, told)["mb"]}


def place_of(name: str) -> str:
    """Return the folder's name for a tool.

    >>> place_of("hinterland, as it comes")
    'hinterland-as-it-comes'
    """
    return "-".join(name.replace(",", "").split())
