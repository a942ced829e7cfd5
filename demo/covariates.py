"""What the Factbook says of a country in figures: the audit's covariates, with their year."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import pyarrow as pa

from hinterland.demo.factbook import Entry, plain_text

__all__ = ["covariates", "first_number"]

_NUMBER = re.compile(r"-?\d[\d,]*(?:\.\d+)?")
_YEAR = re.compile(r"\b(19|20)\d\d\b")
_SCALE = {"million": 1e6, "billion": 1e9, "trillion": 1e12}
#: Column → path to the field. A path's last part may be the start of several yearly keys,
#: of which the first (the latest) is taken.
_FIELDS = {
    "population": ("People and Society", "Population", "total"),
    "urban_share": ("People and Society", "Urbanization", "urban population"),
    "gdp_per_head": ("Economy", "Real GDP per capita", "Real GDP per capita"),
    "internet_share": ("Communications", "Internet users", "percent of population"),
}


def first_number(text: str) -> float | None:
    """Return the first number in ``text``, with its scale word applied.

    >>> first_number("$1.2 trillion (2023 est.)")
    1200000000000.0
    >>> first_number("NA") is None
    True
    """
    match = _NUMBER.search(text)
    if not match:
        return None
    value = float(match.group().replace(",", ""))
    following = text[match.end() :].split()
    return value * _SCALE.get(following[0].lower(), 1.0) if following else value


def _lookup(data: dict[str, Any], path: tuple[str, ...]) -> str:
    here: Any = data
    for part in path:
        if not isinstance(here, dict):
            return ""
        here = here.get(part) or next((here[key] for key in here if key.startswith(part)), None)
    text = here.get("text", "") if isinstance(here, dict) else ""
    return plain_text(text)


def covariates(entries: Iterable[Entry]) -> pa.Table:
    """Return one row per country: ``iso3``, ``name``, the figures, and the year of each.

    Shares are percent of the population, GDP per head is in international dollars at
    purchasing power parity. What the Factbook does not give is null. Where two files
    share a country (the West Bank and Gaza), the first with a figure gives it.
    """
    rows: dict[str, dict[str, Any]] = {}
    for entry in entries:
        if entry.country is None:
            continue
        row = rows.setdefault(entry.country, {"iso3": entry.country, "name": entry.name})
        for column, path in _FIELDS.items():
            text = _lookup(entry.data, path)
            if row.get(column) is None:
                row[column] = first_number(text)
                year = _YEAR.search(text)
                row[f"{column}_year"] = int(year.group()) if year and row[column] is not None else None
    schema = pa.schema(
        [("iso3", pa.string()), ("name", pa.string())]
        + [field for name in _FIELDS for field in ((name, pa.float64()), (f"{name}_year", pa.int32()))]
    )
    return pa.Table.from_pylist([rows[code] for code in sorted(rows)], schema=schema)
