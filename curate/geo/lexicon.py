"""What each name can mean, with how likely each meaning is before any text is read."""

from __future__ import annotations

from functools import cache
from math import log10

from hinterland.curate.geo.gazetteer import Gazetteer, load
from hinterland.curate.geo.names import AFTER, CAPITAL, KINDS, Flag

__all__ = ["Lexicon", "Meaning", "Name", "lexicon"]

#: Log10 of how much more a name means an entity of a kind than a city of as many people.
KIND_PRIOR = {
    "country": 3.0,
    "demonym": 3.0,
    "none": 6.0,
    "admin1": 1.0,
    "region": 1.0,
    "admin2": -0.3,
    "place": 0.0,
}
ALTERNATE, SEAT = -1.2, 1.2
_STRONG = {"country", "demonym", "none"}
#: What names of divisions end with.
_DIVISIONS = (
    " county",
    " province",
    " state",
    " governorate",
    " prefecture",
    " oblast",
    " district",
    " region",
)
#: Most names whose meanings are kept; then they are forgotten.
_KEPT = 40_000


class Meaning:
    """One entity that a name can mean.

    Attributes:
        entity: Its number in the gazetteer.
        kind: One of `names.KINDS`.
        iso3: Its country, "" for none.
        admin1: The entity that is its first-level division, -1 for none.
        prior: Log10 of how likely it is, up to a constant.
    """

    __slots__ = ("admin1", "entity", "iso3", "kind", "people", "prior")

    def __init__(self, gazetteer: Gazetteer, entity: int, *, alternate: bool) -> None:
        entities = gazetteer.entities
        self.entity = entity
        self.kind = KINDS[int(entities.kind[entity])]
        self.iso3: str = entities.iso3[entity]
        self.admin1 = int(entities.admin1[entity])
        self.people = log10(int(entities.population[entity]) + 1)
        self.prior = self.people + KIND_PRIOR[self.kind]
        if alternate:
            self.prior += ALTERNATE
        elif entities.code[entity] == CAPITAL:
            self.prior += SEAT


class Name:
    """A name with its meanings.

    Attributes:
        key: The name as `names.normalise` has it.
        word: Whether it is a common word too.
        given: Whether it is a given name of people too.
        surname: Whether it is a surname too.
        single: Whether it is one word.
        strong: Whether it most likely is a country, a demonym or no place at all.
        meanings: All of them, the likeliest first.
        by_country: The likeliest of each country, the likeliest first.
        best: The likeliest.
        base: Log-odds that the name is a place where nothing is known of the text.
    """

    __slots__ = (
        "base", "best", "by_country", "given", "key", "meanings", "single", "strong", "surname", "word",
    )  # fmt: skip

    def __init__(self, key: str, meanings: list[Meaning], flag: int) -> None:
        self.key = key
        self.word = bool(flag & Flag.WORD) and len(key) > 2  # "US" is read in capitals only
        self.given = bool(flag & Flag.GIVEN)
        self.surname = bool(flag & Flag.SURNAME)
        self.meanings = sorted(meanings, key=lambda meaning: (-meaning.prior, meaning.entity))
        countries: dict[str, Meaning] = {}
        for meaning in self.meanings:
            countries.setdefault(meaning.iso3, meaning)
        self.by_country = tuple(countries.values())
        self.best = self.meanings[0]
        self.single = " " not in key
        self.strong = self.best.kind in _STRONG
        self.base = _base(self)


def _base(name: Name) -> float:
    """Return log-odds from the kind, its people, and what else the name is."""
    best = name.best
    if name.strong:
        base = 3.0
    elif best.kind in {"admin1", "region"}:
        base = 2.2 if best.prior > best.people else 0.0
    else:
        base = max(1.3 * (best.prior - 4.7), -3.0)
    if name.single:
        word = 1.0 if name.strong else 2.0 if best.kind == "place" else 3.0
        base -= word * name.word + 0.9 * name.given + 0.6 * name.surname
    elif name.key.endswith(_DIVISIONS):
        base = max(base, 1.5)
    elif best.kind in {"place", "admin2"}:
        base += 0.8
    return base


class Lexicon:
    """Names by key.

    Attributes:
        longest: The most words of a name that begins with a word, for the words that begin
            names of more than one.
        given: Given names of people.
    """

    def __init__(self, gazetteer: Gazetteer) -> None:
        self.gazetteer = gazetteer
        self._names = gazetteer.names
        self._number = self._names.number
        self._known: dict[str, Name] = {}
        self.given = self._names.given
        self.longest: dict[str, int] = {}
        for key in self._number:
            words = key.count(" ")
            if words:
                first = key[: key.index(" ")]
                if words + 1 > self.longest.get(first, 0):
                    self.longest[first] = words + 1

    def find(self, key: str) -> Name | None:
        """Return the name of a key, or None."""
        name = self._known.get(key)
        if name is not None:
            return name
        row = self._number.get(key)
        if row is None:
            return None
        if len(self._known) >= _KEPT:
            self._known.clear()
        name = self._known[key] = self._build(key, row)
        return name

    def find_after_comma(self, key: str) -> Name | None:
        """Return the name of a key that stands after a comma, where "TX" is Texas."""
        return self.find(AFTER + key) or self.find(key)

    def _build(self, key: str, row: int) -> Name:
        names = self._names
        entities = names.entities[names.start[row] : names.start[row + 1]].tolist()
        meanings = [
            Meaning(self.gazetteer, each if each >= 0 else ~each, alternate=each < 0) for each in entities
        ]
        return Name(key, meanings, int(names.flag[row]))


@cache
def lexicon() -> Lexicon:
    """Return the lexicon of the gazetteer that ships with the kit, built once."""
    return Lexicon(load())
