"""The picture of a tuning: its points stand where their recall and time say."""

from __future__ import annotations

import re
from typing import Any
from xml.etree import ElementTree

import pytest

from hinterland.indexes.tune_plot import curve_svg

SVG = "{http://www.w3.org/2000/svg}"


def point(value: int, recall: float, milliseconds: float, name: str = "efSearch") -> dict[str, Any]:
    return {"parameters": {name: value}, "recall": recall, "milliseconds": milliseconds}


def tuning(curve: list[dict[str, Any]], chosen: dict[str, int], promise: float = 0.95) -> dict[str, Any]:
    return {"curve": curve, "parameters": chosen, "k": 10, "promise": promise}


def drawn(svg: str) -> dict[str, list[tuple[float, float]]]:
    """Return where each series' marks stand, by the name in their tooltips."""
    found: dict[str, list[tuple[float, float]]] = {}
    for mark in ElementTree.fromstring(svg).iter():
        title = mark.find(f"{SVG}title")
        if mark.tag == f"{SVG}circle" and title is not None:
            place = float(mark.get("cx", "")), float(mark.get("cy", ""))
        elif mark.tag == f"{SVG}path" and title is not None:
            x, y = map(float, re.match(r"M([\d.]+) ([\d.]+)l", mark.get("d", "")).groups())  # type: ignore[union-attr]
            place = x, y + 6  # a diamond begins at its top
        else:
            continue
        found.setdefault((title.text or "").rpartition(": ")[0], []).append(place)
    return found


def test_points_stand_where_they_should() -> None:
    curve = [point(4, 0.9, 1.0), point(8, 0.95, 2.0), point(16, 1.0, 4.0)]
    svg = curve_svg(tuning(curve, {"efSearch": 8}))
    # Across: recall 0.9 to 1 from x = 62 to 520 - 14 - 6 = 500. Up: 0 to 4 ms from y = 290 to 56.
    marks = drawn(svg)
    assert marks["settings"] == [(62.0, 290 - 58.5), (281.0, 290 - 117.0), (500.0, 56.0)]
    assert marks["promised: 0.95"] == [(281.0, 290.0), (281.0, 56.0)]
    assert marks["chosen: efSearch 8"] == [(281.0, 173.0)]
    assert len(marks) == 3
    words = [each.text for each in ElementTree.fromstring(svg).iter(f"{SVG}text")]
    assert {"recall@10", "milliseconds, one query alone", "settings", "promised: 0.95"} <= set(words)
    title = ElementTree.fromstring(svg).find(f"{SVG}title")
    assert title is not None
    assert title.text == "Recall and time; chosen: efSearch 8"


def test_what_another_beats_in_both_is_left_out_but_for_the_one_chosen() -> None:
    curve = [point(1, 0.8, 1.0), point(2, 0.7, 2.0), point(3, 0.75, 3.0), point(4, 0.9, 4.0)]
    # Across: 0.75 to 0.95, the promise. 0.7 is left out, 0.75 is chosen and stays.
    marks = drawn(curve_svg(tuning(curve, {"efSearch": 3})))
    assert [x for x, _ in marks["settings"]] == pytest.approx([62 + 438 * share for share in (0.25, 0, 0.75)])
    assert marks["chosen: efSearch 3"] == [marks["settings"][1]]


def test_text_is_escaped() -> None:
    name = '<script>"&"</script>'
    svg = curve_svg(tuning([point(1, 0.9, 1.0, name), point(2, 1.0, 2.0, name)], {name: 2}))
    assert "<script>" not in svg
    tree = ElementTree.fromstring(svg)
    assert not list(tree.iter(f"{SVG}script"))
    assert f"chosen: {name} 2" in [each.text for each in tree.iter(f"{SVG}text")]


@pytest.mark.parametrize("curve", [[], [point(8, 0.97, 0.5)]])
def test_nothing_or_one_point(curve: list[dict[str, Any]]) -> None:
    marks = drawn(curve_svg(tuning(curve, {"efSearch": 8})))
    assert len(marks.get("settings", [])) == len(curve)
    assert len(marks.get("chosen: efSearch 8", [])) == len(curve)


def test_an_exact_index_has_nothing_to_choose() -> None:
    svg = curve_svg(tuning([point(1, 0.9, 1.0)], {}))
    assert "chosen: nothing to choose" in svg
    assert set(drawn(svg)) == {"settings", "promised: 0.95"}


def test_a_long_setting_is_cut_in_the_legend() -> None:
    chosen = {"nprobe": 1024, "quantizer_efSearch": 64, "k_factor": 16}
    only = {"parameters": chosen, "recall": 0.99, "milliseconds": 1.0}
    svg = curve_svg(tuning([only], chosen))
    assert "chosen: nprobe 1024, quantizer_e…" in drawn(svg)
    assert "chosen: nprobe 1024, quantizer_efSearch 64, k_factor 16" in svg  # the title has all
