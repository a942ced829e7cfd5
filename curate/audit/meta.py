"""A file's own columns, which reading keeps as JSON in ``meta``, as columns again."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from hinterland.core.corpus import Corpus
from hinterland.core.parquet import parquet_errors, row_batches

if TYPE_CHECKING:
    from hinterland.curate.audit.settings import AuditSettings

__all__ = ["META", "add_meta", "meta_columns", "names_wanted", "with_meta"]

META = "meta"
_NAME = re.compile(r"[A-Za-z_][\w.@]*")


def meta_columns(cells: Iterable[str | None], names: Sequence[str]) -> dict[str, pa.Array]:
    """Return some keys of JSON objects as columns; those that no object has are left out.

    A column is of numbers if all its values are numbers, true or false, else of words.

    Args:
        cells: JSON objects, or null; what is no object has no key.
        names: The keys.
    """
    values: dict[str, list[Any]] = {name: [] for name in names}
    for cell in cells:
        held = _parsed(cell)
        for name, column in values.items():
            column.append(held.get(name))
    return {
        name: _array(column) for name, column in values.items() if any(value is not None for value in column)
    }


def _parsed(cell: str | None) -> Mapping[str, Any]:
    if not cell:
        return {}
    try:
        held = json.loads(cell)
    except ValueError:
        return {}
    return held if isinstance(held, dict) else {}


def _array(values: Sequence[Any]) -> pa.Array:
    known = [value for value in values if value is not None]
    if all(isinstance(value, bool | int | float) for value in known):
        return pa.array([None if value is None else float(value) for value in values], pa.float64())
    return pa.array(
        [value if value is None or isinstance(value, str) else json.dumps(value) for value in values],
        pa.string(),
    )


def names_wanted(settings: AuditSettings, there: Iterable[str]) -> list[str]:
    """Return the columns that the settings name, or may name, and that are not there.

    Expressions of regressions are searched for words; what is a function or a derived
    column is looked for in vain and does no harm.
    """
    named = [*settings.groups, *settings.measures, *([settings.clusters] if settings.clusters else [])]
    if settings.regression is not None:
        named += _NAME.findall(json.dumps(settings.regression.model_dump(mode="json")))
    from hinterland.curate.audit.settings import AUTO  # which itself needs the filters, and so this file

    known = {*there, AUTO}
    return [name for name in dict.fromkeys(named) if name not in known]


def with_meta(batch: pa.RecordBatch, names: Sequence[str]) -> pa.RecordBatch:
    """Return a batch with keys of its column ``meta`` as columns, null where no document has one."""
    found = meta_columns(batch.column(META).to_pylist(), names)
    for name in names:
        column = found.get(name, pa.nulls(batch.num_rows, pa.float64()))
        batch = batch.append_column(name, column)
    return batch


def add_meta(table: pa.Table, corpus: Corpus, names: Sequence[str]) -> pa.Table:
    """Return the table of a corpus' documents with keys of their ``meta`` as further columns.

    Args:
        table: One row for each document, in the corpus' order.
        corpus: The corpus.
        names: The keys; those that no document has are left out.

    Raises:
        CorpusError: A shard is damaged.
    """
    if not names:
        return table

    def cells() -> Iterable[str | None]:
        for path, _ in corpus.shards(verify=False):
            with parquet_errors(path, cure="write it again"):
                for batch in row_batches(path, columns=[META]):
                    yield from batch.column(0).to_pylist()

    for name, column in meta_columns(cells(), names).items():
        table = table.append_column(name, column)
    return table
