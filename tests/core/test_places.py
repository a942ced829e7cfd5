from __future__ import annotations

from collections import Counter

import pytest

from hinterland.core.errors import CorpusError
from hinterland.core.places import UNKNOWN, by_fips, by_iso3, check_country, region_of, subregion_of


def test_the_table_is_iso_3166_1() -> None:
    places = by_iso3()
    assert len(places) >= 249
    for code, place in places.items():
        assert code == place.iso3
        assert len(place.iso3) == 3
        assert len(place.iso2) == 2
        assert place.iso3.isupper()
        assert place.iso2.isupper()
        assert place.iso_numeric == "" or (len(place.iso_numeric) == 3 and place.iso_numeric.isdigit())
        assert place.name
    for key in ("iso2", "name"):
        assert max(Counter(getattr(place, key) for place in places.values()).values()) == 1


def test_regions_are_the_uns() -> None:
    regions = Counter(place.region for place in by_iso3().values())
    assert {"Africa", "Americas", "Asia", "Europe", "Oceania"} <= set(regions)
    # UN M49 counts 54 member states in Africa and 6 territories more.
    assert 54 <= regions["Africa"] <= 60


@pytest.mark.parametrize(
    ("iso3", "fips", "region", "subregion"),
    [
        ("KEN", "KE", "Africa", "Eastern Africa"),
        ("CHE", "SZ", "Europe", "Western Europe"),
        ("JAM", "JM", "Americas", "Caribbean"),
        ("AUS", "AS", "Oceania", "Australia and New Zealand"),
        ("NGA", "NI", "Africa", "Western Africa"),
        ("PER", "PE", "Americas", "South America"),
    ],
)
def test_some_places_by_hand(iso3: str, fips: str, region: str, subregion: str) -> None:
    # FIPS is not ISO: its NI is Nigeria, its AS Australia, its SZ Switzerland.
    assert by_fips()[fips].iso3 == iso3
    assert (region_of(iso3), subregion_of(iso3)) == (region, subregion)


def test_an_unknown_place_is_shown_as_unknown() -> None:
    assert region_of(None) == subregion_of(None) == UNKNOWN
    assert region_of("XXX") == subregion_of("XXX") == UNKNOWN


def test_unknown_codes_are_refused_with_the_nearest() -> None:
    assert check_country(None) is None
    assert check_country("KEN") == "KEN"
    with pytest.raises(CorpusError, match=r"unknown country code 'ken' \(row 3\)\n.*did you mean 'KEN'"):
        check_country("ken", where="row 3")
    with pytest.raises(CorpusError, match="did you mean"):
        check_country("KNE")
    with pytest.raises(CorpusError, match="alpha-3, or leave it empty") as caught:
        check_country("")
    assert len(caught.value.cure) < 100  # not all 250 of them
