"""JSON values cut out of a stream without parsing it: by brackets and quotation marks alone."""

from __future__ import annotations

import re
from collections.abc import Iterator

from hinterland.curate.readers.base import Unreadable

__all__ = ["values"]

_OUTSIDE = re.compile(rb'["{}\[\],]')
_INSIDE = re.compile(rb'["\\]')
_BETWEEN = b" \t\r\n,"


class _Kept:
    """The value being put together; over ``limit`` bytes only its size is kept."""

    def __init__(self, limit: int) -> None:
        self.limit, self.number, self.size = limit, 1, 0
        self.parts: list[bytes] = []

    def add(self, part: bytes) -> None:
        self.size += len(part)
        if self.size <= self.limit:
            self.parts.append(part)
        else:
            self.parts.clear()

    def end(self) -> Iterator[tuple[int, bytes | Unreadable]]:
        value, large = b"".join(self.parts).strip(_BETWEEN), self.size > self.limit
        if value or large:
            problem = Unreadable("too_large", f"more than {self.limit:,} bytes")
            yield self.number, problem if large else value
            self.number += 1
        self.size = 0
        self.parts.clear()


def values(source: Iterator[bytes], limit: int) -> Iterator[tuple[int, bytes | Unreadable]]:
    """Cut a stream of JSON into the elements of its outermost array, or into its objects.

    Args:
        source: Blocks of UTF-8.
        limit: Bytes of the largest value to return; larger ones are passed over.

    Yields:
        The number of the value from 1, and its bytes; they may not be valid JSON.

    Raises:
        Unreadable: The stream ends, or breaks off, inside a value.
    """
    kept = _Kept(limit)
    depth, base = 0, -1  # the depth at which values stand: 1 in an array, 0 without, -1 not yet known
    inside = escaped = False
    try:
        for block in source:
            start, place = 0, int(escaped)
            escaped = False
            while match := (_INSIDE if inside else _OUTSIDE).search(block, place):
                mark, place = match[0], match.end()
                if mark == b"\\":
                    escaped = place == len(block)
                    place += 1
                elif mark == b'"':
                    inside = not inside
                elif mark in b"{[":
                    if base < 0:
                        base = int(mark == b"[")
                        start = place if base else start
                    depth += 1
                elif mark == b"," and depth == base == 1:
                    kept.add(block[start : place - 1])
                    start = place
                    yield from kept.end()
                elif mark in b"}]":
                    depth = max(0, depth - 1)
                    if depth == 0:
                        kept.add(block[start : place - max(0, base)])
                        start, base = place, 0  # behind an array there may be further objects
                        yield from kept.end()
            kept.add(block[start:])
    except Unreadable as problem:
        problem.position = kept.number
        raise
    if depth or inside:
        raise Unreadable("broken_file", "it ends inside a value", position=kept.number)
    yield from kept.end()
