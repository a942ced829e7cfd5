"""The gazetteer: what it holds, the nearest place, names as keys."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hinterland.core.places import by_iso3
from hinterland.curate.geo.gazetteer import load
from hinterland.curate.geo.lexicon import lexicon
from hinterland.curate.geo.names import KINDS, normalise


def test_it_holds_places_of_nearly_every_country():
    gazetteer = load()
    assert len(gazetteer) > 200_000
    countries = set(gazetteer.iso3)
    assert countries <= set(by_iso3())
    assert set(by_iso3()) - countries <= {"ATA", "BVT", "HMD", "UMI"}
    assert np.abs(gazetteer.lat).max() <= 90
    assert np.abs(gazetteer.lon).max() <= 180
    assert gazetteer.population.min() >= 0


def test_columns_of_a_known_place():
    gazetteer = load()
    rows = np.flatnonzero((gazetteer.name == "Paris") & (gazetteer.admin1 == "Texas"))
    assert len(rows) == 1
    (row,) = rows
    assert gazetteer.iso3[row] == "USA"
    assert gazetteer.admin1_code[row] == "US-TX"
    assert gazetteer.lat[row] == pytest.approx(33.661, abs=0.01)
    assert gazetteer.lon[row] == pytest.approx(-95.556, abs=0.01)
    assert 20_000 < gazetteer.population[row] < 30_000


def test_entities_begin_with_places():
    entities = load().entities
    kinds = [KINDS[code] for code in np.unique(entities.kind)]
    assert kinds == list(KINDS)
    assert (entities.kind[: len(load())] == 0).all()
    assert (entities.kind[len(load()) :] != 0).all()


def test_nearest_place():
    found = load().nearest([48.8584, 33.66, -1.29, 64.15], [2.2945, -95.55, 36.82, -21.94])
    assert list(found.iso3) == ["FRA", "USA", "KEN", "ISL"]
    assert found.admin1[1] == "Texas"
    assert (found.km < 6).all()


def test_nearest_distance_is_great_circle():
    gazetteer = load()
    place = int(np.flatnonzero(gazetteer.name == "Nairobi")[0])
    y, x = float(gazetteer.lat[place]), float(gazetteer.lon[place])
    found = gazetteer.nearest([y], [x])
    assert found.km[0] == pytest.approx(0, abs=0.01)
    assert found.iso3[0] == "KEN"
    middle = gazetteer.nearest([0.0], [-30.0])  # in the Atlantic
    row = middle.place[0]
    a, b = np.radians([0.0, -30.0]), np.radians([gazetteer.lat[row], gazetteer.lon[row]])
    cosine = np.sin(a[0]) * np.sin(b[0]) + np.cos(a[0]) * np.cos(b[0]) * np.cos(a[1] - b[1])
    assert middle.km[0] == pytest.approx(6371.0088 * np.arccos(cosine), rel=1e-4)


def test_nearest_crosses_the_date_line():
    west, east = load().nearest([-16.8, -16.8], [179.99, -180.01 + 360]).km
    assert west == pytest.approx(east, abs=0.01)
    assert load().nearest([-16.8], [-180.01]).place[0] == load().nearest([-16.8], [179.99]).place[0]


def test_points_off_the_globe_have_no_place():
    found = load().nearest([91, np.nan, 0, 10], [0, 0, np.inf, 10])
    assert list(found.place[:3]) == [-1, -1, -1]
    assert list(found.iso3[:3]) == [None] * 3
    assert list(found.admin1[:3]) == [None] * 3
    assert np.isnan(found.km[:3]).all()
    assert found.iso3[3] == "NGA"


def test_no_points():
    assert len(load().nearest([], []).place) == 0


def test_lengths_that_differ_are_refused():
    with pytest.raises(ValueError, match="one length"):
        load().nearest([1.0, 2.0], [1.0])


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("São Tomé", "sao tome"),
        ("U.S.", "us"),
        ("Guinea-Bissau", "guinea bissau"),
        ("Côte d’Ivoire", "cote d'ivoire"),
        ("  New\u00a0York ", "new york"),
        ("Łódź", "lodz"),
        ("Ærø", "aero"),
        ("", ""),
    ],
)
def test_keys(name, key):
    assert normalise(name) == key


@given(st.text(max_size=30))
def test_a_key_is_its_own_key(name):
    key = normalise(name)
    assert normalise(key) == key


def test_names_lead_to_meanings():
    known = lexicon()
    georgia = known.find("georgia")
    assert {(m.kind, m.iso3) for m in georgia.meanings} >= {("admin1", "USA"), ("country", "GEO")}
    assert georgia.given
    congo = known.find("congo")
    assert [m.iso3 for m in congo.by_country][:2] == ["COD", "COG"]
    assert known.find("turkish").best.kind == "demonym"
    assert known.find("africa").best.iso3 == ""
    assert known.find("no such place") is None
    assert known.find("tx") is None
    assert known.find_after_comma("tx").best.iso3 == "USA"
    assert known.longest["new"] >= 2


def test_capitals_come_first():
    washington = lexicon().find("washington")
    assert washington.best.kind == "place"
    assert load().entities.code[washington.best.entity] == "capital"
    assert load().admin1_code[washington.best.entity] == "US-DC"


def test_names_are_forgotten_when_there_are_many(monkeypatch):
    from hinterland.curate.geo import lexicon as module

    known = module.Lexicon(load())
    monkeypatch.setattr(module, "_KEPT", 2)
    for key in ("paris", "london", "berlin"):
        assert known.find(key).key == key
    assert len(known._known) == 1
