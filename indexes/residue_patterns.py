"""Find pieces of removed texts in any bytes, at any place.

A text is cut into windows of 24 bytes, one every 8 bytes. Whatever 31 bytes of it are left
somewhere, one window lies whole among them. Windows that a kept text holds as well prove
nothing and are left out. Every place of the bytes is compared by its first 8 bytes at once:
a bitmap over hashes throws out nearly all, a sorted list the rest.
"""

from __future__ import annotations

import json
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

__all__ = ["STRIDE", "WINDOW", "Patterns", "escaped"]

WINDOW, STRIDE = 24, 8
#: A shorter piece than this is found by chance in any binary file.
_HEAD = 8
_BITS = 22
_FACTOR = np.uint64(0x9E3779B97F4A7C15)
_BLOCK = 1 << 23

Words = NDArray[np.uint64]


def escaped(text: str) -> bytes:
    """Return a text as it stands inside a JSON string of ASCII."""
    return json.dumps(text)[1:-1].encode()


def _windows(data: bytes) -> list[bytes]:
    if len(data) < WINDOW:
        return [data] if len(data) >= _HEAD else []
    starts = [*range(0, len(data) - WINDOW, STRIDE), len(data) - WINDOW]
    return [data[start : start + WINDOW] for start in starts]


def _heads(data: bytes, start: int, stop: int) -> Iterable[tuple[int, Words]]:
    """Yield, for each of the 8 alignments, its offset and all words of 8 bytes from there."""
    for offset in range(_HEAD):
        first = start + offset
        count = (min(stop + _HEAD, len(data)) - first) // _HEAD
        if count > 0:
            yield first, np.frombuffer(data, dtype="<u8", count=count, offset=first)


class Patterns:
    """Byte strings to look for.

    Args:
        pieces: Of 8 bytes at least; shorter ones are left out.
    """

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self.pieces = sorted({piece for piece in pieces if len(piece) >= _HEAD})
        heads = np.frombuffer(b"".join(piece[:_HEAD] for piece in self.pieces), dtype="<u8")
        self._order = np.argsort(heads, kind="stable")
        self._heads = heads[self._order]
        self._bitmap = np.zeros(1 << _BITS, dtype=np.bool_)
        self._bitmap[self._hash(self._heads)] = True

    @classmethod
    def of_texts(cls, removed: Iterable[str], kept: Iterable[str]) -> Patterns:
        """Return the windows of removed texts that no kept text holds, plain and escaped for JSON."""
        pieces: set[bytes] = set()
        for text in set(removed):
            plain, json_text = text.encode("utf-8", "surrogatepass"), escaped(text)
            pieces.update(_windows(plain))
            if json_text != plain:
                pieces.update(_windows(json_text))
        found = cls(pieces)
        buffer: list[str] = []
        size = 0
        shared: set[int] = set()
        for text in kept:
            buffer.append(text)
            size += len(text)
            if size > _BLOCK:
                shared |= found._in_texts(buffer)
                buffer, size = [], 0
        shared |= found._in_texts(buffer)
        return cls(piece for number, piece in enumerate(found.pieces) if number not in shared)

    def _in_texts(self, texts: list[str]) -> set[int]:
        plain = "\0".join(texts).encode("utf-8", "surrogatepass")
        return self.find(plain) | self.find(b"\0".join(escaped(text) for text in texts))

    def __len__(self) -> int:
        return len(self.pieces)

    @staticmethod
    def _hash(words: Words) -> NDArray[np.uint64]:
        return (words * _FACTOR) >> np.uint64(64 - _BITS)

    def find(self, data: bytes, *, most: int | None = None) -> set[int]:
        """Return the numbers of the pieces that stand in ``data``, at whatever place.

        Args:
            data: Any bytes.
            most: Stop after so many.
        """
        found: set[int] = set()
        if not len(self.pieces):
            return found
        for start in range(0, len(data), _BLOCK):
            for first, words in _heads(data, start, start + _BLOCK):
                near = np.flatnonzero(self._bitmap[self._hash(words)])
                if not len(near):
                    continue
                low = np.searchsorted(self._heads, words[near], "left")
                high = np.searchsorted(self._heads, words[near], "right")
                for place, one, two in zip(near[high > low], low[high > low], high[high > low], strict=True):
                    at = first + _HEAD * int(place)
                    for number in self._order[one:two].tolist():
                        piece = self.pieces[number]
                        if number not in found and data[at : at + len(piece)] == piece:
                            found.add(number)
                            if most is not None and len(found) >= most:
                                return found
        return found
