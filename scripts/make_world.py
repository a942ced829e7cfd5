"""Bake core/data/world.json: the countries' outlines, projected and simplified.

Run once, by hand, on the `countries-50m.json` of the npm package world-atlas 2.0.2:

    npm pack world-atlas@2.0.2 && tar xf world-atlas-2.0.2.tgz
    python scripts/make_world.py package/countries-50m.json

The outlines are those of Natural Earth (public domain), packed by world-atlas (ISC). The
projection is Equal Earth (Savric, Patterson and Jenny 2018), so that areas compare. The
borders are Natural Earth's; territories with an ISO code of their own are taken out of
the country that administers them, and areas without an ISO code join the country whose
code the UN uses for them.
"""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Callable
from heapq import heapify, heappop, heappush
from itertools import pairwise
from pathlib import Path
from typing import Any

from hinterland.core.places import by_iso3

Point = tuple[float, float]

WIDTH = 2000.0  # of the stored integers; drawn at half the size
NORTH, SOUTH = 84.0, -57.0
MIN_TRIANGLE = 0.6  # Visvalingam: drop points whose triangle is smaller, in stored units²
MIN_ISLAND = 5.0  # islands smaller than this are left out, unless a country has no larger
CIRCLE_BELOW = 110.0  # a country with less area than this gets a circle as well
RADIUS = 7.0

#: Overseas parts by (numeric id of the whole, predicate on longitude and latitude).
PARTS = {
    "GUF": ("250", lambda x, y: -55 < x < -51 and 1 < y < 7),
    "MTQ": ("250", lambda x, y: -62 < x < -60 and 14 < y < 15.3),
    "GLP": ("250", lambda x, y: -62 < x < -60 and 15.6 < y < 17),
    "REU": ("250", lambda x, y: 54 < x < 57 and y < 0),
    "MYT": ("250", lambda x, y: 44 < x < 46 and y < 0),
    "SJM": ("578", lambda x, y: y > 74 or x < 0),
    "BES": ("528", lambda x, y: x < -60 and y < 20),
}
#: Areas without a numeric code in the source.
NAMED = {"Kosovo": "XKX", "N. Cyprus": "CYP", "Somaliland": "SOM"}
#: Places too small for the 1:50m source: longitude and latitude.
POINTS = {
    "BVT": (3.4, -54.4),
    "GIB": (-5.35, 36.14),
    "TKL": (-171.8, -9.2),
    "TUV": (179.2, -8.5),
    "UMI": (-169.5, 16.7),
    "CCK": (96.8, -12.1),
    "CXR": (105.6, -10.5),
}


def equal_earth(lon: float, lat: float) -> Point:
    """Project degrees to the Equal Earth plane."""
    a1, a2, a3, a4 = 1.340264, -0.081106, 0.000893, 0.003796
    t = math.asin(math.sqrt(3) / 2 * math.sin(math.radians(lat)))
    slope = 9 * a4 * t**8 + 7 * a3 * t**6 + 3 * a2 * t**2 + a1
    x = 2 * math.sqrt(3) * math.radians(lon) * math.cos(t) / (3 * slope)
    return x, a4 * t**9 + a3 * t**7 + a2 * t**3 + a1 * t


EAST, TOP, BOTTOM = equal_earth(180, 0)[0], equal_earth(0, NORTH)[1], equal_earth(0, SOUTH)[1]
SCALE = WIDTH / (2 * EAST)
HEIGHT = round((TOP - BOTTOM) * SCALE)


def place(lon: float, lat: float) -> Point:
    """Project degrees to the stored units, y downwards."""
    x, y = equal_earth(lon, max(lat, -89.9))
    return (x + EAST) * SCALE, (TOP - y) * SCALE


def triangle(a: Point, b: Point, c: Point) -> float:
    """Return the area of a triangle."""
    return abs((b[0] - a[0]) * (c[1] - a[1]) - (c[0] - a[0]) * (b[1] - a[1])) / 2


