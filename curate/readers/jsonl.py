"""JSON lines, and ``.json`` files that hold an array, or objects written over several lines.

Lines that are blank are not documents. A line that is none, or an object among others that
is none, is rejected on its own.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import cache
from itertools import chain
from pathlib import Path
from typing import Any

from hinterland.curate.readers.base import READERS, Piece, ReadConfig, Unreadable, suffix_of
from hinterland.curate.readers.dolma import attribute_files, with_attributes
from hinterland.curate.readers.jsonvalues import values
from hinterland.curate.readers.stream import blocks, lines, recoded

__all__ = ["MAX_DEPTH", "JsonReader", "parse"]

#: Brackets inside one another; more is an attack or an accident.
MAX_DEPTH = 64
_BEYOND = float(2**63)
_SAMPLE = 1 << 20


@cache
def _fast() -> Callable[[bytes], Any] | None:
    """Return orjson's parser, which is some five times as fast, if it is installed."""
    try:
        from orjson import loads
    except ModuleNotFoundError:
        return None
    return loads


def parse(line: bytes) -> dict[str, Any] | Unreadable:
    """Return a JSON object; the answer is the same with and without orjson.

    What orjson refuses (lone surrogates, NaN) or rounds (whole numbers over 64 bits) is left
    to Python's own parser.
    """
    fast = _fast()
    row: Any = None
    if fast is not None:
        try:
            row = fast(line)
        except ValueError:
            row = None
    try:
        if row is None or (isinstance(row, dict) and _is_rounded(row)):
            row = json.loads(line.decode("utf-8-sig"))
            if isinstance(row, dict):
                _is_rounded(row)  # for the depth
        if isinstance(row, dict):
            return row
    except UnicodeDecodeError as error:
        return Unreadable("not_utf8", f"byte {error.start}")
    except RecursionError:
        return Unreadable("nested_too_deep", f"more than {MAX_DEPTH} brackets inside one another")
    except ValueError as error:
        return Unreadable("not_json", str(error))
    return Unreadable("not_an_object", type(row).__name__)


def _is_rounded(row: dict[str, Any]) -> bool:
    """Whether a number may be a whole one that did not fit into 64 bits.

    Raises:
        RecursionError: The row is nested deeper than `MAX_DEPTH`.
    """
    level: list[Any] = [row]
    rounded = False
    for _ in range(MAX_DEPTH):
        below = []
        for each in level:
            for value in each.values() if type(each) is dict else each:
                kind = type(value)
                if kind is dict or kind is list:
                    below.append(value)
                elif kind is float and abs(value) >= _BEYOND:
                    rounded = True
        if not below:
            return rounded
        level = below
    raise RecursionError


class JsonReader:
    """Reads ``.jsonl``, ``.ndjson`` and ``.json``."""

    effort = 1

    def read(self, path: Path, config: ReadConfig) -> Iterator[tuple[int, Piece]]:
        """See `Reader.read`; the position is the line, or the number of the value."""
        source = recoded(blocks(path), config.encoding)
        pieces = lines(source, config.max_document_bytes)
        if suffix_of(path) == "json":
            head, broken = _head(source)
            source = chain([head], _Broken(broken) if broken else source)
            cut = lines if _is_lines(head) else values
            pieces = cut(source, config.max_document_bytes)
        rows: Iterator[tuple[int, Piece]] = (
            (number, parse(line) if isinstance(line, bytes) else line)
            for number, line in pieces
            if isinstance(line, Unreadable) or line.strip()
        )
        files = attribute_files(path)
        return with_attributes(rows, files, config) if files else rows

    def count(self, path: Path) -> int:
        """See `Reader.count`: lines, extrapolated from the first MiB of a large file."""
        found, size, last = 0, 0, b"\n"
        for last in blocks(path):
            size += len(last)
            found += last.count(b"\n")
            if size >= _SAMPLE:
                packed = suffix_of(path) != path.suffix.lower().removeprefix(".")
                return round(found * max(1.0, path.stat().st_size * (3 if packed else 1) / size))
        return found + (not last.endswith(b"\n"))


def _head(source: Iterator[bytes]) -> tuple[bytes, Unreadable | None]:
    """Return the first MiB, and what breaks the source inside it."""
    parts, size = [], 0
    try:
        for block in source:
            parts.append(block)
            size += len(block)
            if size >= _SAMPLE:
                break
    except Unreadable as problem:
        return b"".join(parts), problem
    return b"".join(parts), None


class _Broken(Iterator[bytes]):
    """A source that breaks at once."""

    def __init__(self, problem: Unreadable) -> None:
        self._problem = problem

    def __next__(self) -> bytes:
        raise self._problem


def _is_lines(head: bytes) -> bool:
    """Whether one of the first lines is an object on its own."""
    starts = [line for line in head.split(b"\n", 20)[:20] if line.startswith(b"{")]
    return not head.lstrip().startswith(b"[") and any(isinstance(parse(line), dict) for line in starts)


for _suffix in ("jsonl", "ndjson", "json"):
    READERS.register(_suffix)(JsonReader())
