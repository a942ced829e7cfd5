"""Train an encoder on pairs with sentence-transformers, and go on after a kill.

Contrastive training with in-batch negatives: van den Oord et al. 2018 (arXiv:1807.03748) as
`MultipleNegativesRankingLoss`, or its cached form where a batch is computed in pieces.
"""

from __future__ import annotations

import logging
import math
import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from hinterland.core.errors import HinterlandError, ModelSourceError, StorageError
from hinterland.core.files import hash_file, read_json, write_json
from hinterland.core.models import find_model
from hinterland.core.progress import track
from hinterland.indexes.adapt_retriever.settings import TrainSettings
from hinterland.indexes.embed import EmbedConfig, cpu_has_bf16
from hinterland.indexes.loading import loading

__all__ = ["RetrieverTrainingError", "Trained", "contrastive_loss", "load_encoder", "quiet", "train_encoder"]

#: Texts of each kind of pair, by column: ``anchor``, ``positive``, ``negative_0`` …
Columns = Mapping[str, Mapping[str, Sequence[Any]]]

_WHOLE = "whole.json"


class RetrieverTrainingError(HinterlandError):
    """A training of an encoder that cannot go on."""


@dataclass(frozen=True, slots=True)
class Trained:
    """What a training did.

    Attributes:
        losses: The loss of each step.
        parameters: Numbers that were trained.
        precision: ``bf16`` or ``fp32``.
        resumed_at: The step of the checkpoint it went on from; 0 is the beginning.
        seconds: Time of this process.
        step_seconds: Time of each step in it.
    """

    losses: tuple[float, ...]
    parameters: int
    precision: str
    resumed_at: int
    seconds: float
    step_seconds: tuple[float, ...]


def load_encoder(config: EmbedConfig, *, tokens: int) -> Any:
    """Return the base encoder in float32, reading at most ``tokens`` tokens.

    Raises:
        ModelSourceError: There is no such model, or it is no sentence encoder.
    """
    import torch
    from sentence_transformers import SentenceTransformer

    source = find_model(config.model)
    if source.kind == "gguf":
        raise ModelSourceError(
            "a GGUF file is not a sentence encoder", where=config.model, cure="give a folder"
        )
    if source.kind == "folder" and not (source.path / "modules.json").is_file():
        raise ModelSourceError(
            "no modules.json: this is no sentence-transformers model",
            where=str(source.path),
            cure="give a sentence encoder, or save the model with its pooling as one",
        )
    device = None if config.device == "auto" else config.device
    with loading("the encoder", config.model), quiet():
        model = SentenceTransformer(source.location, device=device, model_kwargs={"dtype": torch.float32})
    model.max_seq_length = min(tokens, int(model.max_seq_length or 512))
    return model


def freeze_below(model: Any, share: float) -> int:
    """Let only the upper ``share`` of the layers learn; return how many numbers do.

    A model whose layers are not found learns whole.
    """
    backbone: Any = getattr(model[0], "model", None) or getattr(model[0], "auto_model", None)
    encoder = getattr(backbone, "encoder", None) or getattr(backbone, "transformer", None)
    layers = list(getattr(encoder, "layer", None) or [])
    if share < 1 and layers:
        for value in backbone.parameters():
            value.requires_grad = False
        for layer in layers[len(layers) - max(1, round(share * len(layers))) :]:
            for value in layer.parameters():
                value.requires_grad = True
    return sum(value.numel() for value in model.parameters() if value.requires_grad)


def contrastive_loss(model: Any, settings: TrainSettings) -> Any:
    """Return the in-batch loss, cached where the batch is computed in pieces."""
    from sentence_transformers.sentence_transformer import losses

    if settings.mini_batch is None:
        return losses.MultipleNegativesRankingLoss(model, scale=settings.scale)
    return losses.CachedMultipleNegativesRankingLoss(
        model, scale=settings.scale, mini_batch_size=settings.mini_batch
    )


def uses_bf16(settings: TrainSettings, model: Any) -> bool:
    """Whether matrices are multiplied in bfloat16; the weights stay float32."""
    if settings.precision != "auto":
        return settings.precision == "bf16"
    return "cuda" in str(model.device) or cpu_has_bf16()


