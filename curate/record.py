"""From rows of any source to records, many at once: columns found, types checked, the rest into ``meta``."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import pyarrow as pa
import pyarrow.compute as pc

from hinterland.core.record import BASE_SCHEMA
from hinterland.curate.readers.base import ReadConfig, Unreadable
from hinterland.curate.readers.columns import NESTS, Place, find_columns
from hinterland.curate.readers.jsonl import parse
from hinterland.curate.readers.values import (
    UNKNOWN_COUNTRY,
    as_column,
    as_texts,
    content_ids,
    dump,
    has_nul,
    listed,
)

__all__ = ["ArrowSource", "Entry", "Records", "RowSource", "Source", "to_records"]

#: Row, reason, detail, and whether the document is kept all the same.
Entry = tuple[int, str, str, bool]


@dataclass(frozen=True)
class Records:
    """Rows that became records, and what is to be said about the others.

    Attributes:
        table: The records, on the base schema.
        entries: Ordered by rows.
    """

    table: pa.Table
    entries: list[Entry]


class Source(Protocol):
    """Some rows of one source."""

    @property
    def names(self) -> Sequence[str]:
        """The columns."""
        ...

    @property
    def size(self) -> int:
        """How many rows there are."""
        ...

    def column(self, name: str) -> Sequence[Any] | pa.Array:
        """Return a column's values; null where a row does not have it."""
        ...

    def has(self, row: int, name: str) -> bool:
        """Whether a row has the column at all."""
        ...

    def rest(self, taken: set[str]) -> list[dict[str, Any]]:
        """Return each row's other columns."""
        ...


class RowSource:
    """Rows as mappings.

    Args:
        rows: The rows; they may differ in their columns.
    """

    def __init__(self, rows: Sequence[Mapping[str, Any]]) -> None:
        self._rows, self.size = rows, len(rows)
        self.names = list(dict.fromkeys(name for row in rows for name in row))

    def column(self, name: str) -> Sequence[Any]:
        """See `Source.column`."""
        return [row.get(name) for row in self._rows]

    def has(self, row: int, name: str) -> bool:
        """See `Source.has`."""
        return name in self._rows[row]

    def rest(self, taken: set[str]) -> list[dict[str, Any]]:
        """See `Source.rest`."""
        return [{name: value for name, value in row.items() if name not in taken} for row in self._rows]


class ArrowSource:
    """Rows of a record batch.

    Args:
        batch: The rows; columns of one name are told apart by numbers.
    """

    def __init__(self, batch: pa.RecordBatch) -> None:
        self.size = batch.num_rows
        self._columns = {
            name if name not in batch.schema.names[:place] else f"{name}_{place}": batch.column(place)
            for place, name in enumerate(batch.schema.names)
        }
        self.names = list(self._columns)

    def column(self, name: str) -> pa.Array:
        """See `Source.column`."""
        return self._columns[name]

    def has(self, row: int, name: str) -> bool:  # noqa: ARG002
        """See `Source.has`."""
        return name in self._columns

    def rest(self, taken: set[str]) -> list[dict[str, Any]]:
        """See `Source.rest`."""
        columns = {name: _listed(column) for name, column in self._columns.items() if name not in taken}
        return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)] or [
            {} for _ in range(self.size)
        ]


def to_records(source: Source, config: ReadConfig) -> Records:
    """Turn rows into records.

    Args:
        source: The rows.
        config: Its columns win over the usual names; texts over its limit are rejected.
    """
    nests = {
        name: [_as_nest(each) for each in _listed(source.column(name))]
        for name in NESTS
        if name in source.names
    }
    keys = {name: {str(key) for each in rows for key in each} for name, rows in nests.items()}
    found = find_columns(source.names, keys, config.columns)
    reader = _Reader(source, nests)
    texts, problems = as_texts(reader.take(found["text"]))
    entries: list[Entry] = []
    if has_nul(texts):
        holders = pc.fill_null(pc.match_substring(texts, "\0"), False).to_numpy(zero_copy_only=False)
        entries += [(int(row), "nul_removed", "", True) for row in holders.nonzero()[0]]
        texts = pc.replace_substring(texts, "\0", "")
    lost = _lost(
        texts, problems, lambda row: any(source.has(row, place.column) for place in found["text"]), source
    )
    sizes = pc.fill_null(pc.binary_length(texts), 0)
    for row in pc.indices_nonzero(pc.greater(sizes, config.max_document_bytes)).to_pylist():
        lost[row] = Unreadable("too_large", f"{sizes[row].as_py():,} bytes of text")
    columns: dict[str, pa.Array] = {"text": texts}
    for field in BASE_SCHEMA:
        if field.name not in ("text", "meta"):
            columns[field.name], misfits = (
                as_column(field, reader.take(found[field.name]))
                if found[field.name]
                else (pa.nulls(source.size, field.type), [])
            )
            entries += [(row, reason, detail, True) for row, reason, detail in misfits]
    strange = {row: detail for row, reason, detail, _ in entries if reason == UNKNOWN_COUNTRY}
    columns["meta"] = pa.array(_with_countries(reader.meta(), strange), pa.string())
    entries = [each for each in entries if each[0] not in lost]
    entries += [(row, problem.reason, problem.detail, False) for row, problem in lost.items()]
    entries.sort(key=lambda each: each[0])
    table = pa.table([columns[name] for name in BASE_SCHEMA.names], names=BASE_SCHEMA.names)
    if lost:
        table = table.take(
            pa.array([row for row in range(source.size) if row not in lost], pa.int64())
        ).combine_chunks()
    return Records(_with_ids(table), entries)


