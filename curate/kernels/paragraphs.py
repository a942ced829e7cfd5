"""Texts with case and white space normalised, and the paragraphs in them, hashed."""

from __future__ import annotations

from functools import cache
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from hinterland.curate.kernels.jit import jit
from hinterland.curate.kernels.tokens import Bytes, Integers, decode, mix
from hinterland.curate.kernels.unicode import LIMIT, SPACE, tables

__all__ = ["Normalised", "normalise"]

Hashes = NDArray[np.uint64]

# The offset basis and prime of FNV-1a, 64 bits.
_BASIS: Final = np.uint64(0xCBF29CE484222325)
_PRIME: Final = np.uint64(0x100000001B3)
_BLANK: Final = np.uint8(32)
#: No character's case folding is longer than three times its own UTF-8.
_GROWTH: Final = 3


class Normalised(NamedTuple):
    """The texts of a batch as ``" ".join(text.casefold().split())``, and their paragraphs.

    Attributes:
        data: The normalised UTF-8, one document after the other.
        offsets: Where each begins and the last ends, shape (documents + 1,).
        counts: Paragraphs of each document, shape (documents,).
        hashes: The hash of each normalised paragraph (FNV-1a, then mixed).
        characters: Its code points.
    """

    data: Bytes
    offsets: Integers
    counts: Integers
    hashes: Hashes
    characters: NDArray[np.int32]


class _Folds(NamedTuple):
    """``single``: each code point's case folding, or −1 minus its row in ``several``."""

    single: NDArray[np.int32]
    several: NDArray[np.int64]


def normalise(data: Bytes, offsets: Integers) -> Normalised:
    """Return the normalised texts and the hashes of their paragraphs.

    Paragraphs are what blank lines separate; in a text without a blank line inside, every
    line is a paragraph, which is how extracted web pages are written.

    Args:
        data: The documents' UTF-8, one after the other; it must be valid.
        offsets: Where each begins and the last ends, shape (documents + 1,).
    """
    folds = _folds()
    grown = len(data) + (_GROWTH - 1) * int(np.count_nonzero(data >= 0x80)) + len(offsets)
    most = int(np.count_nonzero(data == ord("\n"))) + len(offsets)
    return Normalised(*_normalise(data, offsets, tables().classes, folds.single, folds.several, grown, most))


@cache
def _folds() -> _Folds:
    single = np.arange(LIMIT, dtype=np.int32)
    several: list[list[int]] = []
    for code in range(LIMIT):
        folded = chr(code).casefold()
        if len(folded) == 1:
            single[code] = ord(folded)
        else:
            single[code] = -1 - len(several)
            several.append([len(folded), *map(ord, folded), 0][:4])
    return _Folds(single, np.array(several, dtype=np.int64))


@jit
def _put(code, out, filled):
    """Write a code point as UTF-8 and return where the next one goes."""
    if code < 0x80:
        out[filled] = code
        return filled + 1
    if code < 0x800:
        out[filled] = 0xC0 | (code >> 6)
        out[filled + 1] = 0x80 | (code & 0x3F)
        return filled + 2
    if code < 0x10000:
        out[filled] = 0xE0 | (code >> 12)
        out[filled + 1] = 0x80 | ((code >> 6) & 0x3F)
        out[filled + 2] = 0x80 | (code & 0x3F)
        return filled + 3
    out[filled] = 0xF0 | (code >> 18)
    out[filled + 1] = 0x80 | ((code >> 12) & 0x3F)
    out[filled + 2] = 0x80 | ((code >> 6) & 0x3F)
    out[filled + 3] = 0x80 | (code & 0x3F)
    return filled + 4


@jit
def _normalise(data, offsets, classes, single, several, grown, most):
    documents = len(offsets) - 1
    out = np.empty(grown, np.uint8)
    out_offsets = np.zeros(documents + 1, np.int64)
    counts = np.zeros(documents, np.int64)
    hashes = np.empty(most, np.uint64)
    characters = np.empty(most, np.int32)
    block_hashes = np.empty(most, np.uint64)
    block_characters = np.empty(most, np.int32)
    plain = np.full(256, 255, np.uint8)  # an ASCII character's case folding; 255 is a space or not ASCII
    for code in range(128):
        if not classes[code] & SPACE:
            plain[code] = single[code]
    filled = total = 0
    for document in range(documents):
        at, end = offsets[document], offsets[document + 1]
        # Lines and blocks between blank lines are hashed side by side; which of them are
        # the paragraphs is known at the end.
        lines = blocks = 0
        line_hash = block_hash = _BASIS
        line_characters = block_characters_now = 0
        begun = gap = False
        newlines = 0
        while at < end:
            code = np.int64(data[at])
            width = 1
            if code >= 0x80:
                code, width = decode(data, at)
            if code < LIMIT and classes[code] & SPACE:
                gap = True
                newlines += code == 10
                at += width
                continue
            if gap and begun:
                out[filled] = _BLANK
                filled += 1
                if newlines > 0:
                    hashes[total + lines] = mix(line_hash)
                    characters[total + lines] = line_characters
                    lines += 1
                    line_hash = _BASIS
                    line_characters = 0
                else:
                    line_hash = (line_hash ^ np.uint64(32)) * _PRIME
                    line_characters += 1
                if newlines > 1:
                    block_hashes[blocks] = mix(block_hash)
                    block_characters[blocks] = block_characters_now
                    blocks += 1
                    block_hash = _BASIS
                    block_characters_now = 0
                else:
                    block_hash = (block_hash ^ np.uint64(32)) * _PRIME
                    block_characters_now += 1
            begun = True
            gap = False
            newlines = 0
            # Most words are ASCII: go to their end at once.
            while at < end:
                value = plain[data[at]]
                if value == 255:
                    break
                out[filled] = value
                filled += 1
                line_hash = (line_hash ^ np.uint64(value)) * _PRIME
                block_hash = (block_hash ^ np.uint64(value)) * _PRIME
                line_characters += 1
                block_characters_now += 1
                at += 1
            if at >= end or data[at] < 0x80:
                continue
            code, width = decode(data, at)
            if code < LIMIT and classes[code] & SPACE:
                continue
            first = filled
            number = 1
            folded = np.int64(single[code]) if code < LIMIT else code
            if folded >= 0:
                filled = _put(folded, out, filled)
            else:
                number = several[-1 - folded, 0]
                for part in range(number):
                    filled = _put(several[-1 - folded, 1 + part], out, filled)
            for place in range(first, filled):
                line_hash = (line_hash ^ np.uint64(out[place])) * _PRIME
                block_hash = (block_hash ^ np.uint64(out[place])) * _PRIME
            line_characters += number
            block_characters_now += number
            at += width
        if begun:
            hashes[total + lines] = mix(line_hash)
            characters[total + lines] = line_characters
            lines += 1
            block_hashes[blocks] = mix(block_hash)
            block_characters[blocks] = block_characters_now
            blocks += 1
            if blocks > 1:
                lines = blocks
                hashes[total : total + blocks] = block_hashes[:blocks]
                characters[total : total + blocks] = block_characters[:blocks]
        total += lines
        counts[document] = lines
        out_offsets[document + 1] = filled
    return out[:filled].copy(), out_offsets, counts, hashes[:total].copy(), characters[:total].copy()
