"""Countries in any usual form."""

from __future__ import annotations

import csv
import math
from importlib.resources import files
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hinterland.core.places import by_iso3
from hinterland.curate.geo.countries import Country, Why, country_code, country_codes, name_key

PLACES = sorted(by_iso3().values(), key=lambda place: place.iso3)
FORMS: dict[str, list[Any]] = {
    "USA": ["US", "us", "USA", "U.S.", "U.S.A.", "U. S. A.", "840", 840, 840.0, "840.0",
            "The United States of America", "UNITED  STATES", "  usa ", "US-CA"],
    "AUS": ["036", 36],
    "NAM": ["NA", "na", "NAM", "516"],
    "GBR": ["UK", "GB", "England", "scotland", "GB-ENG"],
    "GRC": ["EL", "GR"],
    "XKX": ["XK", "XKX", "Kosovo", "Kosovo*"],
    "CIV": ["Côte d'Ivoire", "Cote d’Ivoire", "COTE D IVOIRE", "Ivory Coast"],
    "KOR": ["Korea, Republic of", "Korea (Republic of)", "Korea, South"],
    "PRK": ["Korea, Dem. People's Rep."],
    "BOL": ["Bolivia (Plurinational State of)"],
    "IRN": ["Iran, Islamic Rep."],
    "COD": ["Congo, Dem. Rep.", "DR Congo", "ZAR", "Zaire"],
    "COG": ["Congo, Rep.", "Congo"],
    "HKG": ["Hong Kong SAR, China", "China, Hong Kong SAR"],
    "TWN": ["Taiwan, Province of China"],
    "GMB": ["Gambia, The"],
    "BHS": ["Bahamas, The"],
    "KNA": ["St. Kitts & Nevis"],
    "LCA": ["Saint Lucia"],
    "VIR": ["Virgin Islands (U.S.)"],
    "VGB": ["Virgin Islands, British"],
    "FSM": ["Micronesia, Fed. Sts."],
    "MDA": ["Moldova, Republic of"],
    "TUR": ["Türkiye", "turkey"],
    "VNM": ["Viet Nam"],
    "GNB": ["Guinea-Bissau"],
    "GIN": ["Guinea"],
    "GNQ": ["Equatorial Guinea"],
    "NER": ["Niger"],
    "NGA": ["Nigeria"],
    "GEO": ["Georgia"],
    "DMA": ["Dominica"],
    "DOM": ["Dominican Republic"],
    "ALA": ["Åland Islands"],
    "REU": ["Réunion"],
    "STP": ["São Tomé and Príncipe", "ST"],
    "ISL": ["IS"],
    "DEU": ["Deutschland", "Germany (DE)", "DE - Germany", "GER", "FRG"],
    "ESP": ["España"],
    "RUS": ["Россия"],
    "CHN": ["中国"],
    "JPN": ["日本"],
    "IND": ["भारत"],
    "EGY": ["مصر"],
    "FRA": ["🇫🇷"],
    "CHE": ["SUI"],
    "ZAF": ["RSA"],
    "NLD": ["Holland"],
    "MMR": ["Burma", "BUR"],
    "TLS": ["TMP"],
    "ROU": ["ROM"],
}  # fmt: skip
NO_CODE: dict[Why, list[Any]] = {
    "dissolved": ["YUG", "Yugoslavia", "CSK", "DDR", "GDR", "East Germany", "SUN", "U.S.S.R.", "SCG",
            "Serbia and Montenegro", "ANT", 890],
    "body": ["EU", "European Union", "UN", "World", "Africa", "150", "OECD"],
    "unknown": [None, "", "N/A", "n.a.", math.nan, math.inf, "null", "Atlantis", "XX", True, 999, -1, 1.5,
            "999", b"US", "Germany (FR)", "en-US", "China (Rome)"],
}  # fmt: skip


@pytest.mark.parametrize(("iso3", "value"), [(code, each) for code, forms in FORMS.items() for each in forms])
def test_usual_forms(iso3: str, value: Any) -> None:
    assert country_code(value) == Country(iso3)


@pytest.mark.parametrize(("why", "value"), [(why, each) for why, forms in NO_CODE.items() for each in forms])
def test_what_is_no_country_says_why(why: Why, value: Any) -> None:
    assert country_code(value) == Country(None, why)


def test_every_place_is_found_by_its_codes_and_name() -> None:
    for place in PLACES:
        for value in (place.iso2, place.iso3, place.name, place.iso3.lower(), place.name.upper()):
            assert country_code(value).iso3 == place.iso3, value
        if place.iso_numeric:
            assert country_code(place.iso_numeric).iso3 == place.iso3


def test_agrees_with_the_names_of_unicode_cldr() -> None:
    babel = pytest.importorskip("babel")
    iso3 = {place.iso2: place.iso3 for place in PLACES}
    wrong = {
        (language, name): country_code(name).iso3
        for language in ("en", "de", "fr", "es", "pt", "it", "nl", "pl", "ru", "ja", "zh")
        for code, name in babel.Locale(language).territories.items()
        if code in iso3 and country_code(name).iso3 not in (iso3[code], None)
    }
    assert wrong == {}
    english = babel.Locale("en").territories
    assert [code for code in iso3 if country_code(english[code]).iso3 is None] == []


def test_tables_are_sound() -> None:
    data = files("hinterland.curate.geo").joinpath("data")
    for row in csv.DictReader(data.joinpath("country_names.csv").read_text("utf-8").splitlines()):
        assert row["key"] == name_key(row["key"])
        assert row["iso3"] in by_iso3()
    for row in csv.DictReader(data.joinpath("country_aliases.csv").read_text("utf-8").splitlines()):
        assert (row["why"] in ("dissolved", "body")) == (row["iso3"] == "")
        assert row["iso3"] == "" or row["iso3"] in by_iso3()
        assert row["why"] in ("", "dissolved", "body")
        assert country_code(row["name"]).iso3 == (row["iso3"] or None), row["name"]


@settings(deadline=None)
@given(st.one_of(st.text(), st.floats(), st.integers(), st.none()))
def test_any_value_has_an_answer(value: Any) -> None:
    found = country_code(value)
    assert (found.iso3 is None) == bool(found.why)
    assert found.iso3 is None or found.iso3 in by_iso3()


@settings(deadline=None)
@given(st.sampled_from(PLACES), st.randoms(use_true_random=False))
def test_case_does_not_matter(place: Any, random: Any) -> None:
    shuffled = "".join(random.choice((char.upper(), char.lower())) for char in place.name)
    assert country_code(shuffled).iso3 == place.iso3


def test_columns_are_read_at_once_and_what_has_no_code_is_counted() -> None:
    values = pa.array(["NA", "USA", None, "YUG", "EU", "N/A", "Atlantis", "Atlantis", "usa"])
    codes, counts = country_codes(values)
    assert codes.to_pylist() == ["NAM", "USA", None, None, None, None, None, None, "USA"]
    assert counts == {"dissolved": 1, "body": 1, "unknown": 2}
    assert country_codes(pa.chunked_array([values, values]))[0].to_pylist() == codes.to_pylist() * 2
    assert country_codes(pa.array([840, None, 7]))[0].to_pylist() == ["USA", None, None]
    assert country_codes(values.dictionary_encode())[0].to_pylist() == codes.to_pylist()
    assert country_codes(pa.array([], pa.string()))[0].to_pylist() == []
    assert country_codes(["FR"])[0].to_pylist() == ["FRA"]
