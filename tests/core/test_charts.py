"""Charts and the map: well-formed, complete in words, safe with any text."""

from __future__ import annotations

import math
import xml.etree.ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hinterland.core.charts import IntervalRow, bar_chart, interval_chart, line_chart, ticks
from hinterland.core.places import by_iso3
from hinterland.core.stats import Interval
from hinterland.core.svg import number_text
from hinterland.core.worldmap import world_map

SVG = "{http://www.w3.org/2000/svg}"
NAN = float("nan")
anything = st.text(max_size=12)
number = st.floats(allow_nan=True, allow_infinity=True) | st.floats(0, 1)


def parse(svg: str) -> ET.Element:
    root = ET.fromstring(svg)
    assert root.get("role") == "img"
    named = (root.get("aria-labelledby") or "").split()
    assert [root.find(f"{SVG}title").get("id"), root.find(f"{SVG}desc").get("id")] == named
    for element in root.iter():
        for key in ("d", "x", "y", "cx", "width"):
            assert "nan" not in element.get(key, "")
            assert "inf" not in element.get(key, "")
    return root


def words(root: ET.Element) -> str:
    return " | ".join(element.text or "" for element in root.iter(f"{SVG}text"))


def test_number_text() -> None:
    shown = [number_text(*a) for a in [(0.4149, "%"), (0.004, "%"), (1.0, "%"), (0.53,), (12345.6,), (NAN,)]]
    assert shown == ["41%", "0.4%", "100%", "0.53", "12,346", "–"]
    assert number_text(3.0, "docs") == "3 docs"
    assert number_text(0.0123) == "0.012"
    assert number_text(42.42) == "42.4"


def test_ticks_are_round() -> None:
    assert ticks(0, 1) == [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]
    assert ticks(3, 3) == [3]
    assert ticks(0.12, 0.48) == [0.2, 0.3, 0.4]


def test_interval_chart_says_its_numbers() -> None:
    rows = [
        IntervalRow("Oceania", Interval(0.41, 0.36, 0.47), n=120),
        IntervalRow("A & B <c>", Interval(0.8, NAN, NAN), n=7, muted=True),
    ]
    root = parse(interval_chart(rows, title="Kept", reference=0.66, reference_label="all"))
    assert "Oceania (n = 120) | 41% [36, 47]" in words(root)
    assert "all: 66%" in words(root)
    assert root.find(f"{SVG}desc").text == "Oceania (n = 120): 41% [36, 47]; A & B <c> (n = 7): 80%."
    assert len(root.findall(f".//{SVG}circle")) == 2


def test_interval_positions_are_linear() -> None:
    root = parse(interval_chart([IntervalRow("a", Interval(0.5, 0.25, 0.75))], title="t"))
    (dot,) = root.findall(f".//{SVG}circle")
    assert float(dot.get("cx")) == pytest.approx(260)


def test_before_and_after_differ_in_shape() -> None:
    rows = [IntervalRow("a", Interval(0.4, 0.3, 0.5), after=Interval(0.7, 0.6, 0.8))]
    root = parse(interval_chart(rows, title="t", series=("then", "now")))
    assert "then | now" in words(root)
    assert "40% → 70% [60, 80]" in words(root)
    assert len(root.findall(f".//{SVG}circle")) == 2  # legend and mark; diamonds are paths


def test_ratio_chart_is_logarithmic() -> None:
    rows = [IntervalRow("a", Interval(v, v, v)) for v in (0.25, 1.0, 4.0)]
    dots = parse(interval_chart(rows, title="t", unit="", log=True)).findall(f".//{SVG}circle")
    a, b, c = (float(dot.get("cx")) for dot in dots)
    assert b - a == pytest.approx(c - b, abs=0.2)


def test_standalone_uses_no_css() -> None:
    rows = [("a", 1.0)]
    assert "var(" in bar_chart(rows, title="t")
    for svg in (bar_chart(rows, title="t", standalone=True), world_map({}, title="t", standalone=True)):
        assert "var(" not in svg
        assert 'fill="#ffffff"' in svg


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(anything, number, number, number), max_size=4), anything, st.booleans())
def test_charts_survive_anything(rows: list[tuple[str, float, float, float]], title: str, log: bool) -> None:
    intervals = [IntervalRow(label, Interval(e, a, b), n=3) for label, e, a, b in rows]
    parse(interval_chart(intervals, title=title, unit="", log=log))
    parse(bar_chart([(label, e) for label, e, _, _ in rows], title=title))
    parse(line_chart({"s": [(e, a) for _, e, a, _ in rows]}, title=title, x_label=title, y_label="y"))


def test_line_chart() -> None:
    lines = {"train": [(0, 3.0), (1, 2.0), (2, NAN), (3, 1.0)], "held out": [(0, 3.0), (3, 1.5)]}
    root = parse(line_chart(lines, title="Loss", x_label="step", y_label="bits per byte"))
    assert "train | held out" in words(root)
    paths = [p.get("d") for p in root.iter(f"{SVG}path") if p.get("stroke-width") == "2.5"]
    assert paths[0].count("M") == 2  # the gap
    with pytest.raises(ValueError, match="at most 4"):
        line_chart({str(i): [] for i in range(5)}, title="t", x_label="x", y_label="y")


