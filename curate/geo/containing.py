"""Where a place says it is: "Paris, Texas", "London (Ontario)", "Springfield, Ill."."""

from __future__ import annotations

from hinterland.curate.geo.lexicon import Lexicon, Meaning, Name
from hinterland.curate.geo.spans import Match, Token

__all__ = ["contain", "contained"]

_HOLDS = {"country", "admin1", "region"}
_HELD = {"place", "admin1", "admin2", "region"}
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
    if match.name.strong and above.best.kind != "admin1":
        return None
    match.pair = contained(match.name, above)
    return following if match.pair is not None else None


def contained(name: Name, above: Name) -> tuple[Meaning, Meaning] | None:
    """Return the likeliest pair of a place and what holds it, None where there is none."""
    best, top = None, float("-inf")
    for outer in above.meanings:
        if outer.kind not in _HOLDS:
            continue
        for inner in name.meanings:
            if inner.iso3 != outer.iso3 or inner.kind not in _HELD or inner.entity == outer.entity:
                continue
            if outer.kind != "country" and (inner.admin1 != outer.admin1 or outer.admin1 < 0):
                continue
            if inner.prior + outer.prior > top:
                top, best = inner.prior + outer.prior, (inner, outer)
    return best
