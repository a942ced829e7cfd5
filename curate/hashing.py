"""Hashed words and n-grams of a batch: what the quality classifier and contamination rest on.

This is part of the format of saved classifiers, so it has a version: what it returns for a
text may only change together with `VERSION`. Words are runs of letters, marks, numbers and
underscores; apostrophes inside are left out (don't is dont), everything else separates.
They are compared in lower case without diacritics (é is e, whether it is one code point or
two). In scripts that are written without spaces every character is a word.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from functools import cache
from typing import Final
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from hinterland.curate.kernels.hashed import Words, hash_words
from hinterland.curate.kernels.unicode import DIACRITICS, LIMIT, UNSPACED
from hinterland.curate.words import Batch

__all__ = ["VERSION", "words"]

#: Names the words, their hash and the features; saved with every model.
VERSION: Final = "hinterland-words-1"
#: What a character does: end a word, belong to it, be one, or vanish.
_ENDS, _INSIDE, _ALONE, _VANISHES = 0, 1, 2, 3
_APOSTROPHES = "'\u2019\u02bc"

_CACHE: WeakKeyDictionary[Batch, Words] = WeakKeyDictionary()


def words(texts: Sequence[str]) -> Words:
    """Return the hashed words of ``texts``; a `Batch` is split once for all who ask.

    Args:
        texts: The documents, shape (n,).
    """
    batch = Batch.of(texts)
    found = _CACHE.get(batch)
    if found is None:
        found = hash_words(batch.data, batch.offsets, *_tables())
        _CACHE[batch] = found
    return found


@cache
def _tables() -> tuple[NDArray[np.uint8], NDArray[np.uint32]]:
    """Return what each code point does and what it counts as; made once in a process."""
    kinds = np.zeros(LIMIT, dtype=np.uint8)
    folded = np.arange(LIMIT, dtype=np.uint32)
    for code in range(LIMIT):
        character = chr(code)
        if unicodedata.category(character)[0] in "LNM" or character == "_":
            kinds[code], folded[code] = _INSIDE, _fold(character)
    for script in UNSPACED:
        part = kinds[script.start : script.stop]
        part[part == _INSIDE] = _ALONE
    kinds[DIACRITICS.start : DIACRITICS.stop] = _VANISHES
    for character in _APOSTROPHES:
        kinds[ord(character)] = _VANISHES
    return kinds, folded


def _fold(character: str) -> int:
    """Return the code point a character counts as: lower case, without diacritics.

    Unlike `curate.kernels.unicode` it keeps digits apart, and letters whose decomposition
    has other marks; saved models rest on both.
    """
    lower = character.lower()[0]
    if lower.isascii():
        return ord(lower)
    parts = unicodedata.normalize("NFD", lower)
    return ord(parts[0] if all(ord(mark) in DIACRITICS for mark in parts[1:]) else lower)
