"""The gazetteer that ships with the kit: places, divisions and countries, by name and by position.

GeoNames' populated places of 500 people and more, first- and second-level divisions, and countries
(CC BY 4.0; see NOTICE and ``scripts/make_gazetteer.py``). Nothing is fetched.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, cached_property
from importlib.resources import as_file, files
from typing import Any

import numpy as np
import pyarrow.parquet as pq
from numpy.typing import ArrayLike, NDArray

from hinterland.core.imports import require
from hinterland.curate.geo.names import KINDS

__all__ = ["Entities", "Gazetteer", "Names", "Nearest", "load"]

Objects = NDArray[np.object_]
Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

EARTH_KM = 6371.0088


@dataclass(frozen=True, slots=True, eq=False)
class Entities:
    """All that a name can mean, as arrays of one length; populated places come first.

    Attributes:
        kind: Codes into `names.KINDS`.
        name: The usual name.
        iso3: ISO 3166-1 alpha-3 code, "" for what is in no one country.
        admin1: The entity that is its first-level division; -1 where none is known.
        code: ISO 3166-2 code of a division, else GeoNames' code; "" for the rest.
        lat: Degrees north; of divisions and countries the centre of their people.
        lon: Degrees east.
        population: People; 0 where unknown.
    """

    kind: NDArray[np.uint8]
    name: Objects
    iso3: Objects
    admin1: NDArray[np.int32]
    code: Objects
    lat: NDArray[np.float32]
    lon: NDArray[np.float32]
    population: NDArray[np.int32]


@dataclass(frozen=True, slots=True, eq=False)
class Names:
    """Which entities each name leads to.

    Attributes:
        number: A key (see `names.normalise`) to its row in what follows.
        start: Where a row's entities begin in ``entities``; one more than there are rows.
        entities: Entities of all rows; ``~entity`` where the name is only an alternate one.
        flag: What else the name is, `names.Flag`.
        given: Given names of people, in lower case.
    """

    number: dict[str, int]
    start: NDArray[np.int32]
    entities: NDArray[np.int32]
    flag: NDArray[np.uint8]
    given: frozenset[str]


@dataclass(frozen=True, slots=True, eq=False)
class Nearest:
    """The populated place nearest to each of some points.

    Attributes:
        place: Rows of the gazetteer's arrays, -1 for a point that is not on the globe.
        iso3: Their countries; None for -1.
        admin1: Names of their first-level divisions; None where unknown.
        km: Great-circle distance; NaN for -1.
    """

    place: Integers
    iso3: Objects
    admin1: Objects
    km: Floats


class Gazetteer:
    """Places with their countries; the arrays have one row for each populated place.

    Attributes:
        name: Names of places.
        iso3: ISO 3166-1 alpha-3 codes.
        admin1: Names of first-level divisions ("Texas"); "" where unknown.
        admin1_code: Their ISO 3166-2 codes ("US-TX"), else GeoNames'; "" where unknown.
        lat: Degrees north.
        lon: Degrees east.
        population: People; 0 where unknown.
        entities: Places, then divisions, countries and the rest.
    """

    def __init__(self, entities: Entities) -> None:
        self.entities = entities
        count = int(np.searchsorted(entities.kind != KINDS.index("place"), True))
        self.name, self.iso3 = entities.name[:count], entities.iso3[:count]
        self.lat, self.lon = entities.lat[:count], entities.lon[:count]
        self.population = entities.population[:count]

    def __len__(self) -> int:
        return len(self.name)

    @cached_property
    def admin1(self) -> Objects:
        """Names of first-level divisions, "" where unknown."""
        return self._of_division(self.entities.name)

    @cached_property
    def admin1_code(self) -> Objects:
        """ISO 3166-2 codes of first-level divisions, else GeoNames' codes, "" where unknown."""
        return self._of_division(self.entities.code)

    def _of_division(self, column: Objects) -> Objects:
        at = self.entities.admin1[: len(self)]
        found: Objects = np.where(at < 0, "", column[at])
        return found

    @cached_property
    def names(self) -> Names:
        """Names to entities, read when first asked for."""
        table = _read("names")
        lists = table["entities"].combine_chunks()
        keys = table["key"].to_pylist()
        text = files("hinterland.curate.geo").joinpath("data/given_names.txt").read_text(encoding="utf-8")
        return Names(
            number=dict(zip(keys, range(len(keys)), strict=True)),
            start=_numbers(lists.offsets),
            entities=_numbers(lists.values),
            flag=_numbers(table["flag"]),
            given=frozenset(text.split()),
        )

    @cached_property
    def _tree(self) -> Any:
        spatial = require("scipy.spatial", cure="pip install scipy")
        return spatial.cKDTree(_on_sphere(self.lat, self.lon), balanced_tree=False, compact_nodes=False)

    def nearest(self, lat: ArrayLike, lon: ArrayLike) -> Nearest:
        """Return the populated place nearest to each point.

        Args:
            lat: Degrees north, shape (n,); what is not in ±90 is no point.
            lon: Degrees east, shape (n,); what is not in ±360 is no point.

        Raises:
            ValueError: The two do not have the same length.
        """
        y, x = np.atleast_1d(np.asarray(lat, float)), np.atleast_1d(np.asarray(lon, float))
        if y.shape != x.shape or y.ndim != 1:
            raise ValueError(f"lat and lon need one length, found shapes {y.shape} and {x.shape}")
        good = (np.abs(y) <= 90) & (np.abs(x) <= 360)
        place, km = np.full(len(y), -1, np.int64), np.full(len(y), np.nan)
        if good.any():
            chord, place[good] = self._tree.query(_on_sphere(y[good], x[good]))
            km[good] = 2 * EARTH_KM * np.arcsin(np.minimum(chord / 2, 1.0))
        iso3, admin1 = self.iso3[place], self.admin1[place]
        iso3[~good], admin1[~good | (admin1 == "")] = None, None
        return Nearest(place, iso3, admin1, km)


def _on_sphere(lat: ArrayLike, lon: ArrayLike) -> Floats:
    """Return unit vectors, shape (n, 3)."""
    y, x = np.radians(np.asarray(lat, float)), np.radians(np.asarray(lon, float))
    return np.column_stack([np.cos(y) * np.cos(x), np.cos(y) * np.sin(x), np.sin(y)])


def _read(table: str) -> Any:
    resource = files("hinterland.curate.geo").joinpath(f"data/{table}.parquet")
    with as_file(resource) as path, pq.ParquetFile(path, pre_buffer=False) as file:
        return file.read(use_threads=False)


@cache
def load() -> Gazetteer:
    """Return the gazetteer, which is read once."""
    table = _read("entities")
    iso3 = table["iso3"].combine_chunks()
    codes = np.asarray(iso3.dictionary.to_pylist(), dtype=object)
    return Gazetteer(
        Entities(
            kind=_numbers(table["kind"]),
            name=_strings(table["name"]),
            iso3=codes[_numbers(iso3.indices)],
            admin1=_numbers(table["admin1"]),
            code=_strings(table["code"]),
            lat=_numbers(table["lat"]),
            lon=_numbers(table["lon"]),
            population=_numbers(table["population"]),
        )
    )


def _strings(column: Any) -> Objects:
    return np.asarray(column.to_pylist(), dtype=object)


def _numbers(column: Any) -> NDArray[Any]:
    """Return the values of a column without nulls; `to_numpy` would import pandas for it."""
    array = column.combine_chunks() if hasattr(column, "combine_chunks") else column
    values = np.frombuffer(array.buffers()[1], dtype=array.type.to_pandas_dtype())
    return values[array.offset : array.offset + len(array)]
