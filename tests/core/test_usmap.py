"""The map of the United States: every state, safe with any value."""

from __future__ import annotations

import xml.etree.ElementTree as ET

from hypothesis import given, settings
from hypothesis import strategies as st

from hinterland.core.usmap import _baked, state_name, us_map

SVG = "{http://www.w3.org/2000/svg}"


def titles(svg: str) -> set[str]:
    root = ET.fromstring(svg)
    return {
        mark.find(f"{SVG}title").text or ""  # type: ignore[union-attr]
        for mark in root.iter()
        if mark.tag in (f"{SVG}path", f"{SVG}circle") and mark.find(f"{SVG}title") is not None
    }


def test_every_state_and_territory_is_drawn() -> None:
    states = _baked()["states"]
    assert len(states) == 56
    drawn = titles(us_map(dict.fromkeys(states, 0.5), title="t", unit="%"))
    assert drawn == {f"{state['name']}: 50%" for state in states.values()}
    assert {"District of Columbia: 50%", "Puerto Rico: 50%", "Hawaii: 50%"} <= drawn


def test_words_and_what_is_not_on_the_map() -> None:
    svg = us_map(
        {"TX": 0.2, "CA": 0.9, "ZZ": 0.4}, title="Kept", unit="%", middle=0.5, middle_label="all states"
    )
    root = ET.fromstring(svg)
    assert (root.find(f"{SVG}desc").text or "").startswith("3 places have a value. Lowest: Texas (20%)")  # type: ignore[union-attr]
    assert "Not on the map: ZZ 40%" in svg
    assert "all states: 50%" in svg
    assert "Ohio: no documents" in svg
    assert state_name("ZZ") == "ZZ"


def test_shapes_stay_inside() -> None:
    baked = _baked()
    for state in baked["states"].values():
        x, y = state["at"]
        assert 0 <= x <= baked["width"]
        assert 0 <= y <= baked["height"]


@settings(max_examples=20, deadline=None)
@given(
    st.dictionaries(st.sampled_from(["TX", "PR", "ZZ", "<b>"]), st.floats(allow_nan=True)),
    st.none() | st.floats(0, 1),
)
def test_survives_any_values(values: dict[str, float], middle: float | None) -> None:
    ET.fromstring(us_map(values, title="<t>", unit="%", middle=middle))
