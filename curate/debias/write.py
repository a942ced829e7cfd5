"""Write a debiased corpus, one shard at a time, the text never in memory as a whole."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from hinterland.core.corpus import Corpus, conform, publish_corpus, write_shard
from hinterland.core.errors import CorpusError
from hinterland.core.parquet import parquet_errors
from hinterland.core.progress import track
from hinterland.core.record import BASE_SCHEMA, DECISION_FIELDS
from hinterland.curate.audit.corpus import DEBIAS, PLACE_COLUMNS
from hinterland.curate.debias.result import Outcome

__all__ = ["with_columns", "write_debiased"]

Bools = NDArray[np.bool_]
_FIELDS = {field.name: field for field in [*BASE_SCHEMA, *DECISION_FIELDS]}


def write_debiased(
    out: Path,
    corpus: Corpus,
    kept: Bools,
    result: Outcome,
    *,
    manifest: Mapping[str, Any],
    places: Sequence[Path] = (),
) -> Corpus:
    """Write the corpus with its new ``keep`` and ``weight``; ``debias`` says what changed for a document.

    Reasons stay, so that a document that came back still shows what it failed; one that
    goes has ``debias.<method>`` beside them.

    Args:
        out: The corpus' folder; a corpus that is there is replaced.
        corpus: What was debiased.
        kept: Which documents it keeps, shape (documents,).
        result: The new decision.
        manifest: Further keys for the manifest.
        places: Where documents are from, a file for each shard, in the place of its own columns.

    Raises:
        CorpusError: A shard is damaged.
        StorageError: The folder cannot be written.
    """
    work = out / ".shards"
    work.mkdir(parents=True, exist_ok=True)
    try:
        shards, start = [], 0
        for number, (path, _) in enumerate(track(list(corpus.shards()), "debias: write")):
            with parquet_errors(path, cure="write the corpus again"):
                table = conform(pq.read_table(path))
                if places:
                    found = pq.read_table(places[number])
                    table = with_columns(table, {name: found[name] for name in PLACE_COLUMNS})
            rows = slice(start, start + table.num_rows)
            start = rows.stop
            shards.append(
                write_shard(
                    work / f"{number:05d}.parquet",
                    _decided(table, kept[rows], result, rows),
                )
            )
        if start != len(kept):
            raise CorpusError(
                f"{start} documents where {len(kept)} were read", where=str(corpus.path), cure="run again"
            )
        return publish_corpus(out, shards, manifest=manifest)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _decided(table: pa.Table, kept: Bools, result: Outcome, rows: slice) -> pa.Table:
    """Return a shard with the new decision."""
    before, keep = result.before[rows], result.keep[rows]
    change = np.where(keep & ~before, 1, np.where(before & ~keep, 2, 0))
    words = pa.array([None, "readmitted", "removed"], pa.string())
    columns = {
        "keep": pa.array(keep),
        "reasons": _reasons(table, kept & ~keep, f"{DEBIAS}.{result.method}"),
        "weight": pa.array(result.weight[rows]),
        DEBIAS: words.take(pa.array(change)),
    }
    return with_columns(table, columns)


def with_columns(table: pa.Table, columns: Mapping[str, pa.Array | pa.ChunkedArray]) -> pa.Table:
    """Return a table with columns put in the place of those of their names, or at the end."""
    for name, values in columns.items():
        field = _FIELDS.get(name, pa.field(name, values.type))
        if name in table.column_names:
            table = table.set_column(table.column_names.index(name), field, values.cast(field.type))
        else:
            table = table.append_column(field, values)
    return table


def _reasons(table: pa.Table, removed: Bools, reason: str) -> pa.Array:
    """Return the lists of reasons, with one more for what is removed; null is an empty list."""
    if "reasons" in table.column_names:
        lists = table["reasons"].combine_chunks().cast(pa.list_(pa.string()))
        lengths = np.asarray(pc.fill_null(pc.list_value_length(lists), 0).to_numpy(zero_copy_only=False))
        flat = pc.list_flatten(lists)
    else:
        lengths, flat = np.zeros(table.num_rows, dtype=np.int64), pa.array([], pa.string())
    ends = np.cumsum(lengths + removed)
    added = np.zeros(int(ends[-1]) if len(ends) else 0, dtype=bool)
    added[ends[removed] - 1] = True
    take = np.full(len(added), len(flat), dtype=np.int64)
    take[~added] = np.arange(len(flat))
    values = pa.concat_arrays([flat, pa.array([reason], pa.string())]).take(pa.array(take))
    return pa.ListArray.from_arrays(pa.array(np.append(0, ends), pa.int32()), values)
