"""First-level divisions (states, provinces) by name or ISO 3166-2 code."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from hinterland.core.us_states import by_code, state_code
from hinterland.curate.geo.countries import country_code, is_missing
from hinterland.curate.geo.names import KINDS, normalise

__all__ = ["LETTERS", "Division", "division", "division_name"]

#: A name that one country alone has; two letters, which may be another country's state; a code.
_NAME, LETTERS, _CODE = 0.85, 0.7, 0.95
_ISO = re.compile(r"([A-Z]{2})-[A-Z0-9]{1,3}")


@dataclass(frozen=True, slots=True)
class Division:
    """A first-level division.

    Attributes:
        iso3: Its country.
        name: Its usual name.
        confidence: 0 to 1.
    """

    iso3: str
    name: str
    confidence: float


def division(value: str | None) -> Division | None:
    """Return the division that a value names by itself, or null where several countries have one.

    States of the United States are known in any form; what is outside the states is its own
    country.

    >>> division("Calif."), division("Punjab") is None
    (Division(iso3='USA', name='California', confidence=0.85), True)
    """
    if value is None or is_missing(value):
        return None
    text = value.strip()
    state = state_code(text) if not text.isdigit() else None
    bare = len(text.replace(".", "")) == 2
    if state and (text.isupper() or not bare):  # "ok" is not Oklahoma
        found = by_code()[state]
        return Division(found.iso3, found.name, LETTERS if bare else _NAME)
    named = _codes().get(text.upper())
    if named:
        return Division(*named, _CODE)
    coded = _ISO.fullmatch(text)
    country = country_code(coded[1]).iso3 if coded else None
    if country:
        return Division(country, text, _CODE)
    unique = _unique().get(normalise(text))
    return Division(*unique, _NAME) if unique else None


def division_name(value: str | None, country: str | None) -> str | None:
    """Return the usual name of a division in a known country, or the value as it is."""
    if value is None or is_missing(value):
        return None
    state = state_code(value) if country == "USA" else None
    if state:
        return by_code()[state].name
    named = _codes().get(value.strip().upper())
    return named[1] if named and named[0] == country else value.strip()


@cache
def _codes() -> dict[str, tuple[str, str]]:
    return {code.upper(): (iso3, name) for iso3, name, code in _divisions() if "-" in code}


@cache
def _unique() -> dict[str, tuple[str, str]]:
    """Return the divisions whose names only one country has, and no country bears."""
    countries: dict[str, set[str]] = {}
    names: dict[str, tuple[str, str]] = {}
    for iso3, name, _ in _divisions():
        key = normalise(name)
        countries.setdefault(key, set()).add(iso3)
        names[key] = (iso3, name)
    return {
        key: where
        for key, where in names.items()
        if len(countries[key]) == 1 and country_code(key).iso3 in (None, where[0])
    }


@cache
def _divisions() -> tuple[tuple[str, str, str], ...]:
    from hinterland.curate.geo.gazetteer import load

    entities = load().entities
    rows = (entities.kind == KINDS.index("admin1")).nonzero()[0].tolist()
    return tuple((entities.iso3[row], entities.name[row], entities.code[row]) for row in rows)
