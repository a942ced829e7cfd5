"""What a training will take, before it is run."""

from __future__ import annotations

from pathlib import Path

from hinterland.adapt.settings import DaptConfig
from hinterland.core.models import ModelSource

__all__ = ["estimate_seconds", "parameter_count"]

#: Floating-point operations a second that float32 matrix products reach on one CPU core with
#: AVX2; measured with SmolLM2-135M (two cores, 4 × 256 tokens, 450 tokens a second forward).
_PER_CORE = 6e10
#: Bytes of English text that a token stands for.
_BYTES_PER_TOKEN = 4.0
#: Characters that a text is taken to have where all of it is scored.
_UNBOUNDED = 3000
#: A step's cost in forward passes: the backward pass through activations takes one more,
#: the weights' gradients another.
_LORA_PASSES, _FULL_PASSES = 2.0, 3.0


def parameter_count(source: ModelSource) -> int | None:
    """Return how many numbers a local model has, from its files' headers; ``None`` for a hub's."""
    if source.kind == "hub":
        return None
    if source.kind == "gguf":
        try:
            from gguf import GGUFReader
        except ImportError:
            return None
        return sum(int(tensor.n_elements) for tensor in GGUFReader(str(source.path)).tensors)
    return sum(_safetensors_count(file) for file in sorted(source.path.glob("*.safetensors"))) or None


def _safetensors_count(file: Path) -> int:
    from safetensors import safe_open

    total = 0
    with safe_open(str(file), framework="pt") as tensors:
        for name in tensors.keys():  # noqa: SIM118 - not a mapping
            size = 1
            for side in tensors.get_slice(name).get_shape():
                size *= side
            total += size
    return total


def estimate_seconds(config: DaptConfig, parameters: int | None) -> float | None:
    """Return about how long a run takes on this machine's CPU; ``None`` where that is unknown.

    A forward pass takes two operations for each parameter and token. Full windows are
    assumed, so that short documents make it faster. It is an upper bound on a GPU.
    """
    if parameters is None:
        return None
    import torch

    speed = _PER_CORE * (config.threads or torch.get_num_threads())
    tokens = config.train.steps * config.train.windows_per_step * config.window
    backward = (_LORA_PASSES - 1) * config.lora.top_layers if config.method == "lora" else _FULL_PASSES - 1
    training = 2.0 * parameters * tokens * (1 + backward) / speed
    texts = config.measure.documents + config.measure.general
    characters = texts * (config.measure.max_chars or _UNBOUNDED)
    measuring = 2 * 2.0 * parameters * characters / _BYTES_PER_TOKEN / speed  # before and after
    return round(min(training, config.train.max_seconds or training) + measuring, 1)
