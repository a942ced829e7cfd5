"""The country of a web address."""

from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hinterland.core.places import by_iso3
from hinterland.curate.geo.domains import domains
from hinterland.curate.geo.urls import host_of, host_place, url_place, url_places

PLACED = {
    "http://www.bbc.co.uk/news/world": "GBR",
    "https://www.gov.uk": "GBR",
    "http://user:pw@host.fr:8080/a?b#c": "FRA",
    "HTTP://WWW.BEISPIEL.DE.": "DEU",
    "//cdn.example.nl/x": "NLD",
    "www.onet.pl": "POL",
    "onet.pl/news.md": "POL",
    "http://example.com.br": "BRA",
    "https://dane.gov.co/": "COL",
    "http://www.edu.ly/": "LBY",
    "http://www.gov.io": "IOT",
    "http://президент.рф/": "RUS",
    "http://xn--d1abbgf6aiiy.xn--p1ai/": "RUS",
    "https://例え.中国": "CHN",
    "https://xn--fsqu00a.xn--fiqs8s/x": "CHN",
    "http://مثال.مصر/": "EGY",
    "https://www.gencat.cat": "ESP",
    "https://montreal.quebec": "CAN",
    "https://www.parliament.scot/": "GBR",
    "https://web.archive.org/web/20100101000000/http://www.lemonde.fr/x": "FRA",
    "https://web.archive.org/web/2010id_/https://spiegel.de": "DEU",
    "https://mit.edu": "USA",
    "https://www.nasa.gov": "USA",
    "https://army.mil": "USA",
    "http://a_b.co.za": "ZAF",
    "https://news.am/": "ARM",
}
NOWHERE = {
    "https://de.wikipedia.org/wiki/Berlin": "generic",
    "https://fr.news.example.com/": "generic",
    "https://www.theguardian.com/uk/": "generic",
    "https://europa.eu": "generic",
    "https://x.ai": "generic",
    "https://crates.io": "generic",
    "https://www.twitch.tv/x": "generic",
    "https://vine.co": "generic",
    "https://example.com.co": "generic",
    "https://pravda.su": "generic",
    "https://example.africa": "generic",
    "https://blog.blogspot.de/": "international",
    "https://blog.blogspot.co.uk/": "international",
    "https://youtu.be/abc": "international",
    "https://t.me/channel": "international",
    "http://192.168.0.1/": "bad",
    "http://[2001:db8::1]/": "bad",
    "http://localhost:80/x.de": "bad",
    "mailto:me@example.de": "bad",
    "me@example.de": "bad",
    "javascript:void(0)": "bad",
    "file:///home/x.de": "bad",
    "data:text/plain,x.de": "bad",
    "notes.md": "bad",
    "http://a..de": "bad",
    "http://.de": "bad",
    "http://-x.de": "bad",
    "http://xn--99999999999999999999.de": "bad",
    "http://": "bad",
    "": "bad",
    "not a url.de": "bad",
}


@pytest.mark.parametrize(("url", "country"), PLACED.items())
def test_country_and_regional_domains(url: str, country: str) -> None:
    assert url_place(url).iso3 == country


@pytest.mark.parametrize(("url", "why"), NOWHERE.items())
def test_what_says_nothing_is_not_guessed(url: str, why: str) -> None:
    place = url_place(url)
    assert (place.iso3, place.admin1, place.confidence, place.why) == (None, None, 0.0, why)


def test_some_domains_name_the_state() -> None:
    found = {url: url_place(url).admin1 for url in (
        "https://www.ca.gov", "https://texas.gov", "https://www.va.gov", "https://nasa.gov", "http://k12.ny.us",
        "http://www.pr.gov", "http://city.on.ca", "https://www.nsw.gov.au", "https://education.vic.gov.au",
    )}  # fmt: skip
    assert list(found.values()) == [
        "California", "Texas", None, None, "New York", None, "Ontario", "New South Wales", "Victoria",
    ]  # fmt: skip
    assert url_place("http://www.pr.gov").iso3 == "PRI"


def test_confidence_follows_the_kind_of_domain() -> None:
    hosts = ("x.gov.fr", "x.fr", "x.bzh", "x.edu", "x.am", "x.com")
    sure = [host_place(host).confidence for host in hosts]
    assert sure == sorted(sure, reverse=True)
    assert sure[-1] == 0


def test_every_country_code_is_placed_or_has_a_reason() -> None:
    table = domains()
    for place in by_iso3().values():
        if place.iso3 == "XKX":
            continue
        found = host_place(f"www.example.{place.iso2.lower()}")
        if place.iso2.lower() in table.generic:
            assert found.why == "generic"
        else:
            assert found.iso3 == place.iso3
        assert host_place(f"www.gov.{place.iso2.lower()}").iso3 == place.iso3 or place.iso2 == "US"
    assert set(table.regional.values()) | {code for code, _ in table.province.values()} <= set(by_iso3())
    assert all(why for why in table.generic.values())
    assert not set(table.generic) & table.doubtful


def test_agrees_with_the_public_suffix_list_on_what_is_a_domain() -> None:
    tld = pytest.importorskip("tld")
    for url in PLACED:
        if "archive.org" not in url and url.startswith("http"):
            suffix = tld.get_tld(url.rstrip("."), fail_silently=True)
            assert suffix is not None or "gov" in url or "edu" in url, url


def test_many_addresses_at_once() -> None:
    urls = pa.array(["http://a.de/1", None, "http://a.de/2", "x", "http://b.com", "http://www.ca.gov"])
    found = url_places(urls)
    assert found.iso3.tolist() == ["DEU", None, "DEU", None, None, "USA"]
    assert found.admin1.tolist() == [None, None, None, None, None, "California"]
    assert found.confidence.tolist() == [0.9, 0.0, 0.9, 0.0, 0.0, 0.95]
    assert found.counts == {"country": 3, "bad": 1, "generic": 1}
    assert url_places(pa.array([], pa.string())).iso3.tolist() == []
    assert url_places(pa.nulls(2)).iso3.tolist() == [None, None]


@settings(deadline=None)
@given(st.text())
def test_any_text_has_an_answer(text: str) -> None:
    if any(0xD800 <= ord(char) <= 0xDFFF for char in text):
        return
    place = url_place(text)
    assert (place.iso3 is None) == bool(place.why)
    assert 0 <= place.confidence <= 1


@settings(deadline=None)
@given(st.from_regex(r"[a-z][a-z0-9]{0,9}(\.[a-z]{2,5}){1,3}", fullmatch=True), st.integers(1, 65535))
def test_scheme_port_and_path_do_not_matter(host: str, port: int) -> None:
    forms = [f"http://{host}", f"https://{host}:{port}/de/x.fr?u=y.it#z", f"//{host}/", f"ftp://me@{host}/"]
    assert {host_of(form) for form in forms} == {host}
    assert len({url_place(form) for form in forms}) == 1


def test_what_is_no_web_address_has_no_host() -> None:
    for address in ("mailto:me@example.de", "javascript:void(0)", "urn:isbn:x", "tel:+49", "me@example.de"):
        assert host_of(address) == ""
    assert host_of("Example.de:8080/x") == "example.de"
