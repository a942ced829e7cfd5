"""What the end of a host name says of a country, and where it says nothing.

A country-code domain is taken for its country unless it is used as a generic one. The
evidence for that stands beside each code in data/domains.csv: Google Search gives it no place
(its published list of "generic country code top-level domains", 20 codes as of 2026), or its
registry sells or gave it to the whole world for what it spells, so that few of its sites are the
country's own. Doubtful codes have both kinds of sites, and count with less confidence.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from hinterland.core.places import by_iso3

__all__ = ["Domains", "domains"]


@dataclass(frozen=True, slots=True)
class Domains:
    """The tables by which hosts are placed.

    Attributes:
        country: Country-code domains, in any script → alpha-3; also the generic ones.
        generic: Country codes that are not a place → why.
        doubtful: Country codes that are a place with less confidence.
        public: Second-level domains that only public bodies and schools get ("gov" in gov.co); they
            are a place under generic codes too.
        regional: Domains of regions, cities and peoples within one country → alpha-3.
        province: Second-level domains → alpha-3 and first-level division.
        international: Hosts of the whole world under a country's code: short links, platforms.
    """

    country: dict[str, str]
    generic: dict[str, str]
    doubtful: frozenset[str]
    public: frozenset[str]
    regional: dict[str, str]
    province: dict[str, tuple[str, str]]
    international: frozenset[str]


@cache
def domains() -> Domains:
    """Return the tables that ship with the kit."""
    text = files("hinterland.curate.geo").joinpath("data/domains.csv").read_text(encoding="utf-8")
    kinds: dict[str, list[dict[str, str]]] = {}
    for row in csv.DictReader(text.splitlines()):
        kinds.setdefault(row["kind"], []).append(row)
    iso3 = {place.iso2.lower(): place.iso3 for place in by_iso3().values() if place.iso3 != "XKX"}
    return Domains(
        country={**iso3, **{row["domain"]: row["iso3"] for row in kinds["country"]}},
        generic={row["domain"]: row["why"] for row in kinds["generic"]},
        doubtful=frozenset(row["domain"] for row in kinds["doubtful"]),
        public=frozenset(row["domain"] for row in kinds["public"]),
        regional={row["domain"]: row["iso3"] for row in kinds["regional"]},
        province={row["domain"]: (row["iso3"], row["admin1"]) for row in kinds["province"]},
        international=frozenset(row["domain"] for row in kinds["international"]),
    )
