"""What each Unicode character is, as tables that a compiled loop can read.

The tables are made from Python's own ``str`` methods and ``unicodedata``, so that a kernel
agrees with ``str.split``, ``str.splitlines`` and ``str.isalpha`` to the character.
"""

from __future__ import annotations

import string
import unicodedata
from functools import cache
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "ALPHA",
    "BREAK",
    "DIACRITICS",
    "LIMIT",
    "MARK",
    "PLAIN",
    "SINGLE",
    "SPACE",
    "UNSPACED",
    "WORD",
    "Tables",
    "tables",
]

#: `str.isspace`: what separates words.
SPACE: Final = 1
#: What `str.splitlines` ends a line at; all of it is white space.
BREAK: Final = 2
#: `str.isalpha`.
ALPHA: Final = 4
#: Not ASCII punctuation.
PLAIN: Final = 8
#: Part of a normalised word: letters, numbers and marks.
WORD: Final = 16
#: A normalised word of its own: scripts that are written without spaces.
SINGLE: Final = 32
#: One of # . and the ellipsis, which Gopher counts.
MARK: Final = 64

#: Beyond this there are no letters, numbers or spaces: tags and private use.
#: This, and the two below, are part of `curate.hashing`'s format: see its version.
LIMIT: Final = 0x40000
#: Marks that are left out of words.
DIACRITICS: Final = range(0x0300, 0x0370)
#: Scripts without spaces: Thai and Lao, Tibetan and Myanmar, Khmer, kana, Han.
UNSPACED: Final = (
    range(0x0E00, 0x0F00),
    range(0x0F00, 0x10A0),
    range(0x1780, 0x1800),
    range(0x3041, 0x3100),
    range(0x31F0, 0x3200),
    range(0x3400, 0x4DC0),
    range(0x4E00, 0xA000),
    range(0xF900, 0xFB00),
    range(0x20000, 0x40000),
)

_BREAKS = "\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029"
_HANGUL = range(0xAC00, 0xD7A4)


class Tables(NamedTuple):
    """One entry per code point below `LIMIT`.

    Attributes:
        classes: The flags above, uint8, shape (LIMIT,).
        folded: Lower case without diacritics, digits as 0, uint32, shape (LIMIT,).
    """

    classes: NDArray[np.uint8]
    folded: NDArray[np.uint32]


@cache
def tables() -> Tables:
    """Return the tables; made once in a process (about a fifth of a second)."""
    classes = np.zeros(LIMIT, dtype=np.uint8)
    folded = np.arange(LIMIT, dtype=np.uint32)
    for code in range(LIMIT):
        if 0xD800 <= code < 0xE000:
            continue
        character = chr(code)
        category = unicodedata.category(character)
        if category == "Cn":  # not assigned
            classes[code] = PLAIN
            continue
        flags = 0 if character in string.punctuation else PLAIN
        if character in "#.…":
            flags |= MARK
        if character.isspace():
            flags |= SPACE
        if character.isalpha():
            flags |= ALPHA
        if category[0] in "LNM" and code not in DIACRITICS:
            flags |= WORD
            folded[code] = _fold(character, code)
        classes[code] = flags
    for character in _BREAKS:
        classes[ord(character)] |= BREAK
    for script in UNSPACED:
        part = classes[script.start : script.stop]
        part[(part & WORD) != 0] |= SINGLE
    return Tables(classes, folded)


def _fold(character: str, code: int) -> int:
    """Return the code point that stands for a letter, number or mark in normalised text."""
    if character.isdigit():
        return ord("0")
    lower = character.lower()[0]
    if code < 0x80 or code in _HANGUL:
        return ord(lower)
    return ord(unicodedata.normalize("NFD", lower)[0])
