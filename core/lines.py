"""Line charts as SVG strings: a few named lines, and many lines over a threshold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hinterland.core.chart_parts import LEFT, RIGHT, WIDTH, Scale, bounds, drawable, legend, ticks
from hinterland.core.svg import Ink, clean, frame, number_text, text

__all__ = ["line_chart"]


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
    points = [p for line in lines.values() for p in line if drawable(p[0]) and drawable(p[1])]
    x_low, x_high = bounds([p[0] for p in points], zero=False)
    if points:
        x_low, x_high = min(p[0] for p in points), max(p[0] for p in points)
        x_high = x_high if x_high > x_low else x_low + (abs(x_low) or 1.0)
    y_low, y_high = bounds([p[1] for p in points], zero=zero)
    top, bottom, left = (56.0 if len(lines) > 1 else 30.0), 290.0, 62.0
    across, up = Scale(x_low, x_high, left, WIDTH - RIGHT - 6), Scale(y_low, y_high, bottom, top)
    parts = [legend(list(lines), 20, ink, roles)] if len(lines) > 1 else []
    parts.append(text(LEFT, top - 10, y_label, ink, role="soft", size=13))
    for mark in ticks(y_low, y_high):
        y = up(mark)
        parts.append(f'<path d="M{left} {y:.1f}H{WIDTH - RIGHT}" {ink("rule", of="stroke")}/>')
        parts.append(text(left - 6, y + 4, number_text(mark, unit), ink, role="soft", size=13, anchor="end"))
    parts += [
        text(across(mark), bottom + 18, number_text(mark, x_unit), ink, role="soft", size=13, anchor="middle")
        for mark in ticks(x_low, x_high)
    ]
    parts.append(text(WIDTH - RIGHT, bottom + 38, x_label, ink, role="soft", size=13, anchor="end"))
    told = []
    for number, (name, line) in enumerate(lines.items()):
        role, path, pen = roles[number], [], False
        finite = [p for p in line if drawable(p[0]) and drawable(p[1])]
        for x_value, y_value in line:
            good = drawable(x_value) and drawable(y_value)
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
        width=WIDTH,
        height=bottom + 48,
        title=title,
        desc=desc or f"{y_label} by {x_label}. " + ("; ".join(told) or "nothing to show") + ".",
        ink=ink,
        kind="chart",
    )
