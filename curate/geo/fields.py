"""Where a table says what about places: its columns, else the keys of its JSON column ``meta``."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, Literal, get_args

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from hinterland.curate.readers.jsonl import parse

__all__ = ["USUAL", "Field", "Fields", "as_text", "degrees", "plain_name"]

Field = Literal["country", "admin1", "zip", "postcode", "lat", "lon", "url", "author", "publisher"]

#: The usual names, best first; capitals, hyphens and spaces do not matter. "zip" is said of American codes;
#: other postal codes count where the country is the United States.
USUAL: dict[Field, tuple[str, ...]] = {
    "country": (
        *("country", "country_code", "countrycode", "country_name", "iso3", "iso_a3", "country_iso3", "iso2"),
        *("iso_a2", "country_iso2", "nation"),
    ),
    "admin1": ("admin1", "state", "province", "us_state", "state_code", "state_name"),
    "zip": ("zip", "zipcode", "zip_code", "us_zip", "zip5", "zcta"),
    "postcode": ("postal_code", "postalcode", "postcode"),
    "lat": ("lat", "latitude", "geo_lat"),
    "lon": ("lon", "lng", "long", "longitude", "geo_lon", "geo_long"),
    "url": (
        "url",
        "uri",
        "link",
        "source_url",
        "page_url",
        "domain",
        "host",
        "hostname",
        "website",
        "source",
    ),
    "author": (
        "affiliation",
        "affiliations",
        "institution",
        "address",
        "author",
        "authors",
        "byline",
        "creator",
    ),
    "publisher": ("publisher", "outlet", "organization", "organisation", "source"),
}
_DEGREES = re.compile(r"([+-]?\d+(?:\.\d+)?)\s*°?\s*([NSEWnsew]?)")
_DEPTH = 3


def degrees(value: Any) -> float:
    """Return a coordinate as decimal degrees, NaN if it is none.

    >>> degrees("33.9 S"), degrees(-1.5), degrees("here")
    (-33.9, -1.5, nan)
    """
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    match = _DEGREES.fullmatch(value.strip()) if isinstance(value, str) else None
    if not match:
        return float("nan")
    return -abs(float(match[1])) if match[2] in tuple("SWsw") else float(match[1])


class Fields:
    """What a table's rows say of each field.

    Args:
        table: Documents.
        columns: Names of columns or keys of ``meta`` for some fields, in place of the usual ones.
    """

    def __init__(self, table: pa.Table, columns: Mapping[Field, Sequence[str]]) -> None:
        self._table = table
        names = {field: tuple(columns.get(field, USUAL[field])) for field in get_args(Field)}
        self._names = names
        self._columns = {plain_name(name): name for name in reversed(table.column_names) if name != "meta"}
        wanted = {plain_name(name) for each in names.values() for name in each}
        rows, self._found = _from_meta(table, wanted)
        position = np.zeros(table.num_rows, dtype=np.int64)
        position[rows] = np.arange(len(rows))
        absent = np.ones(table.num_rows, dtype=bool)
        absent[rows] = False
        self._position = pa.array(position, mask=absent)  # of each row among those with a wanted key

    def __len__(self) -> int:
        return int(self._table.num_rows)

    def candidates(self, field: Field) -> list[tuple[str, pa.Array]]:
        """Return all columns that hold a field by name, best first, each as it is, of shape (rows,)."""
        found = []
        for name in self._names[field]:
            key = plain_name(name)
            if key in self._columns:
                found.append((key, _whole(self._table[self._columns[key]])))
            if key in self._found:
                values = [each if type(each) is str else _text(each) for each in self._found[key]]
                held = pa.array(values, pa.string())
                found.append((key, held.take(self._position)))
        return [(key, each) for key, each in found if each.null_count < len(each)]

    def has(self, field: Field) -> bool:
        """Whether a column or a key of ``meta`` holds the field, if only nulls."""
        return any(
            plain_name(name) in self._columns or plain_name(name) in self._found
            for name in self._names[field]
        )

    def texts(self, field: Field) -> pa.Array:
        """Return the first of a field's columns that is not null in each row, as strings."""
        columns = [as_text(each) for _, each in self.candidates(field)]
        return pc.coalesce(*columns) if columns else pa.nulls(len(self), pa.string())

    def numbers(self, field: Field) -> NDArray[np.float64]:
        """Return the first of a field's columns that is a number in each row; NaN where none is."""
        values = np.full(len(self), np.nan)
        for _, column in self.candidates(field):
            if pa.types.is_floating(column.type) or pa.types.is_integer(column.type):
                read = column.cast(pa.float64()).fill_null(np.nan).to_numpy(zero_copy_only=False)
            else:
                read = np.array([degrees(each) for each in column.to_pylist()], dtype=np.float64)
            values = np.where(np.isnan(values), read, values)
        return values


@lru_cache(maxsize=4096)
def plain_name(name: str) -> str:
    """Return a column's name in small letters, with underscores."""
    return name.strip().lower().replace("-", "_").replace(" ", "_")


def _whole(column: pa.ChunkedArray) -> pa.Array:
    whole = column.combine_chunks()
    return whole.dictionary_decode() if pa.types.is_dictionary(whole.type) else whole


def as_text(column: pa.Array) -> pa.Array:
    """Return a column's values as strings."""
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        return column.cast(pa.string())
    return pa.array([_text(value) for value in column.to_pylist()], pa.string())


def _text(value: Any) -> str | None:
    """Return a value as one string; of a list its parts, of a mapping its name."""
    if isinstance(value, list):
        parts = [part for part in (_text(each) for each in value) if part]
        return "; ".join(parts) or None
    if isinstance(value, dict):
        return _text(value.get("name"))
    if value is None or isinstance(value, bool):
        return None
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value) or None


def _from_meta(table: pa.Table, wanted: set[str]) -> tuple[NDArray[np.int64], dict[str, NDArray[np.object_]]]:
    """Return the rows whose ``meta`` has a wanted key, and for each key its values in those rows."""
    if "meta" not in table.column_names or not pa.types.is_string(table.schema.field("meta").type):
        return np.empty(0, dtype=np.int64), {}
    column = _whole(table["meta"])
    names = "|".join(re.escape(name).replace("_", "[_ -]") for name in sorted(wanted))
    has = pc.match_substring_regex(column, rf'"\s*(?:{names})\s*"\s*:', ignore_case=True)
    rows = np.asarray(pc.indices_nonzero(pc.fill_null(has, False)).to_numpy(), dtype=np.int64)
    found: dict[str, NDArray[np.object_]] = {}
    for at, text in enumerate(column.take(pa.array(rows)).to_pylist()):
        for key, value in _flat(parse(text.encode()), wanted, _DEPTH).items():
            if key not in found:
                found[key] = np.full(len(rows), None, dtype=object)
            found[key][at] = value
    return rows, found


def _flat(values: Any, wanted: set[str], depth: int) -> dict[str, Any]:
    """Return wanted keys and their values, those of mappings inside too; an outer key wins."""
    found: dict[str, Any] = {}
    if not isinstance(values, dict) or not depth:
        return found
    for key, value in values.items():
        name = plain_name(key)
        if name in wanted and value is not None and value != "":
            found[name] = value
    for value in values.values():
        if isinstance(value, dict):
            found = {**_flat(value, wanted, depth - 1), **found}
    return found