def simplify(
    degrees: list[Point],
    project: Callable[[float, float], Point] = place,
    smallest: float = MIN_TRIANGLE,
) -> list[Point]:
    """Drop points by Visvalingam and Whyatt's rule; both ends stay, so shared borders still meet."""
    points = [project(*point) for point in degrees]
    n = len(points)
    before, after, alive = list(range(-1, n - 1)), list(range(1, n + 1)), [True] * n
    heap = [(triangle(points[i - 1], points[i], points[i + 1]), i) for i in range(1, n - 1)]
    heapify(heap)
    left = n
    floor = 4 if points[0] == points[-1] else 2
    current = {i: area for area, i in heap}
    while heap and left > floor:
        area, i = heappop(heap)
        if not alive[i] or current[i] != area:
            continue
        if area > smallest:
            break
        alive[i], left = False, left - 1
        a, b = before[i], after[i]
        after[a], before[b] = b, a
        for j in (a, b):
            if 0 < j < n - 1:
                current[j] = max(area, triangle(points[before[j]], points[j], points[after[j]]))
                heappush(heap, (current[j], j))
    return [point for point, keep in zip(degrees, alive, strict=True) if keep]


def signed_area(ring: list[Point]) -> float:
    """Return the shoelace area of a ring."""
    return sum(a[0] * b[1] - b[0] * a[1] for a, b in zip(ring, ring[1:] + ring[:1], strict=True)) / 2


def centre(ring: list[Point]) -> Point:
    """Return the mean of a ring's corners."""
    return sum(p[0] for p in ring) / len(ring), sum(p[1] for p in ring) / len(ring)


def cut(ring: list[Point]) -> list[list[Point]]:
    """Cut a ring at the antimeridian, if it crosses it, into parts within ±180 degrees."""
    line, shift = [ring[0]], 0.0
    for (x, _), (next_x, next_y) in pairwise(ring):
        shift += 360.0 * ((next_x - x < -180) - (next_x - x > 180))
        line.append((next_x + shift, next_y))
    if min(x for x, _ in line) >= -180 and max(x for x, _ in line) <= 180:
        return [line]
    parts = []
    for turn in (-360.0, 0.0, 360.0):
        part = [(x + turn, y) for x, y in line]
        for sign in (1, -1):  # keep what lies below 180, then what lies above -180
            kept: list[Point] = []
            for (ax, ay), (bx, by) in zip(part, part[1:] + part[:1], strict=True):
                inside_a, inside_b = sign * ax <= 180, sign * bx <= 180
                if inside_a:
                    kept.append((ax, ay))
                if inside_a != inside_b:
                    kept.append((sign * 180.0, ay + (by - ay) * (sign * 180 - ax) / (bx - ax)))
            part = kept
        if len(part) > 2:
            parts.append([*part, part[0]])
    return parts


def arcs_of(topology: dict[str, Any]) -> list[list[Point]]:
    """Return the arcs of a quantised TopoJSON in its own coordinates."""
    (sx, sy), (tx, ty) = topology["transform"]["scale"], topology["transform"]["translate"]
    arcs = []
    for arc in topology["arcs"]:
        x = y = 0
        line = []
        for dx, dy in arc:
            x, y = x + dx, y + dy
            line.append((x * sx + tx, y * sy + ty))
        arcs.append(line)
    return arcs


def stitch(lines: list[list[Point]], ring: list[int]) -> list[Point]:
    """Return a ring from its arcs; a negative index is an arc backwards."""
    out: list[Point] = []
    for index in ring:
        line = lines[index] if index >= 0 else lines[~index][::-1]
        out += line[1:] if out else line
    return out


