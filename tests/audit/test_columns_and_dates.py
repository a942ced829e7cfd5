"""Groupings by country, by a column's values and by date."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hinterland.core.errors import CorpusError
from hinterland.curate.audit.groups import column_grouping, encode, place_groupings, year_grouping


def test_countries_have_their_names() -> None:
    made = place_groupings(["NAM", "NAM", None, "YUG"], ["country"])["country"]
    assert made.labels == ("Namibia", "unknown")
    assert made.codes.tolist() == [0, 0, 1, 1]
    assert made.of_country["FRA"] == "France"


def test_every_country_has_a_label_with_or_without_a_document() -> None:
    region = place_groupings(["NAM"], ["region"])["region"]
    assert region.of_country["FRA"] == "Europe"
    assert "unknown" not in region.of_country.values()
    assert region[np.array([0])].of_country == region.of_country


def test_values_of_a_column() -> None:
    made = column_grouping(["en", None, "sw", "", "en", "unknown"], "lang")
    assert made.labels == ("en", "sw", "unknown")
    assert made.codes.tolist() == [0, 2, 1, 2, 0, 2]
    assert made.phrase == "whose lang is {}"
    assert made.others is None
    numbers = column_grouping(pa.chunked_array([[1.5, float("nan")], [None, 2.0]]), "size")
    assert numbers.named().tolist() == ["1.5", "unknown", "unknown", "2"]
    assert column_grouping([True, False], "print").labels == ("false", "true")
    assert column_grouping([], "lang").labels == ()
    assert column_grouping(["x"], "a{}").phrase == "in the group {}"


def test_many_values() -> None:
    values = [f"s{number:03}" for number in range(60)] + ["s059", "s058"]
    made = column_grouping(values, "source")
    assert len(made.labels) == 51
    assert made.labels[-1] == "other (10 groups)"
    assert made.labels[:2] == ("s000", "s001")
    assert "s059" in made.labels
    assert made.others.to_pylist() == [f"s{number:03}" for number in range(48, 58)]
    assert made.note.endswith("The 50 with most documents are shown; 10 smaller ones are one group.")
    assert np.bincount(made.codes).tolist() == [1] * 48 + [2, 2, 10]


def test_lists_are_no_labels() -> None:
    with pytest.raises(CorpusError, match="'tags' are no words or numbers"):
        column_grouping(pa.array([["a"], ["b"]]), "tags")


@given(st.lists(st.sampled_from(["a", "b", "c", "d", None, ""]), max_size=20), st.integers(1, 5))
def test_agrees_with_encode(values: list[str | None], most: int) -> None:
    made = column_grouping(values, "x", most=most)
    codes, names = encode(values)
    assert len(made) == len(values)
    for mine, theirs in zip(made.named().tolist(), (names[code] for code in codes), strict=True):
        assert mine == theirs or mine.startswith("other (")
    if made.others is None:
        assert set(made.labels) == (set(names) if values else set())


def test_years() -> None:
    made = year_grouping(["2019-05-01", "2019", "2020-01", None, "", "May 2019", "20190501"])
    assert made.labels == ("2019", "2020", "unknown")
    assert made.codes.tolist() == [0, 0, 1, 2, 2, 2, 2]
    assert made.phrase == "from {}"
    assert made.note.startswith("Groups are the years of the documents' dates.")
    assert "2 dates do not begin with a year" in made.note
    stamps = pa.array([0, 86_400_000], pa.timestamp("ms"))
    assert year_grouping(stamps).labels == ("1970",)
    assert year_grouping([]).labels == ()


def test_decades() -> None:
    made = year_grouping(["1999-01-01", "1990", "2003", None], by="decade")
    assert made.labels == ("1990s", "2000s", "unknown")
    assert made.phrase == "from the {}"
    many = year_grouping([str(year) for year in range(1900, 1960)])
    assert many.labels == ("1900s", "1910s", "1920s", "1930s", "1940s", "1950s")
    assert many.note == "Groups are the decades of the documents' dates."
    assert len(year_grouping([str(year) for year in range(1900, 1960)], by="year").labels) == 51
