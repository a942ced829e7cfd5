"""Low-rank adaptation (Hu et al. 2021): which layers get it, at which rank."""

from __future__ import annotations

import warnings
from typing import Any, Literal

from pydantic import Field

from hinterland.core.config import Config
from hinterland.core.errors import ConfigError

__all__ = ["LoraSettings", "add_lora", "linear_modules"]


class LoraSettings(Config):
    """The adapter's shape.

    Attributes:
        rank: r, the rank of ΔW = (alpha / r) · B·A.
        alpha: The scale's numerator.
        dropout: On the adapter's input. 0 is fastest, and right for less than one epoch.
        modules: ``all-linear``, or module names such as ``[q_proj, v_proj]``.
        top_layers: The share of layers, from the output down, that get an adapter. Below
            the lowest one no gradient is needed, so a smaller share makes a step faster.
        rank_stabilised: Scale by alpha / √r (Kalajdzievski 2023) instead of alpha / r.
    """

    rank: int = Field(default=16, ge=1)
    alpha: float = Field(default=32.0, gt=0)
    dropout: float = Field(default=0.0, ge=0, lt=1)
    modules: Literal["all-linear"] | tuple[str, ...] = "all-linear"
    top_layers: float = Field(default=1.0, gt=0, le=1)
    rank_stabilised: bool = False


def linear_modules(model: Any) -> list[str]:
    """Return the last name parts of all linear modules but the output head, sorted."""
    import torch
    from transformers.pytorch_utils import Conv1D

    head = model.get_output_embeddings()
    return sorted(
        {
            name.rpartition(".")[2]
            for name, module in model.named_modules()
            if isinstance(module, (torch.nn.Linear, Conv1D)) and module is not head
        }
    )


def add_lora(model: Any, settings: LoraSettings, *, seed: int) -> Any:
    """Freeze ``model`` and return it with fresh adapters, initialised under ``seed``.

    B starts at zero, so that the model's outputs are unchanged at first.

    Raises:
        ConfigError: A named module does not occur in the model.
    """
    import torch
    from peft import LoraConfig, get_peft_model

    known = linear_modules(model)
    wanted = known if settings.modules == "all-linear" else list(settings.modules)
    missing = sorted(set(wanted) - set(known))
    if missing or not wanted:
        raise ConfigError(
            f"the model has no linear module {', '.join(missing) or 'at all'}",
            where="lora.modules",
            cure=f"choose from: {', '.join(known) or 'none; use method: full'}",
        )
    layers = int(model.config.num_hidden_layers)
    adapted = max(1, round(layers * settings.top_layers))
    config = LoraConfig(
        task_type="CAUSAL_LM",
        r=settings.rank,
        lora_alpha=settings.alpha,
        lora_dropout=settings.dropout,
        target_modules=wanted,
        layers_to_transform=None if adapted == layers else list(range(layers - adapted, layers)),
        use_rslora=settings.rank_stabilised,
    )
    with torch.random.fork_rng(devices=[]), warnings.catch_warnings():
        # peft reads a transformers attribute that is being renamed; nothing of ours.
        warnings.filterwarnings("ignore", "`is_gradient_checkpointing`", FutureWarning)
        torch.manual_seed(seed)
        return get_peft_model(model, config)
