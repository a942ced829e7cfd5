"""Bake core/data/us_states.json: the states' outlines, simplified.

Run once, by hand, on the `states-albers-10m.json` of the npm package us-atlas 3.0.1:

    npm pack us-atlas@3.0.1 && tar xf us-atlas-3.0.1.tgz
    python scripts/make_us_map.py package/states-albers-10m.json

The outlines are those of the US Census Bureau's cartographic boundary files (2017, public
domain), packed by us-atlas (ISC), which has projected them: Albers' equal-area conic, with
Alaska and Hawaii moved and scaled below the south-west. The territories are not among
them and are drawn as circles in a row.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

from make_world import Point, arcs_of, path_data, signed_area, simplify, stitch

SCALE = 2.0  # stored integers for each unit of the source; drawn at half the size
LEFT, TOP, WIDTH, HEIGHT = -60.0, 8.0, 1020.0, 604.0  # what is shown, in units of the source
MIN_TRIANGLE = 4.0  # Visvalingam: drop points whose triangle is smaller, in stored units²
MIN_ISLAND = 24.0  # smaller islands are left out, unless a state has no larger
LABEL_ABOVE = 6500.0  # a state with more area than this holds its own two letters
RADIUS = 15.0

#: Postal codes by FIPS 5-2 code.
POSTAL: dict[str, str] = dict(
    re.findall(
        r"(\d\d)([A-Z]{2})",
        "01AL 02AK 04AZ 05AR 06CA 08CO 09CT 10DE 11DC 12FL 13GA 15HI 16ID 17IL 18IN 19IA 20KS "
        "21KY 22LA 23ME 24MD 25MA 26MI 27MN 28MS 29MO 30MT 31NE 32NV 33NH 34NJ 35NM 36NY 37NC "
        "38ND 39OH 40OK 41OR 42PA 44RI 45SC 46SD 47TN 48TX 49UT 50VT 51VA 53WA 54WV 55WI 56WY ",
    )
)
#: Drawn as circles in a row below the map.
TERRITORIES = {
    "PR": "Puerto Rico",
    "VI": "US Virgin Islands",
    "GU": "Guam",
    "MP": "Northern Mariana Islands",
    "AS": "American Samoa",
}
#: Where two letters stand better than at the centre of the largest part, in units of the source.
LABELS = {
    "FL": (786.0, 512.0),
    "HI": (300.0, 580.0),
    "ID": (228.0, 165.0),
    "LA": (572.0, 455.0),
    "MI": (688.0, 196.0),
    "AK": (100.0, 520.0),
    "KY": (712.0, 322.0),
}


def middle(ring: list[Point]) -> Point:
    """Return the centroid of a ring's area."""
    turn = [(a, b, a[0] * b[1] - b[0] * a[1]) for a, b in zip(ring, ring[1:] + ring[:1], strict=True)]
    whole = 6 * signed_area(ring)
    return (
        sum((a[0] + b[0]) * cross for a, b, cross in turn) / whole,
        sum((a[1] + b[1]) * cross for a, b, cross in turn) / whole,
    )


def place(x: float, y: float) -> Point:
    """Return the stored units of a point of the source."""
    return (x - LEFT) * SCALE, (y - TOP) * SCALE


def main() -> None:
    """Write core/data/us_states.json from the file named on the command line."""
    topology = json.loads(Path(sys.argv[1]).read_text())
    lines = [simplify(line, place, MIN_TRIANGLE) for line in arcs_of(topology)]
    states: dict[str, dict[str, object]] = {}
    for shape in topology["objects"]["states"]["geometries"]:
        polygons = [shape["arcs"]] if shape["type"] == "Polygon" else shape["arcs"]
        rings = [[place(*p) for p in stitch(lines, ring)] for polygon in polygons for ring in polygon]
        areas = [abs(signed_area(ring)) for ring in rings]
        largest = max(range(len(rings)), key=areas.__getitem__)
        drawn = [path_data(ring) for ring, area in zip(rings, areas, strict=True) if area >= MIN_ISLAND]
        code = POSTAL[shape["id"]]
        states[code] = {
            "name": shape["properties"]["name"],
            "d": "".join(drawn) or path_data(rings[largest]),
        }
        x, y = place(*LABELS[code]) if code in LABELS else middle(rings[largest])
        states[code]["at"] = [round(x), round(y)]
        states[code]["label"] = sum(areas) >= LABEL_ABOVE or code in LABELS
    for number, (code, name) in enumerate(TERRITORIES.items()):
        x, y = place(528.0 + 46 * number, 590.0)
        states[code] = {"name": name, "c": [round(x), round(y)], "at": [round(x), round(y)], "label": True}
    baked = {
        "source": "US Census Bureau, cartographic boundaries 2017 (public domain), through npm us-atlas 3.0.1"
        " (ISC)",
        "licence": "public domain",
        "note": "Made by scripts/make_us_map.py; territories are circles",
        "projection": "Albers, equal area; Alaska and Hawaii moved and scaled",
        "width": round(WIDTH * SCALE),
        "height": round(HEIGHT * SCALE),
        "radius": RADIUS,
        "states": dict(sorted(states.items())),
    }
    target = Path(__file__).parents[1] / "core" / "data" / "us_states.json"
    text = json.dumps(baked, separators=(",", ":"), ensure_ascii=False).replace('},"', '},\n"')
    target.write_text(text + "\n", encoding="utf-8")
    print(f"{target}: {target.stat().st_size:,} bytes, {len(states)} states and territories")


if __name__ == "__main__":
    main()
