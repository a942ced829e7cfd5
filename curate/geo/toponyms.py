"""Place names in a text, and the country of each.

Recognition is by dictionary and by the words around a name (`spans`, `judging`), resolution by
prior, containment and company (`resolving`). It is made for English in mixed case; names in other
languages of Latin script are found where they are in the gazetteer, with less certainty. Text in
other scripts has none.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite

from hinterland.curate.geo.containing import contain
from hinterland.curate.geo.judging import judge
from hinterland.curate.geo.lexicon import Lexicon, Name, lexicon
from hinterland.curate.geo.names import normalise
from hinterland.curate.geo.phrases import idle
from hinterland.curate.geo.resolving import Resolved, resolve_matches, sigmoid
from hinterland.curate.geo.spans import Match, matches_of, tokens_of

__all__ = ["Toponym", "chance", "find_toponyms", "judged", "resolve"]

#: Log-odds that a name is a place, by its score, fitted on the development half.
FIT = (0.07, 0.64)
#: Below this local score a name is not worth the company of others.
_HOPELESS = -3.0


@dataclass(frozen=True, slots=True)
class Toponym:
    """One place name.

    Attributes:
        start: Its first character.
        end: One after its last.
        name: The usual name of what it means.
        country: ISO 3166-1 alpha-3.
        admin1: Name of the first-level division, None where it is larger or unknown.
        lat: Degrees north; of countries and divisions the centre of their people. None where unknown.
        lon: Degrees east.
        confidence: Estimated chance that it is a place name and the country is right.
        kind: ``place``, ``admin1``, ``admin2``, ``region``, ``country`` or ``demonym``.
    """

    start: int
    end: int
    name: str
    country: str
    admin1: str | None
    lat: float | None
    lon: float | None
    confidence: float
    kind: str


def find_toponyms(text: str) -> list[Toponym]:
    """Return the place names of a text, from left to right; demonyms ("Turkish") are among them.

    Names in phrases that are used far from the place ("US dollars", "in English") are not; see `phrases`.

    >>> [(t.name, t.country, t.admin1) for t in find_toponyms("She moved from Paris, Texas to Toronto.")]
    [('Paris', 'USA', 'Texas'), ('Texas', 'USA', 'Texas'), ('Toronto', 'CAN', 'Ontario')]
    """
    return [_toponym(match, resolved) for match, resolved in judged(text)]


def judged(text: str) -> list[tuple[Match, Resolved]]:
    """Return matches that are taken for places, with what they mean, from left to right."""
    known = lexicon()
    tokens = tokens_of(text)
    if not tokens:
        return []
    matches = [match for match in matches_of(text, tokens, known) if not idle(text, match)]
    if not matches:
        return []
    matches = [
        match for match in judge(text, tokens, matches, known) if match.local > _HOPELESS or match.person
    ]
    resolved, evidence = resolve_matches(
        matches, [0.0 if match.person else sigmoid(match.local) for match in matches]
    )
    _second_thoughts(matches, resolved, evidence)
    return [
        (match, meant)
        for match, meant in zip(matches, resolved, strict=True)
        if match.score > 0.0 and meant.meaning.iso3
    ]


def _second_thoughts(matches: list[Match], resolved: list[Resolved], evidence: dict[str, float]) -> None:
    """Set each match's ``score`` from its own words and from the rest of the text."""
    people = {match.name.key for match in matches if match.person}
    sure = {match.name.key for match in matches if match.local >= 2.0 and not match.person}
    total = sum(evidence.values())
    for match, meant in zip(matches, resolved, strict=True):
        name, score = match.name, match.local
        key, strong = name.key, name.strong
        if match.person:
            match.score = min(score, -1.0)
            continue
        if match.container is None:
            if key in people and name.single and score - name.base < 1.2:
                score -= 1.5 if strong else 3.0
            elif key in sure:
                score += 1.0
        own = evidence.get(meant.meaning.iso3, 0.0)
        others = total - own
        if not strong:
            beside = own - sigmoid(match.local)
            if beside >= 0.5:
                score += 0.8
            elif others >= 1.5 and meant.meaning.people < 6.0:
                score -= 0.8
        elif name.given and others >= 1.5:
            score += 1.0
        match.score = score


def chance(match: Match, resolved: Resolved) -> float:
    """Return the estimated chance that a match is a place name and its country is right."""
    return sigmoid(FIT[0] + FIT[1] * match.score) * resolved.chance


def _toponym(match: Match, resolved: Resolved) -> Toponym:
    meaning = resolved.meaning
    entities = lexicon().gazetteer.entities
    lat, lon = float(entities.lat[meaning.entity]), float(entities.lon[meaning.entity])
    there = isfinite(lat)
    return Toponym(
        start=match.start,
        end=match.end,
        name=entities.name[meaning.entity],
        country=meaning.iso3,
        admin1=entities.name[meaning.admin1] if meaning.admin1 >= 0 else None,
        lat=round(lat, 4) if there else None,
        lon=round(lon, 4) if there else None,
        confidence=round(chance(match, resolved), 4),
        kind=meaning.kind,
    )


def resolve(text: str, spans: Sequence[tuple[int, int]]) -> list[str | None]:
    """Return the country of each of the given place names, None where the gazetteer has no such name.

    Args:
        text: The text.
        spans: Start and end of each name, in characters; they are taken to be places.
    """
    known = lexicon()
    matches: list[Match | None] = []
    order = sorted(range(len(spans)), key=lambda number: spans[number])
    for number in order:
        start, end = spans[number]
        name = _named(text[start:end], known)
        matches.append(Match(start, end, name, 0, 0) if name is not None else None)
    there = [match for match in matches if match is not None]
    tokens = tokens_of(text)
    starts = [token.start for token in tokens]
    after: list[Match | None] = [*there[1:], None][: len(there)]
    for match, following in zip(there, after, strict=True):
        at = bisect_left(starts, match.end)
        match.container = contain(text, match, tokens[at] if at < len(tokens) else None, following, known)
    resolved, _ = resolve_matches(there, [1.0] * len(there))
    meant = iter(resolved)
    found: list[str | None] = [None] * len(spans)
    for number, named in zip(order, matches, strict=True):
        if named is not None:
            found[number] = next(meant).meaning.iso3 or None
    return found


def _named(span: str, known: Lexicon) -> Name | None:
    """Return the name of a span; of a longer one ("southern Turkey") the longest name in it."""
    key = normalise(span)
    for form in (key, key.removeprefix("the "), key.removesuffix("'s")):
        name = known.find(form) or known.find_after_comma(form)
        if name is not None:
            return name
    inner = matches_of(span, tokens_of(span), known)
    return max(inner, key=lambda match: match.end - match.start).name if inner else None
