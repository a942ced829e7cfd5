"""Tables, timing and sizes that the parts share."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from hinterland.core.stats import Interval

__all__ = [
    "SEED",
    "SMALL",
    "Row",
    "SkippedError",
    "Table",
    "interval",
    "one_line",
    "release",
    "sized",
    "timed",
]

Row = dict[str, Any]
T = TypeVar("T")

SEED = 0
#: Below this scale, windows, matrices and the like shrink too, so that a CPU can run them.
SMALL = 0.1


class SkippedError(Exception):
    """A part that this machine cannot run; the message says why."""


@dataclass
class Table:
    """One table: a title, how it was measured, and its rows, all with the same keys."""

    title: str
    notes: list[str] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)

    def markdown(self) -> str:
        """Return the table as people read it."""
        lines = [f"## {self.title}", "", *(f"- {note}" for note in self.notes), *([""] if self.notes else [])]
        if self.rows:
            names = list(self.rows[0])
            cells = [names, *([shown(row.get(name)) for name in names] for row in self.rows)]
            widths = [max(len(line[column]) for line in cells) for column in range(len(names))]
            padded = [
                "| " + " | ".join(cell.ljust(w) for cell, w in zip(line, widths, strict=True)) + " |"
                for line in cells
            ]
            lines += [padded[0], "|" + "|".join("-" * (w + 2) for w in widths) + "|", *padded[1:], ""]
        return "\n".join(lines)


def shown(value: Any) -> str:
    """Return a cell: three or four digits of a number, ``-`` for nothing."""
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def sized(full: int, scale: float, least: int) -> int:
    """Return ``full`` at ``scale``, but at least ``least``."""
    return max(least, round(full * scale))


def synchronise() -> None:
    """Wait for the GPU, if there is one."""
    import torch

    if torch.cuda.is_available():
        torch.cuda.synchronize()


def timed(function: Callable[[], T]) -> tuple[float, T]:
    """Return the seconds that ``function`` takes until the device is done, and its result."""
    synchronise()
    begun = time.perf_counter()
    result = function()
    synchronise()
    return time.perf_counter() - begun, result


def interval(value: Interval) -> str:
    """Return a 95% interval as text."""
    return f"{value.low:.4f} to {value.high:.4f}"


def release() -> None:
    """Give unused memory back."""
    import torch

    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


def one_line(error: Exception) -> str:
    """Return what an error says, on one line, cut."""
    return " ".join(str(error).split())[:400]
