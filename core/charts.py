"""Small SVG charts as strings: dot and whisker, bars, lines. No dependency.

Labels are real text and stand above their marks, so that a chart shrinks to a phone and
prints in grey; every mark has a tooltip; series differ in shape as well as in colour.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hinterland.core.stats import Interval
from hinterland.core.svg import Ink, clean, frame, number_text, text

__all__ = ["IntervalRow", "bar_chart", "interval_chart", "line_chart", "ticks"]

_WIDTH = 520.0
_LEFT, _RIGHT = 14.0, 14.0


@dataclass(frozen=True, slots=True)
class IntervalRow:
    """One row of `interval_chart`.

    Args:
        label: What was measured.
        interval: The estimate with its bounds; NaN bounds draw the dot alone.
        n: How many it rests on, shown beside the label.
        muted: Draw it grey: too small to compare.
        after: A second interval for the same thing.
    """

    label: str
    interval: Interval
    n: int | None = None
    muted: bool = False
    after: Interval | None = None


def _drawable(value: float) -> bool:
    """Whether a value has a place on an axis; sums and spans of larger ones overflow."""
    return math.isfinite(value) and abs(value) < 1e100


def ticks(low: float, high: float, *, about: int = 5) -> list[float]:
    """Return round numbers from ``low`` to ``high``, around ``about`` of them.

    >>> ticks(0.0, 1.0)
    [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]
    """
    span = high - low
    if not _drawable(span) or span <= 0:
        return [low]
    raw = span / about
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(power * m for m in (1, 2, 2.5, 5, 10) if power * m >= raw * 0.999)
    first = math.ceil(low / step - 1e-9)
    count = math.floor(high / step + 1e-9) - first
    return [round((first + i) * step, 12) for i in range(count + 1)]


def _bounds(values: Sequence[float], *, zero: bool) -> tuple[float, float]:
    """Return round outer bounds of the finite values, from zero if asked."""
    finite = [value for value in values if _drawable(value)]
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
class _Scale:
    """Maps values to positions, linearly or by logarithm, and stays inside."""

    low: float
    high: float
    start: float
    end: float
    log: bool = False

    def __call__(self, value: float) -> float:
        if self.log:
            value = max(value, 1e-12)
            part = math.log(value / self.low) / math.log(self.high / self.low)
        else:
            part = (value - self.low) / (self.high - self.low)
        return self.start + min(max(part, 0.0), 1.0) * (self.end - self.start)


def _interval_text(interval: Interval, unit: str) -> str:
    """Write "41% [36, 47]", or the estimate alone where there is no interval."""
    estimate = number_text(interval.estimate, unit)
    if not (_drawable(interval.low) and _drawable(interval.high)):
        return estimate
    low, high = number_text(interval.low, unit), number_text(interval.high, unit)
    if unit == "%":
        return f"{estimate} [{low.rstrip('%')}, {high.rstrip('%')}]"
    return f"{estimate} [{low}, {high}]"


def _row_text(row: IntervalRow, unit: str) -> str:
    if row.after is None:
        return _interval_text(row.interval, unit)
    return f"{number_text(row.interval.estimate, unit)} → {_interval_text(row.after, unit)}"


def _whisker(
    interval: Interval, y: float, scale: _Scale, ink: Ink, *, role: str, tip: str, diamond: bool
) -> str:
    """Draw one dot or diamond with its whisker and tooltip."""
    if not _drawable(interval.estimate):
        return ""
    x = scale(interval.estimate)
    parts = [f"<g><title>{clean(tip)}</title>"]
    if _drawable(interval.low) and _drawable(interval.high):
        a, b = scale(interval.low), scale(interval.high)
        parts.append(
            f'<path d="M{a:.1f} {y:.1f}H{b:.1f}M{a:.1f} {y - 4:.1f}v8M{b:.1f} {y - 4:.1f}v8" fill="none"'
            f' stroke-width="2" {ink(role, of="stroke")}/>'
        )
    parts.append(
        f'<path d="M{x:.1f} {y - 7:.1f}l7 7l-7 7l-7-7z" {ink(role)}/>'
        if diamond
        else f'<circle cx="{x:.1f}" cy="{y:.1f}" r="5.5" {ink(role)}/>'
    )
    return "".join([*parts, "</g>"])


def _legend(names: Sequence[str], y: float, ink: Ink, roles: Sequence[str]) -> str:
    """Draw a legend: a circle for the first name, a diamond for the second, lines' dots beyond."""
    parts, x = [], _LEFT + 6
    for number, (name, role) in enumerate(zip(names, roles, strict=False)):
        parts.append(
            f'<path d="M{x:.1f} {y - 11:.1f}l6 6l-6 6l-6-6z" {ink(role)}/>'
            if number == 1
            else f'<circle cx="{x:.1f}" cy="{y - 5:.1f}" r="5.5" {ink(role)}/>'
        )
        parts.append(text(x + 12, y, name, ink, role="soft", size=14))
        x += 34 + 7.6 * len(name)
    return "".join(parts)


