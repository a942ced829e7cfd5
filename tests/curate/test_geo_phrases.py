"""Names in phrases that are used far from the place, in sentences worked by hand."""

import pyarrow as pa
import pytest

from hinterland.curate.geo.locate import locate_report
from hinterland.curate.geo.text import place_text
from hinterland.curate.geo.toponyms import find_toponyms


def found(text: str) -> list[tuple[str, str]]:
    """Return spans and countries."""
    return [(text[each.start : each.end], each.country) for each in find_toponyms(text)]


@pytest.mark.parametrize(
    "text",
    [
        "Prices were given in US dollars throughout the report.",
        "Prices were given in U.S. Dollars and in American cents.",
        "Exchange rates: euros (EUR) per US dollar -.",
        "A US-dollar bond and a Canadian-dollar one.",
        "It cost US$5 million, or US $7 with tax, HK$9, NZ$4, AUD 7 and 5 USD.",
        "Quoted in Australian dollars, New Zealand dollars, Hong Kong dollars and Taiwan dollars.",
        "Singapore dollars, Swiss francs, Japanese yen and British pounds fell.",
        "Fuel is sold by the US gallon and heat by the British thermal unit.",
    ],
)
def test_money_and_units_are_no_places(text):
    assert found(text) == []
    assert place_text(text) is None


def test_a_report_in_dollars_is_not_located():
    text = "Prices were given in US dollars throughout the report."
    located = locate_report(pa.table({"text": [text]}))
    assert located.table["country"].to_pylist() == [None]


@pytest.mark.parametrize(
    ("text", "places"),
    [
        ("Fees are paid in Kenyan shillings.", [("Kenyan", "KEN")]),
        ("Jamaican dollars per US dollar", [("Jamaican", "JAM")]),
        ("The Korean won fell.", [("Korean", "KOR")]),
        ("In the US $5 buys little.", [("US", "USA")]),
        ("Nairobi hotels ask for US dollars.", [("Nairobi", "KEN")]),
        ("US dollars are used in the US.", [("US", "USA")]),
        ("A US law on dollars", [("US", "USA")]),
    ],
)
def test_money_of_one_country_and_places_beside_money(text, places):
    assert found(text) == places


@pytest.mark.parametrize(
    ("text", "places"),
    [
        ("He speaks French, English and Spanish.", []),
        ("It was written in English.", []),
        ("It was written in English", []),
        ("A Portuguese-speaking crew; it is translated into German and Dutch.", []),
        ("English (official), Portuguese (official)", []),
        ("She taught Italian at night and learnt Chinese by day.", []),
        ("The fort fell into French hands.", [("French", "FRA")]),
        ("He was born in Spanish Morocco.", [("Spanish", "ESP"), ("Morocco", "MAR")]),
        ("The French left and the English won.", [("French", "FRA"), ("English", "GBR")]),
        ("They speak Hungarian.", [("Hungarian", "HUN")]),
    ],
)
def test_languages_of_many_countries_are_no_places(text, places):
    assert found(text) == places


@pytest.mark.parametrize(
    ("text", "places"),
    [
        ("Spanish flu and a Turkish bath", []),
        ("The Spanish fleet took a Turkish port.", [("Spanish", "ESP"), ("Turkish", "TUR")]),
        ("A guinea pig ate Brazil nuts; Guinea pigs do.", []),
        ("Guinea exports Brazil nuts.", [("Guinea", "GIN")]),
        ("West Nile virus and Crimean-Congo haemorrhagic fever", []),
        ("Parties to the Kyoto Protocol, the Paris Agreement and the Geneva Conventions", []),
        ("They met in Paris on the Kyoto Protocol.", [("Paris", "FRA")]),
        ("The Islamic State of Iraq and ash-Sham", []),
        ("The state of Iraq", [("Iraq", "IRQ")]),
    ],
)
def test_fixed_phrases_are_no_places(text, places):
    assert found(text) == places


@pytest.mark.parametrize(
    "text",
    [
        "The island is slightly larger than Kansas.",
        "About three times the size of Washington, D.C.",
        "0.7 times the size of the National Mall in Washington, D.C.",
        "Slightly smaller than the US state of Texas; about the area of California.",
    ],
)
def test_a_place_named_for_its_size_is_a_place_but_not_the_texts(text):
    assert {country for _, country in found(text)} == {"USA"}
    assert place_text(text) is None


def test_size_leaves_what_else_is_named():
    placed = place_text("Lesotho is slightly smaller than Maryland.")
    assert (placed.country, placed.admin1) == ("LSO", None)
    assert place_text("The size of Kenya's economy grew.").country == "KEN"


def test_one_weak_name_is_weak_evidence():
    """One adjective or abbreviation is less than one country, and that less than two names."""
    adjective = place_text("A new American law was read out.").confidence
    short = place_text("A new law of the US was read out.").confidence
    named = place_text("A new law of the United States was read out.").confidence
    twice = place_text("A new law of the United States was read out in Chicago.").confidence
    assert 0.5 < adjective < 0.8
    assert 0.5 < short < 0.8
    assert max(adjective, short) < named < twice
    assert twice > 0.9
    assert place_text("The US said so. The US did so. The US left.").confidence > 0.85