def _with_ids(table: pa.Table) -> pa.Table:
    """Give rows without an id their text's hash."""
    if table["id"].null_count:
        missing = pc.is_null(table["id"])
        made = iter(content_ids(table["text"].filter(missing)))
        ids = [each if each is not None else next(made) for each in table["id"].to_pylist()]
        table = table.set_column(0, "id", pa.array(ids, pa.string()))
    return table.cast(BASE_SCHEMA)


def _lost(
    texts: pa.Array | pa.ChunkedArray, problems: dict[int, Unreadable], has: Any, source: Source
) -> dict[int, Unreadable]:
    """Return the rows without a usable text, and why."""
    blank = pc.or_(pc.equal(pc.binary_length(texts), 0), pc.utf8_is_space(texts))
    lost = dict(problems)
    for row in pc.indices_nonzero(pc.fill_null(blank, True)).to_pylist():
        if row in lost:
            continue
        if texts[row].is_valid:
            lost[row] = Unreadable("empty_text")
        elif has(row):
            lost[row] = Unreadable("null_text")
        else:
            names = [name for name in source.names if source.has(row, name)]
            lost[row] = Unreadable("no_text_column", f"found: {', '.join(names[:8]) or 'nothing'}")
    return lost


def _listed(values: Sequence[Any] | pa.Array) -> list[Any]:
    return listed(values) if isinstance(values, pa.Array) else list(values)


def _as_nest(value: Any) -> dict[str, Any]:
    """Return what a column ``meta`` or ``metadata`` holds, as a mapping."""
    if value is None or value == "":
        return {}
    if isinstance(value, str):
        parsed = parse(value.encode("utf-8", "surrogatepass"))
        return {"meta": value} if isinstance(parsed, Unreadable) else parsed
    return value if isinstance(value, dict) else {"meta": value}


class _Reader:
    """Takes values out of a source, and knows what is left for ``meta``."""

    def __init__(self, source: Source, nests: Mapping[str, list[dict[str, Any]]]) -> None:
        self._source, self._nests = source, nests
        self._taken: set[str] = set(nests)
        self._left: dict[str, list[Any]] = {}  # of columns that were used in some rows only

    def take(self, places: Sequence[Place]) -> Sequence[Any] | pa.Array:
        """Return the first value that is not null in each row."""
        if not places:
            return [None] * self._source.size
        values = self._values(places[0])
        for place in places[1:]:
            current = _listed(values)
            if None not in current:
                break
            other = _listed(self._values(place, spare=current))
            values = [mine if mine is not None else its for mine, its in zip(current, other, strict=True)]
        return values

    def _values(self, place: Place, *, spare: Sequence[Any] | None = None) -> Sequence[Any] | pa.Array:
        """Return a place's values; in rows where ``spare`` has one they stay for ``meta``."""
        nest = self._nests.get(place.column)
        if place.inside:
            if nest is not None and len(place.inside) == 1:
                key = place.inside[0]
                values: Any = [row.get(key) for row in nest]
                self._nests = {**self._nests, place.column: [
                    row if value is None or (spare and spare[number] is not None)
                    else {name: each for name, each in row.items() if name != key}
                    for number, (row, value) in enumerate(zip(nest, values, strict=True))
                ]}  # fmt: skip
                return values
            rows = nest if nest is not None else _listed(self._source.column(place.column))
            return [_dig(row, place.inside) for row in rows]
        values = self._source.column(place.column)
        self._taken.add(place.column)
        self._nests = {name: rows for name, rows in self._nests.items() if name != place.column}
        if spare is not None:
            listed = _listed(values)
            self._left[place.column] = [
                None if mine is None else its for mine, its in zip(spare, listed, strict=True)
            ]
        return values

    def meta(self) -> list[str | None]:
        """Return what no column of the schema took, as JSON; null where nothing is left."""
        if self._nests or self._left or any(name not in self._taken for name in self._source.names):
            rows = self._source.rest(self._taken)
            for name, values in self._left.items():
                for row, value in zip(rows, values, strict=True):
                    row[name] = value
            for nest in reversed(list(self._nests.values())):
                rows = [{**inner, **row} for inner, row in zip(nest, rows, strict=True)]
            return [_meta(row) for row in rows]
        return [None] * self._source.size


def _with_countries(meta: list[str | None], values: Mapping[int, str]) -> list[str | None]:
    """Keep what a country column says that is no country: a state that is gone, a body, a misspelling."""
    for row, value in values.items():
        held = json.loads(meta[row] or "{}")
        meta[row] = dump({"country": value, **held})
    return meta


def _meta(row: dict[str, Any]) -> str | None:
    held = {
        name: value
        for name, value in row.items()
        if value is not None and (value or type(value) not in (list, dict))
    }
    return dump(held) if held else None


def _dig(value: Any, keys: Sequence[str]) -> Any:
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value