def _axis(scale: _Scale, marks: Sequence[float], top: float, bottom: float, ink: Ink, unit: str) -> str:
    """Draw a horizontal axis below the rows, with light rules through them."""
    parts = []
    for mark in marks:
        x = scale(mark)
        parts.append(f'<path d="M{x:.1f} {top:.1f}V{bottom:.1f}" {ink("rule", of="stroke")}/>')
        anchor = "start" if x < scale.start + 12 else "end" if x > scale.end - 12 else "middle"
        parts.append(text(x, bottom + 17, number_text(mark, unit), ink, role="soft", size=13, anchor=anchor))
    return "".join(parts)


def interval_chart(
    rows: Sequence[IntervalRow],
    *,
    title: str,
    desc: str | None = None,
    reference: float | None = None,
    reference_label: str = "",
    unit: str = "%",
    series: tuple[str, str] = ("before", "after"),
    log: bool = False,
    standalone: bool = False,
) -> str:
    """Draw a dot and whisker for each row, two where a row has an ``after``.

    Args:
        rows: What to draw, from the top down.
        title: What the chart shows.
        desc: The chart in words; made from the rows when ``None``.
        reference: A value marked by a dashed line.
        reference_label: What that value is.
        unit: "%" writes fractions as percent; anything else follows the number.
        series: The names of the first and the second interval, for the legend.
        log: A logarithmic axis, for ratios.
        standalone: Concrete colours on white, for a file of its own.
    """
    ink = Ink(standalone)
    pairs = any(row.after for row in rows)
    everything = [i for row in rows for i in (row.interval, row.after) if i is not None]
    values = [v for i in everything for v in (i.estimate, i.low, i.high)]
    values += [] if reference is None else [reference]
    if log:
        positive = [v for v in values if _drawable(v) and v > 0] or [1.0]
        low, high = min(*positive, 0.9), max(*positive, 1.1)
        low = max(low, 0.01)
        marks = [m for m in (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50) if low <= m <= high]
        if len(marks) < 3:
            marks = ticks(low, high)
    elif unit == "%" and all(0 <= v <= 1 for v in values if _drawable(v)):
        low, high, marks = 0.0, 1.0, [0.0, 0.25, 0.5, 0.75, 1.0]
    else:
        low, high = _bounds(values, zero=False)
        marks = ticks(low, high)
    scale = _Scale(low, high, _LEFT, _WIDTH - _RIGHT, log)
    step = 62.0 if pairs else 44.0
    top = (30.0 if pairs else 8.0) + (18.0 if reference is not None and reference_label else 0.0)
    labels = [f"{row.label} (n = {row.n:,})" if row.n is not None else row.label for row in rows]
    values_shown = [_row_text(row, unit) for row in rows]
    # A label too long to stand beside its value pushes the value, and all below, down a line.
    long = [8.2 * len(a) + 7.8 * len(b) > _WIDTH - 40 for a, b in zip(labels, values_shown, strict=True)]
    bottom = top + step * len(rows) + 19.0 * sum(long)
    parts = [_legend(series, 20, ink, ("muted", "first"))] if pairs else []
    parts.append(_axis(scale, marks, top, bottom, ink, unit))
    if reference is not None and _drawable(reference):
        x = scale(reference)
        parts.append(
            f'<path d="M{x:.1f} {top:.1f}V{bottom:.1f}" stroke-dasharray="5 4" stroke-width="1.5"'
            f" {ink('ink', of='stroke')}/>"
        )
        if reference_label:
            anchor = "end" if x > _WIDTH * 0.75 else "start" if x < _WIDTH * 0.25 else "middle"
            words = f"{reference_label}: {number_text(reference, unit)}"
            parts.append(text(x, top - 6, words, ink, role="soft", size=13, anchor=anchor))
    told, y = [], top + 18
    for row, name, shown, below in zip(rows, labels, values_shown, long, strict=True):
        told.append(f"{name}: {shown}")
        label = text(_LEFT, y, name, ink, role="soft" if row.muted else "ink")
        y += 19.0 * below
        value = text(_WIDTH - _RIGHT, y, shown, ink, role="soft", size=14, anchor="end")
        parts += [_halo(label, standalone=standalone), _halo(value, standalone=standalone)]
        role = "muted" if row.muted or row.after is not None else "first"
        tip = f"{name}: {_interval_text(row.interval, unit)}"
        parts.append(
            _whisker(
                row.interval,
                y + 15,
                scale,
                ink,
                role=role,
                tip=f"{series[0]}, {tip}" if pairs else tip,
                diamond=False,
            )
        )
        if row.after is not None:
            tip = f"{series[1]}, {row.label}: {_interval_text(row.after, unit)}"
            parts.append(_whisker(row.after, y + 32, scale, ink, role="first", tip=tip, diamond=True))
        y += step
    return frame(
        "".join(parts),
        width=_WIDTH,
        height=bottom + 26,
        title=title,
        desc=desc or ("; ".join(told) or "nothing to show") + ".",
        ink=ink,
        kind="chart",
    )


