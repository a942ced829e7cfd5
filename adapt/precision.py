"""Which number format a machine trains in: bf16 only where the hardware computes in it."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from hinterland.core.errors import ConfigError

__all__ = ["Precision", "cpu_has_bf16", "device", "resolve_precision"]

Precision = Literal["auto", "fp32", "bf16"]

#: CPU flags (Linux) of the instructions that multiply bf16 matrices.
_FLAGS = frozenset({"avx512_bf16", "amx_bf16"})


def device() -> str:
    """Return where models run: the first GPU if there is one, else the CPU."""
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"


def cpu_has_bf16(cpuinfo: Path = Path("/proc/cpuinfo")) -> bool:
    """Whether this CPU multiplies bf16 in hardware; emulated it is slower than float32."""
    try:
        lines = cpuinfo.read_text(encoding="utf-8").splitlines()
    except OSError:
        return False
    flags = next((line for line in lines if line.startswith("flags")), "")
    return not _FLAGS.isdisjoint(flags.split())


def resolve_precision(wanted: Precision) -> Literal["fp32", "bf16"]:
    """Return the format to train in. Weights and moments stay float32 either way.

    Raises:
        ConfigError: bf16 is wanted where the hardware lacks it.
    """
    import torch

    able = torch.cuda.is_bf16_supported() if torch.cuda.is_available() else cpu_has_bf16()
    if wanted == "bf16" and not able:
        raise ConfigError(
            "this machine does not compute in bf16", where="train.precision", cure="set it to auto or fp32"
        )
    return "bf16" if able and wanted != "fp32" else "fp32"