def read(path: Path) -> dict[str, list[list[Point]]]:
    """Return for each alpha-3 code its simplified rings, in degrees."""
    topology = json.loads(path.read_text())
    degrees = arcs_of(topology)
    simple = [simplify(line) for line in degrees]
    numeric = {known.iso_numeric: code for code, known in by_iso3().items()}
    found: dict[str, list[list[Point]]] = {}
    for shape in topology["objects"]["countries"]["geometries"]:
        whole = shape.get("id", "")
        code = numeric.get(whole) or NAMED.get(shape["properties"]["name"])
        polygons = {"Polygon": [shape.get("arcs")], "MultiPolygon": shape.get("arcs")}[shape["type"]]
        for rings in polygons:
            outer = centre(stitch(degrees, rings[0]))
            part = next((c for c, (of, at) in PARTS.items() if of == whole and at(*outer)), code)
            if part and part != "ATA":
                for ring in rings:
                    found.setdefault(part, []).extend(cut(stitch(simple, ring)))
    return found


def path_data(ring: list[Point]) -> str:
    """Write a ring as a relative SVG path of integers."""
    x, y = (round(value) for value in ring[0])
    parts, steps = [f"M{x} {y}l"], []
    for point in ring[1:-1]:
        dx, dy = round(point[0]) - x, round(point[1]) - y
        if dx or dy:
            x, y = x + dx, y + dy
            steps.append(f"{dx} {dy}")
    return parts[0] + " ".join(steps).replace(" -", "-") + "z" if len(steps) > 1 else ""


def spread(anchors: dict[str, Point]) -> dict[str, Point]:
    """Push circles apart until they do not overlap, and pull them back to where they belong."""
    at = dict(anchors)
    gap = 2 * RADIUS + 1
    for _ in range(600):
        for one, (home_x, home_y) in anchors.items():
            x, y = at[one]
            x, y = x + 0.05 * (home_x - x), y + 0.05 * (home_y - y)
            for other, (ox, oy) in at.items():
                if other == one:
                    continue
                dx, dy = x - ox, y - oy
                distance = math.hypot(dx, dy) or 0.01
                if distance < gap:
                    push = (gap - distance) / 2 / distance
                    x, y = x + dx * push, y + dy * push
            at[one] = (min(max(x, RADIUS), WIDTH - RADIUS), min(max(y, RADIUS), HEIGHT - RADIUS))
    return at


def main() -> None:
    """Write core/data/world.json from the file named on the command line."""
    found = read(Path(sys.argv[1]))
    countries: dict[str, dict[str, object]] = {}
    anchors = {code: place(*point) for code, point in POINTS.items()}
    for code, rings in sorted(found.items()):
        projected = [[place(*point) for point in ring] for ring in rings]
        areas = [abs(signed_area(ring)) for ring in projected]
        largest = max(range(len(rings)), key=areas.__getitem__)
        drawn = [path_data(projected[i]) for i in range(len(rings)) if areas[i] >= MIN_ISLAND or i == largest]
        countries[code] = {"d": "".join(drawn)}
        if sum(areas) < CIRCLE_BELOW:
            anchors[code] = centre(projected[largest])
    for code, (x, y) in spread(dict(sorted(anchors.items()))).items():
        countries.setdefault(code, {})["c"] = [round(x), round(y)]
    edge = [place(180, lat) for lat in range(int(NORTH), int(SOUTH) - 1, -3)]
    edge += [(WIDTH - x, y) for x, y in reversed(edge)]
    world = {
        "source": "Natural Earth 1:50m (public domain) through npm world-atlas 2.0.2 (ISC)",
        "licence": "public domain",
        "note": "Borders as in the source, without a position on them; made by scripts/make_world.py",
        "projection": "Equal Earth",
        "width": int(WIDTH),
        "height": HEIGHT,
        "radius": RADIUS,
        "edge": path_data([*edge, edge[0]]),
        "countries": dict(sorted(countries.items())),
    }
    target = Path(__file__).parents[1] / "core" / "data" / "world.json"
    text = json.dumps(world, separators=(",", ":"), ensure_ascii=False).replace('},"', '},\n"')
    target.write_text(text + "\n", encoding="utf-8")
    absent = sorted(set(by_iso3()) - set(countries))
    print(f"{target}: {target.stat().st_size:,} bytes, {len(countries)} places, {len(anchors)} circles")
    print(f"not drawn: {', '.join(absent)}")


if __name__ == "__main__":
    main()
