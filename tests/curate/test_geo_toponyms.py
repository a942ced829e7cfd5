"""Place names in sentences worked by hand."""

import dataclasses
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hinterland.core.places import by_iso3
from hinterland.curate.geo.toponyms import Toponym, find_toponyms, resolve


def found(text: str) -> list[tuple[str, str]]:
    """Return spans and countries."""
    return [(text[each.start : each.end], each.country) for each in find_toponyms(text)]


@pytest.mark.parametrize(
    ("text", "places"),
    [
        ("She left Paris, Texas for Toronto.", [("Paris", "USA"), ("Texas", "USA"), ("Toronto", "CAN")]),
        ("She left Paris for Lyon.", [("Paris", "FRA"), ("Lyon", "FRA")]),
        ("He lives in London, Ontario.", [("London", "CAN"), ("Ontario", "CAN")]),
        ("He lives in London (Ontario).", [("London", "CAN"), ("Ontario", "CAN")]),
        ("He lives in London.", [("London", "GBR")]),
        ("A church in Birmingham, Alabama", [("Birmingham", "USA"), ("Alabama", "USA")]),
        ("A church in Birmingham, Ala.", [("Birmingham", "USA"), ("Ala", "USA")]),
        ("A church in Birmingham, England", [("Birmingham", "GBR"), ("England", "GBR")]),
        ("A lab in Cambridge, Massachusetts", [("Cambridge", "USA"), ("Massachusetts", "USA")]),
        ("A lab in Boston, MA", [("Boston", "USA"), ("MA", "USA")]),
        (
            "A lab in Cambridge, Oxford or Bristol",
            [("Cambridge", "GBR"), ("Oxford", "GBR"), ("Bristol", "GBR")],
        ),
    ],
)
def test_a_place_that_says_where_it_is(text, places):
    assert found(text) == places


@pytest.mark.parametrize(
    ("text", "places"),
    [
        (
            "Georgia and Armenia signed in Tbilisi.",
            [("Georgia", "GEO"), ("Armenia", "ARM"), ("Tbilisi", "GEO")],
        ),
        (
            "Georgia and Alabama voted, the governor said in Atlanta.",
            [("Georgia", "USA"), ("Alabama", "USA"), ("Atlanta", "USA")],
        ),
        ("Georgia Smith wrote a poem.", []),
        ("Atlanta, Georgia", [("Atlanta", "USA"), ("Georgia", "USA")]),
        ("Tbilisi, Georgia", [("Tbilisi", "GEO"), ("Georgia", "GEO")]),
    ],
)
def test_georgia_is_a_person_a_state_and_a_country(text, places):
    assert found(text) == places


@pytest.mark.parametrize(
    ("text", "places"),
    [
        ("Michael Jordan missed. Jordan said he was tired.", []),
        ("Jordan Spieth won the cup.", []),
        ("The border of Jordan and Syria was shut.", [("Jordan", "JOR"), ("Syria", "SYR")]),
        ("Jordanian forces moved.", [("Jordanian", "JOR")]),
        ("Chad Smith plays the drums.", []),
        ("Chad borders Niger and Nigeria.", [("Chad", "TCD"), ("Niger", "NER"), ("Nigeria", "NGA")]),
        ("President Washington and Mr. Houston dined.", []),
        ("Hillary Clinton spoke. Clinton lost.", []),
        ("Paris Hilton was seen.", []),
    ],
)
def test_people_are_no_places(text, places):
    assert found(text) == places


@pytest.mark.parametrize(
    ("text", "places"),
    [
        (
            "The Democratic Republic of the Congo and the Republic of the Congo share a river.",
            [("Democratic Republic of the Congo", "COD"), ("Republic of the Congo", "COG")],
        ),
        ("Congo's army left Kinshasa.", [("Congo", "COD"), ("Kinshasa", "COD")]),
        ("In Brazzaville, Congo, rain fell.", [("Brazzaville", "COG"), ("Congo", "COG")]),
        ("The DRC and Rwanda", [("DRC", "COD"), ("Rwanda", "RWA")]),
        ("Niger and Nigeria trade.", [("Niger", "NER"), ("Nigeria", "NGA")]),
        ("Oil from the Niger Delta", [("Niger Delta", "NGA")]),
        ("A Nigerien and a Nigerian", [("Nigerien", "NER"), ("Nigerian", "NGA")]),
        (
            "Guinea, Guinea-Bissau and Equatorial Guinea",
            [("Guinea", "GIN"), ("Guinea-Bissau", "GNB"), ("Equatorial Guinea", "GNQ")],
        ),
        (
            "Papua New Guinea",
            [("Papua New Guinea", "PNG")],
        ),
        ("North Korea and South Korea talked.", [("North Korea", "PRK"), ("South Korea", "KOR")]),
        ("The Korean won fell in Seoul.", [("Korean", "KOR"), ("Seoul", "KOR")]),
        ("Northern Ireland and Ireland", [("Northern Ireland", "GBR"), ("Ireland", "IRL")]),
        ("South Sudan and Sudan", [("South Sudan", "SSD"), ("Sudan", "SDN")]),
        ("The U.S. and the UK agreed.", [("U.S.", "USA"), ("UK", "GBR")]),
        ("A Turkish court sat in Ankara.", [("Turkish", "TUR"), ("Ankara", "TUR")]),
        ("New South Wales and Wales", [("New South Wales", "AUS"), ("Wales", "GBR")]),
        ("Côte d'Ivoire beat São Tomé.", [("Côte d'Ivoire", "CIV"), ("São Tomé", "STP")]),
        ("Aid reached Port-au-Prince.", [("Port-au-Prince", "HTI")]),
    ],
)
def test_countries_that_share_a_word(text, places):
    assert found(text) == places


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   \n\n",
        "the rain fell on the plain",
        "The New York Times and the Washington Post reported it.",
        "Reading is fun. Most of us like it. Nice people do.",
        "Africa and Europe are continents; the Atlantic Ocean is wet.",
        "In March the Senate met.",
        "北京是中国的首都。",
        "Москва — столица России.",
        "1234 5678 !!! ???",
    ],
)
def test_no_place(text):
    assert find_toponyms(text) == []


