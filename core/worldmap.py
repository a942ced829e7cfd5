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

from hinterland.core.mapparts import class_of, edges_of, ending_of, hatching, key, words_of
from hinterland.core.places import by_iso3
from hinterland.core.svg import ID, Ink, clean, frame, number_text

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


def _name(code: str) -> str:
    place = by_iso3().get(code)
    return place.name.strip() if place else code


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
    edges = edges_of(list(known.values()), middle, unit) if known else []
    ramp = "seq" if middle is None else "div"
    height = world["height"] * _WIDTH / world["width"]

    def tip(code: str) -> str:
        shown = number_text(known[code], unit) if code in known else empty_label
        more = f" ({details[code]})" if details.get(code) else ""
        return f"<title>{clean(_name(code) + ': ' + shown + more)}</title>"

    def fill(code: str) -> str:
        if code not in known:
            return f'fill="url(#{ID}-h)"'
        return ink(f"{ramp}-{class_of(known[code], edges)}")

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
    parts.append(key(edges, ink, height, ramp, unit, (low_label, high_label, empty_label)))
    absent = {_name(code): known[code] for code in sorted(set(known) - set(world["countries"]))}
    ending, below = ending_of(height, _WIDTH, ink, unit, middle=middle, label=middle_label, absent=absent)
    parts += ending
    return frame(
        "".join(parts),
        width=_WIDTH,
        height=below - 8,
        title=title,
        desc=desc or words_of(known, unit, empty_label, _name),
        ink=ink,
        kind="map",
        defs=hatching(ink),
    )
