"""Small SVG charts as strings: dot and whisker, bars, lines. No dependency.

Labels are real text and stand above their marks, so that a chart shrinks to a phone and
prints in grey; every mark has a tooltip; series differ in shape as well as in colour.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from hinterland.core.chart_parts import LEFT, RIGHT, WIDTH, Scale, bounds, drawable, halo, legend, ticks
from hinterland.core.lines import line_chart
from hinterland.core.stats import Interval
from hinterland.core.svg import Ink, clean, frame, number_text, text

__all__ = ["IntervalRow", "bar_chart", "interval_chart", "line_chart", "ticks"]


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


def _interval_text(interval: Interval, unit: str) -> str:
    """Write "41% [36, 47]", or the estimate alone where there is no interval."""
    estimate = number_text(interval.estimate, unit)
    if not (drawable(interval.low) and drawable(interval.high)):
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
    interval: Interval,
    y: float,
    scale: Scale,
    ink: Ink,
    *,
    role: str,
    tip: str,
    diamond: bool = False,
    live: bool = False,
) -> str:
    """Draw one dot or diamond with its whisker and tooltip; off the axis, an arrow at its end."""
    if not drawable(interval.estimate) and not live:
        return ""
    x = scale(interval.estimate) if drawable(interval.estimate) else scale.start
    whole = drawable(interval.low) and drawable(interval.high)
    names = (' class="hl-mark"', ' class="hl-whisker"', ' class="hl-dot"') if live else ("", "", "")
    parts = [f"<g{names[0]}><title>{clean(tip)}</title>"]
    if whole or live:
        a, b = (scale(interval.low), scale(interval.high)) if whole else (x, x)
        parts.append(
            f'<path{names[1]} d="M{a:.1f} {y:.1f}H{b:.1f}M{a:.1f} {y - 4:.1f}v8M{b:.1f} {y - 4:.1f}v8"'
            f' fill="none" stroke-width="2" {ink(role, of="stroke")}/>'
        )
    if diamond:
        parts.append(f'<path d="M{x:.1f} {y - 7:.1f}l7 7l-7 7l-7-7z" {ink(role)}/>')
    elif scale.log and interval.estimate < scale.low:
        parts.append(f'<path d="M{x - 5:.1f} {y:.1f}l11-6v12z" {ink(role)}/>')
    else:
        hidden = "" if drawable(interval.estimate) else ' display="none"'
        parts.append(f'<circle{names[2]} cx="{x:.1f}" cy="{y:.1f}" r="5.5"{hidden} {ink(role)}/>')
    return "".join([*parts, "</g>"])


def _axis(scale: Scale, marks: Sequence[float], top: float, bottom: float, ink: Ink, unit: str) -> str:
    """Draw a horizontal axis below the rows, with light rules through them."""
    parts = []
    for mark in marks:
        x = scale(mark)
        parts.append(f'<path d="M{x:.1f} {top:.1f}V{bottom:.1f}" {ink("rule", of="stroke")}/>')
        anchor = "start" if x < scale.start + 12 else "end" if x > scale.end - 12 else "middle"
        parts.append(text(x, bottom + 17, number_text(mark, unit), ink, role="soft", size=14, anchor=anchor))
    return "".join(parts)


def _log_marks(low: float, high: float) -> list[float]:
    """Return round marks of a logarithmic axis, at most about seven."""
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    for steps in ((1, 2, 5), (1, 3), (1,)):
        marks = [step * 10.0**power for power in powers for step in steps]
        marks = [mark for mark in marks if low <= mark <= high]
        if len(marks) <= 7:
            break
    return marks if len(marks) >= 3 else ticks(low, high)


def _across(values: Sequence[float], unit: str, *, log: bool, shares: bool) -> tuple[Scale, list[float]]:
    """Return the horizontal scale of some values and its marks."""
    finite = [value for value in values if drawable(value)]
    if log:
        positive = [value for value in finite if value > 0] or [1.0]
        low, high = max(min(*positive, 0.9), 0.01), max(*positive, 1.1)
        marks = _log_marks(low, high)
    elif shares or (unit == "%" and all(0 <= value <= 1 for value in finite)):
        low, high, marks = 0.0, 1.0, [0.0, 0.25, 0.5, 0.75, 1.0]
    else:
        low, high = bounds(values, zero=False)
        marks = ticks(low, high)
    return Scale(low, high, LEFT, WIDTH - RIGHT, log), marks


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
    live: bool = False,
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
        log: A logarithmic axis, for ratios; what lies off it is an arrow at its end.
        live: Name the marks, so that the page's script can move them to other shares.
        standalone: Concrete colours on white, for a file of its own.
    """
    ink = Ink(standalone)
    pairs = any(row.after for row in rows)
    everything = [i for row in rows for i in (row.interval, row.after) if i is not None]
    values = [v for i in everything for v in (i.estimate, i.low, i.high)]
    values += [] if reference is None else [reference]
    scale, marks = _across(values, unit, log=log, shares=live)
    step = 62.0 if pairs else 44.0
    top = (30.0 if pairs else 8.0) + (18.0 if reference is not None and reference_label else 0.0)
    labels = [f"{row.label} (n = {row.n:,})" if row.n is not None else row.label for row in rows]
    values_shown = [_row_text(row, unit) for row in rows]
    # A label too long to stand beside its value pushes the value, and all below, down a line.
    long = [8.8 * len(a) + 8.3 * len(b) > WIDTH - 40 for a, b in zip(labels, values_shown, strict=True)]
    bottom = top + step * len(rows) + 19.0 * sum(long)
    parts = [legend(series, 20, ink, ("muted", "first"))] if pairs else []
    parts.append(_axis(scale, marks, top, bottom, ink, unit))
    if reference is not None and drawable(reference):
        x = scale(reference)
        named = (' class="hl-ref"', ' class="hl-ref-label"') if live else ("", "")
        parts.append(
            f'<path{named[0]} d="M{x:.1f} {top:.1f}V{bottom:.1f}" stroke-dasharray="5 4" stroke-width="1.5"'
            f" {ink('ink', of='stroke')}/>"
        )
        if reference_label:
            anchor = "end" if x > WIDTH * 0.75 else "start" if x < WIDTH * 0.25 else "middle"
            words = f"{reference_label}: {number_text(reference, unit)}"
            label = text(x, top - 6, words, ink, role="soft", size=14, anchor=anchor)
            parts.append(f"<g{named[1]}>{label}</g>" if live else label)
    told, y = [], top + 18
    for row, name, shown, below in zip(rows, labels, values_shown, long, strict=True):
        told.append(f"{name}: {shown}")
        label = text(LEFT, y, name, ink, role="soft" if row.muted else "ink", size=16)
        y += 19.0 * below
        value = text(WIDTH - RIGHT, y, shown, ink, role="soft", size=15, anchor="end")
        value = halo(value, standalone=standalone)
        parts += [
            halo(label, standalone=standalone),
            f'<g class="hl-value">{value}</g>' if live else value,
        ]
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
                live=live,
            )
        )
        if row.after is not None:
            tip = f"{series[1]}, {row.label}: {_interval_text(row.after, unit)}"
            parts.append(_whisker(row.after, y + 32, scale, ink, role="first", tip=tip, diamond=True))
        y += step
    body = "".join(parts)
    if live:
        body = f'<g class="hl-live" data-zero="{scale(0):.1f}" data-one="{scale(1):.1f}">{body}</g>'
    return frame(
        body,
        width=WIDTH,
        height=bottom + 26,
        title=title,
        desc=desc or ("; ".join(told) or "nothing to show") + ".",
        ink=ink,
        kind="chart",
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
    low, high = bounds([value for _, value in rows], zero=True)
    scale = Scale(low, max(high, 0.0), LEFT, WIDTH - RIGHT)
    zero, step, parts, told = scale(0.0), 42.0, [], []
    for number, (label, value) in enumerate(rows):
        y = 22 + number * step
        shown = number_text(value, unit)
        told.append(f"{label}: {shown}")
        parts.append(text(LEFT, y, label, ink))
        parts.append(text(WIDTH - RIGHT, y, shown, ink, role="soft", size=14, anchor="end"))
        if drawable(value):
            end = scale(value)
            wide = max(abs(end - zero), 1)
            parts.append(
                f'<rect x="{min(zero, end):.1f}" y="{y + 6:.1f}" width="{wide:.1f}" height="12"'
                f' rx="2" {ink("first")}><title>{clean(label)}: {clean(shown)}</title></rect>'
            )
    return frame(
        "".join(parts),
        width=WIDTH,
        height=12 + step * len(rows),
        title=title,
        desc=desc or ("; ".join(told) or "nothing to show") + ".",
        ink=ink,
        kind="chart",
    )
