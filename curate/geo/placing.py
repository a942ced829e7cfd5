"""The rules that place documents, each filling in rows that are still open; see `locate`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from hinterland.core.us_states import by_code
from hinterland.curate.geo.authors import author_place
from hinterland.curate.geo.coordinates import coordinate_places
from hinterland.curate.geo.countries import country_code, is_missing
from hinterland.curate.geo.divisions import LETTERS, division, division_name
from hinterland.curate.geo.fields import Field, Fields, as_text
from hinterland.curate.geo.urls import url_places
from hinterland.curate.geo.zips import zip_places

__all__ = ["Placing", "by_author", "by_columns", "by_text", "by_url"]

Objects = NDArray[np.object_]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

_GIVEN, _ZIP = 1.0, 0.9
_NULL: Objects = np.array(None, dtype=object)


class Coded:
    """A column by its distinct values, so that each is looked at once.

    Attributes:
        index: Each row's value, shape (rows,).
        words: The distinct values, then null.
    """

    def __init__(self, column: pa.Array) -> None:
        encoded = column.dictionary_encode()
        self.words: list[Any] = [*encoded.dictionary.to_pylist(), None]
        filled = encoded.indices.cast(pa.int64()).fill_null(len(self.words) - 1)
        self.index: NDArray[np.int64] = filled.to_numpy(zero_copy_only=False)

    def spread(self, values: Sequence[Any]) -> Objects:
        """Return each row's value, given that of each word, shape (rows,)."""
        table: Objects = np.full(len(values), None, dtype=object)
        for number, value in enumerate(values):
            table[number] = value
        found: Objects = table[self.index]
        return found


class Placing:
    """Documents while they are placed.

    Attributes:
        country: Alpha-3 codes or null, shape (rows,), as are those that follow.
        admin1: First-level divisions or null.
        lat: Degrees north or NaN.
        lon: Degrees east or NaN.
        rule: The rule that placed the row, or null.
        confidence: Or NaN.
        settled: Whether the row is known to be of no country, so that none is guessed.
        values: Values of country columns that gave no country, in rows.
        not_placed: Why, in rows.
        notes: What else was found, in rows.
    """

    def __init__(self, table: pa.Table, fields: Fields, least: float) -> None:
        size = table.num_rows
        self.table, self.fields, self.least = table, fields, least
        self.country, self.admin1, self.rule = _nulls(size), _nulls(size), _nulls(size)
        self.lat, self.lon = np.full(size, np.nan), np.full(size, np.nan)
        self.confidence = np.full(size, np.nan)
        self.settled = np.zeros(size, dtype=bool)
        self.values: Counter[str] = Counter()
        self.not_placed: Counter[str] = Counter()
        self.notes: Counter[str] = Counter()

    @property
    def unplaced(self) -> Bools:
        """Rows without a country, shape (rows,)."""
        return _null(self.country)

    @property
    def open(self) -> Bools:
        """Rows without a country for which one may be guessed, shape (rows,)."""
        return self.unplaced & ~self.settled

    def put(self, rows: Bools, rule: str, country: Objects, confidence: Floats, admin1: Objects) -> Bools:
        """Place those of the rows that have a country and enough confidence, and return them.

        Args:
            rows: Which rows may be placed, shape (rows,).
            rule: The rule's name.
            country: A code or null for each of all rows.
            confidence: For each of all rows.
            admin1: A division or null for each of all rows; one that is there already is kept.
        """
        rows = rows & ~_null(country) & (confidence >= self.least)
        self.country[rows], self.confidence[rows], self.rule[rows] = country[rows], confidence[rows], rule
        self.add_division(rows, admin1)
        return rows

    def add_division(self, rows: Bools, admin1: Objects) -> None:
        """Give rows without a division one, where there is one."""
        rows = rows & _null(self.admin1) & ~_null(admin1)
        self.admin1[rows] = admin1[rows]


