"""Arrow and Feather files and streams; a data set saved by ``save_to_disk`` consists of them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa

from hinterland.curate.readers.base import READERS, Piece, ReadConfig, Unreadable
from hinterland.curate.readers.stream import open_file

__all__ = ["ArrowReader"]

_ROWS = 1024


class ArrowReader:
    """Reads ``.arrow``, ``.feather`` and ``.ipc``."""

    effort = 2

    def read(self, path: Path, config: ReadConfig) -> Iterator[tuple[int, Piece]]:  # noqa: ARG002
        """See `Reader.read`; the position is the row."""
        position = 1
        try:
            for batch in _batches(path):
                for column in batch.columns:  # offsets outside of the buffers would crash
                    text = pa.types.is_string(column.type) or pa.types.is_large_string(column.type)
                    (column.cast(pa.large_binary()) if text else column).validate(full=True)
                for start in range(0, batch.num_rows, _ROWS):
                    piece = batch.slice(start, _ROWS)
                    yield position, piece
                    position += piece.num_rows
        except (pa.ArrowException, OSError, ValueError) as error:
            raise Unreadable("broken_file", str(error), position=position) from error

    def count(self, path: Path) -> int:
        """See `Reader.count`."""
        return sum(batch.num_rows for batch in _batches(path))


def _batches(path: Path) -> Iterator[pa.RecordBatch]:
    with open_file(path) as handle:
        is_file = handle.read(6) == b"ARROW1"
    with pa.memory_map(os.fsencode(path)) as source:
        if is_file:
            with pa.ipc.open_file(source) as file:
                for number in range(file.num_record_batches):
                    yield file.get_batch(number)
        else:
            with pa.ipc.open_stream(source) as stream:
                yield from stream


for _suffix in ("arrow", "feather", "ipc"):
    READERS.register(_suffix)(ArrowReader())
