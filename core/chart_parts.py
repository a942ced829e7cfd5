"""What the charts share: scales, round marks, legends, labels on a ground."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from hinterland.core.svg import Ink, text

__all__ = ["LEFT", "RIGHT", "WIDTH", "Scale", "bounds", "drawable", "halo", "legend", "ticks"]

WIDTH = 520.0
LEFT, RIGHT = 14.0, 14.0


def drawable(value: float) -> bool:
    """Whether a value has a place on an axis; sums and spans of larger ones overflow."""
    return math.isfinite(value) and abs(value) < 1e100


def ticks(low: float, high: float, *, about: int = 5) -> list[float]:
    """Return round numbers from ``low`` to ``high``, around ``about`` of them.

    >>> ticks(0.0, 1.0)
    [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]
    """
    span = high - low
    if not drawable(span) or span < 1e-100:
        return [low]
    raw = span / about
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(power * m for m in (1, 2, 2.5, 5, 10) if power * m >= raw * 0.999)
    first = math.ceil(low / step - 1e-9)
    count = math.floor(high / step + 1e-9) - first
    return [round((first + i) * step, 12) for i in range(count + 1)]


def bounds(values: Sequence[float], *, zero: bool) -> tuple[float, float]:
    """Return round outer bounds of the finite values, from zero if asked."""
    finite = [value for value in values if drawable(value)]
    if not finite:
        return 0.0, 1.0
    low, high = min(finite), max(finite)
    low = min(low, 0.0) if zero else low
    if high - low <= 1e-9 * max(abs(low), abs(high), 1e-3):
        high = low + (abs(low) if abs(low) > 1e-9 else 1.0)
    marks = ticks(low, high)
    step = marks[1] - marks[0] if len(marks) > 1 else high - low
    return math.floor(low / step + 1e-9) * step, math.ceil(high / step - 1e-9) * step


@dataclass(frozen=True, slots=True)
class Scale:
    """Maps values to positions, linearly or by logarithm, and stays inside."""

    low: float
    high: float
    start: float
    end: float
    log: bool = False

    def __call__(self, value: float) -> float:
        """Return the position of a value."""
        if self.log:
            value = max(value, 1e-12)
            part = math.log(value / self.low) / math.log(self.high / self.low)
        else:
            part = (value - self.low) / (self.high - self.low)
        return self.start + min(max(part, 0.0), 1.0) * (self.end - self.start)


def legend(names: Sequence[str], y: float, ink: Ink, roles: Sequence[str]) -> str:
    """Draw a legend: a circle for the first name, a diamond for the second, lines' dots beyond."""
    parts, x = [], LEFT + 6
    for number, (name, role) in enumerate(zip(names, roles, strict=False)):
        parts.append(
            f'<path d="M{x:.1f} {y - 11:.1f}l6 6l-6 6l-6-6z" {ink(role)}/>'
            if number == 1
            else f'<circle cx="{x:.1f}" cy="{y - 5:.1f}" r="5.5" {ink(role)}/>'
        )
        parts.append(text(x + 12, y, name, ink, role="soft", size=14))
        x += 34 + 7.6 * len(name)
    return "".join(parts)


def halo(label: str, *, standalone: bool) -> str:
    """Give a label a ground-coloured outline, so that rules do not run through its letters."""
    colour = "#ffffff" if standalone else "var(--hl-paper,#ffffff)"
    return (
        f'<g paint-order="stroke" stroke-width="5" stroke-linejoin="round" stroke="#ffffff"'
        f' style="stroke:{colour}">{label}</g>'
    )
