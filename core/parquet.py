"""Parquet files: their errors as the kit's own, and their rows in batches of even size in memory."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import groupby
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from hinterland.core.errors import CorpusError

__all__ = ["parquet_errors", "row_batches"]

#: Bytes of rows in a batch, by the mean of their row group, and the most rows.
_BATCH_BYTES, _MOST_ROWS = 16_000_000, 8192
#: Most bytes of a batch in which every value is the largest in its column's dictionary.
_WORST_BYTES = 640_000_000
_BUFFER = 1 << 20


@contextmanager
def parquet_errors(path: Path, *, cure: str) -> Iterator[None]:
    """Turn what reading a Parquet file raises into a `CorpusError`.

    Args:
        path: The file, to be named.
        cure: What to do about it.

    Raises:
        CorpusError: The file is missing, damaged, or not Parquet.
    """
    try:
        yield
    except (pa.ArrowException, OSError) as error:
        raise CorpusError(
            f"a shard cannot be read: {' '.join(str(error).split())}", where=str(path), cure=cure
        ) from error


def row_batches(path: Path, columns: Sequence[str] | None = None) -> Iterator[pa.RecordBatch]:
    """Yield a file's rows in order, in batches of 8 to 16 MB, of 8192 rows at most and 1 at least.

    How many rows that is follows from the mean row of each row group. A dictionary can
    make many large values out of few bytes, so that its largest value bounds the rows too: a
    column has at most 640 MB in a batch, even if the value stands in each row.

    Args:
        path: The file; its name need not be UTF-8.
        columns: The columns to read; all when ``None``.

    Raises:
        ArrowException: It is damaged; see `parquet_errors`.
        OSError: It cannot be read.
    """
    with (
        pa.OSFile(os.fsencode(path)) as source,
        pq.ParquetFile(source, buffer_size=_BUFFER, pre_buffer=False) as file,
    ):
        groups = range(file.metadata.num_row_groups)
        sized = [_rows(file.metadata, group, source, columns) for group in groups]
        for rows, run in groupby(groups, key=sized.__getitem__):
            yield from file.iter_batches(rows, row_groups=list(run), columns=columns, use_threads=False)


def _rows(metadata: Any, number: int, source: pa.NativeFile, columns: Sequence[str] | None) -> int:
    """Return how many rows of a row group make a batch, a power of two."""
    group = metadata.row_group(number)
    size, most, count = 0, _MOST_ROWS, max(int(group.num_rows), 1)
    for place in range(group.num_columns):
        column = group.column(place)
        if columns is not None and column.path_in_schema.split(".")[0] not in columns:
            continue
        bound = max(int(column.total_uncompressed_size), 0)
        size += bound
        values = max(int(column.num_values) // count, 1)  # in a row; more than one in lists
        risky = column.has_dictionary_page and column.physical_type == "BYTE_ARRAY"
        if risky and bound * values * most > _WORST_BYTES:
            largest = min(bound, _largest(metadata, number, column.path_in_schema, source) or bound)
            most = min(most, _WORST_BYTES // (largest * values))
    rows = max(min(_BATCH_BYTES * count // max(size, 1), most), 1)
    return 1 << rows.bit_length() - 1


def _largest(metadata: Any, group: int, column: str, source: pa.NativeFile) -> int | None:
    """Return the bytes of the largest value in a column's dictionary; None if it cannot be looked at.

    One value is read as an index into the dictionary, which brings the dictionary with it.
    """
    try:
        file = pq.ParquetFile(
            source, metadata=metadata, read_dictionary=[column], buffer_size=_BUFFER, pre_buffer=False
        )
        batch = next(file.iter_batches(1, row_groups=[group], columns=[column], use_threads=False))
        sizes = [pc.max(pc.binary_length(_leaf(each).dictionary)).as_py() for each in batch.columns]
        return max(size or 1 for size in sizes)
    except (pa.ArrowException, StopIteration, AttributeError, ValueError):
        return None


def _leaf(array: Any) -> Any:
    """Return the innermost values of lists and of structs of one field."""
    while pa.types.is_nested(array.type):
        array = array.field(0) if pa.types.is_struct(array.type) else array.values
    return array
