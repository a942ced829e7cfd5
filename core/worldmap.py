"""A world map of one value for each country, as an SVG string.

Equal Earth projection, so that areas compare. Places too small to be seen get a circle,
and a place without a value is hatched and named in the legend: what is missing is part
of the picture.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from hinterland.core.places import by_iso3
from hinterland.core.svg import ID, Ink, clean, frame, number_text, text

__all__ = ["world_map"]

_WIDTH = 1000.0


@cache
def _world() -> dict[str, Any]:
    """Return the geometry that ships with the kit (scripts/make_world.py)."""
    import json

    found: dict[str, Any] = json.loads(
        files("hinterland.core").joinpath("data/world.json").read_text(encoding="utf-8")
    )
    return found


def _edges(values: list[float], middle: float | None, unit: str) -> list[float]:
    """Return the six edges of five classes: equal steps, symmetric about ``middle`` if given."""
    low, high = min(values), max(values)
    if middle is not None:
        reach = max(high - middle, middle - low) or 0.1
        inner, outer = reach * 0.2, reach * 0.6
        edges = [
            middle - reach,
            middle - outer,
            middle - inner,
            middle + inner,
            middle + outer,
            middle + reach,
        ]
        if unit == "%":
            edges = [min(max(edge, 0.0), max(high, 1.0)) for edge in edges]
        return edges
    if high <= low:
        high = low + (abs(low) or 1.0)
    return [low + (high - low) * step / 5 for step in range(6)]


def _class_of(value: float, edges: list[float]) -> int:
    """Return the class (1 to 5) that ``value`` lies in."""
    return 1 + sum(value >= edge for edge in edges[1:5])


def world_map(
    values: Mapping[str, float],
    *,
    title: str,
    desc: str | None = None,
    unit: str = "",
    low_label: str = "less",
    high_label: str = "more",
    empty_label: str = "no documents",
    middle: float | None = None,
    middle_label: str = "",
    details: Mapping[str, str] | None = None,
    standalone: bool = False,
) -> str:
    """Draw the countries coloured by value, in five classes.

    Args:
        values: A number for each ISO 3166-1 alpha-3 code; NaN counts as no value.
        title: What the map shows.
        desc: The map in words; made from the extremes when ``None``.
        unit: "%" writes fractions as percent.
        low_label: What the low end of the legend means.
        high_label: What the high end means.
        empty_label: What a place without a value means.
        middle: Colours diverge from this value (orange below, violet above); without it
            they run from light to dark.
        middle_label: What that value is ("all documents").
        details: Further words for a country's tooltip.
        standalone: Concrete colours on white, for a file of its own.

    Returns:
        The ``<svg>`` element. Codes with a value that the map cannot show are named below it.
    """
    ink, world, details = Ink(standalone), _world(), details or {}
    known = {code: float(value) for code, value in values.items() if math.isfinite(value)}
    edges = _edges(list(known.values()), middle, unit) if known else []
    ramp = "seq" if middle is None else "div"
    height = world["height"] * _WIDTH / world["width"]

    def tip(code: str) -> str:
        place = by_iso3().get(code)
        shown = number_text(known[code], unit) if code in known else empty_label
        more = f" ({details[code]})" if details.get(code) else ""
        return f"<title>{clean((place.name.strip() if place else code) + ': ' + shown + more)}</title>"

    def fill(code: str) -> str:
        if code not in known:
            return f'fill="url(#{ID}-h)"'
        return ink(f"{ramp}-{_class_of(known[code], edges)}")

    scale = _WIDTH / world["width"]
    parts = [
        f'<g transform="scale({scale:g})" stroke-width="1" stroke-linejoin="round">',
        f'<path d="{world["edge"]}" fill="none" {ink("rule", of="stroke")}/>',
        f"<g {ink('soft', of='stroke')}>",
    ]
    circles = []
    # Countries with a value last, so that their outline is on top.
    for code, shape in sorted(world["countries"].items(), key=lambda item: (item[0] in known, item[0])):
        if "d" in shape:
            parts.append(f'<path d="{shape["d"]}" fill-rule="evenodd" {fill(code)}>{tip(code)}</path>')
        if "c" in shape:
            x, y = shape["c"]
            circles.append(
                f'<circle cx="{x}" cy="{y}" r="{world["radius"]:g}" {fill(code)}>{tip(code)}</circle>'
            )
    parts += [*circles, "</g></g>"]
    parts.append(_legend(edges, ink, height, ramp, unit, (low_label, high_label, empty_label)))
    below = height + 92
    if middle is not None:
        label = f"{middle_label or 'middle'}: {number_text(middle, unit)}"
        parts.append(text(_WIDTH - 10, height + 34, label, ink, role="soft", size=19, anchor="end"))
    absent = sorted(set(known) - set(world["countries"]))
    if absent:
        names = [by_iso3()[code].name if code in by_iso3() else code for code in absent]
        listed = ", ".join(
            f"{name} {number_text(known[code], unit)}" for name, code in zip(names, absent, strict=True)
        )
        parts.append(text(10, below + 14, f"Not on the map: {listed}", ink, role="soft", size=17))
        below += 32
    hatch = (
        f'<pattern id="{ID}-h" width="8" height="8" patternUnits="userSpaceOnUse"'
        ' patternTransform="rotate(45)">'
        f'<rect width="8" height="8" {ink("empty")}/><path d="M0 0V8" stroke-width="4"'
        f" {ink('hatch', of='stroke')}/></pattern>"
    )
    return frame(
        "".join(parts),
        width=_WIDTH,
        height=below - 8,
        title=title,
        desc=desc or _words(known, unit, empty_label),
        ink=ink,
        kind="map",
        defs=hatch,
    )


def _legend(
    edges: list[float], ink: Ink, top: float, ramp: str, unit: str, labels: tuple[str, str, str]
) -> str:
    """Draw five swatches with their bounds, and one for places without a value."""
    low_label, high_label, empty_label = labels
    y, wide, x = top + 16, 92.0, 10.0
    parts = []
    for number in range(5) if edges else ():
        at = x + number * wide
        span = f"{number_text(edges[number], unit)} to {number_text(edges[number + 1], unit)}"
        parts.append(
            f'<rect x="{at:.0f}" y="{y:.0f}" width="{wide:.0f}" height="20" stroke-width="0.5"'
            f" {ink(f'{ramp}-{number + 1}')}><title>{clean(span)}</title></rect>"
        )
        if number:
            parts.append(
                text(at, y + 39, number_text(edges[number], unit), ink, role="soft", size=17, anchor="middle")
            )
    if edges:
        parts.append(text(x, y + 61, low_label, ink, size=19))
        parts.append(text(x + 5 * wide, y + 61, high_label, ink, size=19, anchor="end"))
        x += 5 * wide + 30
    parts.append(f'<rect x="{x:.0f}" y="{y:.0f}" width="34" height="20" fill="url(#{ID}-h)"/>')
    parts.append(text(x + 44, y + 17, empty_label, ink, size=19))
    return "".join(parts)


def _words(known: Mapping[str, float], unit: str, empty_label: str) -> str:
    """Say the map's extremes and how many places it covers."""
    if not known:
        return f"No place has a value; all are marked “{empty_label}”."
    ordered = sorted(known, key=lambda code: (known[code], code))

    def name(code: str) -> str:
        place = by_iso3().get(code)
        return f"{place.name if place else code} ({number_text(known[code], unit)})"

    lowest, highest = ", ".join(map(name, ordered[:3])), ", ".join(map(name, ordered[:-4:-1]))
    return f"{len(known)} places have a value. Lowest: {lowest}. Highest: {highest}."
