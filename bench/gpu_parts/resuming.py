"""Whether an interrupted training ends with the bits of an uninterrupted one."""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from gpu_parts.common import SMALL, Row, Table, release
from gpu_parts.training import do_train, fresh_model, random_windows
from hinterland.adapt.checkpoint import trained
from hinterland.adapt.train import Step, TrainSettings

__all__ = ["resuming"]


class InterruptionError(Exception):
    """Stands for a kill, in the middle of a training."""


@contextmanager
def deterministic(wanted: bool) -> Iterator[list[str]]:
    """Ask PyTorch for deterministic kernels; yield the warnings about those it has not got."""
    import torch

    notes: list[str] = []
    before = torch.are_deterministic_algorithms_enabled()
    with warnings.catch_warnings(record=True) as caught:
        torch.use_deterministic_algorithms(wanted or before, warn_only=True)
        try:
            yield notes
        finally:
            torch.use_deterministic_algorithms(before)
    notes += sorted({str(item.message)[:120] for item in caught if "determinis" in str(item.message)})


def one_run(method: str, scale: float, folder: Path, kill_after: int = 0) -> tuple[list[float], Row]:
    """Train, go on after a kill if one is asked for; return the losses and the weights."""
    size, batch = (256, 8) if scale >= SMALL else (16, 1)
    settings = TrainSettings(steps=8, batch=batch, accumulate=2, checkpoint_every=3)

    def stop(step: Step) -> None:
        if step.step == kill_after:
            raise InterruptionError

    model = fresh_model(method, dropout=0.1)
    windows = random_windows(model, size=size, count=48)
    if kill_after:
        try:
            do_train(model, windows, settings, folder, stop)
        except InterruptionError:
            model = fresh_model(method, dropout=0.1)
    do_train(model, windows, settings, folder)
    lines = (folder / "log.jsonl").read_text(encoding="utf-8").splitlines()
    weights = {name: value.detach().cpu() for name, value in trained(model).items()}
    return [json.loads(line)["loss"] for line in lines], weights


def resuming_row(method: str, exact: bool, scale: float) -> tuple[Row, list[str]]:
    """Train twice without and once with an interruption; say what is equal, bit for bit."""
    import torch

    with deterministic(exact) as notes, TemporaryDirectory() as folder:
        runs = [
            one_run(method, scale, Path(folder) / name, kill)
            for name, kill in (("whole", 0), ("again", 0), ("killed", 5))
        ]
    whole = runs[0]
    row: Row = {"method": method, "kernels": "deterministic" if exact else "default"}
    for name, (losses, weights) in zip(("repeated", "resumed"), runs[1:], strict=True):
        row[f"{name}: losses equal"] = losses == whole[0]
        row[f"{name}: weights equal"] = all(torch.equal(whole[1][key], weights[key]) for key in weights)
        row[f"{name}: largest difference"] = max(
            float((whole[1][key] - weights[key]).abs().max()) for key in weights
        )
    return row, notes


def resuming(scale: float) -> Iterator[Table]:
    """Check that an interrupted training ends with the bits of an uninterrupted one."""
    table = Table(
        "Resuming a training",
        [
            "8 steps, dropout 0.1, two micro-batches a step, a checkpoint every 3; interrupted after "
            "step 5 and resumed from 3 with a freshly loaded model. 'repeated' is the control: the same "
            "training twice, not interrupted."
        ],
    )
    for method in ("lora", "full") if scale >= SMALL else ("lora",):
        for exact in (False, True):
            row, notes = resuming_row(method, exact, scale)
            table.rows.append(row)
            table.notes += [f"{method}: {note}" for note in notes]
            release()
    yield table
