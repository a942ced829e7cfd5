"""What C4 and FineWeb measure of the lines of every document of a batch."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from hinterland.curate.kernels.jit import jit
from hinterland.curate.kernels.quality import ends_in_ellipsis
from hinterland.curate.kernels.tokens import Bytes, Integers, Split, decode
from hinterland.curate.kernels.unicode import SPACE, tables

__all__ = ["C4Counts", "LineCounts", "c4_counts", "line_counts"]

_OPENERS: Final = np.array([ord(mark) for mark in "\"'“‘(["], dtype=np.int64)
_CLOSERS: Final = np.array([ord(mark) for mark in "\"'”’)]"], dtype=np.int64)
_CITATIONS: Final = np.frombuffer(b"[edit]\0[citation needed]\0", dtype=np.uint8)
_PHRASES: Final = np.frombuffer(
    b"lorem ipsum\0javascript\0terms of use\0privacy policy\0"
    b"cookie policy\0uses cookies\0use of cookies\0use cookies\0",
    dtype=np.uint8,
)


class C4Counts(NamedTuple):
    """Counts of each document, all of shape (documents,).

    Attributes:
        sentences: Sentences in the lines that stay.
        kept: Code points in the lines that stay.
        characters: Code points in all lines.
        lorem_ipsum: 1 if the phrase is in the text.
        curly: 1 if a curly bracket is in the text.
    """

    sentences: Integers
    kept: Integers
    characters: Integers
    lorem_ipsum: Integers
    curly: Integers


class LineCounts(NamedTuple):
    """Counts of each document, both of shape (documents,).

    Attributes:
        punctuated: Lines that end in . ? ! or a straight quotation mark.
        short: Lines with fewer code points than asked.
    """

    punctuated: Integers
    short: Integers


def c4_counts(
    data: Bytes, parts: Split, *, min_words: int, max_word_length: int, terminal_punctuation: bool
) -> C4Counts:
    """Return what C4's rules would leave; see `C4Counts` and `curate.filters.c4`."""
    return C4Counts(
        *_c4(
            data, parts.word_offsets, parts.word_start, parts.word_end, parts.word_characters,
            parts.line_offsets, parts.line_words, parts.line_characters, tables().classes,
            _PHRASES, _CITATIONS, min_words, max_word_length, terminal_punctuation,
        )
    )  # fmt: skip


def line_counts(data: Bytes, parts: Split, *, short: int) -> LineCounts:
    """Return how many lines are punctuated and how many are short."""
    return LineCounts(
        *_lines(data, parts.line_offsets, parts.line_words, parts.line_characters, parts.word_end, short)
    )


@jit
def ends_a_line(byte):
    """Return whether the byte is one of . ? ! " '."""
    return byte in (46, 63, 33, 34, 39)


@jit
def contains(data, start, end, phrase):
    """Return whether a phrase of lower-case ASCII occurs, whatever its case in the text."""
    length = len(phrase)
    head = phrase[0]
    for at in range(start, end - length + 1):
        if data[at] | 0x20 == head:
            same = 1
            while same < length and _lower(data[at + same]) == phrase[same]:
                same += 1
            if same == length:
                return True
    return False


@jit
def _lower(byte):
    return byte | 0x20 if 65 <= byte <= 90 else byte


@jit
def _unwanted(data, start, end, phrases):
    """Return whether a line mentions javascript or has one of the policy phrases."""
    for at in range(start, end - 9):  # the shortest phrase has 10 letters
        head = data[at] | 0x20
        if head in (106, 116, 112, 99, 117):  # j t p c u
            begin = 12  # behind "lorem ipsum", which counts for the page
            for stop in range(begin, len(phrases)):
                if phrases[stop] == 0:
                    phrase = phrases[begin:stop]
                    if phrase[0] == head and contains(data, at, min(end, at + len(phrase)), phrase):
                        return True
                    begin = stop + 1
    return False


