"""Files whose rows are figures and not texts: schools, sources, results of an evaluation."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from hinterland.core.errors import CorpusError
from hinterland.core.progress import track
from hinterland.core.record import BASE_SCHEMA
from hinterland.curate.inputs import is_corpus, is_hub
from hinterland.curate.readers import ReadConfig, Unreadable, reader_for
from hinterland.curate.readers.base import Note, Piece
from hinterland.curate.readers.columns import find_columns

__all__ = ["Rows", "is_tabular", "read_rows"]

_PEEK = 20


@dataclass(frozen=True)
class Rows:
    """Rows of files, all in memory.

    Attributes:
        table: Their columns, under their own names and, where these are others, under the
            record's: ``country`` for what is called ``nation``. There is always an ``id``.
        unreadable: Why rows could not be read → how many.
    """

    table: pa.Table
    unreadable: dict[str, int]


def is_tabular(paths: Sequence[Path], config: ReadConfig) -> bool:
    """Whether the files have rows and none of them has a text.

    What cannot be opened, and formats of whole documents, are taken for documents: reading
    them says what is wrong.
    """
    if any(is_hub(path) or is_corpus(path) for path in paths):
        return False
    names: set[str] = set()
    for path in paths:
        try:
            seen = [piece for _, piece in islice(reader_for(path).read(path, config), _PEEK)]
        except (Unreadable, CorpusError, OSError):
            return False
        for piece in seen:
            names |= set(_names(piece))
    found = find_columns(sorted(names), {"meta": (), "metadata": ()}, config.columns)
    return bool(names) and not found["text"] and not ({"meta", "metadata"} & names)


def _names(piece: Piece) -> Sequence[str]:
    if isinstance(piece, pa.RecordBatch):
        return [str(name) for name in piece.schema.names]
    return list(piece) if isinstance(piece, dict) else []


def read_rows(paths: Sequence[Path], config: ReadConfig) -> Rows:
    """Read all rows of files into one table.

    A column is of numbers if all its values are, or are words for numbers without leading
    zeros (a ZIP code stays a word); else of strings. Empty cells of CSV are null; "NA" is
    a word, because it is Namibia's code.

    Raises:
        CorpusError: There is no row, or one cannot be read and ``strict`` is set.
    """
    tables: list[pa.Table] = []
    lost: dict[str, int] = {}
    for path in track(list(paths), "audit: read"):
        rows: list[dict[str, Any]] = []
        for piece in _pieces(path, config):
            if isinstance(piece, Unreadable):
                lost[piece.reason] = lost.get(piece.reason, 0) + piece.documents
            elif isinstance(piece, pa.RecordBatch):
                tables.append(pa.Table.from_batches([piece]))
            elif isinstance(piece, dict):
                rows.append(piece)
        if rows:
            tables.append(_of_rows(rows))
    if not sum(table.num_rows for table in tables):
        raise CorpusError(
            f"no row in {len(paths)} file(s)", where=", ".join(map(str, paths[:3])), cure="check the files"
        )
    table = _numbers(_joined(tables))
    return Rows(_named(table, config), lost)


def _pieces(path: Path, config: ReadConfig) -> Iterator[Piece]:
    try:
        for position, piece in reader_for(path).read(path, config):
            if isinstance(piece, Unreadable) and config.strict:
                raise CorpusError(
                    f"a row cannot be read: {piece.reason} {piece.detail}".rstrip(),
                    where=f"{path}, row {position}",
                    cure="mend it, or read without --strict",
                )
            if not isinstance(piece, Note):
                yield piece
    except Unreadable as broken:
        if config.strict:
            raise CorpusError(
                f"the file breaks off: {broken.reason} {broken.detail}".rstrip(),
                where=str(path),
                cure="mend it, or read without --strict",
            ) from broken
        yield broken


def _of_rows(rows: Sequence[dict[str, Any]]) -> pa.Table:
    names = list(dict.fromkeys(name for row in rows for name in row))
    return pa.table({name: _column([row.get(name) for row in rows]) for name in names})


def _column(values: Sequence[Any]) -> pa.Array:
    """Return values as numbers if all are, else as words; lists and objects are written as JSON."""
    known = [value for value in values if value is not None]
    if known and all(isinstance(value, bool | int | float) for value in known):
        return pa.array([None if value is None else float(value) for value in values], pa.float64())
    return pa.array([_word(value) for value in values], pa.string())


def _word(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value or None
    if isinstance(value, float) and math.isnan(value):
        return None
    if isinstance(value, list | dict):
        import json

        return json.dumps(value, ensure_ascii=False, default=str)
    return str(value)


def _joined(tables: Sequence[pa.Table]) -> pa.Table:
    """Return the tables one below the other; a column that differs in type becomes words."""
    try:
        return pa.concat_tables(tables, promote_options="permissive").combine_chunks()
    except (pa.ArrowInvalid, pa.ArrowTypeError):
        return pa.concat_tables(
            [_words(table) for table in tables], promote_options="default"
        ).combine_chunks()


def _words(table: pa.Table) -> pa.Table:
    return pa.table(
        {
            name: pa.array([_word(v) for v in table[name].to_pylist()], pa.string())
            for name in table.column_names
        }
    )


def _numbers(table: pa.Table) -> pa.Table:
    """Return the table with columns of words for numbers as numbers."""
    for place, name in enumerate(table.column_names):
        column = table[name]
        if not (pa.types.is_string(column.type) or pa.types.is_large_string(column.type)):
            continue
        words = pc.utf8_trim_whitespace(column)
        words = pc.if_else(pc.equal(words, ""), None, words)
        distinct = pc.unique(words).drop_null()
        if not len(distinct) or pc.any(pc.match_substring_regex(distinct, r"^[+-]?0\d")).as_py():
            continue
        if pc.all(pc.match_substring_regex(distinct, r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$")).as_py():
            table = table.set_column(place, name, pc.cast(words, pa.float64()))
    return table


def _named(table: pa.Table, config: ReadConfig) -> pa.Table:
    """Return the table with the record's names beside its own, and an id for each row."""
    found = find_columns(table.column_names, {}, config.columns)
    for field in BASE_SCHEMA.names:
        places = [place for place in found.get(field, ()) if not place.inside]
        if not places or field in table.column_names:
            continue
        table = table.append_column(field, table[places[0].column])
    rows = pa.array([f"row {number + 1}" for number in range(table.num_rows)])
    if "id" not in table.column_names:
        return table.append_column("id", rows)
    ids = pc.coalesce(table["id"].cast(pa.string()), rows)
    if pc.count_distinct(ids).as_py() < table.num_rows:
        ids = rows  # an id that names several rows (one for each year, say) is none
    return table.set_column(table.column_names.index("id"), "id", ids)
