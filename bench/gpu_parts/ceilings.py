"""What the device can do at best, to quote the other figures against."""

from __future__ import annotations

import statistics
from collections.abc import Iterator

from gpu_parts.common import SMALL, Table, sized, timed
from hinterland.adapt.precision import device

__all__ = ["ceilings", "matrix_rate"]


def matrix_side(scale: float) -> int:
    """Return the rows and columns of the matrices."""
    return 8192 if scale >= SMALL else 512


def matrix_rate(scale: float) -> float:
    """Return the TFLOP/s of a square bf16 matrix product on random data (fp32 on a CPU)."""
    import torch

    place = device()
    side = matrix_side(scale)
    kind = torch.bfloat16 if place == "cuda" else torch.float32
    left, right = (torch.randn(side, side, device=place, dtype=kind) for _ in range(2))
    for _ in range(3):
        left @ right
    seconds = statistics.median(timed(lambda: left @ right)[0] for _ in range(20))
    return float(2 * side**3 / seconds / 1e12)


def copy_rate(scale: float) -> float:
    """Return the TB/s of a copy within the device's memory, bytes read plus bytes written."""
    import torch

    source = torch.randn(sized(2**31, scale, 2**20) // 4, device=device())
    target = torch.empty_like(source)
    target.copy_(source)
    seconds = statistics.median(timed(lambda: target.copy_(source))[0] for _ in range(10))
    return float(2 * source.numel() * 4 / seconds / 1e12)


def ceilings(scale: float) -> Iterator[Table]:
    """Measure what the device can do at best."""
    side = matrix_side(scale)
    note = f"Random data; medians of 20 products of {side} × {side} matrices and of 10 copies."
    table = Table("Ceilings", [note])
    kind = "bf16" if device() == "cuda" else "fp32"
    table.rows.append({"what": f"{kind} matrix product, TFLOP/s", "rate": matrix_rate(scale)})
    table.rows.append({"what": "copy within the device, TB/s", "rate": copy_rate(scale)})
    yield table
