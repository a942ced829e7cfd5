"""Parquet, in batches of rows that stay small whatever the row groups are."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from hinterland.curate.readers.base import READERS, Piece, ReadConfig, Unreadable
from hinterland.curate.readers.stream import open_file

__all__ = ["ParquetReader"]

#: Few, because a dictionary of large values can make any number of rows out of few bytes.
_ROWS = 128


class ParquetReader:
    """Reads ``.parquet``."""

    effort = 2

    def read(self, path: Path, config: ReadConfig) -> Iterator[tuple[int, Piece]]:  # noqa: ARG002
        """See `Reader.read`; the position is the row."""
        position = 1
        open_file(path).close()
        try:
            with (
                pa.OSFile(os.fsencode(path)) as source,  # the name need not be UTF-8
                pq.ParquetFile(source, buffer_size=1 << 20, pre_buffer=False) as file,
            ):
                for batch in file.iter_batches(_ROWS, use_threads=False):
                    yield position, batch
                    position += batch.num_rows
        except (pa.ArrowException, OSError, ValueError) as error:
            raise Unreadable("broken_file", str(error), position=position) from error

    def count(self, path: Path) -> int:
        """See `Reader.count`."""
        return int(pq.read_metadata(path).num_rows)


for _suffix in ("parquet", "pq"):
    READERS.register(_suffix)(ParquetReader())
