"""Find pieces of removed texts in any bytes, at any place.

A text is cut into windows of 24 bytes, one every 8 bytes. Whatever 31 bytes of it are left
somewhere, one window lies whole among them. Windows that a kept text holds as well prove
nothing and are left out. All places of the bytes are compared by their first 16 bytes at once: a
sieve throws out nearly all, `hinterland.indexes.residue_windows` the rest. All this takes about
four times the bytes of the texts in memory.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from hinterland.indexes.residue_windows import HEAD, Places, Sieve, Starts, Windows, Words, words_of

__all__ = ["STRIDE", "WINDOW", "Patterns", "escaped"]

WINDOW, STRIDE = 24, 8
_ODD = (np.uint64(0x9E3779B97F4A7C15), np.uint64(0xBF58476D1CE4E5B9))
_CACHED = 24  # a sieve of 2^24 bits stays in the processor's cache
_BLOCK = 1 << 17  # places compared at a time
_TEXT = 1 << 22  # characters of kept texts looked through at a time
_TEXTS = 1 << 12  # texts cut at a time


def escaped(text: str) -> bytes:
    """Return a text as it stands inside a JSON string of ASCII."""
    return json.dumps(text)[1:-1].encode()


def _encoded(texts: Iterable[str]) -> Iterator[bytes]:
    """Yield each text as UTF-8, and as JSON has it where that differs."""
    for text in texts:
        plain, json_text = text.encode("utf-8", "surrogatepass"), escaped(text)
        yield plain
        if json_text != plain:
            yield json_text


def _joined(texts: Iterable[str]) -> Iterator[bytes]:
    """Yield the same as long byte strings with zeros between the texts."""
    some: list[bytes] = []
    size = 0
    for each in _encoded(texts):
        some.append(each)
        size += len(each)
        if size > _TEXT:
            yield b"\0".join(some)
            some, size = [], 0
    yield b"\0".join(some)


def _cut(starts: Places, lengths: Places, most: int) -> Starts:
    """Return where the windows of texts begin, for texts as long as a window at least.

    Args:
        starts: Where the texts begin.
        lengths: Their lengths.
        most: What no start exceeds.
    """
    counts = -(-(lengths - WINDOW) // STRIDE) + 1
    total = int(counts.sum())
    cut: Starts = np.empty(total, np.uint32) if most < 1 << 32 else np.empty(total, np.uint64)
    done = 0
    for begin in range(0, len(starts), _TEXTS):
        part = slice(begin, begin + _TEXTS)
        many = counts[part]
        number = np.arange(many.sum()) - np.repeat(np.cumsum(many) - many, many)
        last = np.repeat(lengths[part] - WINDOW, many)
        cut[done : done + len(number)] = np.repeat(starts[part], many) + np.minimum(number * STRIDE, last)
        done += len(number)
    return cut


class Patterns:
    """Byte strings to look for.

    Args:
        texts: Of 8 bytes at least; shorter ones are left out. Those over 24 bytes are looked for
            by their windows.
    """

    def __init__(self, texts: Iterable[bytes]) -> None:
        data, ends = bytearray(), [0]
        for text in texts:
            if len(text) >= HEAD:
                data += text
                ends.append(len(data))
        starts, lengths = np.asarray(ends[:-1], dtype=np.int64), np.diff(np.asarray(ends, dtype=np.int64))
        self._groups = []
        for length in np.unique(np.minimum(lengths, WINDOW)).tolist():
            which = lengths >= WINDOW if length == WINDOW else lengths == length
            cut = _cut(starts[which], np.maximum(lengths[which], WINDOW), len(data))
            self._groups.append(Windows(data, cut, length))
        self._fill()

    def _fill(self) -> None:
        """Make the sieves of first bytes: 16 where windows have so many, else 8."""
        self._sieves: list[tuple[int, Sieve]] = []
        for reach in sorted({_reach(group) for group in self._groups}):
            groups = [group for group in self._groups if _reach(group) == reach]
            sieve = Sieve(sum(len(group) for group in groups), most=_CACHED)
            for words, places in (each for group in groups for each in group.places()):
                sieve.add(_heads(words[places], words[places + reach - HEAD]))
            self._sieves.append((reach, sieve))

    @classmethod
    def of_texts(cls, removed: Iterable[str], kept: Iterable[str]) -> Patterns:
        """Return the windows of removed texts that no kept text holds, plain and escaped for JSON."""
        return cls(_encoded(dict.fromkeys(removed))).without(_joined(kept))

    def without(self, kept: Iterable[bytes]) -> Patterns:
        """Leave out what stands in any of some bytes, and return itself."""
        stays = np.ones(len(self), dtype=np.bool_)
        for data in kept:
            for numbers in self._hits(data):
                stays[numbers] = False
        if not stays.all():
            start = 0
            for group in self._groups:
                end = start + len(group)
                group.keep(stays[start:end])
                start = end
            self._fill()
        return self

    def __len__(self) -> int:
        return sum(len(group) for group in self._groups)

    @property
    def pieces(self) -> list[bytes]:
        """What is looked for, by number."""
        return [group.piece(number) for group in self._groups for number in range(len(group))]

    def find(self, data: bytes, *, most: int | None = None) -> set[int]:
        """Return the numbers of the pieces that stand in ``data``, at whatever place.

        Args:
            data: Any bytes.
            most: Stop after so many.
        """
        found: set[int] = set()
        for numbers in self._hits(data):
            found.update(np.unique(numbers).tolist())
            if most is not None and len(found) >= most:
                return set(sorted(found)[:most])
        return found

    def _hits(self, data: bytes) -> Iterator[NDArray[np.int64]]:
        """Yield the numbers of pieces that are found, some at a time."""
        words = words_of(data)
        for reach, sieve in self._sieves:
            last = len(words) - (reach - HEAD)
            for start in range(0, last, _BLOCK):
                end = min(start + _BLOCK, last)
                heads = _heads(words[start:end], words[start + reach - HEAD : end + reach - HEAD])
                near = sieve.passed(heads) + start
                before = 0
                for group in self._groups:
                    if _reach(group) == reach:
                        numbers = group.find(words, near)
                        if len(numbers):
                            yield numbers + before
                    before += len(group)


def _reach(group: Windows) -> int:
    return 16 if group.length >= 16 else HEAD


def _heads(first: Words, second: Words) -> Words:
    """Return hashes of two words each; the same word twice where 8 bytes are all."""
    heads = second * _ODD[1]
    heads ^= first
    heads *= _ODD[0]
    return heads
