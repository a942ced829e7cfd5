"""Countries and their UN regions (M49), from a small table that ships with the kit.

Codes and regions follow ISO 3166-1 and the UN M49 standard; ``fips`` is the two-letter
code by which the World Factbook files its places. ``subregion`` is the M49 intermediate
region where there is one (Western Africa, Caribbean), else the sub-region.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from hinterland.core.errors import CorpusError, nearest

__all__ = ["UNKNOWN", "Place", "by_fips", "by_iso3", "check_country", "region_of", "subregion_of"]

#: The group of documents without a known place. It is shown, and never guessed away.
UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Place:
    """One country or territory of ISO 3166-1."""

    iso3: str
    iso2: str
    iso_numeric: str
    fips: str
    name: str
    region: str
    subregion: str


@cache
def by_iso3() -> dict[str, Place]:
    """Return every place by its ISO 3166-1 alpha-3 code."""
    text = files("hinterland.core").joinpath("data/places.csv").read_text(encoding="utf-8")
    return {row["iso3"]: Place(**row) for row in csv.DictReader(text.splitlines())}


@cache
def by_fips() -> dict[str, Place]:
    """Return every place that has one by its FIPS 10-4 code."""
    return {place.fips: place for place in by_iso3().values() if place.fips}


def check_country(code: str | None, *, where: str = "") -> str | None:
    """Return ``code`` if it is a known alpha-3 code or null.

    Raises:
        CorpusError: The code is unknown.
    """
    if code is None or code in by_iso3():
        return code
    guess = nearest(code.upper(), by_iso3()).partition("Known:")[0].strip()
    cure = f"use ISO 3166-1 alpha-3, or leave it empty. {guess}".strip()
    raise CorpusError(f"unknown country code {code!r}", where=where, cure=cure)


def region_of(code: str | None) -> str:
    """Return the UN region of an alpha-3 code, or `UNKNOWN`."""
    place = by_iso3().get(code or "")
    return place.region if place else UNKNOWN


def subregion_of(code: str | None) -> str:
    """Return the UN subregion of an alpha-3 code, or `UNKNOWN`."""
    place = by_iso3().get(code or "")
    return place.subregion if place else UNKNOWN
