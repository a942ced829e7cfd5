"""Coordinates to countries."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hinterland.core.places import by_iso3
from hinterland.curate.geo.coordinates import FARTHEST_KM, confidence_of, coordinate_places
from hinterland.curate.geo.gazetteer import load

CITIES = {
    "KEN": (-1.2921, 36.8219), "USA": (41.8781, -87.6298), "JPN": (35.6762, 139.6503), "FJI": (-18.1416,
    178.4419),
    "BRA": (-23.5505, -46.6333), "NOR": (69.6492, 18.9553), "ISL": (64.1466, -21.9426), "GHA": (5.6037,
    -0.1870),
}  # fmt: skip


def test_cities_are_in_their_countries() -> None:
    lat, lon = np.array(list(CITIES.values())).T
    found = coordinate_places(lat, lon)
    assert found.iso3.tolist() == list(CITIES)
    assert found.admin1[1] == "Illinois"
    assert (found.km < 10).all()
    assert (found.confidence > 0.98).all()
    assert found.counts == {"placed": len(CITIES)}


def test_what_is_no_place_is_counted() -> None:
    lat = [np.nan, 1.0, 0.0, 95.0, 41.9, np.inf, 139.6503, -30.0, -75.0, 48.85]
    lon = [1.0, np.nan, 0.0, 200.0, 400.0, 1.0, 35.6762, -130.0, 0.0, 362.35]
    found = coordinate_places(lat, lon)
    assert found.iso3.tolist() == [None] * 6 + ["JPN", None, "ATA", None]
    assert found.counts == {
        "placed": 2, "missing": 2, "zero": 1, "out of range": 4, "far": 1, "swapped": 1,
    }  # fmt: skip
    assert (found.lat[6], found.lon[6]) == (35.6762, 139.6503)
    assert np.isnan(found.lat[:6]).all()
    assert (found.lat[7], found.confidence[7]) == (-30.0, 0.0)


def test_longitudes_from_0_to_360() -> None:
    found = coordinate_places([41.8781, 41.8781], [-87.6298, 272.3702])
    assert found.iso3.tolist() == ["USA", "USA"]
    assert found.lon[1] == pytest.approx(-87.6298)


def test_the_date_line_is_no_border() -> None:
    found = coordinate_places([-16.78, -16.78], [180.0, -180.0])
    assert found.iso3[0] == found.iso3[1] == "FJI"
    assert found.km[0] == pytest.approx(found.km[1])


def test_distance_is_that_of_the_great_circle() -> None:
    places = load()
    lat, lon = 10.0, 20.0
    y, x = np.radians(places.lat.astype(float)), np.radians(places.lon.astype(float))
    a, b = np.radians(lat), np.radians(lon)
    haversine = np.sin((y - a) / 2) ** 2 + np.cos(a) * np.cos(y) * np.sin((x - b) / 2) ** 2
    expected = 2 * 6371.0088 * np.arcsin(np.sqrt(haversine))
    assert coordinate_places([lat], [lon]).km[0] == pytest.approx(expected.min(), rel=1e-6)


def test_confidence_falls_with_distance() -> None:
    sure = confidence_of([0, 5, 20, 100, 300, FARTHEST_KM, FARTHEST_KM + 1, np.nan])
    assert (np.diff(sure[:-1]) <= 0).all()
    assert sure[0] == 0.995
    assert sure[-2:].tolist() == [0, 0]


def test_bad_input() -> None:
    with pytest.raises(ValueError, match="one length"):
        coordinate_places([1.0, 2.0], [1.0])
    assert coordinate_places([], []).iso3.tolist() == []


@settings(deadline=None)
@given(st.lists(st.tuples(st.floats(), st.floats()), max_size=20))
def test_any_numbers_have_an_answer(pairs: list[tuple[float, float]]) -> None:
    lat, lon = np.array(pairs, dtype=float).reshape(-1, 2).T
    found = coordinate_places(lat, lon)
    assert all((code is None) == (sure == 0) for code, sure in zip(found.iso3, found.confidence, strict=True))
    assert {code for code in found.iso3 if code} <= set(by_iso3())
    assert sum(count for name, count in found.counts.items() if name != "swapped") == len(pairs)
