"""The states of the United States, what is outside them, and the ZIP codes of each.

Two small tables ship with the kit (scripts/make_us.py): names, codes and figures of the states,
each figure with its year, and the state of each three-digit ZIP prefix. Territories and the
freely associated states have the two-letter code of the post and a country of their own.
"""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

__all__ = ["FIGURES", "SOURCES", "UsState", "by_code", "state_code", "zip_state"]

#: The columns of figures, in the table's order.
FIGURES = ("population", "urban_share", "poverty_share", "high_school_share")
#: Where each figure comes from.
SOURCES = {
    "population": "US Census Bureau population estimates (through vega-datasets 3.2.1)",
    "urban_share": "US census: percent of people in urbanised areas (through statsmodels' statecrime)",
    "poverty_share": "American Statistical Abstract: percent below the poverty line (statecrime)",
    "high_school_share": "American Statistical Abstract: percent with high school or more (statecrime)",
}
_NOT_LETTERS = re.compile(r"[^a-z]+")
_DIGITS = re.compile(r"\d{1,2}")
#: How states are abbreviated beside the post's and the Associated Press' ways.
_OTHER = {
    "calif": "CA", "cal": "CA", "penna": "PA", "mass": "MA", "tex": "TX", "wisc": "WI", "nebr": "NE",
    "oreg": "OR", "okla": "OK", "kans": "KS", "minn": "MN", "wva": "WV", "ind": "IN", "dakn": "ND",
    "washington dc": "DC", "washington district of columbia": "DC", "commonwealth of massachusetts": "MA",
    "commonwealth of virginia": "VA", "commonwealth of pennsylvania": "PA", "commonwealth of kentucky": "KY",
    "n carolina": "NC", "s carolina": "SC", "n dakota": "ND", "s dakota": "SD", "w virginia": "WV",
    "new york state": "NY", "washington state": "WA", "us virgin islands": "VI", "virgin islands": "VI",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class UsState:
    """One state, the District of Columbia, a territory, or a freely associated state.

    Attributes:
        code: The post's two letters.
        name: "California".
        ap: What the Associated Press writes; "" where it writes nothing else.
        fips: The two digits of FIPS 5-2.
        iso3: "USA", or the country that a territory is filed under.
        region: The Census Bureau's region ("South"); "" outside the states.
        division: The Census Bureau's division ("Pacific").
        figures: Column of `FIGURES` → value, for the states and the District.
        years: Column → the figure's year.
    """

    code: str
    name: str
    ap: str
    fips: str
    iso3: str
    region: str
    division: str
    figures: dict[str, float]
    years: dict[str, int]


@cache
def by_code() -> dict[str, UsState]:
    """Return every state by the post's two letters."""
    found = {}
    for row in _table("us_states.csv"):
        given = [name for name in FIGURES if row[name]]
        found[row["code"]] = UsState(
            code=row["code"],
            name=row["name"],
            ap=row["ap"],
            fips=row["fips"],
            iso3=row["iso3"],
            region=row["region"],
            division=row["division"],
            figures={name: float(row[name]) for name in given},
            years={name: int(row[f"{name}_year"]) for name in given},
        )
    return found


def state_code(value: object) -> str | None:
    """Return the post's letters of a state in any form: name, postal, AP, ISO 3166-2 or FIPS code.

    >>> state_code("Calif."), state_code("n.y."), state_code("US-TX"), state_code("06")
    ('CA', 'NY', 'TX', 'CA')
    >>> state_code("Bavaria") is None
    True
    """
    if isinstance(value, int | float) and not isinstance(value, bool):
        return _by_fips().get(f"{value:02.0f}")
    if not isinstance(value, str):
        return None
    text = value.strip()
    if _DIGITS.fullmatch(text):
        return _by_fips().get(text.zfill(2))
    text = text.lower().removeprefix("us-").removeprefix("state of ")
    names = _by_name()
    return names.get(_NOT_LETTERS.sub(" ", text.replace(".", "")).strip()) or names.get(
        _NOT_LETTERS.sub("", text)
    )


def zip_state(code: str) -> str | None:
    """Return the state of a five-digit ZIP code; "AA", "AE" and "AP" are post of the armed forces.

    >>> zip_state("90210"), zip_state("06390"), zip_state("00000")
    ('CA', 'NY', None)
    """
    known = _prefixes()
    return known.get(code) or known.get(code[:3])


@cache
def _by_name() -> dict[str, str]:
    names = dict(_OTHER)
    for state in by_code().values():
        for name in (state.code, state.name, state.ap):
            key = name.lower().replace(".", "")
            names[_NOT_LETTERS.sub(" ", key).strip()] = state.code
    names.pop("", None)
    return {**{name.replace(" ", ""): code for name, code in names.items()}, **names}


@cache
def _by_fips() -> dict[str, str]:
    return {state.fips: state.code for state in by_code().values()}


@cache
def _prefixes() -> dict[str, str]:
    return {row["prefix"]: row["state"] for row in _table("us_zip_prefixes.csv")}


def _table(name: str) -> list[dict[str, str]]:
    text = files("hinterland.core").joinpath(f"data/{name}").read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines()))