def test_metonyms_and_institutions_are_places():
    assert found("Washington said it would send troops to Iraq.") == [("Washington", "USA"), ("Iraq", "IRQ")]
    assert found("Chicago Police Department") == [("Chicago", "USA")]


@pytest.mark.parametrize(
    ("text", "places"),
    [
        ("They toured Downtown Chicago.", [("Chicago", "USA")]),
        ("Angry Turkish fans sang.", [("Turkish", "TUR")]),
        ("The Royal Norway prize", [("Norway", "NOR")]),
        ("The Zzyzzx Springfield prize", []),
        ("He met president Lincoln there.", []),
        ("She met the Turkey coach.", [("Turkey", "TUR")]),
        ("A London-based firm", [("London", "GBR")]),
        ("Lincoln's hat and Reading's shop", []),
        ("(Nairobi)", [("Nairobi", "KEN")]),
        ("anti-Paris talk", [("Paris", "FRA")]),
        ("Paris, Lyon", [("Paris", "FRA"), ("Lyon", "FRA")]),
        ("Cairo,\nRome", [("Cairo", "EGY"), ("Rome", "ITA")]),
        ("WHO and AIDS and NATO met.", []),
        ("Us two went.", []),
    ],
)
def test_words_around_a_name(text, places):
    assert found(text) == places


def test_common_words_need_a_preposition():
    assert found("He grew up in Reading, west of London.") == [("Reading", "GBR"), ("London", "GBR")]


def test_one_sense_in_a_text():
    text = "Paris, Texas, had a fair. The mayor of Paris spoke; Paris was glad."
    assert [country for name, country in found(text) if name == "Paris"] == ["USA"] * 3


def test_company_decides():
    text = "Vancouver and Toronto are in Canada. The Canadian team went to London to play Canada's best."
    assert {country for _, country in found(text)} == {"CAN"}
    assert dict(found("Manchester and Leeds are in England. They went to London."))["London"] == "GBR"


def test_fields():
    (each,) = find_toponyms("He lives in Kyoto.")
    assert isinstance(each, Toponym)
    assert (each.start, each.end, each.country, each.admin1) == (12, 17, "JPN", "Kyōto")
    assert each.lat == pytest.approx(35.0, abs=0.5)
    assert each.lon == pytest.approx(135.7, abs=0.5)
    assert 0.8 < each.confidence <= 1
    with pytest.raises(dataclasses.FrozenInstanceError):
        each.country = "USA"


def test_given_spans_are_resolved():
    text = "Paris, Texas and southern Turkey; the Xyzzy; Springfield, Ill."
    spans = [(0, 5), (7, 12), (17, 32), (38, 43), (45, 56), (58, 62)]
    assert resolve(text, spans) == ["USA", "USA", "TUR", None, "USA", "USA"]


def test_spans_come_back_in_the_order_given():
    text = "Tokyo and Lima"
    assert resolve(text, [(10, 14), (0, 5)]) == ["PER", "JPN"]
    assert resolve(text, []) == []


def test_a_continent_has_no_country():
    assert resolve("Africa", [(0, 6)]) == [None]


def test_a_huge_text():
    text = "The road from Nairobi to Mombasa was shut. " * 5000
    places = find_toponyms(text)
    assert len(places) == 10_000
    assert {each.country for each in places} == {"KEN"}


@given(st.text(max_size=200))
@settings(max_examples=100, deadline=None)
def test_any_text_is_read(text):
    for each in find_toponyms(text):
        assert 0 <= each.start < each.end <= len(text)
        assert each.country in by_iso3()
        assert 0 <= each.confidence <= 1


WORDS = "Paris Texas Jordan said in , . Mr. Georgia's the Guinea - Bissau A of New York"


@given(st.lists(st.sampled_from(WORDS.split()), max_size=12))
@settings(max_examples=100, deadline=None)
def test_spans_never_overlap(words):
    text = " ".join(words)
    places = find_toponyms(text)
    assert all(one.end <= other.start for one, other in pairwise(places))
    assert places == find_toponyms(text)
