"""One pass over a batch's bytes: words, lines, paragraphs and normalised words."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from hinterland.curate.kernels.jit import jit
from hinterland.curate.kernels.unicode import BREAK, LIMIT, PLAIN, SINGLE, SPACE, WORD, tables

__all__ = ["Bytes", "Integers", "Split", "mix", "split"]

Bytes = NDArray[np.uint8]
Integers = NDArray[np.int64]
Hashes = NDArray[np.uint64]

# The offset basis and prime of FNV-1a, 64 bits.
_BASIS: Final = np.uint64(0xCBF29CE484222325)
_PRIME: Final = np.uint64(0x100000001B3)
_STEP: Final = np.uint64(0x9E3779B97F4A7C15)  # 2^64 over the golden ratio


class Split(NamedTuple):
    """Where the parts of a batch lie. ``x_offsets[d]`` to ``x_offsets[d + 1]`` are document d's.

    Words are what white space separates; lines and paragraphs are stripped and not blank;
    a paragraph ends at a blank line. Two parts are equal if their hashes are (64 bits over
    all their bytes). Normalised words are lower case, without punctuation and diacritics,
    with 0 for every digit; in scripts without spaces every character is one.

    Attributes:
        word_offsets: shape (documents + 1,), as are the other offsets.
        word_start: First byte of each word in the batch.
        word_end: The byte after it.
        word_characters: Its code points.
        word_flags: Its characters' flags (`curate.kernels.unicode`), joined by or.
        word_hash: Its hash.
        line_offsets: Offsets of lines.
        line_words: Each line's first word; the next line's first word ends it, as does
            the document's last; shape (lines + 1,).
        line_characters: Code points of the stripped line.
        line_hash: Its hash.
        paragraph_offsets: Offsets of paragraphs.
        paragraph_characters: Code points of the stripped paragraph.
        paragraph_hash: Its hash.
        newlines: Line feeds inside each stripped document, shape (documents,).
        norm_offsets: Offsets of normalised words.
        norm_hash: Their hashes.
    """

    word_offsets: Integers
    word_start: Integers
    word_end: Integers
    word_characters: Integers
    word_flags: NDArray[np.uint8]
    word_hash: Hashes
    line_offsets: Integers
    line_words: Integers
    line_characters: Integers
    line_hash: Hashes
    paragraph_offsets: Integers
    paragraph_characters: Integers
    paragraph_hash: Hashes
    newlines: Integers
    norm_offsets: Integers
    norm_hash: Hashes


def split(data: Bytes, offsets: Integers) -> Split:
    """Return the parts of every document.

    Args:
        data: The documents' UTF-8, one after the other; it must be valid.
        offsets: Where each begins and the last ends, shape (documents + 1,).
    """
    classes, folded = tables()
    return Split(*_split(data, offsets, classes, folded))


@jit
def mix(value):
    """Return a hash whose every bit depends on all of ``value`` (the end of MurmurHash3)."""
    value = np.uint64(value)
    value ^= value >> np.uint64(33)
    value *= np.uint64(0xFF51AFD7ED558CCD)
    value ^= value >> np.uint64(33)
    value *= np.uint64(0xC4CEB9FE1A85EC53)
    value ^= value >> np.uint64(33)
    return value


@jit
def decode(data, at):
    """Return the code point at a byte, and its width in bytes."""
    first = np.int64(data[at])
    if first < 0x80:
        return first, 1
    if first < 0xE0:
        return ((first & 0x1F) << 6) | (data[at + 1] & 0x3F), 2
    if first < 0xF0:
        return ((first & 0x0F) << 12) | ((data[at + 1] & 0x3F) << 6) | (data[at + 2] & 0x3F), 3
    return (
        ((first & 0x07) << 18)
        | ((data[at + 1] & 0x3F) << 12)
        | ((data[at + 2] & 0x3F) << 6)
        | (data[at + 3] & 0x3F)
    ), 4


@jit
def _split(data, offsets, classes, folded):
    documents = len(offsets) - 1
    most = (len(data) + 1) // 2 + documents + 1
    word_offsets = np.zeros(documents + 1, np.int64)
    word_start = np.empty(most, np.int64)
    word_end = np.empty(most, np.int64)
    word_characters = np.empty(most, np.int64)
    word_flags = np.empty(most, np.uint8)
    word_hash = np.empty(most, np.uint64)
    line_offsets = np.zeros(documents + 1, np.int64)
    line_words = np.empty(most, np.int64)
    line_characters = np.empty(most, np.int64)
    line_hash = np.empty(most, np.uint64)
    paragraph_offsets = np.zeros(documents + 1, np.int64)
    paragraph_characters = np.empty(most, np.int64)
    paragraph_hash = np.empty(most, np.uint64)
    newlines = np.zeros(documents, np.int64)
    norm_offsets = np.zeros(documents + 1, np.int64)
    norm_hash = np.empty(most, np.uint64)
    words = lines = paragraphs = norms = 0

    for document in range(documents):
        at, end = offsets[document], offsets[document + 1]
        character = 0  # code points since the document's beginning
        line_at = paragraph_at = last = 0  # the same, of beginnings and of the last word's end
        first_word = words
        line, paragraph = _BASIS, _BASIS
        while True:
            # White space: how many line feeds, whether a line ends, and what it is.
            feeds, broken, gap = 0, False, np.uint64(0)
            code, width, flags = np.int64(0), 1, np.uint8(0)
            while at < end:
                code, width = np.int64(data[at]), 1
                if code >= 0x80:
                    code, width = decode(data, at)
                flags = classes[code] if code < LIMIT else np.uint8(PLAIN)
                if not flags & SPACE:
                    break
                feeds += code == 10
                broken |= (flags & BREAK) != 0
                gap = (gap + np.uint64(code) + np.uint64(1)) * _PRIME
                at += width
                character += 1
            if at >= end:
                break
            if words > first_word:
                newlines[document] += feeds
            if words > first_word and broken:
                line_characters[lines] = last - line_at
                line_hash[lines] = mix(line)
                lines += 1
            if words > first_word and feeds > 1:
                paragraph_characters[paragraphs] = last - paragraph_at
                paragraph_hash[paragraphs] = mix(paragraph)
                paragraphs += 1
            if words == first_word or broken:
                line_words[lines] = words
                line_at, line = character, _BASIS
            else:
                line = (line + gap) * _PRIME
            if words == first_word or feeds > 1:
                paragraph_at, paragraph = character, _BASIS
            else:
                paragraph = (paragraph + gap) * _PRIME
            # A word: to the next white space.
            word_start[words] = at
            begun, joined, digest = character, np.uint8(0), _BASIS
            norm, in_norm = _BASIS, False
            while True:
                joined |= flags
                if width == 1:
                    digest = (digest ^ np.uint64(code)) * _PRIME
                else:
                    digest = (digest + np.uint64(code)) * _PRIME
                if flags & WORD:
                    if flags & SINGLE:
                        if in_norm:
                            norm_hash[norms] = mix(norm)
                            norms += 1
                            in_norm = False
                        norm_hash[norms] = mix((_BASIS ^ np.uint64(folded[code])) * _PRIME)
                        norms += 1
                    else:
                        if not in_norm:
                            in_norm, norm = True, _BASIS
                        norm = (norm ^ np.uint64(folded[code])) * _PRIME
                at += width
                character += 1
                if at >= end:
                    break
                code, width = np.int64(data[at]), 1
                if code >= 0x80:
                    code, width = decode(data, at)
                flags = classes[code] if code < LIMIT else np.uint8(PLAIN)
                if flags & SPACE:
                    break
            if in_norm:
                norm_hash[norms] = mix(norm)
                norms += 1
            digest = mix(digest)
            word_end[words], word_hash[words] = at, digest
            word_characters[words], word_flags[words] = character - begun, joined
            line = (line ^ digest) * _STEP
            paragraph = (paragraph ^ digest) * _STEP
            words += 1
            last = character
        if words > first_word:
            line_characters[lines] = last - line_at
            line_hash[lines] = mix(line)
            lines += 1
            paragraph_characters[paragraphs] = last - paragraph_at
            paragraph_hash[paragraphs] = mix(paragraph)
            paragraphs += 1
        word_offsets[document + 1] = words
        line_offsets[document + 1] = lines
        paragraph_offsets[document + 1] = paragraphs
        norm_offsets[document + 1] = norms
    line_words[lines] = words
    return (
        word_offsets, word_start[:words], word_end[:words], word_characters[:words], word_flags[:words],
        word_hash[:words], line_offsets, line_words[: lines + 1], line_characters[:lines], line_hash[:lines],
        paragraph_offsets, paragraph_characters[:paragraphs], paragraph_hash[:paragraphs], newlines,
        norm_offsets, norm_hash[:norms],
    )  # fmt: skip