def train_encoder(
    model: Any,
    loss: Any,
    columns: Columns,
    settings: TrainSettings,
    folder: Path,
    *,
    seed: int,
    prompts: tuple[str, str] = ("", ""),
    label: str = "train",
) -> Trained:
    """Train ``model`` in place for a fixed number of steps.

    Checkpoints are in ``folder``. Only one whose files are whole is gone on from. They are
    deleted at the end: what is kept of the model is the caller's to write.

    Args:
        model: A `SentenceTransformer`; its trained parameters are those that want a gradient.
        loss: The loss over it.
        columns: Texts (and labels) by kind of pair; a batch is of one kind, so that kinds
            are not told apart instead of passages.
        settings: Steps, batch, learning rate.
        folder: Where checkpoints are.
        seed: Orders the data, and draws what dropout leaves out.
        prompts: Put before queries and before passages.
        label: What the progress bar says.

    Raises:
        RetrieverTrainingError: The loss is not finite.
        StorageError: The disk is full.
    """
    from datasets import Dataset, DatasetDict
    from sentence_transformers import SentenceTransformerTrainingArguments
    from sentence_transformers.base.sampler import BatchSamplers

    steps, bf16 = settings.steps, uses_bf16(settings, model)
    data = DatasetDict({kind: Dataset.from_dict(dict(values)) for kind, values in sorted(columns.items())})
    names = {name for values in columns.values() for name in values} - {"label"}
    by_column = {name: prompts[0] if name == "anchor" else prompts[1] for name in names}
    arguments = SentenceTransformerTrainingArguments(
        output_dir=str(folder),
        max_steps=steps,
        per_device_train_batch_size=settings.batch,
        learning_rate=settings.learning_rate,
        lr_scheduler_type="constant_with_warmup" if settings.schedule == "constant" else settings.schedule,
        warmup_steps=round(settings.warmup * steps),
        bf16=bf16,
        use_cpu="cpu" in str(model.device),
        batch_sampler=BatchSamplers.NO_DUPLICATES,
        prompts=by_column if any(prompts) else None,
        save_strategy="steps",
        save_steps=settings.checkpoint_every,
        save_total_limit=2,
        logging_strategy="steps",
        logging_steps=1,
        logging_nan_inf_filter=False,
        disable_tqdm=True,
        report_to=[],
        seed=seed % 2**32,
        dataloader_pin_memory=False,
    )
    begun = time.perf_counter()
    last = _newest(folder)
    start = int(last.name.rpartition("-")[2]) if last else 0
    ticks = [time.perf_counter()]
    trainer = _trainer(model, arguments, data, loss, folder, label, steps - start, ticks)
    with quiet():
        trainer.train(resume_from_checkpoint=str(last) if last else None)
    losses = tuple(entry["loss"] for entry in trainer.state.log_history if "loss" in entry)
    for checkpoint in folder.glob("checkpoint-*"):
        shutil.rmtree(checkpoint, ignore_errors=True)
    model.eval()
    gaps = tuple(later - earlier for earlier, later in pairwise(ticks))
    trained = sum(value.numel() for value in model.parameters() if value.requires_grad)
    return Trained(losses, trained, "bf16" if bf16 else "fp32", start, time.perf_counter() - begun, gaps)


def _newest(folder: Path) -> Path | None:
    """Return the newest whole checkpoint; half-written ones are removed."""
    found = sorted(folder.glob("checkpoint-*"), key=lambda path: -int(path.name.rpartition("-")[2]))
    for path in found:
        try:
            hashes = read_json(path / _WHOLE)
            if all(hash_file(path / name) == digest for name, digest in hashes.items()):
                return path
        except (StorageError, OSError, AttributeError):
            pass
        shutil.rmtree(path, ignore_errors=True)
    return None


def _trainer(
    model: Any, arguments: Any, data: Any, loss: Any, folder: Path, label: str, steps: int, ticks: list[float]
) -> Any:
    """Return a trainer that shows its progress, marks whole checkpoints and writes no card."""
    from sentence_transformers import SentenceTransformerTrainer
    from transformers import TrainerCallback
    from transformers.trainer_callback import PrinterCallback

    class Watch(TrainerCallback):  # type: ignore[misc]
        def __init__(self) -> None:
            self.bar: Iterator[int] = track(range(steps), label)
            next(self.bar, None)

        def on_step_end(self, *_: Any, **__: Any) -> None:
            ticks.append(time.perf_counter())
            next(self.bar, None)

        def on_log(self, _: Any, state: Any, *__: Any, logs: Any = None, **___: Any) -> None:
            value = (logs or {}).get("loss")
            if value is not None and not math.isfinite(value):
                raise RetrieverTrainingError(
                    f"the loss of step {state.global_step} is {value}",
                    where=label,
                    cure="lower train.learning_rate, or set train.precision: fp32",
                )

        def on_save(self, _: Any, state: Any, *__: Any, **___: Any) -> None:
            path = folder / f"checkpoint-{state.global_step}"
            files = sorted(file for file in path.rglob("*") if file.is_file() and file.name != _WHOLE)
            write_json(path / _WHOLE, {file.relative_to(path).as_posix(): hash_file(file) for file in files})

    class Trainer(SentenceTransformerTrainer):  # type: ignore[misc]
        def add_model_card_callback(self, default_args_dict: dict[str, Any]) -> None:
            """Leave it out: it asks the hub who the base model is."""

    trainer = Trainer(model=model, args=arguments, train_dataset=data, loss=loss, callbacks=[Watch()])
    trainer.remove_callback(PrinterCallback)
    return trainer


@contextmanager
def quiet() -> Iterator[None]:
    """Keep the libraries' own bars and messages out of ours."""
    import datasets
    from transformers.utils import logging as hub_logging

    bars, level = datasets.is_progress_bar_enabled(), hub_logging.get_verbosity()
    shown = hub_logging.is_progress_bar_enabled()
    own = logging.getLogger("sentence_transformers")
    before = own.level
    datasets.disable_progress_bars()
    hub_logging.disable_progress_bar()
    hub_logging.set_verbosity_error()
    own.setLevel(logging.ERROR)
    try:
        yield
    finally:
        own.setLevel(before)
        hub_logging.set_verbosity(level)
        if shown:
            hub_logging.enable_progress_bar()
        if bars:
            datasets.enable_progress_bars()
