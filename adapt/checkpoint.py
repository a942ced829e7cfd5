"""Checkpoints that hold tensors and JSON, never pickled code, and appear whole or not at all.

What a resumed run needs is small, because the data order, the learning rate and the random
numbers of a step are functions of the seed and the step's number: the trained weights, the
optimizer's moments, the step, the seconds used, and the log up to there.
"""

from __future__ import annotations

import shutil
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hinterland.core.errors import StorageError
from hinterland.core.files import atomic_dir, hash_file, read_json, write_json

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["Progress", "latest_checkpoint", "load_checkpoint", "save_checkpoint", "trained"]

LOG = "log.jsonl"
_WEIGHTS, _OPTIMIZER, _STATE = "weights.safetensors", "optimizer.safetensors", "state.json"


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a training has come.

    Attributes:
        step: Finished steps.
        tokens: Tokens predicted in them.
        seconds: Seconds used, over all runs.
        fingerprint: A hash of all that the weights depend on.
    """

    step: int
    tokens: int
    seconds: float
    fingerprint: str


def trained(model: Any) -> dict[str, Tensor]:
    """Return the parameters that are trained, by name; shared ones once."""
    return {name: value for name, value in model.named_parameters() if value.requires_grad}


def save_checkpoint(folder: Path, model: Any, optimizer: Any, progress: Progress, *, log: str) -> Path:
    """Write ``folder/step-<n>`` by rename, then delete older checkpoints.

    Args:
        folder: The folder of checkpoints.
        model: The unwrapped model; only parameters that are trained are written.
        optimizer: The unwrapped optimizer.
        progress: How far the training has come.
        log: The lines of the log up to there.

    Raises:
        StorageError: The disk is full or not writable.
    """
    from safetensors.torch import save_file

    parameters = trained(model)
    weights = {name: value.detach().cpu().contiguous() for name, value in parameters.items()}
    moments = {
        f"{slot}/{name}": tensor.detach().cpu().contiguous()
        for name, value in parameters.items()
        for slot, tensor in optimizer.state.get(value, {}).items()
    }
    target = folder / f"step-{progress.step:06d}"
    with atomic_dir(target) as temporary:
        save_file(weights, str(temporary / _WEIGHTS))
        save_file(moments, str(temporary / _OPTIMIZER))
        (temporary / LOG).write_text(log, encoding="utf-8")
        hashes = {name: hash_file(temporary / name) for name in (_WEIGHTS, _OPTIMIZER, LOG)}
        write_json(temporary / _STATE, {**asdict(progress), "sha256": hashes})
    for other in folder.iterdir():
        if other != target and other.is_dir():
            shutil.rmtree(other, ignore_errors=True)
    return target


def latest_checkpoint(folder: Path) -> Path | None:
    """Return the newest whole checkpoint in ``folder``; one with a damaged file does not count."""
    for path in sorted(folder.glob("step-*"), reverse=True):
        try:
            hashes = read_json(path / _STATE)["sha256"]
            if all(hash_file(path / name) == digest for name, digest in hashes.items()):
                return path
        except (StorageError, OSError, KeyError, TypeError):
            continue
    return None


def load_checkpoint(path: Path, model: Any, optimizer: Any, *, fingerprint: str) -> Progress:
    """Put a checkpoint's weights and moments back, bit for bit, and return its progress.

    Raises:
        StorageError: The checkpoint was made with other settings, data or another model.
    """
    import torch
    from safetensors.torch import load_file

    state = read_json(path / _STATE)
    state.pop("sha256", None)
    progress = Progress(**state)
    parameters = trained(model)
    weights = load_file(str(path / _WEIGHTS))
    if progress.fingerprint != fingerprint or weights.keys() != parameters.keys():
        raise StorageError(
            "the checkpoint was made with other settings, another corpus or another model",
            where=str(path),
            cure="give another folder, or delete this one to start anew",
        )
    with torch.no_grad():
        for name, value in parameters.items():
            value.copy_(weights[name])
    for key, tensor in load_file(str(path / _OPTIMIZER)).items():
        slot, _, name = key.partition("/")
        value = parameters[name]
        # AdamW counts its steps on the CPU; the moments live beside the weights.
        optimizer.state[value][slot] = tensor if slot == "step" else tensor.to(value.device)
    return progress
