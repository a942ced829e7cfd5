"""Capitalised spans of a text that carry a name of the gazetteer, the longest first."""

from __future__ import annotations

import re
import unicodedata

from hinterland.curate.geo.lexicon import Lexicon, Meaning, Name
from hinterland.curate.geo.names import normalise

__all__ = ["Match", "Token", "matches_of", "tokens_of"]


def _letters(category: str) -> str:
    """Return a class of Latin letters of a Unicode category."""
    ranges = (range(0x250), range(0x1E00, 0x1F00))
    return "".join(chr(c) for r in ranges for c in r if unicodedata.category(chr(c)) == category)


_UPPER = _letters("Lu")
#: A word that begins with a Latin capital, or an abbreviation with full stops; no possessive s.
_TOKEN = re.compile(rf"[{_UPPER}](?:\.(?:[{_UPPER}]\.)+|[^\W\d_]*(?:['’](?![sS]\b)[^\W\d_]+)*)")
#: What stands between two words of one name, beside a space.
_PARTICLES = (
    "of the|of|the|and the|and|de la|de los|de las|de|da|do|dos|del|la|le|les|las|los|el|al|on|upon|in|y|e|"
    "by|au|aux|a|di|du|des|der|den|van|von|am|an|sur|sous|en|ng|na"
)
_JOIN = re.compile(
    rf"[ \u00a0]?[-'’][ ]?|\.?[ \u00a0\n]|, (?=D\.?C)| (?:{_PARTICLES}) | [dl]['’]|-(?:{_PARTICLES})-"
)
_BLANK = {" ", "\u00a0"}
_LONGEST_JOIN = 12


class Token:
    """A capitalised word.

    Attributes:
        start: Its first character.
        end: One after its last.
        key: The word as `names.normalise` has it.
        adjacent: Whether only a space is between it and the capitalised word before.
    """

    __slots__ = ("adjacent", "end", "key", "start")

    def __init__(self, start: int, end: int, key: str, adjacent: bool) -> None:
        self.start, self.end, self.key, self.adjacent = start, end, key, adjacent


class Match:
    """A span that carries a name.

    Attributes:
        start: Its first character.
        end: One after its last.
        name: What it could mean.
        first: Its first token.
        last: Its last token.
        score: Log-odds that it is a place.
        local: The same from the words around it alone.
        container: The match that says where it is ("Paris, Texas"), or None.
        pair: What both then mean.
        person: Whether it stands as part of a person's name.
    """

    __slots__ = ("container", "end", "first", "last", "local", "name", "pair", "person", "score", "start")

    def __init__(self, start: int, end: int, name: Name, first: int, last: int) -> None:
        self.start, self.end, self.name, self.first, self.last = start, end, name, first, last
        self.score, self.local, self.person = 0.0, 0.0, False
        self.container: Match | None = None
        self.pair: tuple[Meaning, Meaning] | None = None


def tokens_of(text: str) -> list[Token]:
    """Return the capitalised words of a text."""
    found: list[Token] = []
    last = -1
    for each in _TOKEN.finditer(text):
        start, end = each.span()
        word = text[start:end]
        key = word.lower() if word.isascii() and word.isalpha() else normalise(word)
        found.append(Token(start, end, key, start - last == 1 and last >= 0 and text[last] in _BLANK))
        last = end
    return found


def matches_of(text: str, tokens: list[Token], lexicon: Lexicon) -> list[Match]:
    """Return the spans that carry names, from left to right, none overlapping."""
    found: list[Match] = []
    longest, find = lexicon.longest, lexicon.find
    number, count = 0, len(tokens)
    while number < count:
        token = tokens[number]
        name, last = None, number
        most = longest.get(token.key, 1)
        if most > 1:
            stop, limit = number, min(count, number + most)
            while stop + 1 < limit and _joins(text, tokens[stop], tokens[stop + 1]):
                stop += 1
            while stop > number:
                name = find(_joined(text[token.start : tokens[stop].end]))
                if name is not None:
                    last = stop
                    break
                stop -= 1
        if name is None:
            name = find(token.key)
            if name is not None and _shouted(text, token, name):
                name = None
        if name is not None:
            found.append(Match(token.start, tokens[last].end, name, number, last))
        number = last + 1
    return found


def _joins(text: str, one: Token, other: Token) -> bool:
    """Whether what stands between two capitalised words can stand in a name."""
    if other.adjacent:
        return True
    return other.start - one.end <= _LONGEST_JOIN and bool(_JOIN.fullmatch(text, one.end, other.start))


def _joined(span: str) -> str:
    return span.lower() if span.isascii() and span.replace(" ", "").isalpha() else normalise(span)


def _shouted(text: str, token: Token, name: Name) -> bool:
    """Whether a short word in capitals is an acronym, or a short word in lower case no abbreviation."""
    word = text[token.start : token.end]
    if len(token.key) <= 2:
        return word != word.upper()
    return word.isupper() and len(token.key) <= 4 and name.best.kind not in {"country", "none"}
