"""CSV and TSV with a header. A row with too many or too few fields is rejected on its own."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

from hinterland.curate.readers.base import READERS, Piece, ReadConfig, Unreadable, suffix_of
from hinterland.curate.readers.stream import blocks, lines, recoded

__all__ = ["DelimitedReader"]

_DELIMITERS = ",;\t|"
_SAMPLE = 1 << 20


class DelimitedReader:
    """Reads ``.csv`` (comma, semicolon, tab or bar, whichever the header has most of) and ``.tsv``."""

    effort = 1

    def read(self, path: Path, config: ReadConfig) -> Iterator[tuple[int, Piece]]:
        """See `Reader.read`; the position is the line in which a row ends, the header being 1."""
        text = _Lines(lines(recoded(blocks(path), config.encoding), config.max_document_bytes))
        limit = csv.field_size_limit(config.max_document_bytes)
        try:
            first = next(text, None)
            if first is None:
                return
            delimiter = "\t" if suffix_of(path) == "tsv" else max(_DELIMITERS, key=first.count)
            reader = csv.reader(chain([first], text), delimiter=delimiter, strict=True)
            given = [name.strip() for name in next(reader)]
            # Columns of one name are told apart by numbers.
            names = [name if name not in given[:at] else f"{name}_{at}" for at, name in enumerate(given)]
            if not any(given):
                raise Unreadable("no_header", f"found: {first!r}"[:100], position=1)
            yield from _rows(reader, text, names)
        except _BadRow as bad:  # in the header: without it nothing is known about the rest
            bad.problem.position = 1
            raise bad.problem from bad
        except csv.Error as error:
            raise Unreadable("no_header", str(error), position=1) from error
        finally:
            csv.field_size_limit(limit)

    def count(self, path: Path) -> int:
        """See `Reader.count`: lines after the first, extrapolated from the first MiB of a large file."""
        found = size = 0
        for block in blocks(path):
            size += len(block)
            found += block.count(b"\n")
            if size >= _SAMPLE:
                return round(found * max(1.0, path.stat().st_size / size))
        return max(0, found - 1)


class _Lines(Iterator[str]):
    """Lines as text for the csv module; what cannot be one is raised, and the next call goes on."""

    def __init__(self, source: Iterator[tuple[int, bytes | Unreadable]]) -> None:
        self._source, self.number = source, 0

    def __next__(self) -> str:
        self.number, line = next(self._source)
        if isinstance(line, Unreadable):
            line.position = self.number
            raise _BadRow(line)
        try:
            return line.decode() + "\n"
        except UnicodeDecodeError as error:
            raise _BadRow(Unreadable("not_utf8", f"byte {error.start}")) from error


class _BadRow(Exception):  # noqa: N818 - carries a reject through the csv module
    def __init__(self, problem: Unreadable) -> None:
        self.problem = problem
        super().__init__(problem.reason)


def _rows(reader: Iterator[list[str]], text: _Lines, names: list[str]) -> Iterator[tuple[int, Piece]]:
    while True:
        start = text.number + 1
        try:
            row = next(reader)
        except StopIteration:
            return
        except _BadRow as bad:
            yield text.number, bad.problem
            continue
        except csv.Error as error:
            if "unexpected end" in str(error):
                raise Unreadable("broken_file", "a quotation mark is not closed", position=start) from error
            large = "field limit" in str(error)
            yield text.number, Unreadable("too_large" if large else "bad_csv", str(error))
            continue
        if not row:  # a blank line
            continue
        if len(row) != len(names):
            yield text.number, Unreadable("ragged_row", f"{len(row)} fields, the header has {len(names)}")
        else:
            yield text.number, {name: value for name, value in zip(names, row, strict=True) if value != ""}


for _suffix in ("csv", "tsv", "tab"):
    READERS.register(_suffix)(DelimitedReader())
