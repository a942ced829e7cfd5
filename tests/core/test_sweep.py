"""The chart over a threshold: its lines, marks and words."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hinterland.core.sweep import SWEEP_END, SWEEP_START, sweep_chart

SVG = "{http://www.w3.org/2000/svg}"
STEPS = ["0", "1", "2", "3"]


def test_lines_run_in_equal_steps() -> None:
    svg = sweep_chart(STEPS, {"a": [1.0, 0.5, 0.25, 0.0]}, title="t", x_label="x")
    path = next(p for p in ET.fromstring(svg).iter(f"{SVG}path") if p.get("stroke-width") == "2.2")
    x = [float(pair.split()[0]) for pair in re.split("[ML]", path.get("d") or "")[1:]]
    assert x[0] == pytest.approx(SWEEP_START * 520, abs=0.5)
    assert x[-1] == pytest.approx(SWEEP_END * 520, abs=0.5)
    steps = [b - a for a, b in pairwise(x)]
    assert max(steps) - min(steps) <= 1


def test_names_stand_in_the_order_at_the_mark() -> None:
    lines = {"low": [0.9, 0.1, 0.1, 0.1], "high": [0.2, 0.9, 0.9, 0.0]}
    svg = sweep_chart(
        STEPS,
        lines,
        title="t",
        x_label="x",
        overall=[0.5] * 4,
        others={"grey": [0.3] * 4},
        marks=[("now", 1)],
    )
    names = [t.text for t in ET.fromstring(svg).iter(f"{SVG}text") if t.text in ("low", "high", "all")]
    assert names == ["high", "all", "low"]
    desc = ET.fromstring(svg).find(f"{SVG}desc")
    assert desc is not None
    assert (desc.text or "").startswith("low: 90% at 0, 10% at now 1, 10% at 3; high: 20%")
    assert "grey" in svg


def test_gaps_and_bad_input() -> None:
    gap = sweep_chart(STEPS, {"a": [1.0, float("nan"), 0.5, 0.2]}, title="t", x_label="x")
    path = next(p for p in ET.fromstring(gap).iter(f"{SVG}path") if p.get("stroke-width") == "2.2")
    assert (path.get("d") or "").count("M") == 2
    with pytest.raises(ValueError, match="at most 6"):
        sweep_chart(STEPS, {str(i): [0.0] * 4 for i in range(7)}, title="t", x_label="x")
    assert "Nothing to show" in sweep_chart([], {}, title="t", x_label="x")
    assert "var(" not in sweep_chart(STEPS, {"a": [0.1] * 4}, title="t", x_label="x", standalone=True)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.floats(allow_nan=True), max_size=300), st.text(max_size=8))
def test_survives_anything(values: list[float], name: str) -> None:
    steps = [str(i) for i in range(len(values))]
    svg = sweep_chart(steps, {name: values}, title=name, x_label=name, overall=values)
    for element in ET.fromstring(svg).iter():
        assert "nan" not in (element.get("d") or "")
        assert "inf" not in (element.get("d") or "")
