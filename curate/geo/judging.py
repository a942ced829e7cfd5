"""Is it a place? Log-odds from the words around a name; persons, newspapers and others are not.

The weights are set by hand on the development half of the articles that
``bench/geoparsing.py`` reads; the other half is only measured on.
"""

from __future__ import annotations

from hinterland.curate.geo.context import BEFORE, FUNCTION, MEDIA, PLACED, SPEAKS, THERE, TITLES
from hinterland.curate.geo.lexicon import Lexicon
from hinterland.curate.geo.names import Flag
from hinterland.curate.geo.spans import Match, Token

__all__ = ["contain", "judge"]


def judge(text: str, tokens: list[Token], matches: list[Match], lexicon: Lexicon) -> None:
    """Set each match's ``local`` score, ``person`` and ``container`` from the words around it."""
    taken = {number for match in matches for number in range(match.first, match.last + 1)}
    surnames = {
        match.name.key
        for match in matches
        if match.name.flag & Flag.SURNAME and match.name.single and match.name.best.kind == "place"
    }
    for index, match in enumerate(matches):
        following = matches[index + 1] if index + 1 < len(matches) else None
        later = tokens[match.last + 1] if match.last + 1 < len(tokens) else None
        match.container = contain(text, match, later, following, lexicon)
        match.local = match.name.base + _before(text, tokens, match, taken, lexicon)
        match.local += _after(text, tokens, match, taken, surnames)
        if match.container is not None:
            match.local += 5.0
            match.person = False


def _before(text: str, tokens: list[Token], match: Match, taken: set[int], lexicon: Lexicon) -> float:
    """Return log-odds from what stands before."""
    first, name, start = match.first, match.name, match.start
    kind = name.best.kind
    strong = kind in {"country", "demonym", "none"}
    if tokens[first].adjacent and tokens[first - 1].key not in FUNCTION:
        word = tokens[first - 1].key
        if word in TITLES:
            match.person = not strong
            return -4.0 if match.person else 0.0
        if word in PLACED:
            return BEFORE.get(word, 0.8)
        if kind == "demonym":
            return 0.0
        if word in lexicon.given and not (first - 1 in taken and strong and not name.flag & Flag.GIVEN):
            match.person = True
            return -4.0
        if first - 1 not in taken:
            if strong:
                return -0.5
            opens = _opens(text, tokens[first - 1].start)
            match.person = not opens
            return -1.0 if opens else -2.5
        return 0.0
    before = text[max(start - 24, 0) : start]
    words = before.split()
    word = words[-1] if words else ""
    if not before or before[-1] == "\n" or not word or word[-1] in ".!?:;\"“”'‘’—–-•*|":
        opened = bool(word) and word[-1] not in ".!?"
        risky = name.single and name.flag & (Flag.WORD | Flag.GIVEN) and not strong
        return 0.0 if not risky else (-0.5 if opened else -1.0)
    if before[-1] not in " \u00a0":
        return 0.0
    word = word.lower()
    if word in TITLES and word not in {"general", "major", "chief"}:
        match.person = not strong and name.single
        return -2.5 if match.person else 0.0
    odds = BEFORE.get(word, 0.0)
    if word == "the" and (strong or not name.single):
        return 0.0
    return odds


def _opens(text: str, start: int) -> bool:
    """Whether a sentence or a line begins at ``start``."""
    before = text[max(start - 3, 0) : start].rstrip(" \"“‘'(")
    return not before or before[-1] in ".!?\n:"


def _after(text: str, tokens: list[Token], match: Match, taken: set[int], surnames: set[str]) -> float:
    """Return log-odds from what stands after."""
    name = match.name
    kind = name.best.kind
    later = match.last + 1
    strong = kind in {"country", "demonym", "none"}
    if later < len(tokens) and tokens[later].adjacent:
        word = tokens[later].key
        if word in MEDIA and kind != "demonym":
            return -5.0
        if word in THERE:
            return 0.6
        if kind == "demonym" or (later in taken and word not in surnames):
            return 0.0
        if name.flag & Flag.GIVEN and name.single:
            match.person = True
            return -3.5
        return -0.4 if strong else -1.2
    after = text[match.end : match.end + 24]
    if not after:
        return 0.0
    if after[0] == " ":
        words = after.split(None, 1)
        word = words[0].rstrip(".,;:") if words else ""
        if word in SPEAKS and name.flag & (Flag.GIVEN | Flag.SURNAME) and name.single:
            return -2.7 if name.flag & Flag.GIVEN else -0.8
        if word in THERE:
            return 0.8
    elif after[0] == "-" and after[1:6] == "based":
        return 1.5
    elif after[0] == "'" and name.flag and name.single and not strong:
        return -0.3
    return 0.0


#: What stands between a place and what it is in.
_WITHIN = {", ", " (", " in ", ", in ", ",", " in the "}


def contain(
    text: str, match: Match, later: Token | None, following: Match | None, lexicon: Lexicon
) -> Match | None:
    """Return the name after this one if it says where this one is.

    Args:
        text: The text.
        match: The name.
        later: The capitalised word after it.
        following: The match after it; an abbreviation of a state in it ("Paris, Tex.") is read as such.
        lexicon: Names.
    """
    if later is None or later.start - match.end > 8:
        return None
    between = text[match.end : later.start]
    if between not in _WITHIN:
        return None
    comma = between.startswith(",")
    if following is None or following.start != later.start:
        short = lexicon.find_after_comma(later.key) if comma else None
        if short is None:
            return None
        following = Match(later.start, later.end, short, -1, -1)
    elif comma and len(later.key) <= 4 and following.end == later.end:
        short = lexicon.find_after_comma(later.key)
        if short is not None and following.name.best.kind != "country":
            following.name = short
    above = following.name
    if not any(meaning.kind in {"country", "admin1", "region"} for meaning in above.meanings):
        return None
    if match.name.best.kind in {"country", "none", "demonym"} and above.best.kind != "admin1":
        return None
    return following if held(match, following) else None


def held(match: Match, above: Match) -> bool:
    """Whether some meaning of a match lies in a country or division that the other can mean."""
    countries = {m.iso3 for m in above.name.meanings if m.kind == "country"}
    divisions = {m.admin1 for m in above.name.meanings if m.kind in {"admin1", "region"}} - {-1}
    return any(
        (m.iso3 in countries or m.admin1 in divisions) and m.kind not in {"country", "demonym", "none"}
        for m in match.name.meanings
    )
