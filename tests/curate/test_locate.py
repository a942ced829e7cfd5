"""Where documents are from: the rules, their order, and what is said about them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hinterland.core.config import parse_config
from hinterland.core.errors import ConfigError, CorpusError
from hinterland.core.places import by_iso3
from hinterland.core.record import BASE_SCHEMA
from hinterland.curate.geo.authors import author_place
from hinterland.curate.geo.divisions import division, division_name
from hinterland.curate.geo.fields import Fields, degrees
from hinterland.curate.geo.locate import PLACE_SCHEMA, LocateSettings, locate, locate_report
from hinterland.curate.geo.locate_shards import locate_shards

KENYA = "NAIROBI, Kenya - Farmers near Nakuru and Kisumu said on Monday that the rains had failed again."


def _table(*rows: dict[str, Any]) -> pa.Table:
    full = [{"id": str(number), "text": "Nothing.", **row} for number, row in enumerate(rows)]
    for row in full:
        if isinstance(row.get("meta"), dict):
            row["meta"] = json.dumps(row["meta"])
    return pa.Table.from_pylist(full, schema=BASE_SCHEMA)


def _one(**row: Any) -> tuple[str | None, str | None, str | None]:
    found = locate(_table(row)).to_pylist()[0]
    return found["country"], found["admin1"], found["geo_from"]


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ({"country": "USA"}, ("USA", None, "column country")),
        ({"country": "Côte d'Ivoire"}, ("CIV", None, "column country")),
        ({"country": "NA"}, ("NAM", None, "column country")),
        ({"country": "UK", "admin1": "Scotland"}, ("GBR", "Scotland", "column country")),
        ({"country": "USA", "admin1": "Calif."}, ("USA", "California", "column country")),
        ({"meta": {"Country-Code": "fr"}}, ("FRA", None, "column country")),
        ({"meta": {"location": {"country_name": "Peru"}}}, ("PER", None, "column country")),
        ({"admin1": "Bavaria"}, ("DEU", "Bavaria", "column admin1")),
        ({"admin1": "DE-BY"}, ("DEU", "Bavaria", "column admin1")),
        ({"meta": {"state": "N.Y."}}, ("USA", "New York", "column admin1")),
        ({"meta": {"state": "PA"}}, ("USA", "Pennsylvania", "column admin1")),
        ({"admin1": "PA", "lat": -1.4558, "lon": -48.4902}, ("BRA", "PA", "coordinates")),
        ({"admin1": "N/A", "meta": {"zip": "10001"}}, ("USA", "New York", "column zip")),
        ({"admin1": "Punjab"}, (None, "Punjab", None)),
        ({"meta": {"state": "ok"}}, (None, "ok", None)),
        ({"meta": {"zip": 2139}}, ("USA", "Massachusetts", "column zip")),
        ({"meta": {"zipcode": "90210-1234"}}, ("USA", "California", "column zip")),
        ({"meta": {"zip": "00901"}}, ("PRI", None, "column zip")),
        ({"meta": {"postal_code": "90210"}}, (None, None, None)),
        ({"country": "US", "meta": {"postal_code": "90210"}}, ("USA", "California", "column country")),
        ({"country": "DEU", "meta": {"zip": "90402"}}, ("DEU", None, "column country")),
        ({"lat": -1.2921, "lon": 36.8219}, ("KEN", "Nairobi County", "coordinates")),
        ({"meta": {"latitude": "35.68", "Longitude": "139.65"}}, ("JPN", "Tokyo", "coordinates")),
        ({"country": "KEN", "lat": -1.2921, "lon": 36.8219}, ("KEN", "Nairobi County", "column country")),
        ({"url": "https://www.lemonde.fr/x", "text": KENYA}, ("FRA", None, "url")),
        ({"url": "https://x.com/", "text": KENYA}, ("KEN", None, "text")),
        ({"source": "www.abc.net.au"}, ("AUS", None, "url")),
        ({"meta": {"domain": "k12.ca.us"}}, ("USA", "California", "url")),
        ({"meta": {"affiliation": "Universidad de Chile, Santiago, Chile"}}, ("CHL", None, "author")),
        ({"meta": {"authors": [{"name": "Jordan, Michael"}, "Smith, Chad"]}}, (None, None, None)),
        ({"source": "The Times of India"}, ("IND", None, "publisher")),
        ({}, (None, None, None)),
    ],
)
def test_rules(row: dict[str, Any], expected: tuple[str | None, str | None, str | None]) -> None:
    found = _one(**row)
    assert (found[0], found[2]) == (expected[0], expected[2])
    assert expected[1] is None or found[1] == expected[1]


def test_columns_come_out_in_the_schema_of_a_corpus() -> None:
    found = locate(_table({"url": "http://a.de"}, {}))
    assert found.schema.equals(pa.schema([BASE_SCHEMA.field("id"), *PLACE_SCHEMA]))
    assert found.to_pylist()[1] == {"id": "1", **dict.fromkeys(PLACE_SCHEMA.names)}
    assert locate(pa.table({"text": [KENYA]})).column_names == PLACE_SCHEMA.names
    assert locate(_table()).num_rows == 0


def test_what_was_placed_before_is_kept() -> None:
    found = locate(
        _table(
            {"country": "KEN", "geo_from": "file code", "geo_confidence": 0.4, "url": "http://a.de"},
            {"country": "KEN", "geo_from": "file code"},
            {"country": None, "geo_from": "file code", "url": "http://a.de"},
        )
    ).to_pylist()
    assert [(row["country"], row["geo_from"], row["geo_confidence"]) for row in found] == [
        ("KEN", "file code", 0.4), ("KEN", "file code", 1.0), ("DEU", "url", 0.9),
    ]  # fmt: skip


def test_dissolved_states_and_bodies_are_not_guessed_away_but_finer_columns_count() -> None:
    report = locate_report(
        _table(
            {"country": "YUG", "url": "http://a.rs", "text": KENYA},
            {"country": "YUG", "lat": 44.8, "lon": 20.46},
            {"country": "EU", "url": "http://a.be"},
            {"country": "Atlantis", "url": "http://a.gr"},
            {"country": "Atlantis"},
            {"country": "N/A"},
        )
    )
    assert report.table["country"].to_pylist() == [None, "SRB", None, "GRC", None, None]
    assert report.not_placed == {"dissolved": 2, "body": 1, "unknown": 2}
    assert report.unrecognised == (("Atlantis", 2), ("YUG", 2), ("EU", 1))
    assert report.rules == {"coordinates": 1, "url": 1, "unknown": 4}


def test_another_country_column_helps_where_the_first_is_not_understood() -> None:
    report = locate_report(
        _table(
            {"country": "Middle-earth", "meta": {"iso2": "NZ"}},
            {"country": "Middle-earth", "meta": {"iso2": "EU"}},
            {"country": "EU", "meta": {"iso2": "NZ"}},
            {"meta": {"country_name": "Mordor", "iso2": "??"}},
        )
    )
    assert report.table["country"].to_pylist() == ["NZL", None, None, None]
    assert report.not_placed == {"body": 2, "unknown": 1}
    assert report.unrecognised == (("EU", 2), ("Mordor", 1))


def test_unusable_coordinates_are_counted() -> None:
    report = locate_report(
        _table(
            {"lat": 0.0, "lon": 0.0}, {"lat": 139.65, "lon": 35.68}, {"lat": 95.0, "lon": 300.0},
            {"lat": 1.0},
            {"country": "DEU", "lat": 48.85, "lon": 2.35}, {"lat": -30.0, "lon": -130.0},
        )
    )  # fmt: skip
    assert report.table["country"].to_pylist() == [None, "JPN", None, None, "DEU", None]
    assert report.table["lat"].to_pylist() == [None, 35.68, None, None, 48.85, -30.0]
    assert report.notes == {
        "coordinates zero": 1, "coordinates swapped": 1, "coordinates out of range": 1,
        "coordinates elsewhere": 1, "coordinates far": 1,
    }  # fmt: skip


def test_text_gives_coordinates_only_where_there_are_none() -> None:
    found = locate(_table({"text": KENYA}, {"text": KENYA, "lat": -30.0, "lon": -130.0})).to_pylist()
    assert abs(found[0]["lat"]) < 3
    assert found[1]["country"] == "KEN"
    assert found[1]["lat"] == -30.0


def test_settings_choose_columns_rules_and_confidence() -> None:
    table = _table({"url": "http://a.de", "source": "Chad", "text": KENYA}).append_column(
        "where", [["Fidschi"]]
    )
    named = LocateSettings(columns={"country": ("where",)})
    assert locate(table, named)["country"].to_pylist() == ["FJI"]
    assert locate(table, LocateSettings(rules=("text", "url")))["country"].to_pylist() == ["KEN"]
    assert locate(table, LocateSettings(rules=("url",), min_confidence=0.95))["country"].to_pylist() == [None]
    assert locate(table, LocateSettings(rules=()))["country"].to_pylist() == [None]
    with pytest.raises(CorpusError, match="no column 'nowhere'"):
        locate(table, LocateSettings(columns={"country": ("nowhere",)}))
    with pytest.raises(ConfigError):
        parse_config(LocateSettings, {"columns": {"county": ["x"]}})
    with pytest.raises(ConfigError):
        parse_config(LocateSettings, {"rules": ["guess"]})


def test_bad_meta_and_other_types_do_no_harm() -> None:
    table = pa.table(
        {
            "text": ["x"] * 5,
            "meta": [
                '{"country": ',
                '{"country": ["FR", null]}',
                '{"country": {"name": "Peru"}}',
                None,
                '"country":',
            ],
            "zip": pa.array([2139, None, None, None, 0], pa.int64()),
            "Country Code": pa.array(["us", None, None, "fr", None]).dictionary_encode(),
        }
    )
    assert locate(table)["country"].to_pylist() == ["USA", "FRA", "PER", "FRA", None]
    assert locate(pa.table({"text": ["x"], "country": pa.array([276])}))["country"].to_pylist() == ["DEU"]


def _shards(folder: Path, count: int = 4) -> list[Path]:
    folder.mkdir()
    rows: list[dict[str, Any]] = [
        {"url": "http://a.de"}, {"text": KENYA}, {"country": "YUG"}, {"meta": {"zip": "90210"}},
        {"country": "Atlantis", "url": "http://a.com"},
    ]  # fmt: skip
    paths = []
    for number in range(count):
        full = [{**row, "id": f"{number}-{at}"} for at, row in enumerate(rows[number % 2 :])]
        pq.write_table(_table(*full), folder / f"part-{number:05d}.parquet")
        paths.append(folder / f"part-{number:05d}.parquet")
    return paths


def test_shards_are_the_same_whatever_the_workers_and_are_not_made_again(tmp_path: Path) -> None:
    shards = _shards(tmp_path / "corpus")
    one = locate_shards(shards, tmp_path / "one")
    two = locate_shards(shards, tmp_path / "two", LocateSettings(workers=2))
    assert [path.read_bytes() for path in one.paths] == [path.read_bytes() for path in two.paths]
    assert one.documents == 18
    assert one.rules == {"url": 2, "text": 4, "column zip": 4, "unknown": 8}
    assert one.not_placed == {"dissolved": 4, "unknown": 4}
    assert one.unrecognised == (("Atlantis", 4), ("YUG", 4))
    assert json.loads(json.dumps(one.card())) == one.card() == two.card()
    times = [path.stat().st_mtime_ns for path in one.paths]
    (tmp_path / "one" / shards[2].name).unlink()
    again = locate_shards(shards, tmp_path / "one")
    assert again.rules == one.rules
    assert [path.stat().st_mtime_ns == time for path, time in zip(again.paths, times, strict=True)] == [
        True, True, False, True,
    ]  # fmt: skip
    assert again.paths[2].read_bytes() == two.paths[2].read_bytes()
    other = locate_shards(shards, tmp_path / "one", LocateSettings(rules=("columns",)))
    assert other.rules == {"column zip": 4, "unknown": 14}
    table = pa.concat_tables([pq.read_table(path) for path in two.paths])
    whole = pa.concat_tables([pq.read_table(path) for path in shards])
    assert table.equals(locate(whole))


def test_shards_that_cannot_be_read(tmp_path: Path) -> None:
    shards = _shards(tmp_path / "corpus", 1)
    with pytest.raises(CorpusError, match="no column 'nowhere'"):
        locate_shards(shards, tmp_path / "out", LocateSettings(columns={"url": ("nowhere",)}))
    pq.write_table(pa.table({"text": ["x"]}), tmp_path / "no_id.parquet")
    with pytest.raises(CorpusError, match="no column 'id'"):
        locate_shards([tmp_path / "no_id.parquet"], tmp_path / "out")
    with pytest.raises(CorpusError):
        locate_shards([tmp_path / "missing.parquet"], tmp_path / "out")
    assert locate_shards([], tmp_path / "none").documents == 0


@pytest.mark.parametrize(
    ("text", "person", "country", "admin1"),
    [
        ("Universidad de Chile, Santiago, Chile", True, "CHL", None),
        ("MIT, Cambridge, MA 02139, USA", True, "USA", "Massachusetts"),
        ("University of Michigan, Ann Arbor, MI 48109", True, "USA", "Michigan"),
        ("me@uni.de, University of Bonn, 53113 Bonn, Germany.", True, "DEU", None),
        ("Tbilisi State University, Tbilisi, Georgia", True, "GEO", None),
        ("Emory University, Atlanta, Georgia", True, "USA", "Georgia"),
        ("Makerere University, Kampala, Uganda; MIT, USA", True, "UGA", None),
        ("The Times of India", False, "IND", None),
        ("Smith, Chad", True, None, None),
        ("Jordan, Michael", True, None, None),
        ("Paris Hilton", True, None, None),
        ("Springer Nature", False, None, None),
        ("", False, None, None),
    ],
)
def test_authors_and_publishers(text: str, person: bool, country: str | None, admin1: str | None) -> None:
    found = author_place(text, person=person)
    assert (found.iso3 if found else None) == country
    assert admin1 is None or (found and found.admin1 == admin1)
    assert found is None or found.confidence <= 0.7


def test_divisions() -> None:
    assert division("CA") is not None
    assert division("ca") is None
    assert division("Georgia") == division("GA.") or division("Georgia")
    assert division(None) is division("") is division("Amazonas") is None
    assert division_name("Tex.", "USA") == "Texas"
    assert division_name("Tex.", "MEX") == "Tex."
    assert division_name("FR-IDF", "FRA") == "Île-de-France"
    assert division_name(None, "USA") is None


def test_degrees_and_fields() -> None:
    assert [degrees(value) for value in ("33.9 S", "151.2°E", "-1.5", 3, "2w")] == [
        -33.9,
        151.2,
        -1.5,
        3.0,
        -2.0,
    ]
    assert all(degrees(value) != degrees(value) for value in (None, "", "x", "1,5", True, [1]))
    fields = Fields(_table({"url": "http://a.de", "meta": {"uri": "b"}}), {})
    assert fields.texts("url").to_pylist() == ["http://a.de"]
    assert [name for name, _ in fields.candidates("url")] == ["url", "uri"]
    assert not fields.has("zip")


VALUES = st.one_of(
    st.none(), st.text(max_size=12), st.sampled_from(["US", "NA", "YUG", "Georgia", "http://a.de"])
)
META = st.dictionaries(
    st.sampled_from(["country", "state", "zip", "lat", "lon", "author", "publisher", "url"]),
    st.one_of(VALUES, st.integers(), st.floats(allow_nan=False), st.booleans(), st.lists(VALUES, max_size=2)),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(VALUES, VALUES, META), max_size=6))
def test_any_table_has_an_answer(rows: list[tuple[Any, Any, dict[str, Any]]]) -> None:
    table = _table(*({"country": country, "url": url, "meta": meta} for country, url, meta in rows))
    report = locate_report(table)
    for row in report.table.to_pylist():
        assert (row["country"] is None) == (row["geo_from"] is None) == (row["geo_confidence"] is None)
        assert row["country"] is None or row["country"] in by_iso3()
        assert row["geo_confidence"] is None or 0.5 <= row["geo_confidence"] <= 1
    assert sum(report.rules.values()) == len(rows)