def by_columns(placing: Placing) -> None:
    """Place by country, first-level division, ZIP code, coordinates, in this order.

    Two letters alone may be another country's state: they count where nothing else does.
    """
    _country(placing)
    country, confidence = _division(placing)
    none = _nulls(len(country))
    placing.put(placing.unplaced & (confidence > LETTERS), "column admin1", country, confidence, none)
    _zip(placing)
    _coordinates(placing)
    placing.put(placing.unplaced, "column admin1", country, confidence, none)
    _name_divisions(placing)


def _country(placing: Placing) -> None:
    """Take countries in any usual form; count values that are none."""
    size = len(placing.country)
    whys: Objects = np.full(size, "", dtype=object)
    said = _nulls(size)
    for _, column in placing.fields.candidates("country"):
        coded = Coded(column)
        found = [country_code(word) for word in coded.words]
        rows = placing.unplaced & ((whys == "") | (whys == "unknown"))
        codes = coded.spread([each.iso3 for each in found])
        placing.put(rows, "column country", codes, np.full(size, _GIVEN), _nulls(size))
        why = coded.spread(
            ["" if is_missing(word) else each.why for word, each in zip(coded.words, found, strict=True)]
        )
        fresh = rows & placing.unplaced & (why != "") & (whys != why)
        whys[fresh], said[fresh] = why[fresh], coded.spread([str(word) for word in coded.words])[fresh]
    left = placing.unplaced & (whys != "")
    placing.values.update(said[left].tolist())
    placing.not_placed.update(whys[left].tolist())
    placing.settled = left & (whys != "unknown")
    _keep_origin(placing)


def _keep_origin(placing: Placing) -> None:
    """Keep ``geo_from`` and ``geo_confidence`` of countries that were there already."""
    table = placing.table
    if not {"country", "geo_from"} <= set(table.column_names):
        return
    rule = np.array(table["geo_from"].to_pylist(), dtype=object)
    valid = table["country"].combine_chunks().is_valid().to_numpy(zero_copy_only=False)
    kept = ~placing.unplaced & valid & ~_null(rule)
    placing.rule[kept] = rule[kept]
    if "geo_confidence" in table.column_names:
        column = table["geo_confidence"].combine_chunks().cast(pa.float64()).fill_null(np.nan)
        sure = column.to_numpy(zero_copy_only=False)
        kept = kept & ~np.isnan(sure)
        placing.confidence[kept] = sure[kept]


def _division(placing: Placing) -> tuple[Objects, Floats]:
    """Return the country of each row by its division, where one country alone has it, and how sure."""
    coded = Coded(placing.fields.texts("admin1"))
    found = [division(word) for word in coded.words]
    placing.admin1 = coded.spread([None if is_missing(word) else word for word in coded.words])
    country = coded.spread([each.iso3 if each else None for each in found])
    return country, coded.spread([each.confidence if each else 0.0 for each in found]).astype(np.float64)


def _name_divisions(placing: Placing) -> None:
    """Give divisions their usual names in their countries."""
    coded = Coded(pa.array(placing.admin1, pa.string()))
    where = Coded(pa.array(placing.country, pa.string()))
    both, index = np.unique(coded.index * len(where.words) + where.index, return_inverse=True)
    names = _nulls(len(both))
    for at, pair in enumerate(both.tolist()):
        name, country = divmod(pair, len(where.words))
        names[at] = division_name(coded.words[name], where.words[country])
    placing.admin1 = names[index] if len(both) else placing.admin1


def _zip(placing: Placing) -> None:
    """Place by ZIP codes, and give American rows their state."""
    names = {code: each.name for code, each in by_code().items()}
    fields: tuple[Field, ...] = ("zip", "postcode")
    for name in fields:
        country, state = zip_places(placing.fields.texts(name))
        admin1 = np.array([names.get(code) for code in state], dtype=object)
        if name == "zip":
            placing.put(placing.unplaced, "column zip", country, np.full(len(country), _ZIP), admin1)
        placing.add_division((placing.country == "USA") & (country == "USA"), admin1)