def test_map_draws_every_place_or_names_it() -> None:
    root = parse(world_map(dict.fromkeys(by_iso3(), 1.0), title="t"))
    marks = {
        (e.find(f"{SVG}title").text or "").rpartition(":")[0]
        for tag in ("path", "circle")
        for e in root.iter(f"{SVG}{tag}")
        if e.find(f"{SVG}title") is not None
    }
    missing = {place.name.strip() for place in by_iso3().values()} - marks
    assert missing == {"Antarctica"}
    assert "Not on the map: Antarctica 1" in words(root)


def test_small_states_are_circles() -> None:
    svg = world_map({"TUV": 0.2, "NRU": 0.9}, title="t", unit="%", details={"TUV": "12 documents"})
    circles = {c.find(f"{SVG}title").text for c in parse(svg).iter(f"{SVG}circle")}
    assert {"Tuvalu: 20% (12 documents)", "Nauru: 90%"} <= circles


def test_map_without_values() -> None:
    root = parse(world_map({"FRA": NAN}, title="t", empty_label="no documents"))
    assert "No place has a value" in (root.find(f"{SVG}desc").text or "")
    assert "no documents" in words(root)


def test_map_diverges_about_the_middle() -> None:
    values = {"FRA": 0.5, "DEU": 0.1, "ITA": 0.9}
    svg = world_map(values, title="t", unit="%", middle=0.5, middle_label="all")
    fills = {
        (p.find(f"{SVG}title").text or "")[:3]: p.get("fill")
        for p in parse(svg).iter(f"{SVG}path")
        if p.find(f"{SVG}title") is not None and p.get("fill", "").startswith("#")
    }
    assert fills == {"Fra": "#e9e3d8", "Ger": "#b35806", "Ita": "#4d2d8c"}
    assert "all: 50%" in words(parse(svg))


@settings(max_examples=20, deadline=None)
@given(
    st.dictionaries(st.sampled_from(["FRA", "FJI", "ATA", "QQQ"]), number),
    st.none() | st.floats(0, 1),
)
def test_map_survives_any_values(values: dict[str, float], middle: float | None) -> None:
    parse(world_map(values, title="t", unit="%", middle=middle))


def test_no_shape_spans_the_whole_world() -> None:
    from hinterland.core.worldmap import _world

    for code, shape in _world()["countries"].items():
        for ring in shape.get("d", "").split("M")[1:]:
            start, _, steps = ring.rstrip("z").partition("l")
            x = lowest = highest = int(start.split()[0])
            for i, step in enumerate(steps.replace("-", " -").split()):
                x += int(step) if i % 2 == 0 else 0
                lowest, highest = min(lowest, x), max(highest, x)
            assert highest - lowest < 1000, code
            assert -1 <= lowest <= highest <= 2001, code
    assert math.isclose(_world()["width"], 2000)


def test_a_map_has_no_class_where_no_share_can_lie() -> None:
    root = parse(world_map({"FRA": 0.0, "DEU": 0.1, "ITA": 0.5}, title="t", unit="%", middle=0.1))
    shown = words(root).split(" | ")
    assert shown[:4] == ["4%", "8%", "18%", "34%"]


def test_off_the_axis_is_an_arrow() -> None:
    rows = [IntervalRow("none", Interval(0.0, 0.0, 0.2)), IntervalRow("much", Interval(300.0, 90.0, 800.0))]
    root = parse(interval_chart(rows, title="t", unit="", log=True, reference=1.0))
    assert len(root.findall(f".//{SVG}circle")) == 1
    assert "1 | 10 | 100" in words(root) or "100" in words(root)


def test_live_marks_can_be_moved() -> None:
    rows = [IntervalRow("a", Interval(0.4, 0.3, 0.5)), IntervalRow("b", Interval(NAN, NAN, NAN))]
    root = parse(interval_chart(rows, title="t", live=True, reference=0.5, reference_label="all"))
    live = next(e for e in root.iter(f"{SVG}g") if e.get("class") == "hl-live")
    assert (live.get("data-zero"), live.get("data-one")) == ("14.0", "506.0")
    dots = [e for e in root.iter(f"{SVG}circle") if e.get("class") == "hl-dot"]
    assert [dot.get("display") for dot in dots] == [None, "none"]


def test_points_and_small_shares() -> None:
    assert [number_text(v, "points") for v in (0.123, -0.0001, NAN)] == ["12.3", "0.0", "–"]
    assert [number_text(v, "%") for v in (0.0002, 0.0009, 0.001, 3e-7)] == [
        "0.02%",
        "0.09%",
        "0.1%",
        "3e-05%",
    ]
