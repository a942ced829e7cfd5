"""Train and fill an index on one GPU or several, and bring it back to the CPU."""

from __future__ import annotations

from collections.abc import Iterable
from types import ModuleType
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from hinterland.core.errors import ConfigError
from hinterland.core.progress import console

__all__ = ["fill_on_gpu", "gpus"]

Vectors = NDArray[np.float32]


def gpus(faiss: ModuleType, device: Literal["auto", "cpu", "gpu"]) -> int:
    """Return how many GPUs to use.

    Raises:
        ConfigError: ``gpu`` is asked for where FAISS sees none.
    """
    if device == "cpu":
        return 0
    found = int(faiss.get_num_gpus()) if hasattr(faiss, "StandardGpuResources") else 0
    if device == "gpu" and not found:
        built = hasattr(faiss, "StandardGpuResources")
        raise ConfigError(
            "FAISS sees no GPU" if built else "this FAISS was built without GPU support",
            where="device",
            cure="write device: auto" if built else "pip install 'hinterland[gpu]', or write device: auto",
        )
    return found


def fill_on_gpu(
    faiss: ModuleType, index: Any, sample: Vectors, parts: Iterable[Vectors], *, count: int, seed: int
) -> Any | None:
    """Train and fill on GPUs; ``None`` where they have no such index, or too little memory.

    Several GPUs share the vectors between them; what comes back is one index.

    Args:
        faiss: The module.
        index: The empty index, on the CPU; it is left as it is.
        sample: What to train on, shape (rows, dimension).
        parts: The vectors, in their order.
        count: GPUs to use, at least 1.
        seed: Of the clustering. A GPU's sums differ from run to run in their last digits.
    """
    try:
        if count > 1:
            options = faiss.GpuMultipleClonerOptions()
            options.shard = True
            there = faiss.index_cpu_to_all_gpus(index, options, count)
        else:
            there = faiss.index_cpu_to_gpu(faiss.StandardGpuResources(), 0, index)
        for each in _clustered(faiss, there):
            each.cp.seed = seed & 0x7FFFFFFF  # cloning does not carry it over
        if not there.is_trained:
            there.train(sample)
        for part in parts:
            there.add(part)
        return faiss.index_gpu_to_cpu(there)
    except RuntimeError as error:
        text = " ".join(str(error).split())
        reason = text.partition("Error: ")[2] or text
        console().print(f"  built on the CPU, because the GPU refused: {reason[:200]}", markup=False)
        return None


def _clustered(faiss: ModuleType, index: Any) -> list[Any]:
    """Return the indexes inside, or the index itself, that cluster when they are trained."""
    index = faiss.downcast_index(index)
    if hasattr(index, "count") and hasattr(index, "at"):  # shards
        return [each for place in range(index.count()) for each in _clustered(faiss, index.at(place))]
    if isinstance(index, faiss.IndexPreTransform):
        return _clustered(faiss, index.index)
    return [index] if hasattr(index, "cp") else []
