"""Gopher's quality measures of every document of a batch."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from hinterland.curate.kernels.jit import jit
from hinterland.curate.kernels.tokens import Bytes, Integers, Split, decode
from hinterland.curate.kernels.unicode import ALPHA, LIMIT, MARK, SPACE, tables

__all__ = ["Quality", "quality"]

Floats = NDArray[np.float64]

#: "the", "be", "to", "of", "and", "that", "have", "with": the bytes as little-endian numbers.
_STOP_WORDS: Final = np.array(
    [
        int.from_bytes(word.encode(), "little")
        for word in ("the", "be", "to", "of", "and", "that", "have", "with")
    ],
    dtype=np.int64,
)
_BULLETS: Final = np.array([ord(mark) for mark in "•‣◦●○▪■"], dtype=np.int64)
_DASHES: Final = np.array([ord(mark) for mark in "-–*"], dtype=np.int64)
_ELLIPSIS: Final = ord("…")


class Quality(NamedTuple):
    """Counts of each document, all of shape (documents,).

    Attributes:
        characters: Code points in words.
        alphabetic: Words with a letter.
        hashes: "#" in the text.
        ellipses: "..." and "…" in the text.
        bullets: Lines that begin with a bullet.
        trailing: Lines that end in an ellipsis.
        stop_words: Distinct stop words, of 8.
    """

    characters: Integers
    alphabetic: Integers
    hashes: Integers
    ellipses: Integers
    bullets: Integers
    trailing: Integers
    stop_words: Integers


def quality(data: Bytes, parts: Split) -> Quality:
    """Return the counts that Gopher's quality rules rest on; see `Quality`."""
    return Quality(
        *_quality(
            data, parts.word_offsets, parts.word_start, parts.word_end, parts.word_characters,
            parts.word_flags, parts.line_offsets, parts.line_words, tables().classes,
        )
    )  # fmt: skip


@jit
def ends_in_ellipsis(data, start, end):
    """Return whether the bytes end in "..." or "…"."""
    if end - start < 3:
        return False
    last = data[end - 1]
    if last == 46:
        return data[end - 2] == 46 and data[end - 3] == 46
    return last == 0xA6 and data[end - 2] == 0x80 and data[end - 3] == 0xE2


@jit
def begins_with_bullet(data, start, end, classes):
    """Return whether a line begins with a bullet, or with a dash or star and white space.

    "-5 °C" and "*emphasis*" are not lists.
    """
    code, width = decode(data, start)
    for mark in _BULLETS:
        if code == mark:
            return True
    for mark in _DASHES:
        if code == mark and start + width < end:
            after, _ = decode(data, start + width)
            return after < LIMIT and (classes[after] & SPACE) != 0
    return False


@jit
def stop_word(data, start, end):
    """Return the number of the stop word that the bytes are, -1 for none.

    Case does not count, nor does ASCII punctuation at the ends.
    """
    while start < end and not _letter(data[start]):
        if not _punctuation(data[start]):
            return -1
        start += 1
    while end > start and not _letter(data[end - 1]):
        if not _punctuation(data[end - 1]):
            return -1
        end -= 1
    if end - start < 2 or end - start > 4:
        return -1
    packed = np.int64(0)
    for at in range(start, end):
        packed |= np.int64(data[at] | 0x20) << np.int64(8 * (at - start))
    for number, word in enumerate(_STOP_WORDS):
        if packed == word:
            return number
    return -1


@jit
def _marks(data, start, end):
    """Return how often "#" and an ellipsis occur in a word."""
    hashes = ellipses = dots = 0
    for at in range(start, end):
        byte = data[at]
        dots = dots + 1 if byte == 46 else 0
        if dots == 3:
            ellipses += 1
            dots = 0
        hashes += byte == 35
        ellipses += byte == 0xA6 and at >= start + 2 and data[at - 1] == 0x80 and data[at - 2] == 0xE2
    return hashes, ellipses


@jit
def _letter(byte):
    return 97 <= (byte | 0x20) <= 122


@jit
def _punctuation(byte):
    return 33 <= byte <= 47 or 58 <= byte <= 64 or 91 <= byte <= 96 or 123 <= byte <= 126


@jit
def _quality(
    data, word_offsets, word_start, word_end, word_characters, word_flags, line_offsets, line_words, classes
):
    documents = len(word_offsets) - 1
    found = np.zeros((7, documents), np.int64)
    for document in range(documents):
        first, last = word_offsets[document], word_offsets[document + 1]
        characters = alphabetic = hashes = ellipses = seen = 0
        for word in range(first, last):
            start, end = word_start[word], word_end[word]
            characters += word_characters[word]
            alphabetic += (word_flags[word] & ALPHA) != 0
            if word_flags[word] & MARK:
                hashes_here, ellipses_here = _marks(data, start, end)
                hashes += hashes_here
                ellipses += ellipses_here
            # Most words are longer than any stop word, with letters at both ends.
            if end - start <= 4 or not (_letter(data[start]) and _letter(data[end - 1])):
                number = stop_word(data, start, end)
                if number >= 0:
                    seen |= 1 << number
        stop_words = 0
        for number in range(8):
            stop_words += (seen >> number) & 1
        bullets = trailing = 0
        for line in range(line_offsets[document], line_offsets[document + 1]):
            begin = word_start[line_words[line]]
            end = word_end[line_words[line + 1] - 1]
            bullets += begins_with_bullet(data, begin, end, classes)
            trailing += ends_in_ellipsis(data, begin, end)
        found[0, document], found[1, document] = characters, alphabetic
        found[2, document], found[3, document] = hashes, ellipses
        found[4, document], found[5, document] = bullets, trailing
        found[6, document] = stop_words
    return found[0], found[1], found[2], found[3], found[4], found[5], found[6]
