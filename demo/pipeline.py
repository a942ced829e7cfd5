"""The demo from top to bottom: nine steps, each done once and resumed after a kill.

A step depends on the config keys it reads and on the steps before it that it reads; both
are written out here. Its work is a function of the config and the folder.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from hinterland import __version__
from hinterland.core.run import Run, StageRecord
from hinterland.demo.config import DemoConfig
from hinterland.demo.memory import PeakMemory

__all__ = ["STEPS", "Step", "Workspace", "limit_threads", "run_steps"]


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the demo.

    Attributes:
        name: Its folder, also the module in `hinterland.demo.steps`.
        title: For people.
        reads: The steps whose files it reads.
        keys: The config keys it depends on (the seed always).
        seconds: What it takes in full and quick, measured on two cores; for `--dry-run`.
        resumes: Whether it goes on from what an interrupted run left in its folder.
    """

    name: str
    title: str
    reads: tuple[str, ...]
    keys: tuple[str, ...]
    seconds: tuple[int, int]
    resumes: bool = False


STEPS = (
    Step("corpus", "Corpus", (), ("places", "sections", "hold_out_share"), (2, 1)),
    Step("curate", "Curate", ("corpus",), ("model", "quality", "threads"), (105, 50), resumes=True),
    Step("audit", "Audit", ("corpus", "curate"), (), (2, 1)),
    Step("debias", "Debias", ("corpus", "curate", "audit"), ("debias_by", "disparity"), (2, 1)),
    Step("index", "Index", ("corpus",), ("embedder", "chunk_tokens", "threads"), (170, 25), resumes=True),
    Step(
        "ask",
        "Ask",
        ("corpus", "index"),
        ("model", "closed_model", "evaluate", "threads"),
        (25, 15),
        resumes=True,
    ),
    Step("adapt", "Adapt", ("corpus", "debias"), ("model", "adapt", "threads"), (130, 35), resumes=True),
    Step(
        "evaluate",
        "Evaluate",
        ("corpus", "debias", "index", "ask", "adapt"),
        ("model", "closed_model", "evaluate", "threads"),
        (130, 25),
        resumes=True,
    ),
)


@dataclass(frozen=True)
class Workspace:
    """What a step is given: the config, its own folder, and where the others' files are."""

    config: DemoConfig
    run: Run
    folder: Path

    def of(self, step: str) -> Path:
        """Return the folder of a finished step."""
        return self.run.folder / step

    def result(self, step: str) -> dict[str, Any]:
        """Return what a finished step found."""
        return next(record.result for record in self.run.records if record.name == step)


def limit_threads(config: DemoConfig) -> None:
    """Give torch the config's threads, so that results don't depend on the machine's."""
    import torch

    torch.set_num_threads(config.threads)


def _work(step: Step) -> Callable[[Workspace], dict[str, Any]]:
    """Import a step's function only when it has to be done: some load torch."""
    module = import_module(f"hinterland.demo.steps.{step.name}")
    work: Callable[[Workspace], dict[str, Any]] = module.build
    return work


def run_steps(
    config: DemoConfig, run: Run, *, memory: PeakMemory, announce: Callable[[int, Step], None]
) -> list[StageRecord]:
    """Do every step that is not done yet, in order.

    Args:
        config: With its preset applied.
        run: The folder.
        memory: Sampled while the steps run; its peak is kept with each step.
        announce: Called before each step, with its number from 1.

    Returns:
        One record per step; ``reused`` tells which were done before.
    """
    values = config.model_dump(mode="json")
    records: dict[str, StageRecord] = {}
    for number, step in enumerate(STEPS, start=1):
        announce(number, step)
        depends = {
            "version": __version__,
            "seed": config.seed,
            "config": {key: values[key] for key in step.keys},
            "reads": {name: [records[name].fingerprint, records[name].outputs] for name in step.reads},
        }
        records[step.name] = run.stage(
            step.name,
            lambda folder, step=step: {  # type: ignore[misc]
                **_work(step)(Workspace(config, run, folder)),
                "peak_memory_mb": round(memory.megabytes),
            },
            depends=depends,
            keep_partial=step.resumes,
        )
    return list(records.values())
