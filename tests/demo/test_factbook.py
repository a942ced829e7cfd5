"""The Factbook as text: what counts as prose, how fields become lines."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hinterland.core.errors import CorpusError
from hinterland.core.places import by_iso3
from hinterland.demo.factbook import Entry, load_entries, plain_text, sections


def entry(**data: dict[str, object]) -> Entry:
    return Entry("xy", "Xyland", None, {name.replace("_", " "): fields for name, fields in data.items()})


def test_markup_and_entities_go() -> None:
    assert plain_text("<b>note:</b>&nbsp;T&uuml;rkiye<br><br>and   more") == "note: Türkiye and more"


@given(st.text())
def test_plain_text_has_no_tags_and_is_stable(text: str) -> None:
    once = plain_text(text)
    assert "\n" not in once
    assert once == once.strip()


def test_figures_are_left_out_and_names_stay() -> None:
    [section] = sections(
        entry(
            Geography={
                "Location": {
                    "text": "Eastern Africa, bordering the Indian Ocean, between Somalia and Tanzania, "
                    "on the equator"
                },
                "Elevation": {"highest point": {"text": "Mount Kenya 5,199 m"}, "mean": {"text": "762 m"}},
                "Treaties": {"text": ", ".join(["ACP", "AfDB", "AU", "COMESA"] * 5)},
                "Irrigated land": {"text": "1,030 sq km (2012)"},
                "Partners": {"text": "Uganda 10%, USA 10%, UAE 8%"},
                "Water": {"urban": {"text": "urban: 86.4% of population (2022 est.)"}},
                "Growth": {"2024": {"text": "4.5%"}, "note": "<b>note:</b> in constant dollars"},
            }
        )
    )
    assert section.text.splitlines() == [
        "Location: Eastern Africa, bordering the Indian Ocean, between Somalia and Tanzania, on the equator.",
        "Elevation: highest point: Mount Kenya 5,199 m.",
    ]


def test_a_section_without_prose_is_empty() -> None:
    [section] = sections(entry(Energy={"Coal": {"text": "none"}, "Oil": {"text": "12 bbl/day"}}))
    assert section.text == ""


def test_the_package_holds_the_world() -> None:
    entries = load_entries()
    assert len(entries) == 256
    assert {e.country for e in entries if e.country} <= set(by_iso3())
    names = {e.code: e.name for e in entries}
    assert names["ke"] == "Kenya"
    assert names["cg"] != names["cf"]  # the two Congos
    assert sum(e.country is None for e in entries) == 6


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "africa").mkdir()
    (tmp_path / "africa" / "ke.json").write_text('{"Geography": ')
    with pytest.raises(CorpusError, match=r"ke\.json"):
        load_entries(tmp_path)


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="no places found"):
        load_entries(tmp_path)


def test_an_unknown_file_code_has_no_country(tmp_path: Path) -> None:
    (tmp_path / "sea").mkdir()
    (tmp_path / "sea" / "zz.json").write_text(json.dumps({"Introduction": {}}))
    [found] = load_entries(tmp_path)
    assert (found.country, found.name) == (None, "zz")
    assert [section.text for section in sections(found)] == [""]
