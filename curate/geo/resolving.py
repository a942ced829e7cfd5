"""Which place is it? One meaning for each name of a text, by prior, containment and company.

A name's meanings are scored by log population and kind (Leidner 2007 calls this the default
sense), raised for countries and divisions that other names of the same text speak of; a name
that says where it is ("Paris, Texas") is taken at its word; a name has one sense in a text
(Gale, Church and Yarowsky 1992).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from math import exp, log2

from hinterland.curate.geo.lexicon import Meaning, Name
from hinterland.curate.geo.spans import Match

__all__ = ["Resolved", "resolve_matches", "sigmoid"]

#: Weight of the log of a country's evidence, and of a division's.
COUNTRY, DIVISION = 1.6, 0.6
#: Scores are log10; chances fall by this power of e.
SHARPNESS = 1.8
#: A name whose likeliest country leads by this much is evidence by itself.
CLEAR = 3.0
ROUNDS = 2


class Resolved:
    """What a match means.

    Attributes:
        meaning: The likeliest meaning.
        chance: How likely its country is among the name's.
    """

    __slots__ = ("chance", "meaning")

    def __init__(self, meaning: Meaning, chance: float) -> None:
        self.meaning, self.chance = meaning, chance


def sigmoid(x: float) -> float:
    """Return 1 / (1 + e^-x)."""
    return 1.0 / (1.0 + exp(-x)) if x > -30.0 else 0.0


def resolve_matches(
    matches: Sequence[Match], weights: Sequence[float]
) -> tuple[list[Resolved], dict[str, float]]:
    """Return what each match means, and how much the text speaks of each country.

    Args:
        matches: All that may be places.
        weights: How likely each is one, 0 to 1.
    """
    fixed: dict[int, Resolved] = {}
    senses: dict[str, Meaning] = {}
    for number, match in enumerate(matches):
        above = match.container
        if above is None or match.pair is None:
            continue
        inner, outer = match.pair
        fixed[number] = Resolved(inner, 0.99)
        senses.setdefault(match.name.key, inner)
        following = number + 1
        if following < len(matches) and matches[following].start == above.start:
            fixed.setdefault(following, Resolved(outer, 0.99))
            senses.setdefault(above.name.key, outer)
    evidence: dict[str, float] = defaultdict(float)
    divisions: dict[int, float] = defaultdict(float)
    open_names: dict[str, tuple[Name, float]] = {}
    for number, (match, weight) in enumerate(zip(matches, weights, strict=True)):
        name = match.name
        known = fixed.get(number)
        if known is None and name.key in senses:
            known = fixed[number] = Resolved(senses[name.key], 0.97)
        if known is not None:
            evidence[known.meaning.iso3] += 1.0
            divisions[known.meaning.admin1] += 1.0
        elif _clear(name):
            evidence[name.best.iso3] += weight
            divisions[name.best.admin1] += weight
        else:
            open_names[name.key] = (name, open_names.get(name.key, (name, 0.0))[1] + weight)
    chosen = _open(open_names, evidence, divisions)
    found: list[Resolved] = []
    for number, match in enumerate(matches):
        name = match.name
        best = fixed.get(number) or chosen.get(name.key)
        if best is None:
            best = chosen[name.key] = Resolved(_within(name, name.best.iso3, divisions), 0.98)
        found.append(best)
    total = dict(evidence)
    for key, (_, weight) in open_names.items():
        total[chosen[key].meaning.iso3] = (
            total.get(chosen[key].meaning.iso3, 0.0) + weight * chosen[key].chance
        )
    total.pop("", None)
    return found, total


def _clear(name: Name) -> bool:
    meanings = name.by_country
    return len(meanings) == 1 or meanings[0].prior - meanings[1].prior >= CLEAR


def _open(
    names: dict[str, tuple[Name, float]],
    evidence: dict[str, float],
    divisions: dict[int, float],
) -> dict[str, Resolved]:
    """Return the meanings of names that can mean several countries, in a few rounds."""
    chosen: dict[str, Resolved] = {}
    company: dict[str, dict[str, float]] = {}
    for _ in range(ROUNDS):
        for key, (name, _) in names.items():
            scores = []
            for meaning in name.by_country:
                others = evidence.get(meaning.iso3, 0.0)
                for other, chances in company.items():
                    if other != key:
                        others += chances.get(meaning.iso3, 0.0)
                scores.append(meaning.prior + COUNTRY * log2(1.0 + others))
            top = max(scores)
            odds = [exp(SHARPNESS * (score - top)) for score in scores]
            best = scores.index(top)
            own = _within(name, name.by_country[best].iso3, divisions)
            chosen[key] = Resolved(own, odds[best] / sum(odds))
        company = {
            key: {chosen[key].meaning.iso3: min(weight, 3.0) * max(chosen[key].chance - 0.4, 0.0)}
            for key, (_, weight) in names.items()
        }
    return chosen


def _within(name: Name, country: str, divisions: dict[int, float]) -> Meaning:
    """Return the likeliest meaning in a country, in the company of its divisions."""
    own = [meaning for meaning in name.meanings if meaning.iso3 == country]
    if len(own) == 1:
        return own[0]
    return max(own, key=lambda m: m.prior + DIVISION * log2(1.0 + divisions.get(m.admin1, 0.0)))
