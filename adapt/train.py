"""Training: a fixed number of steps over weighted windows, resumable bit for bit.

From top to bottom: place the model with accelerate, restore the newest checkpoint, then for
each step draw its windows, accumulate the gradient over micro-batches, clip, update, log.

The loss of a step is the mean over its *tokens*, not over its micro-batches, so that the
gradient does not depend on how the step is split (transformers issue 34191), nor on how
many processes share it.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from pydantic import Field

from hinterland.adapt.checkpoint import (
    LOG,
    Progress,
    latest_checkpoint,
    load_checkpoint,
    save_checkpoint,
    trained,
)
from hinterland.adapt.data import IGNORE, Windows, collate, step_windows
from hinterland.adapt.precision import Precision, resolve_precision
from hinterland.adapt.schedule import Schedule, learning_rate_at
from hinterland.core.config import Config
from hinterland.core.errors import ConfigError, HinterlandError
from hinterland.core.files import storage_errors, write_text
from hinterland.core.imports import require
from hinterland.core.progress import track
from hinterland.core.seeds import integer

#: Peak learning rates where none is given.
ADAPTER_RATE, FULL_RATE = 2e-3, 5e-5

__all__ = ["Step", "TrainResult", "TrainSettings", "TrainingError", "accumulate_gradient", "train"]

CHECKPOINTS = "checkpoints"


class TrainingError(HinterlandError):
    """A training that cannot go on."""


class TrainSettings(Config):
    """How to train.

    Attributes:
        steps: Updates of the weights. Fixed, so that results do not depend on the clock.
        batch: Windows in one forward pass.
        accumulate: Forward passes per step; a step sees ``batch × accumulate`` windows.
        learning_rate: The peak. Where none is given, 2e-3 for adapters and 5e-5 for whole models.
        warmup: The share of steps in which the learning rate rises.
        schedule: How it falls: cosine, linear or constant.
        floor: The share of the peak left at the end.
        weight_decay: AdamW's, on matrices only.
        betas: AdamW's.
        clip: The largest norm of the gradient.
        precision: ``auto`` is bf16 where the hardware has it, else fp32.
        max_seconds: Ends the training early; the result says so.
        checkpoint_every: Steps between checkpoints; one is always written at the end.
    """

    steps: int = Field(default=200, ge=1)
    batch: int = Field(default=4, ge=1)
    accumulate: int = Field(default=1, ge=1)
    learning_rate: float | None = Field(default=None, gt=0)
    warmup: float = Field(default=0.1, ge=0, le=1)
    schedule: Schedule = "cosine"
    floor: float = Field(default=0.1, ge=0, le=1)
    weight_decay: float = Field(default=0.0, ge=0)
    betas: tuple[float, float] = (0.9, 0.95)
    clip: float = Field(default=1.0, gt=0)
    precision: Precision = "auto"
    max_seconds: float | None = Field(default=None, gt=0)
    checkpoint_every: int = Field(default=20, ge=1)

    @property
    def windows_per_step(self) -> int:
        """Windows that one update sees, over all processes."""
        return self.batch * self.accumulate


@dataclass(frozen=True, slots=True)
class Step:
    """One line of the log: the loss is in nats per token, before the update."""

    step: int
    loss: float
    learning_rate: float
    gradient_norm: float
    tokens: int
    seconds: float


@dataclass(frozen=True, slots=True)
class TrainResult:
    """What a training did.

    Attributes:
        steps: Finished steps.
        planned_steps: Steps asked for.
        stopped_early: Whether ``max_seconds`` ended it before the planned steps.
        tokens: Tokens predicted in training.
        epochs: Passes over the windows.
        seconds: Seconds used, over all runs.
        first_loss: Loss of the first step, nats per token.
        last_loss: Mean loss of the last tenth of the steps, nats per token.
        trained_parameters: How many numbers were trained.
        device: Where it ran.
        precision: ``fp32`` or ``bf16``.
        resumed_from: The step it went on from; 0 for a fresh start.
    """

    steps: int
    planned_steps: int
    stopped_early: bool
    tokens: int
    epochs: float
    seconds: float
    first_loss: float
    last_loss: float
    trained_parameters: int
    device: str
    precision: str
    resumed_from: int


def accumulate_gradient(
    model: Any, micro_batches: list[dict[str, Any]], tokens: int, *, accelerator: Any = None
) -> float:
    """Add the gradient of the mean loss over ``tokens`` tokens; return the summed NLL in nats.

    Args:
        model: The model, wrapped or not.
        micro_batches: What `data.collate` returns, one for each forward pass.
        tokens: Tokens to predict in the whole step, over all processes.
        accelerator: accelerate's, if the model is wrapped by it.
    """
    from torch.nn.functional import cross_entropy

    processes = accelerator.num_processes if accelerator else 1
    place = accelerator.device if accelerator else model.device
    total = 0.0
    for number, micro in enumerate(micro_batches, start=1):
        # Processes exchange gradients once, with the last micro-batch.
        waits = accelerator is not None and number < len(micro_batches)
        with accelerator.no_sync(model) if waits else nullcontext():
            batch = {name: tensor.to(place) for name, tensor in micro.items()}
            labels = batch.pop("labels")
            logits = model(**batch, use_cache=False).logits[:, :-1].float()
            nll = cross_entropy(
                logits.flatten(0, 1), labels[:, 1:].flatten(), reduction="sum", ignore_index=IGNORE
            )
            # accelerate averages over processes; the sum over all of them is wanted.
            share = nll * (processes / tokens)
            if accelerator is None:
                share.backward()
            else:
                accelerator.backward(share)
        total += float(nll.detach())
    return total


def train(
    model: Any,
    windows: Windows,
    settings: TrainSettings,
    folder: Path,
    *,
    pad: int,
    seed: int,
    fingerprint: str,
    on_step: Callable[[Step], None] | None = None,
    label: str = "train",
) -> TrainResult:
    """Train the parameters of ``model`` that require a gradient, in place.

    Killed at any moment and called again with the same arguments, it ends with the same
    losses and weights, bit for bit, on the same machine with the same number of threads.
    Called again after the end, it restores the weights and returns at once.

    Args:
        model: A causal LM, with adapters or whole; accelerate places it.
        windows: From `data.cut_windows`.
        settings: How to train.
        folder: Where the log and the checkpoints go.
        pad: The token that fills short windows.
        seed: Orders the data and draws the dropout.
        fingerprint: A hash of what the result depends on; a checkpoint with another is refused.
        on_step: Called after each step, before its checkpoint.
        label: The progress bar's.

    Raises:
        TrainingError: The loss or the gradient is not a finite number.
        StorageError: The disk is full, or a checkpoint is of another training.
        ConfigError: bf16 is asked for where it is missing, or a step has fewer windows than processes.
    """
    import torch

    trainer = _Trainer(model, windows, settings, folder, pad, seed, fingerprint)
    stopped_early = False
    shown = trainer.accelerator.is_main_process
    todo = range(trainer.resumed_from, settings.steps)
    place = trainer.accelerator.device
    # The caller's random numbers are left as they were, on the CPU and on this process's GPU.
    with torch.random.fork_rng([place] if place.type == "cuda" else []), storage_errors(folder):
        for step in track(todo, label) if shown else todo:
            if trainer.out_of_time():
                stopped_early = True
                break
            entry = trainer.update(step)
            if on_step:
                on_step(entry)
            if trainer.progress.step % settings.checkpoint_every == 0:
                trainer.save()
        trainer.save()
    return trainer.result(stopped_early=stopped_early)


class _Trainer:
    """The state of one training: model and optimizer as accelerate wrapped them, log, progress."""

    def __init__(
        self,
        model: Any,
        windows: Windows,
        settings: TrainSettings,
        folder: Path,
        pad: int,
        seed: int,
        fingerprint: str,
    ) -> None:
        import torch

        accelerate = require("accelerate", cure="pip install accelerate")
        self.model, self.windows, self.settings = model, windows, settings
        self.folder, self.pad, self.seed = folder, pad, seed
        self.precision = resolve_precision(settings.precision)
        self.accelerator = accelerate.Accelerator(
            mixed_precision="bf16" if self.precision == "bf16" else "no"
        )
        if settings.windows_per_step < self.accelerator.num_processes:
            raise ConfigError(
                f"{settings.windows_per_step} windows a step for {self.accelerator.num_processes} processes",
                where="train",
                cure="raise batch or accumulate",
            )
        model.to(self.accelerator.device)
        whole = all(value.requires_grad for value in model.parameters())
        self.peak = settings.learning_rate or (FULL_RATE if whole else ADAPTER_RATE)
        self.optimizer = torch.optim.AdamW(
            _groups(model, settings.weight_decay), lr=self.peak, betas=settings.betas
        )
        self.wrapped, self.stepper = self.accelerator.prepare(model, self.optimizer)
        self.progress = Progress(0, 0, 0.0, fingerprint)
        self.log: list[Step] = []
        newest = latest_checkpoint(folder / CHECKPOINTS)
        if newest is not None:
            self.progress = load_checkpoint(newest, model, self.optimizer, fingerprint=fingerprint)
            lines = (newest / LOG).read_text(encoding="utf-8").splitlines()
            self.log = [Step(**json.loads(line)) for line in lines]
        self.resumed_from = self.saved_at = self.progress.step
        if self.accelerator.is_main_process:
            write_text(folder / LOG, self._lines())  # what a killed run logged past it is done again
        self.wrapped.train()

    def _lines(self) -> str:
        return "".join(json.dumps(asdict(entry)) + "\n" for entry in self.log)

    def out_of_time(self) -> bool:
        """Whether another step like those before would pass the time limit."""
        done, limit = self.progress.step, self.settings.max_seconds
        late = limit is not None and done > 0 and self.progress.seconds * (done + 1) / done > limit
        if self.accelerator.num_processes > 1:  # clocks differ; all must decide alike
            late = bool(self.accelerator.reduce(self._scalar(float(late)), "sum") > 0)
        return late

    def _scalar(self, value: float) -> Any:
        import torch

        return torch.tensor(value, device=self.accelerator.device, dtype=torch.float64)

    def update(self, step: int) -> Step:
        """Do step ``step`` (from 0): draw, accumulate, clip, update, log.

        Raises:
            TrainingError: The loss or the gradient is not finite; the weights are as before.
        """
        import torch

        begun = time.perf_counter()
        settings, accelerator = self.settings, self.accelerator
        rate = self._set_learning_rate(step)
        chosen = step_windows(self.windows.weight, step, settings.windows_per_step, seed=self.seed).tolist()
        tokens = sum(len(self.windows.items[index]) - 1 for index in chosen)
        mine = chosen[accelerator.process_index :: accelerator.num_processes]
        torch.manual_seed(integer(self.seed, "dropout", step, accelerator.process_index))
        self.stepper.zero_grad(set_to_none=True)
        batches = _micro_batches(self.windows, mine, settings.batch, self.pad)
        nll = accumulate_gradient(self.wrapped, batches, tokens, accelerator=accelerator)
        loss = float(accelerator.reduce(self._scalar(nll), "sum")) / tokens
        norm = float(accelerator.clip_grad_norm_(self.wrapped.parameters(), settings.clip))
        if not (math.isfinite(loss) and math.isfinite(norm)):
            raise TrainingError(
                f"step {step + 1}: the loss is {loss}, the norm of its gradient {norm}",
                where=str(self.folder),
                cure=f"lower train.learning_rate (it was {rate:.3g} here) or set train.precision to fp32, "
                "and start in another folder",
            )
        self.stepper.step()
        entry = Step(step + 1, loss, rate, norm, tokens, time.perf_counter() - begun)
        self.log.append(entry)
        self.progress = replace(
            self.progress,
            step=step + 1,
            tokens=self.progress.tokens + tokens,
            seconds=self.progress.seconds + entry.seconds,
        )
        if accelerator.is_main_process:
            with (self.folder / LOG).open("a", encoding="utf-8") as lines:
                lines.write(json.dumps(asdict(entry)) + "\n")
        return entry

    def _set_learning_rate(self, step: int) -> float:
        settings = self.settings
        rate = learning_rate_at(
            step,
            steps=settings.steps,
            peak=self.peak,
            warmup=settings.warmup,
            schedule=settings.schedule,
            floor=settings.floor,
        )
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        return rate

    def save(self) -> None:
        """Write a checkpoint unless this step has one."""
        if self.saved_at == self.progress.step:
            return
        if self.accelerator.is_main_process:
            save_checkpoint(
                self.folder / CHECKPOINTS, self.model, self.optimizer, self.progress, log=self._lines()
            )
        self.accelerator.wait_for_everyone()
        self.saved_at = self.progress.step

    def result(self, *, stopped_early: bool) -> TrainResult:
        """Put the model into eval mode and return what was done."""
        self.wrapped.eval()
        self.accelerator.free_memory()
        losses = [entry.loss for entry in self.log]
        tail = losses[-max(1, len(losses) // 10) :]
        done = self.progress
        return TrainResult(
            steps=done.step,
            planned_steps=self.settings.steps,
            stopped_early=stopped_early,
            tokens=done.tokens,
            epochs=done.step * self.settings.windows_per_step / len(self.windows),
            seconds=done.seconds,
            first_loss=losses[0],
            last_loss=math.fsum(tail) / len(tail),
            trained_parameters=sum(value.numel() for value in trained(self.model).values()),
            device=str(self.accelerator.device),
            precision=self.precision,
            resumed_from=self.resumed_from,
        )


def _micro_batches(windows: Windows, chosen: list[int], batch: int, pad: int) -> list[dict[str, Any]]:
    """Split a step's windows; those of like length go together, so that little is padded."""
    ordered = sorted(chosen, key=lambda index: (-len(windows.items[index]), index))
    return [
        collate([windows.items[index] for index in ordered[start : start + batch]], pad)
        for start in range(0, len(ordered), batch)
    ]


def _groups(model: Any, weight_decay: float) -> list[dict[str, Any]]:
    """Return AdamW's groups: matrices decay, vectors (norms, biases) do not."""
    values = list(trained(model).values())
    return [
        {"params": [value for value in values if value.ndim >= 2], "weight_decay": weight_decay},
        {"params": [value for value in values if value.ndim < 2], "weight_decay": 0.0},
    ]