@jit
def _without_citations(data, start, end, classes, citations):
    """Return where a line ends once [1], [], [edit] and [citation needed] behind it are gone."""
    while end > start:
        while end > start and (data[end - 1] < 0x80 and classes[data[end - 1]] & SPACE):
            end -= 1
        if end == start or data[end - 1] != 93:
            return end
        at = end - 2
        while at >= start and 48 <= data[at] <= 57:
            at -= 1
        if at >= start and data[at] == 91:
            end = at
        elif _ends_with(data, start, end, citations[:6]):
            end -= 6
        elif _ends_with(data, start, end, citations[7:24]):
            end -= 17
        else:
            return end
    return end


@jit
def _ends_with(data, start, end, phrase):
    if end - start < len(phrase):
        return False
    for at in range(len(phrase)):
        if data[end - len(phrase) + at] != phrase[at]:
            return False
    return True


@jit
def _is_in(code, marks):
    for mark in marks:
        if code == mark:
            return True
    return False


@jit
def _sentences(data, first, last, word_start, word_end):
    """Return the sentences of the words from ``first`` to ``last``, at least 1.

    One ends where a word does in . ? or !, with closing marks behind it, if the next
    begins with a capital or a digit, with opening marks before it.
    """
    sentences = 1
    for word in range(first, last - 1):
        at = word_end[word] - 1
        # Most words end in a letter.
        if 97 <= data[at] <= 122:
            continue
        while at > word_start[word]:
            if data[at] >= 0x80:
                if at - 2 < word_start[word]:
                    break
                code, width = decode(data, at - 2)
                if data[at - 2] < 0xE0 or not _is_in(code, _CLOSERS):
                    break
                at -= 3
            elif _is_in(np.int64(data[at]), _CLOSERS):
                at -= 1
            else:
                break
        if at < word_start[word] or data[at] not in (46, 63, 33):
            continue
        at, end = word_start[word + 1], word_end[word + 1]
        while at < end:
            code, width = decode(data, at)
            if not _is_in(code, _OPENERS):
                sentences += 65 <= code <= 90 or 48 <= code <= 57
                break
            at += width
    return sentences


@jit
def _c4(
    data, word_offsets, word_start, word_end, word_characters, line_offsets, line_words, line_characters,
    classes, phrases, citations, min_words, max_word_length, terminal_punctuation,
):  # fmt: skip
    documents = len(word_offsets) - 1
    found = np.zeros((5, documents), np.int64)
    for document in range(documents):
        if word_offsets[document] == word_offsets[document + 1]:
            continue
        begin, end = word_start[word_offsets[document]], word_end[word_offsets[document + 1] - 1]
        for at in range(begin, end):
            if data[at] | 0x20 == 123 or data[at] == 125:
                found[4, document] |= data[at] in (123, 125)
        found[3, document] = contains(data, begin, end, phrases[:11])
        for line in range(line_offsets[document], line_offsets[document + 1]):
            first, last = line_words[line], line_words[line + 1]
            found[2, document] += line_characters[line]
            if last - first < min_words:
                continue
            longest = 0
            for word in range(first, last):
                longest = max(longest, word_characters[word])
            if longest > max_word_length:
                continue
            start, end = word_start[first], word_end[last - 1]
            if terminal_punctuation:
                stop = _without_citations(data, start, end, classes, citations)
                if stop == start or not ends_a_line(data[stop - 1]) or ends_in_ellipsis(data, start, stop):
                    continue
            if _unwanted(data, start, end, phrases):
                continue
            found[0, document] += _sentences(data, first, last, word_start, word_end)
            found[1, document] += line_characters[line]
    return found[0], found[1], found[2], found[3], found[4]


@jit
def _lines(data, line_offsets, line_words, line_characters, word_end, short):
    documents = len(line_offsets) - 1
    found = np.zeros((2, documents), np.int64)
    for document in range(documents):
        for line in range(line_offsets[document], line_offsets[document + 1]):
            found[0, document] += ends_a_line(data[word_end[line_words[line + 1] - 1] - 1])
            found[1, document] += line_characters[line] < short
    return found[0], found[1]