def _coordinates(placing: Placing) -> None:
    """Place by the nearest place; note coordinates that are unusable or elsewhere than the country."""
    found = coordinate_places(placing.fields.numbers("lat"), placing.fields.numbers("lon"))
    placing.lat, placing.lon = found.lat, found.lon
    for why, count in found.counts.items():
        if why not in ("placed", "missing"):
            placing.notes[f"coordinates {why}"] = count
    given = ~placing.unplaced & ~_null(found.iso3)
    same = given & (placing.country == found.iso3)
    placing.notes["coordinates elsewhere"] = int((given & ~same).sum())
    placing.add_division(same, found.admin1)
    placing.put(placing.unplaced, "coordinates", found.iso3, found.confidence, found.admin1)


def by_url(placing: Placing) -> None:
    """Place by the domains of addresses; ``source`` counts where it is a host."""
    for name, column in placing.fields.candidates("url"):
        rows = placing.open
        if not rows.any():
            return
        found = url_places(as_text(column.filter(pa.array(rows))))
        if name != "source" and found.counts["bad"]:
            placing.notes["addresses unreadable"] += found.counts["bad"]
        _put_some(placing, rows, "url", found.iso3, found.confidence, found.admin1)


def by_text(placing: Placing) -> None:
    """Place by the place names in the text."""
    from hinterland.curate.geo.text import place_texts

    rows = placing.open
    if "text" not in placing.table.column_names or not rows.any():
        return
    texts = pc.fill_null(placing.table["text"].filter(pa.array(rows)), "").to_pylist()
    found = place_texts(texts)
    at = rows.nonzero()[0]
    placed = _put_some(
        placing, rows, "text",
        _objects([each.country if each else None for each in found]),
        np.array([each.confidence if each else 0.0 for each in found], dtype=np.float64),
        _objects([each.admin1 if each else None for each in found]),
    )  # fmt: skip
    for row, each in zip(at.tolist(), found, strict=True):
        if (
            each
            and placed[row]
            and each.lat is not None
            and each.lon is not None
            and np.isnan(placing.lat[row])
        ):
            placing.lat[row], placing.lon[row] = each.lat, each.lon


def by_author(placing: Placing) -> None:
    """Place by affiliations and authors, then by publishers."""
    fields: tuple[Field, ...] = ("author", "publisher")
    for field in fields:
        for _, column in placing.fields.candidates(field):
            rows = placing.open
            if not rows.any():
                return
            coded = Coded(as_text(column.filter(pa.array(rows))))
            found = [author_place(word, person=field == "author") if word else None for word in coded.words]
            _put_some(
                placing, rows, field,
                coded.spread([each.iso3 if each else None for each in found]),
                coded.spread([each.confidence if each else 0.0 for each in found]).astype(np.float64),
                coded.spread([each.admin1 if each else None for each in found]),
            )  # fmt: skip


def _put_some(
    placing: Placing, rows: Bools, rule: str, country: Objects, confidence: Floats, admin1: Objects
) -> Bools:
    """Call `Placing.put` with arrays that have only ``rows``."""
    size = len(rows)
    whole, sure, divisions = _nulls(size), np.zeros(size), _nulls(size)
    whole[rows], sure[rows], divisions[rows] = country, confidence, admin1
    return placing.put(rows, rule, whole, sure, divisions)


def _nulls(size: int) -> Objects:
    return np.full(size, None, dtype=object)


def _objects(values: Sequence[Any]) -> Objects:
    found = _nulls(len(values))
    found[:] = values
    return found


def _null(values: Objects) -> Bools:
    return np.asarray(np.equal(values, _NULL), dtype=bool)


RULES: dict[str, Callable[[Placing], None]] = {
    "columns": by_columns,
    "url": by_url,
    "text": by_text,
    "author": by_author,
}
