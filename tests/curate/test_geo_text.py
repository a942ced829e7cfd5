"""The country a text is about, in paragraphs worked by hand."""

import pytest

from hinterland.curate.geo.text import LONGEST, Placed, place_text, place_texts


def country(text: str) -> str | None:
    """Return the country alone."""
    placed = place_text(text)
    return placed.country if placed else None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("BAMAKO, Mali (Reuters) - Farmers near Segou said the rains came late.", "MLI"),
        ("Our shop is in Paris, Texas. We ship all over Texas and the United States.", "USA"),
        ("The cooperative in Butare, Rwanda, sells to France, Belgium and Rwanda.", "RWA"),
        ("Welcome to our farm near Ballarat in Victoria, an hour from Melbourne.", "AUS"),
        ("Turkish exporters in Izmir said trade with Germany fell.", "TUR"),
        ("Founded in Lima in 1990, the band toured Chile, then came home to Lima.", "PER"),
        ("Michael Jordan moved to Chicago. Jordan loved Chicago.", "USA"),
    ],
)
def test_main_country(text, expected):
    assert country(text) == expected


@pytest.mark.parametrize(
    "text",
    ["", "No place is named here.", "日本語の文章です。", "Africa is large.", "Jordan said hello."],
)
def test_no_evidence_no_place(text):
    assert place_text(text) is None


def test_fields():
    placed = place_text("The clinic in Kisumu, Kenya, opened again. Kisumu lies on a lake.")
    assert isinstance(placed, Placed)
    assert (placed.country, placed.admin1, placed.rule) == ("KEN", "Kisumu", "text")
    assert placed.lat == pytest.approx(-0.1, abs=0.3)
    assert placed.lon == pytest.approx(34.76, abs=0.3)
    assert 0.9 < placed.confidence <= 1


def test_a_country_alone_has_no_division():
    placed = place_text("It snowed in Norway. Norway was white.")
    assert placed.country == "NOR"
    assert placed.admin1 is None


def test_confidence_falls_where_countries_are_even():
    one = place_text("The firm is in Spain. It hires in Spain.")
    two = place_text("The firm is in Spain. It hires in Italy.")
    assert two is None or two.confidence < one.confidence - 0.2


def test_lead_and_title_count_more():
    body = "It later spread to Peru. "
    assert country("Flood in Bolivia\n\nA flood came. " + "Nothing more is known. " * 30 + body) == "BOL"
    assert country("A flood came to Bolivia. " + "Nothing more is known. " * 30 + body) == "BOL"


def test_texts_one_by_one():
    texts = ["In Ghana, rain.", "", "In Togo, sun."]
    assert place_texts(texts) == [place_text(text) for text in texts]
    assert place_texts([]) == []


def test_a_huge_text_is_read_to_a_bound():
    start = "The market in Accra, Ghana, is open. "
    assert country(start + "x " * LONGEST + "Peru " * 1000) == "GHA"


def test_lat_lon_are_none_where_unknown():
    placed = place_text("The base in Antarctica near Heard Island and McDonald Islands was shut.")
    assert placed is None or placed.lat is None or -90 <= placed.lat <= 90
