"""Place names as keys: how they are compared, and what else they can be."""

from __future__ import annotations

import unicodedata
from enum import IntFlag

__all__ = ["AFTER", "CAPITAL", "KINDS", "Flag", "normalise"]

#: Kinds of entities, in the order of their codes in the data files.
KINDS = ("place", "admin1", "admin2", "region", "country", "demonym", "none")

#: The code of a place that is its country's capital.
CAPITAL = "capital"
#: Begins the key of a name that is one only after a comma: "Paris, TX".
AFTER = ","

#: Letters that have no decomposition, and marks that keys leave out.
_LETTERS = str.maketrans(
    {
        "’": "'", "‘": "'", "ʻ": "'", "ʼ": "'", "`": "'", "-": " ", "‐": " ", "‑": " ", "–": " ", ".": None,
        "ø": "o", "đ": "d", "ł": "l", "ı": "i", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ß": "ss",
    }
)  # fmt: skip


class Flag(IntFlag):
    """What else a name is, so that more is asked of it before it is taken for a place."""

    WORD = 1
    GIVEN = 2
    SURNAME = 4


def normalise(name: str) -> str:
    """Return the key of a name: lower case, no accents or full stops, hyphens as spaces.

    >>> normalise("São  Tomé"), normalise("U.S."), normalise("Guinea-Bissau")
    ('sao tome', 'us', 'guinea bissau')
    """
    if not name.isascii():
        name = "".join(c for c in unicodedata.normalize("NFKD", name) if not unicodedata.combining(c))
    return " ".join(name.lower().translate(_LETTERS).split())
