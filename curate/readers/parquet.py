"""Parquet, in batches of rows that stay small whatever the row groups are."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from hinterland.core.parquet import row_batches
from hinterland.curate.readers.base import READERS, Piece, ReadConfig, Unreadable
from hinterland.curate.readers.stream import open_file

__all__ = ["ParquetReader"]


class ParquetReader:
    """Reads ``.parquet``."""

    effort = 2

    def read(self, path: Path, config: ReadConfig) -> Iterator[tuple[int, Piece]]:  # noqa: ARG002
        """See `Reader.read`; the position is the row."""
        position = 1
        open_file(path).close()
        try:
            for batch in row_batches(path):
                yield position, batch
                position += batch.num_rows
        except (pa.ArrowException, OSError, ValueError) as error:
            raise Unreadable("broken_file", str(error), position=position) from error

    def count(self, path: Path) -> int:
        """See `Reader.count`."""
        return int(pq.read_metadata(path).num_rows)


for _suffix in ("parquet", "pq"):
    READERS.register(_suffix)(ParquetReader())
