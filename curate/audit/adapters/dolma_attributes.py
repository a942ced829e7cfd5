"""dolma's attribute files: one line a document, with ``id`` and ``attributes``, a mapping of spans.

A span is ``[start, end, score]``, and its key is ``experiment__tagger__attribute``. A tagger
writes no span, or leaves the key out, where it found nothing.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hinterland.core.errors import ConfigError, CorpusError, nearest
from hinterland.core.progress import track
from hinterland.curate.readers.base import COMPRESSED, Unreadable
from hinterland.curate.readers.jsonl import parse
from hinterland.curate.readers.stream import blocks, lines

__all__ = ["Attributes", "read_attributes"]

_LONGEST_LINE = 100_000_000
_Spans = Sequence[Sequence[float]]
#: Over all spans of an attribute; what a document without a span has.
_OVER: dict[str, tuple[Callable[[_Spans], float], float]] = {
    "count": (len, 0.0),
    "sum": (lambda spans: sum(span[2] for span in spans), 0.0),
    "characters": (lambda spans: sum(span[1] - span[0] for span in spans), 0.0),
    "max": (lambda spans: max(span[2] for span in spans) if spans else math.nan, math.nan),
    "min": (lambda spans: min(span[2] for span in spans) if spans else math.nan, math.nan),
    "": (lambda spans: spans[0][2] if spans else math.nan, math.nan),
}


@dataclass
class Attributes:
    """What was asked of the attributes, by document.

    Attributes:
        rows: Document's id → its row.
        values: What was asked → a number for each row; NaN where there is none.
        info: Files, lines that could not be read, attributes that occur twice for a document.
    """

    rows: dict[str, int] = field(default_factory=dict)
    values: dict[str, NDArray[np.float64]] = field(default_factory=dict)
    info: dict[str, int] = field(default_factory=dict)


def read_attributes(path: Path, asked: Sequence[str], *, where: str) -> Attributes:
    """Read attributes for all documents.

    Memory: about 150 bytes a document, and 8 for each thing asked.

    Args:
        path: A folder of attribute files (``*.jsonl``, packed or not) or one of them.
        asked: Attributes by full name or by its end (``gopher_v1__word_count``), with
            ``.count``, ``.sum``, ``.characters``, ``.max`` or ``.min`` behind or nothing.
        where: The filter, for errors.

    Raises:
        ConfigError: What was asked is not there, or is the end of several names.
        CorpusError: There is no such file, or one breaks off.
    """
    reading = _Reading(asked, where)
    groups = _groups(path, where)
    for files in groups:
        reading.read_group(files)
    return reading.done(sum(map(len, groups)))


def _groups(path: Path, where: str) -> list[list[Path]]:
    """Return the files by the folder that a tagger's run wrote."""
    if path.is_file():
        return [[path]]
    files = sorted(
        each for each in path.rglob("*.jsonl*") if each.is_file() and not each.name.startswith(".")
    )
    files = [each for each in files if each.suffix == ".jsonl" or each.suffix in COMPRESSED]
    if not files:
        raise CorpusError(
            "no attribute files",
            where=f"{where}: {path}",
            cure="give a folder with *.jsonl.gz, or one such file",
        )
    groups: dict[str, list[Path]] = {}
    for file in files:
        inside = file.relative_to(path).parts
        groups.setdefault(inside[0] if len(inside) > 1 else "", []).append(file)
    return [groups[name] for name in sorted(groups)]


class _Reading:
    def __init__(self, asked: Sequence[str], where: str) -> None:
        self.where = where
        self.asked = list(asked)
        self.split = [_split(each) for each in self.asked]
        self.columns = [array("d") for _ in self.asked]
        self.rows: dict[str, int] = {}
        self.wanted: dict[str, list[int]] = {}  # by an attribute's full name
        self.found: list[str | None] = [None] * len(self.asked)
        self.counts = {"unreadable": 0, "repeated": 0, "not_spans": 0}

    def read_group(self, files: list[Path]) -> None:
        """Read one tagger's files; documents without the attribute in them have no span."""
        seen, mine = set[int](), array("q")
        for file in track(files, "reading attributes") if len(files) > 1 else files:
            for number, line in enumerate(_lines(file, self.where), 1):
                row = line if isinstance(line, dict) else {}
                spans = row.get("attributes")
                if "id" not in row or not isinstance(spans, dict):
                    self.counts["unreadable"] += 1
                    continue
                at = self._row(str(row["id"]))
                mine.append(at)
                for name, value in spans.items():
                    for which in self._which(name, f"{file}, line {number}"):
                        seen.add(which)
                        self._put(which, at, value)
        for which in seen:
            empty = _OVER[self.split[which][1]][1]
            if not math.isnan(empty):
                column = self.columns[which]
                for at in mine:
                    if math.isnan(column[at]):
                        column[at] = empty

    def _row(self, document: str) -> int:
        at = self.rows.setdefault(document, len(self.rows))
        if at == len(self.columns[0]):
            for column in self.columns:
                column.append(math.nan)
        return at

    def _which(self, name: str, place: str) -> list[int]:
        """Return what was asked that an attribute answers."""
        if name in self.wanted:
            return self.wanted[name]
        self.wanted[name] = found = []
        for which, (bare, _) in enumerate(self.split):
            if name != bare and not name.endswith(f"__{bare}"):
                continue
            before = self.found[which]
            if before is not None:
                raise ConfigError(
                    f"{bare!r} is the end of {before!r} and of {name!r}",
                    where=f"{self.where}: {place}",
                    cure="write the whole name",
                )
            self.found[which] = name
            found.append(which)
        return found

    def _put(self, which: int, at: int, value: Any) -> None:
        column = self.columns[which]
        if not math.isnan(column[at]):
            self.counts["repeated"] += 1  # the first counts
            return
        if isinstance(value, int | float) and not isinstance(value, bool):
            value = [[0, 0, value]]
        try:
            column[at] = float(_OVER[self.split[which][1]][0](value))
        except (TypeError, ValueError, IndexError, KeyError):
            self.counts["not_spans"] += 1

    def done(self, files: int) -> Attributes:
        """Return the arrays.

        Raises:
            ConfigError: Something that was asked is nowhere.
        """
        for which, name in enumerate(self.found):
            if name is None:
                raise ConfigError(
                    f"no attribute {self.split[which][0]!r} in {files} files",
                    where=self.where,
                    cure=nearest(self.split[which][0], self.wanted),
                )
        values = {
            name: np.frombuffer(column, dtype=np.float64).copy() if column else np.empty(0)
            for name, column in zip(self.asked, self.columns, strict=True)
        }
        info = {"files": files, **{key: count for key, count in self.counts.items() if count}}
        return Attributes(self.rows, values, info)


def _split(asked: str) -> tuple[str, str]:
    """Return the attribute's name and what is asked of its spans.

    >>> _split("pii__email.count")
    ('pii__email', 'count')
    """
    name, dot, over = asked.rpartition(".")
    return (name, over) if dot and over in _OVER else (asked, "")


def _lines(file: Path, where: str) -> Iterator[Any]:
    """Yield each line's JSON object, or what it is instead."""
    try:
        for _, line in lines(blocks(file), _LONGEST_LINE):
            if isinstance(line, Unreadable):
                yield line
            elif line.strip():
                yield parse(line)
    except Unreadable as error:
        raise CorpusError(
            f"an attribute file cannot be read to its end: {error.reason} {error.detail}".strip(),
            where=f"{where}: {file}",
            cure="write it again: documents without attributes would count as kept",
        ) from error