def _halo(label: str, *, standalone: bool) -> str:
    """Give a label a ground-coloured outline, so that rules do not run through its letters."""
    colour = "#ffffff" if standalone else "var(--hl-paper,#ffffff)"
    return (
        f'<g paint-order="stroke" stroke-width="5" stroke-linejoin="round" stroke="#ffffff"'
        f' style="stroke:{colour}">{label}</g>'
    )


def bar_chart(
    rows: Sequence[tuple[str, float]],
    *,
    title: str,
    desc: str | None = None,
    unit: str = "",
    standalone: bool = False,
) -> str:
    """Draw one horizontal bar for each (label, value); bars start at zero."""
    ink = Ink(standalone)
    low, high = _bounds([value for _, value in rows], zero=True)
    scale = _Scale(low, max(high, 0.0), _LEFT, _WIDTH - _RIGHT)
    zero, step, parts, told = scale(0.0), 42.0, [], []
    for number, (label, value) in enumerate(rows):
        y = 22 + number * step
        shown = number_text(value, unit)
        told.append(f"{label}: {shown}")
        parts.append(text(_LEFT, y, label, ink))
        parts.append(text(_WIDTH - _RIGHT, y, shown, ink, role="soft", size=14, anchor="end"))
        if _drawable(value):
            end = scale(value)
            wide = max(abs(end - zero), 1)
            parts.append(
                f'<rect x="{min(zero, end):.1f}" y="{y + 6:.1f}" width="{wide:.1f}" height="12"'
                f' rx="2" {ink("first")}><title>{clean(label)}: {clean(shown)}</title></rect>'
            )
    return frame(
        "".join(parts),
        width=_WIDTH,
        height=12 + step * len(rows),
        title=title,
        desc=desc or ("; ".join(told) or "nothing to show") + ".",
        ink=ink,
        kind="chart",
    )


