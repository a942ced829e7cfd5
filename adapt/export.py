"""Merging adapters into the base model and saving the result, ready to be served.

Adapters are merged as ΔW = scale · B·A in float32, never A and B apart: sums and scalings of
A and B are not sums and scalings of ΔW (peft issues 1155 and 3004).
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hinterland.adapt.models import quiet
from hinterland.core.errors import ModelSourceError
from hinterland.core.files import atomic_dir, read_json

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["delta_weights", "merge_deltas", "put_weights", "save_adapter", "save_model"]

_CONFIG, _TENSORS = "adapter_config.json", "adapter_model.safetensors"
_PREFIX = "base_model.model."
#: Settings of peft under which ΔW is not scale · B·A alone.
_OTHER_KINDS = (
    "use_dora",
    "modules_to_save",
    "trainable_token_indices",
    "lora_bias",
    "alora_invocation_tokens",
)


def save_adapter(model: Any, folder: Path, *, base: str, card: str) -> None:
    """Write a trained adapter as peft reads it, whole or not at all.

    Args:
        model: From `lora.add_lora`.
        folder: Where to; an existing one is replaced.
        base: The base model, as the user named it.
        card: The text of README.md.

    Raises:
        StorageError: The disk is full or not writable.
    """
    model.peft_config["default"].base_model_name_or_path = base
    with atomic_dir(folder) as temporary:
        # False: the embeddings are not trained, and asking peft to look would ask a hub.
        model.save_pretrained(temporary, save_embedding_layers=False)
        (temporary / "README.md").write_text(card, encoding="utf-8")


def delta_weights(adapter: Path) -> dict[str, Tensor]:
    """Return ΔW of every adapted module by the name of its weight, in float32.

    Args:
        adapter: A folder with peft's ``adapter_config.json`` and ``adapter_model.safetensors``.

    Returns:
        Tensors of shape (out features, in features).

    Raises:
        ModelSourceError: It is not a LoRA adapter, or one with parts beyond B·A.
    """
    import torch
    from safetensors.torch import load_file

    if not (adapter / _CONFIG).is_file() or not (adapter / _TENSORS).is_file():
        raise ModelSourceError(
            f"no adapter here: {_CONFIG} or {_TENSORS} is missing", where=str(adapter), cure="give its folder"
        )
    config = read_json(adapter / _CONFIG)
    beyond = [name for name in _OTHER_KINDS if config.get(name)]
    if config.get("peft_type") != "LORA" or beyond or config.get("bias", "none") != "none":
        raise ModelSourceError(
            f"an adapter of kind {config.get('peft_type')} with {', '.join(beyond) or 'bias'}: "
            "it is more than B·A",
            where=str(adapter),
            cure="merge it with peft's own merge_and_unload",
        )
    tensors = load_file(str(adapter / _TENSORS))
    deltas = {}
    for name in sorted(key for key in tensors if key.endswith(".lora_A.weight")):
        module = name.removesuffix(".lora_A.weight")
        down, up = tensors.pop(name).float(), tensors.pop(f"{module}.lora_B.weight").float()
        scale = _scale(config, module.removeprefix(_PREFIX), rank=down.shape[0])
        deltas[f"{module.removeprefix(_PREFIX)}.weight"] = torch.mul(up @ down, scale)
    if tensors or not deltas:
        others = ", ".join(sorted(tensors)[:3])
        raise ModelSourceError(
            f"the adapter holds tensors that are not LoRA's: {others}" if others else "the adapter is empty",
            where=str(adapter),
            cure="merge it with peft's own merge_and_unload",
        )
    return deltas


def _scale(config: dict[str, Any], module: str, *, rank: int) -> float:
    """Return alpha / r, or alpha / √r where the rank is stabilised."""
    if config.get("alpha_pattern") or config.get("rank_pattern"):
        raise ModelSourceError(
            f"the adapter sets ranks by pattern, at {module}",
            cure="merge it with peft's own merge_and_unload",
        )
    alpha = float(config["lora_alpha"])
    return alpha / (math.sqrt(rank) if config.get("use_rslora") else rank)


def merge_deltas(model: Any, deltas: dict[str, Tensor], *, scale: float = 1.0) -> Any:
    """Add ``scale · ΔW`` to a model's weights in float32, in place, and return the model.

    Args:
        model: The base model.
        deltas: By weight name, each of shape (out features, in features).
        scale: 1 applies them; −1 takes them away.

    Raises:
        ModelSourceError: A weight is missing or has another shape: not the adapter's base.
    """
    import torch
    from transformers.pytorch_utils import Conv1D

    weights = dict(model.named_parameters())
    with torch.no_grad():
        for name, delta in deltas.items():
            weight = weights.get(name)
            if weight is None:
                raise ModelSourceError(
                    f"the model has no weight {name}",
                    cure="merge into the model that the adapter was trained on",
                )
            # GPT-2's Conv1D keeps its weight as (in features, out features).
            turned = isinstance(model.get_submodule(name.removesuffix(".weight")), Conv1D)
            change = delta.T if turned else delta
            if weight.shape != change.shape:
                raise ModelSourceError(
                    f"{name} is {tuple(weight.shape)}, its change {tuple(change.shape)}",
                    cure="merge into the model that the adapter was trained on",
                )
            weight.copy_(weight.float() + scale * change.to(weight.device))
    return model


def put_weights(model: Any, file: Path) -> Any:
    """Copy the tensors of a safetensors file into a model's parameters, in place; return the model.

    Raises:
        ModelSourceError: A tensor has no place in the model.
    """
    import torch
    from safetensors.torch import load_file

    places = dict(model.named_parameters())
    with torch.no_grad():
        for name, value in load_file(str(file)).items():
            if name not in places or places[name].shape != value.shape:
                raise ModelSourceError(f"the model has no weight {name} of this shape", where=str(file))
            places[name].copy_(value)
    return model


def save_model(model: Any, tokenizer: Any, folder: Path, *, card: str) -> None:
    """Write a model, its tokenizer and its card as a transformers folder, whole or not at all.

    Raises:
        StorageError: The disk is full or not writable.
    """
    with quiet(), atomic_dir(folder) as temporary:
        model.save_pretrained(temporary)
        tokenizer.save_pretrained(temporary)
        (temporary / "README.md").write_text(card, encoding="utf-8")
