"""One shard of a corpus: a Parquet file, its rows, and the hash by which it is known."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from hinterland.core.files import hash_file, storage_errors
from hinterland.core.parquet import parquet_errors

__all__ = ["Shard", "write_shard"]

#: Columns whose values hardly repeat: a dictionary of them only costs time.
_UNIQUE = ("id", "text", "url", "meta")


@dataclass(frozen=True, slots=True)
class Shard:
    """One Parquet file of a corpus that is being put together.

    Attributes:
        path: The file.
        rows: Rows in it.
        sha256: Of its bytes, as hex.
    """

    path: Path
    rows: int
    sha256: str

    @classmethod
    def measure(cls, path: Path) -> Shard:
        """Count and hash a Parquet file that is there.

        Raises:
            CorpusError: It is missing or not Parquet.
        """
        with parquet_errors(path, cure="write it again"):
            return cls(path, int(pq.read_metadata(path).num_rows), hash_file(path))


def write_shard(path: Path, table: pa.Table) -> Shard:
    """Write a table as one Parquet file, quickly packed (zstd, level 1); the file is not made atomically."""
    repeating = [
        field.name for field in table.schema if pa.types.is_string(field.type) and field.name not in _UNIQUE
    ]
    with storage_errors(path):
        pq.write_table(table, path, compression="zstd", compression_level=1, use_dictionary=repeating)
    return Shard(path, table.num_rows, hash_file(path))