def line_chart(
    lines: Mapping[str, Sequence[tuple[float, float]]],
    *,
    title: str,
    x_label: str,
    y_label: str,
    desc: str | None = None,
    x_unit: str = "",
    unit: str = "",
    zero: bool = False,
    standalone: bool = False,
) -> str:
    """Draw named lines of (x, y) points; a point that is not finite leaves a gap.

    Args:
        lines: Up to four named series.
        title: What the chart shows.
        x_label: What x is.
        y_label: What y is.
        desc: The chart in words; made from first and last points when ``None``.
        x_unit: Unit of x, as in `number_text`.
        unit: Unit of y.
        zero: Start the y axis at zero.
        standalone: Concrete colours on white.

    Raises:
        ValueError: There are more than four series.
    """
    roles = ("first", "second", "third", "fourth")
    if len(lines) > len(roles):
        raise ValueError(f"a line chart shows at most {len(roles)} series, found {len(lines)}")
    ink = Ink(standalone)
    points = [p for line in lines.values() for p in line if _drawable(p[0]) and _drawable(p[1])]
    x_low, x_high = _bounds([p[0] for p in points], zero=False)
    if points:
        x_low, x_high = min(p[0] for p in points), max(p[0] for p in points)
        x_high = x_high if x_high > x_low else x_low + (abs(x_low) or 1.0)
    y_low, y_high = _bounds([p[1] for p in points], zero=zero)
    top, bottom, left = (56.0 if len(lines) > 1 else 30.0), 290.0, 62.0
    across, up = _Scale(x_low, x_high, left, _WIDTH - _RIGHT - 6), _Scale(y_low, y_high, bottom, top)
    parts = [_legend(list(lines), 20, ink, roles)] if len(lines) > 1 else []
    parts.append(text(_LEFT, top - 10, y_label, ink, role="soft", size=13))
    for mark in ticks(y_low, y_high):
        y = up(mark)
        parts.append(f'<path d="M{left} {y:.1f}H{_WIDTH - _RIGHT}" {ink("rule", of="stroke")}/>')
        parts.append(text(left - 6, y + 4, number_text(mark, unit), ink, role="soft", size=13, anchor="end"))
    parts += [
        text(across(mark), bottom + 18, number_text(mark, x_unit), ink, role="soft", size=13, anchor="middle")
        for mark in ticks(x_low, x_high)
    ]
    parts.append(text(_WIDTH - _RIGHT, bottom + 38, x_label, ink, role="soft", size=13, anchor="end"))
    told = []
    for number, (name, line) in enumerate(lines.items()):
        role, path, pen = roles[number], [], False
        finite = [p for p in line if _drawable(p[0]) and _drawable(p[1])]
        for x_value, y_value in line:
            good = _drawable(x_value) and _drawable(y_value)
            if good:
                path.append(f"{'L' if pen else 'M'}{across(x_value):.1f} {up(y_value):.1f}")
            pen = good
        if path:
            parts.append(
                f'<path d="{"".join(path)}" fill="none" stroke-width="2.5" {ink(role, of="stroke")}/>'
            )
        for x_value, y_value in finite if len(finite) <= 60 else ():
            x, y = across(x_value), up(y_value)
            tip = clean(f"{name}: {number_text(y_value, unit)} at {x_label} {number_text(x_value, x_unit)}")
            dot = (
                f'<path d="M{x:.1f} {y - 6:.1f}l6 6l-6 6l-6-6z" {ink(role)}>'
                if number == 1
                else f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4.5" {ink(role)}>'
            )
            parts.append(f"{dot}<title>{tip}</title></{'path' if number == 1 else 'circle'}>")
        if finite:
            told.append(
                f"{name}: {number_text(finite[0][1], unit)} at {number_text(finite[0][0], x_unit)},"
                f" {number_text(finite[-1][1], unit)} at {number_text(finite[-1][0], x_unit)}"
            )
    return frame(
        "".join(parts),
        width=_WIDTH,
        height=bottom + 48,
        title=title,
        desc=desc or f"{y_label} by {x_label}. " + ("; ".join(told) or "nothing to show") + ".",
        ink=ink,
        kind="chart",
    )
