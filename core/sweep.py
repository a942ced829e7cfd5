"""A chart of several groups over the steps of a threshold, as an SVG string.

The axis runs in equal steps from the first threshold to the last, as a slider over the
same steps does, so that a page can lay one under the other. The lines that are named
have their names at their ends, moved apart where they would overlap.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from hinterland.core.chart_parts import WIDTH, Scale, drawable, halo
from hinterland.core.svg import Ink, clean, frame, number_text, text

__all__ = ["SWEEP_END", "SWEEP_START", "sweep_chart"]

#: Where the axis starts and ends, in parts of the chart's width.
SWEEP_START, SWEEP_END = 46 / WIDTH, 388 / WIDTH
_STYLES = tuple(
    zip(
        ("first", "second", "third", "fourth", "fifth", "sixth"),
        ("", "7 3", "2 3", "9 3 2 3", "5 5", "1 4"),
        (2.2,) * 6,
        strict=True,
    )
)
_POINTS = 81  # drawn of each line


class _Line(NamedTuple):
    """A line to draw: its name, values, colour, dashes and width."""

    name: str
    values: Sequence[float]
    role: str
    dash: str
    wide: float


def _path(values: Sequence[float], across: Scale, up: Scale) -> str:
    """Return a line through the finite values, through `_POINTS` of them at most."""
    last = len(values) - 1
    step = max(1, -(-last // (_POINTS - 1)))
    drawn = [*range(0, last, step), last] if last > 0 else [0] * len(values)
    parts, pen = [], "M"
    for i in drawn:
        if drawable(values[i]):
            parts.append(f"{pen}{across(i):.0f} {up(values[i]):.1f}".removesuffix(".0"))
            pen = "L"
        else:
            pen = "M"
    return "".join(parts)


def sweep_chart(
    steps: Sequence[str],
    lines: Mapping[str, Sequence[float]],
    *,
    title: str,
    x_label: str,
    overall: Sequence[float] = (),
    overall_label: str = "all",
    others: Mapping[str, Sequence[float]] | None = None,
    marks: Sequence[tuple[str, int]] = (),
    desc: str | None = None,
    standalone: bool = False,
) -> str:
    """Draw shares over the steps of a threshold.

    Args:
        steps: The thresholds, as they are written, shape (steps,).
        lines: Up to six named lines of shares, each of shape (steps,).
        title: What the chart shows.
        x_label: What the threshold is.
        overall: The line of all documents, drawn thicker, shape (steps,).
        overall_label: Its name.
        others: Lines drawn thin and grey, with their names as tooltips only.
        marks: Steps to mark: name and index ("current", 31).
        desc: The chart in words; made from the lines when ``None``.
        standalone: Concrete colours on white.

    Raises:
        ValueError: There are more than six named lines.
    """
    if len(lines) > len(_STYLES):
        raise ValueError(f"a chart over a threshold names at most {len(_STYLES)} lines, found {len(lines)}")
    ink, last = Ink(standalone), max(len(steps) - 1, 1)
    top, bottom = 14.0 + 17.0 * len(marks), 300.0
    highest = max(
        (v for line in [*lines.values(), overall, *(others or {}).values()] for v in line if drawable(v)),
        default=1.0,
    )
    ceiling = next((each for each in (0.05, 0.1, 0.2, 0.4) if highest <= each), 1.0)
    across = Scale(0, last, SWEEP_START * WIDTH, SWEEP_END * WIDTH)
    up = Scale(0, ceiling, bottom, top)
    parts = []
    for mark in (part * ceiling / 4 for part in range(5)):
        y = up(mark)
        parts.append(f'<path d="M{across.start:.0f} {y:.1f}H{across.end:.0f}" {ink("rule", of="stroke")}/>')
        shown = number_text(mark, "%")
        parts.append(text(across.start - 6, y + 4, shown, ink, role="soft", size=13, anchor="end"))
    parts += [
        text(across(i), bottom + 18, steps[i], ink, role="soft", size=13, anchor="middle")
        for i in sorted({round((len(steps) - 1) * part / 4) for part in range(5)} if steps else ())
    ]
    parts.append(text(across.end, bottom + 37, x_label, ink, role="soft", size=13, anchor="end"))
    for number, (name, i) in enumerate(marks):
        x, y = across(i), 12.0 + 17.0 * number
        parts.append(
            f'<path d="M{x:.1f} {y + 3:.1f}V{bottom:.1f}" stroke-dasharray="4 3" stroke-width="1.2"'
            f" {ink('soft', of='stroke')}/>"
        )
        anchor = "end" if x > across.start + 0.7 * (across.end - across.start) else "start"
        parts.append(text(x + (4 if anchor == "start" else -4), y, name, ink, size=13, anchor=anchor))
    drawn = [_Line(n, v, *style) for (n, v), style in zip(lines.items(), _STYLES, strict=False)]
    if len(overall):
        drawn.append(_Line(overall_label, overall, "ink", "", 3.0))
    grey = [_Line(name, values, "muted", "", 1.2) for name, values in (others or {}).items()]
    parts += [_stroke(_path(line.values, across, up), line, ink) for line in [*grey, *drawn]]
    at = marks[0][1] if marks else last // 2
    parts.append(_legend(drawn, at, across.end + 8, ink, standalone=standalone))
    if not standalone:
        parts.append(
            f'<path class="hl-cursor" d="M{across(0):.1f} {top:.1f}V{bottom:.1f}" stroke-width="2"'
            f' display="none" data-start="{across.start:.1f}" data-end="{across.end:.1f}"'
            f" {ink('ink', of='stroke')}/>"
        )
    return frame(
        "".join(parts),
        width=WIDTH,
        height=bottom + 46,
        title=title,
        desc=desc or _words(steps, {line.name: line.values for line in drawn}, marks),
        ink=ink,
        kind="chart",
    )


def _legend(drawn: Sequence[_Line], at: int, x: float, ink: Ink, *, standalone: bool) -> str:
    """Draw the names beside the chart, the line that is highest at a step first."""

    def order(line: _Line) -> float:
        value = line.values[at] if at < len(line.values) else 0.0
        return -value if drawable(value) else 1.0

    parts = []
    for number, line in enumerate(sorted(drawn, key=order)):
        y = 40.0 + 22.0 * number
        short = line.name if len(line.name) <= 14 else line.name[:13] + "…"
        parts.append(f"<g><title>{clean(line.name)}</title>")
        parts.append(_stroke(f"M{x:.0f} {y - 5:.0f}h18", line, ink))
        parts.append(halo(text(x + 23, y, short, ink, size=14), standalone=standalone) + "</g>")
    return "".join(parts)


def _stroke(path: str, line: _Line, ink: Ink) -> str:
    dashes = f' stroke-dasharray="{line.dash}"' if line.dash else ""
    return (
        f'<path d="{path}" fill="none" stroke-width="{line.wide:g}" stroke-linejoin="round"{dashes}'
        f" {ink(line.role, of='stroke')}><title>{clean(line.name)}</title></path>"
    )


def _words(
    steps: Sequence[str], named: Mapping[str, Sequence[float]], marks: Sequence[tuple[str, int]]
) -> str:
    """Say every named line's values at the ends and at the marks."""
    if not steps:
        return "Nothing to show."
    at = [(f"at {steps[0]}", 0), *((f"at {name} {steps[i]}", i) for name, i in marks)]
    at.append((f"at {steps[-1]}", len(steps) - 1))
    told = [
        f"{name}: " + ", ".join(f"{number_text(line[i], '%')} {where}" for where, i in at)
        for name, line in named.items()
    ]
    return "; ".join(told) + "."
