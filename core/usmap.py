"""A map of the United States of one value for each state, as an SVG string.

Albers' equal-area conic, so that areas compare; Alaska and Hawaii stand below the
south-west, scaled, and the territories are circles. A state without a value is hatched.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from hinterland.core.mapparts import class_of, edges_of, ending_of, hatching, key, words_of
from hinterland.core.svg import ID, Ink, clean, frame, number_text, text

__all__ = ["state_name", "us_map"]

_WIDTH = 1000.0


@cache
def _baked() -> dict[str, Any]:
    """Return the geometry that ships with the kit (scripts/make_us_map.py)."""
    import json

    found: dict[str, Any] = json.loads(
        files("hinterland.core").joinpath("data/us_states.json").read_text(encoding="utf-8")
    )
    return found


def state_name(code: str) -> str:
    """Return a state's or territory's name by its two letters, or the letters if there is none.

    >>> state_name("DC")
    'District of Columbia'
    """
    return str(_baked()["states"].get(code, {}).get("name", code))


def us_map(
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
    """Draw the states coloured by value, in five classes; all arguments as in `world_map`.

    Args:
        values: A number for each two-letter code; NaN counts as no value.
        title: What the map shows.
        desc: The map in words; made from the extremes when ``None``.
        unit: "%" writes fractions as percent.
        low_label: What the low end of the legend means.
        high_label: What the high end means.
        empty_label: What a state without a value means.
        middle: Colours diverge from this value; without it they run from light to dark.
        middle_label: What that value is.
        details: Further words for a state's tooltip.
        standalone: Concrete colours on white, for a file of its own.
    """
    ink, baked, details = Ink(standalone), _baked(), details or {}
    known = {code: float(value) for code, value in values.items() if math.isfinite(value)}
    edges = edges_of(list(known.values()), middle, unit) if known else []
    ramp = "seq" if middle is None else "div"
    scale = _WIDTH / baked["width"]
    height = baked["height"] * scale
    ground = "#ffffff" if standalone else "var(--hl-paper,#ffffff)"
    shapes, labels = [], []
    for code, shape in sorted(baked["states"].items(), key=lambda item: (item[0] in known, item[0])):
        colour = ink(f"{ramp}-{class_of(known[code], edges)}") if code in known else f'fill="url(#{ID}-h)"'
        shown = number_text(known[code], unit) if code in known else empty_label
        more = f" ({details[code]})" if details.get(code) else ""
        tip = f"<title>{clean(shape['name'] + ': ' + shown + more)}</title>"
        if "d" in shape:
            shapes.append(f'<path d="{shape["d"]}" fill-rule="evenodd" {colour}>{tip}</path>')
        else:
            x, y = shape["c"]
            shapes.append(f'<circle cx="{x}" cy="{y}" r="{baked["radius"] * 2:g}" {colour}>{tip}</circle>')
        if shape["label"]:
            x, y = (value * scale for value in shape["at"])
            labels.append(text(x, y + 5, code, ink, size=14, anchor="middle"))
    parts = [
        f'<g transform="scale({scale:g})" stroke-width="1.6" stroke-linejoin="round"'
        f" {ink('soft', of='stroke')}>",
        *shapes,
        '</g><g paint-order="stroke" stroke-width="4" stroke-linejoin="round" pointer-events="none"'
        f' stroke="#ffffff" style="stroke:{ground}">',
        *labels,
        "</g>",
        key(edges, ink, height, ramp, unit, (low_label, high_label, empty_label)),
    ]
    absent = {code: known[code] for code in sorted(set(known) - set(baked["states"]))}
    ending, below = ending_of(height, _WIDTH, ink, unit, middle=middle, label=middle_label, absent=absent)
    parts += ending
    return frame(
        "".join(parts),
        width=_WIDTH,
        height=below - 8,
        title=title,
        desc=desc or words_of(known, unit, empty_label, state_name),
        ink=ink,
        kind="map",
        defs=hatching(ink),
    )
