"""One part of a reading: some files, read into shards, a ledger and counts, in one folder."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from hinterland.core.corpus import Shard, write_shard
from hinterland.core.errors import CorpusError
from hinterland.core.files import write_json
from hinterland.curate.ledger import Reject
from hinterland.curate.readers import ReadConfig, Unreadable, reader_for
from hinterland.curate.readers.base import Note, Piece
from hinterland.curate.record import ArrowSource, Records, RowSource, to_records

__all__ = ["COUNTS", "IDS", "LEDGER", "WHERE", "PartWriter", "hash_ids", "read_part"]

COUNTS, IDS, LEDGER, WHERE = "part.json", "ids.npy", "rejects.jsonl", "where.npy"
_BATCH_ROWS, _BATCH_CHARACTERS = 1000, 4_000_000


def read_part(paths: tuple[Path, ...], folder: Path, *, config: ReadConfig) -> None:
    """Read files, one after the other, into ``folder``.

    It holds the shards, ``rejects.jsonl``, ``ids.npy`` (16 bytes of each id's hash),
    ``where.npy`` (each document's file and position) and ``part.json`` (counts, shards).
    The bytes depend on the files and the config alone.

    Raises:
        CorpusError: ``strict`` is set and something cannot be read, or documents went missing.
        MissingDependencyError: The package that reads this format is not installed.
    """
    with PartWriter(folder, config) as writer:
        for number, path in enumerate(paths):
            writer.file = number
            before = writer.seen
            try:
                for start, piece in _batched(reader_for(path).read(path, config)):
                    if isinstance(start, int):
                        writer.add_table(path, start, piece)
                    else:
                        writer.add_rows(path, start, piece)
            except Unreadable as problem:
                writer.lose(path, problem.position, problem)
            if writer.seen == before:
                writer.note(Reject(str(path), 0, "empty_file", documents=0))


#: The rows of a batch with their positions, or one batch of a table with its first.
_Batch = tuple[list[int], list[Piece]] | tuple[int, pa.RecordBatch]


def _batched(pieces: Iterator[tuple[int, Piece]]) -> Iterator[_Batch]:
    """Group rows, so that columns can be made of many; what was whole before a break comes first."""
    positions: list[int] = []
    rows: list[Piece] = []
    characters = 0
    broken: Unreadable | None = None
    while True:
        try:
            position, piece = next(pieces)
        except StopIteration:
            break
        except Unreadable as problem:
            broken = problem
            break
        if isinstance(piece, pa.RecordBatch):
            yield position, piece
            continue
        positions.append(position)
        rows.append(piece)
        if isinstance(piece, dict):
            characters += sum([len(value) for value in piece.values() if type(value) is str])
        if len(rows) >= _BATCH_ROWS or characters >= _BATCH_CHARACTERS:
            yield positions, rows
            positions, rows, characters = [], [], 0
    if rows:
        yield positions, rows
    if broken is not None:
        raise broken


@dataclass
class _Buffer:
    tables: list[pa.Table]
    size: int = 0


class PartWriter:
    """Writes records into shards of even size, and counts all that is seen; a context manager.

    Args:
        folder: Where to; it is made.
        config: Shard size, columns, strictness.

    Raises:
        CorpusError: On leaving: not everything seen was read or rejected.
    """

    def __init__(self, folder: Path, config: ReadConfig) -> None:
        folder.mkdir()
        self._folder, self._config = folder, config
        self._ledger = (folder / LEDGER).open("w", encoding="ascii", newline="\n")
        self._buffer = _Buffer([])
        self._shards: list[Shard] = []
        self._hashes: list[bytes] = []
        self._places: list[NDArray[np.int64]] = []
        self._reasons: Counter[str] = Counter()
        self.file = 0
        self.seen = self.read = self.rejected = self.text_bytes = 0

    def __enter__(self) -> PartWriter:
        return self

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        self._ledger.close()
        if kind is None:
            self._finish()

    def add_table(self, path: Path, start: int, batch: pa.RecordBatch) -> None:
        """Write the rows of a record batch, the first of which is at ``start``."""
        rows = int(batch.num_rows)
        self.seen += rows
        self._enter(path, to_records(ArrowSource(batch), self._config), range(start, start + rows), [])

    def add_rows(self, path: Path, positions: list[int], batch: list[Piece]) -> None:
        """Write rows at these positions; what cannot be read goes into the ledger."""
        pairs = list(zip(positions, batch, strict=True))
        rows = [row for row in batch if isinstance(row, dict)]
        self.seen += sum(not isinstance(row, Note) for row in batch)
        others = [
            self._entry(path, position, row) for position, row in pairs if isinstance(row, Unreadable | Note)
        ]
        where = [position for position, row in pairs if isinstance(row, dict)]
        self._enter(path, to_records(RowSource(rows), self._config) if rows else None, where, others)

    def _enter(
        self,
        path: Path,
        records: Records | None,
        where: list[int] | range,
        others: list[Reject],
    ) -> None:
        found = list(others)
        if records is not None:
            found += [
                Reject(str(path), where[row], reason, detail, kept=kept, documents=int(not kept))
                for row, reason, detail, kept in records.entries
            ]
        for each in sorted(found, key=lambda each: each.position):
            self.note(each)
        if records is not None:
            lost = {row for row, _, _, kept in records.entries if not kept}
            self.write(records.table, [each for row, each in enumerate(where) if row not in lost])

    @staticmethod
    def _entry(path: Path, position: int, row: Unreadable | Note) -> Reject:
        kept = isinstance(row, Note)
        return Reject(str(path), position, row.reason, row.detail, kept=kept, documents=int(not kept))

    def lose(self, path: Path, position: int, problem: Unreadable) -> None:
        """Enter what cannot be read from a position on."""
        self.seen += problem.documents
        self.note(replace(self._entry(path, position, problem), documents=problem.documents))

    def note(self, reject: Reject) -> None:
        """Enter a reject in the ledger.

        Raises:
            CorpusError: ``strict`` is set, and a document is lost.
        """
        if self._config.strict and reject.documents:
            place = f"{reject.file}, position {reject.position}" if reject.position else reject.file
            raise CorpusError(
                f"cannot be read: {reject.reason}{f' ({reject.detail})' if reject.detail else ''}",
                where=place,
                cure="correct it, or read without strict: it is then listed and passed over",
            )
        self._reasons[reject.reason] += 1
        self.rejected += reject.documents
        self._ledger.write(reject.line())

    def write(self, table: pa.Table, where: Sequence[int]) -> None:
        """Write records from these positions; a shard ends with the row that fills it."""
        if not table.num_rows:
            return
        places = np.empty((table.num_rows, 2), np.int64)
        places[:, 0], places[:, 1] = self.file, where
        self._places.append(places)
        self.read += table.num_rows
        self._hashes.append(hash_ids(table["id"]))
        ends = np.cumsum(pc.binary_length(table["text"]).to_numpy().astype(np.int64))
        self.text_bytes += int(ends[-1])
        start = 0
        while start < table.num_rows:
            done = int(ends[start - 1]) if start else 0
            room = self._config.shard_bytes - self._buffer.size
            stop = min(int(np.searchsorted(ends, done + room)) + 1, table.num_rows)
            self._buffer.tables.append(table.slice(start, stop - start))
            self._buffer.size += int(ends[stop - 1]) - done
            if self._buffer.size >= self._config.shard_bytes:
                self._flush()
            start = stop

    def _flush(self) -> None:
        if self._buffer.tables:
            name = f"shard-{len(self._shards):05d}.parquet"
            table = pa.concat_tables(self._buffer.tables).combine_chunks()
            self._shards.append(write_shard(self._folder / name, table))
            self._buffer = _Buffer([])

    def _finish(self) -> None:
        """Write what is left, and the counts.

        Raises:
            CorpusError: Not everything seen was read or rejected.
        """
        self._flush()
        if self.seen != self.read + self.rejected:
            raise CorpusError(
                f"documents went missing: {self.seen} seen, {self.read} read, {self.rejected} rejected",
                where=str(self._folder),
                cure="report this as a bug",
            )
        np.save(self._folder / IDS, np.frombuffer(b"".join(self._hashes), np.uint64).reshape(-1, 2))
        np.save(self._folder / WHERE, np.concatenate([np.empty((0, 2), np.int64), *self._places]))
        content: dict[str, Any] = {
            "counts": {"in": self.seen, "read": self.read, "rejected": self.rejected},
            "reasons": dict(sorted(self._reasons.items())),
            "text_bytes": self.text_bytes,
            "shards": [
                {"file": each.path.name, "rows": each.rows, "sha256": each.sha256} for each in self._shards
            ],
        }
        write_json(self._folder / COUNTS, content)


def hash_ids(ids: pa.ChunkedArray | pa.Array) -> bytes:
    """Return 16 bytes for each id; equal ids have equal bytes, others practically never."""
    return b"".join(hashlib.blake2b(each.encode(), digest_size=16).digest() for each in ids.to_pylist())
