"""Which country is a text about? The one that its place names speak of most.

Each name counts by how sure it is one, by how particular it is, and by where it stands: in a
dateline, a title or the lead it counts more. A place named only for its size ("larger than Kansas")
does not count. The confidence is the chance, fitted on articles with known places (see
``bench/geoparsing.py``) and on each of their sentences alone, that the country is the main one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite, log

from hinterland.curate.geo.lexicon import Meaning, lexicon
from hinterland.curate.geo.phrases import compared
from hinterland.curate.geo.resolving import sigmoid
from hinterland.curate.geo.spans import Match
from hinterland.curate.geo.toponyms import chance, judged

__all__ = ["LONGEST", "Placed", "place_text", "place_texts"]

#: Characters that are read; what a text is about shows before.
LONGEST = 50_000
#: How much more a name counts by where it stands.
DATELINE, TITLE, LEAD = 1.5, 1.5, 1.4
_LEAD, _TITLE, _DATELINE = 400, 160, 60
#: How much a name counts by its kind.
KIND = {"place": 1.0, "admin1": 1.0, "admin2": 1.0, "region": 1.0, "country": 1.0, "demonym": 0.5}
#: How much an abbreviation ("US", "UK") counts for the confidence where it is all there is.
ABBREVIATED = 0.5
#: The most letters of one; every other name of a country has more.
_SHORT = 3
#: Log-odds that the country is the main one if a place in it is named: constant, by the log of its
#: weight, by its lead on the second (0 to 1). Fitted by maximum likelihood on the half looked at, on
#: articles and on sentences as much; with one adjective alone 71% of 79 sentences were of the article's
#: country, with one abbreviation alone 61% of 49, with two names of one country 91% of 166.
FIT = (-0.75, 1.05, 2.5)
#: Below this confidence a text has no place.
LEAST = 0.2


@dataclass(frozen=True, slots=True)
class Placed:
    """Where a text is placed.

    Attributes:
        country: ISO 3166-1 alpha-3.
        admin1: Name of the first-level division that most of its names are in, None if there is none.
        lat: Degrees north of its most frequent particular place; of the country where there is none.
        lon: Degrees east.
        confidence: Estimated chance that the country is right, 0 to 1.
        rule: ``text``.
    """

    country: str
    admin1: str | None
    lat: float | None
    lon: float | None
    confidence: float
    rule: str = "text"


def place_text(text: str) -> Placed | None:
    """Return the main country of a text, None where nothing in it says so.

    >>> place_text("BAMAKO, Mali - Farmers near Segou said the rains came late.").country
    'MLI'
    """
    text = text[:LONGEST]
    found = judged(text)
    if not found:
        return None
    title = text.find("\n")
    title = title if 0 < title <= _TITLE else -1
    weights: dict[str, float] = {}
    doubts: dict[str, float] = {}  # the chance that no name of the country is one
    members: dict[str, list[tuple[float, Meaning]]] = {}
    short: dict[str, bool] = {}
    beside: set[Match] = set()
    for match, resolved in found:
        if match in beside or compared(text, match):
            if match.container is not None:
                beside.add(match.container)
            continue
        country, sure = resolved.meaning.iso3, chance(match, resolved)
        weight = sure * KIND[resolved.meaning.kind] * _standing(text, match, title)
        weights[country] = weights.get(country, 0.0) + weight
        doubts[country] = doubts.get(country, 1.0) * (1.0 - sure)
        members.setdefault(country, []).append((weight, resolved.meaning))
        short[country] = resolved.meaning.kind == "country" and len(match.name.key) <= _SHORT
    if not weights:
        return None
    country = max(weights, key=weights.__getitem__)  # the earliest of ties
    alone = len(members[country]) == 1 and short[country]
    main = _main(weights, country, ABBREVIATED if alone else 1.0)
    confidence = round((1.0 - doubts[country]) * main, 4)
    return _placed(country, members[country], confidence) if confidence >= LEAST else None


def _main(weights: dict[str, float], country: str, share: float) -> float:
    """Return the chance that a country is the main one, by its weight (of which a share counts) and lead."""
    best = weights[country] * share
    second = max((weight for other, weight in weights.items() if other != country), default=0.0)
    constant, amount, lead = FIT
    return sigmoid(constant + amount * log(best) + lead * (best - second) / (best + second))


def place_texts(texts: Sequence[str]) -> list[Placed | None]:
    """Return `place_text` of each."""
    return [place_text(text) for text in texts]


def _standing(text: str, match: Match, title: int) -> float:
    """Return how much more a name counts for where it stands."""
    if match.start < title:
        return TITLE
    if match.start <= title + _DATELINE and _opens_dateline(text, match):
        return DATELINE
    return LEAD if match.start < _LEAD else 1.0


def _opens_dateline(text: str, match: Match) -> bool:
    """Whether a dash or an agency in brackets follows soon: "PARIS (Reuters) —"."""
    after = text[match.end : match.end + 24]
    return any(mark in after for mark in ("—", " – ", " - ", " -- ", "(AP)", "(Reuters)", "(AFP)"))


def _placed(country: str, members: list[tuple[float, Meaning]], confidence: float) -> Placed:
    entities = lexicon().gazetteer.entities
    divisions: dict[int, float] = {}
    places: dict[int, float] = {}
    for weight, meaning in members:
        if meaning.kind in {"place", "admin1", "admin2"}:
            divisions[meaning.admin1] = divisions.get(meaning.admin1, 0.0) + weight
            places[meaning.entity] = places.get(meaning.entity, 0.0) + weight
    at = max(places, key=places.__getitem__) if places else members[0][1].entity
    division = max(divisions, key=divisions.__getitem__) if divisions else -1
    sure = division >= 0 and divisions[division] >= 0.5 * sum(divisions.values())
    lat, lon = float(entities.lat[at]), float(entities.lon[at])
    there = isfinite(lat)
    return Placed(
        country=country,
        admin1=entities.name[division] if sure else None,
        lat=round(lat, 4) if there else None,
        lon=round(lon, 4) if there else None,
        confidence=confidence,
    )
