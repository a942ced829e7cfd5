"""Author, affiliation and publisher fields: the country that their last words name.

"Universidad de Chile, Santiago, Chile" ends with its country, as affiliations do; a publisher
often has a place in its name. Both say where the writer is, which is not always what the text is
about, so they count for little.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from hinterland.core.us_states import by_code, state_code
from hinterland.curate.geo.countries import country_code
from hinterland.curate.geo.names import normalise

__all__ = ["AuthorPlace", "author_place"]

#: How sure: a field that ends with a country; with a state; a place name somewhere in it.
_COUNTRY, _STATE, _TOPONYM = 0.7, 0.65, 0.6
_SPLIT = re.compile(r"\s*[;|\n•]\s*")
_EMAIL = re.compile(r"\S*@\S*")
_NOT_NAME = re.compile(r"^[\W\d_]+|[\s\d,.\])]+$")
_POSTCODE = re.compile(r"^[\d\- ]*\d[\d\- ]*\s+|\s+[\d\- ]*\d[\d\- ]*$")
#: Abbreviations that stand for a country in addresses; other short words may be a state's.
_SHORT = {"usa", "u.s.a", "u.s", "us", "uk", "u.k", "uae", "u.a.e", "prc", "p.r. china", "drc"}
_LONGEST = 1000
#: Words of organisations: with one of these in it, a field is not the name of a person.
_ORGANISATION = re.compile(
    r"\b(univ|instit|hochschule|school|colleg|ecole|école|escola|escuela|facult|depart|dept|cent(er|re|ro)|"
    r"hospital|laborator|academ|ministry|agency|news|press|media|group|ltd|inc|gmbh|foundation|council|"
    r"society|associat|organi[sz]at|company|corp|museum|library|times|post|observ|bureau|commission)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class AuthorPlace:
    """Where a field says its writer is.

    Attributes:
        iso3: ISO 3166-1 alpha-3.
        admin1: The first-level division, where it names one.
        confidence: 0 to 1.
    """

    iso3: str
    admin1: str | None
    confidence: float


def author_place(text: str, *, person: bool = False) -> AuthorPlace | None:
    """Return the country that an author's or publisher's field names, or null.

    Of several affiliations the first that names one counts.

    Args:
        text: The field.
        person: Whether it may be a person's name ("Jordan, Michael"; "Smith, Chad"), in which
            case only an ending like an address's counts.

    >>> author_place("Universidad de Chile, Santiago, Chile").iso3
    'CHL'
    >>> author_place("Smith, Chad", person=True) is None
    True
    """
    for part in _SPLIT.split(text[:_LONGEST]):
        found = _ending(part, person=person and not _ORGANISATION.search(part))
        if found is not None:
            return found
    if person and not _ORGANISATION.search(text):
        return None
    return _named(text[:_LONGEST])


def _ending(part: str, *, person: bool) -> AuthorPlace | None:
    """Return the place of "…, Santiago, Chile" and "…, Ann Arbor, MI 48109"."""
    segments = [_EMAIL.sub("", each).strip() for each in part.split(",")]
    segments = [each for each in (_NOT_NAME.sub("", each) for each in segments) if each]
    if len(segments) < (3 if person else 2):
        return None
    last = _POSTCODE.sub("", segments[-1]).strip()
    state = state_code(last)
    country = country_code(last).iso3 if len(last) > 3 or last.lower() in _SHORT else None
    if state and country and country != by_code()[state].iso3:  # Georgia
        return _named(part)
    if country:
        above = state_code(_POSTCODE.sub("", segments[-2])) if country == "USA" else None
        return AuthorPlace(country, by_code()[above].name if above else None, _COUNTRY)
    if state and (len(last) > 2 or last.isupper()):
        place = by_code()[state]
        return AuthorPlace(place.iso3, place.name if place.iso3 == "USA" else None, _STATE)
    return None


def _named(text: str) -> AuthorPlace | None:
    """Return the last place name in a text; a demonym where there is none."""
    from hinterland.curate.geo.toponyms import find_toponyms

    found = find_toponyms(text)
    places = [each for each in found if each.kind != "demonym"] or found
    if not places:
        return None
    last = places[-1]
    if last.kind == "country" and normalise(text) != normalise(last.name):
        beside = [each for each in places if each.country == last.country and each.admin1]
        last = beside[-1] if beside else last
    return AuthorPlace(last.country, last.admin1, round(_TOPONYM * last.confidence, 4))
