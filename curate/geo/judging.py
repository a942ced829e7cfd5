"""Is it a place? Log-odds from the words around a name; persons, newspapers and others are not.

The weights are set by hand on the half of the articles that ``bench/geoparsing.py`` calls looked
at; the other half is only measured on.
"""

from __future__ import annotations

from hinterland.curate.geo.containing import contain
from hinterland.curate.geo.context import BEFORE, FUNCTION, MEDIA, PLACED, SPEAKS, THERE, TITLES
from hinterland.curate.geo.lexicon import Lexicon
from hinterland.curate.geo.spans import Match, Token

__all__ = ["judge"]

#: Log-odds of a name that says where it is, and of a newspaper's.
CONTAINED, PAPER = 5.0, -5.0
#: Titles that are common words too, and mean no person in lower case.
_WORDS = {"general", "major", "chief", "author", "director", "coach"}
#: Kinds of names that give way to a surname.
_SMALL = {"place", "admin2"}
#: Characters after which a sentence or a part of it begins.
_STOPS = ".!?:;\"“”'‘’—–-•*|"


def judge(text: str, tokens: list[Token], matches: list[Match], lexicon: Lexicon) -> list[Match]:
    """Set each match's ``local`` score, ``person`` and ``container`` from the words around it.

    Args:
        text: The text.
        tokens: Its capitalised words.
        matches: The names among them; changed in place.
        lexicon: Names.

    Returns:
        The matches from left to right, with the abbreviations ("Tex.") that say where some are.
    """
    taken = {number for match in matches for number in range(match.first, match.last + 1)}
    people = {m.name.key for m in matches if m.name.surname and m.name.single and m.name.best.kind in _SMALL}
    count = len(tokens)
    following: Match | None = None
    found: list[Match] = []
    for match in reversed(matches):
        number = match.last + 1
        later = tokens[number] if number < count else None
        match.container = contain(text, match, later, following, lexicon)
        odds = match.name.base
        before = tokens[match.first - 1] if tokens[match.first].adjacent else None
        if before is not None and before.key not in FUNCTION:
            odds += _after_capital(text, match, before, match.first - 1 in taken, lexicon)
        else:
            odds += _after_word(text, match)
        if later is not None and later.adjacent:
            odds += _before_capital(match, later.key, number in taken and later.key not in people)
        else:
            odds += _before_word(text, match)
        if match.container is not None:
            odds += CONTAINED
            match.person = False
            match.container.local = max(match.container.local, CONTAINED)
            if match.container is not following:
                found.append(match.container)
        match.local = odds
        found.append(match)
        following = match
    return found[::-1]


def _after_capital(text: str, match: Match, before: Token, taken: bool, lexicon: Lexicon) -> float:
    """Return log-odds from the capitalised word before: a title, a given name, or some other."""
    name, word = match.name, before.key
    if word in PLACED:
        return BEFORE.get(word, 0.8)
    if word in TITLES:
        match.person = not name.strong
        return -4.0 if match.person else 0.0
    if name.best.kind == "demonym":
        return 0.0
    if word in lexicon.given and (name.given or name.surname or not name.strong):
        match.person = True
        return -4.0
    if taken or name.strong:
        return 0.0 if taken else -0.5
    opens = _opens(text, before.start)
    match.person = not opens
    return -1.0 if opens else -2.5


def _after_word(text: str, match: Match) -> float:
    """Return log-odds from the word before, or from standing at a beginning."""
    name, start = match.name, match.start
    before = text[max(start - 24, 0) : start]
    words = before.split()
    word = words[-1] if words else ""
    if not word or before[-1] == "\n" or word[-1] in _STOPS:
        if not name.single or not (name.word or (name.given and not name.strong)):
            return 0.0
        return -0.5 if word and word[-1] not in ".!?" else -1.0
    if before[-1] not in " \u00a0":
        return 0.0
    word = word.lower()
    if word in TITLES and word not in _WORDS and name.single and not name.strong:
        match.person = True
        return -2.5
    if word == "the" and (name.strong or not name.single):
        return 0.0
    return BEFORE.get(word, 0.0)


def _opens(text: str, start: int) -> bool:
    """Whether a sentence or a line begins at ``start``."""
    before = text[max(start - 3, 0) : start].rstrip(" \"“‘'(")
    return not before or before[-1] in ".!?\n:"


def _before_capital(match: Match, word: str, taken: bool) -> float:
    """Return log-odds from the capitalised word after."""
    name = match.name
    demonym = name.best.kind == "demonym"
    if word in MEDIA and not demonym:
        return PAPER
    if word in THERE:
        return 0.6
    if demonym or taken:
        return 0.0
    if name.given and name.single:
        match.person = True
        return -3.5
    return -0.4 if name.strong else -1.2


def _before_word(text: str, match: Match) -> float:
    """Return log-odds from what stands after."""
    name, end = match.name, match.end
    after = text[end : end + 24]
    mark = after[:1]
    if mark == " ":
        words = after.split(None, 1)
        word = words[0].rstrip(".,;:") if words else ""
        if word in SPEAKS and name.single and (name.given or name.surname):
            return -2.7 if name.given else -0.8
        return 0.8 if word in THERE else 0.0
    if mark == "-" and after.startswith("-based"):
        return 1.5
    if mark in {"'", "’"} and name.single and not name.strong and (name.word or name.given or name.surname):
        return -0.3
    return 0.0
