"""A corpus on disk: a folder of Parquet shards and one ``manifest.json``.

Any tool that reads Parquet opens it as it is. The manifest lists every shard with its
rows and SHA-256, so that a damaged or missing shard is named instead of read as whole.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from hinterland.core.errors import CorpusError, StorageError
from hinterland.core.files import atomic_dir, hash_file, read_json, write_json
from hinterland.core.parquet import parquet_errors
from hinterland.core.record import BASE_SCHEMA, empty_column
from hinterland.core.shard import Shard, write_shard

__all__ = ["MANIFEST", "Corpus", "Shard", "conform", "publish_corpus", "write_corpus", "write_shard"]

MANIFEST = "manifest.json"
_FORMAT = 1


def publish_corpus(
    path: Path, shards: Sequence[Shard], *, manifest: Mapping[str, Any] | None = None
) -> Corpus:
    """Make a corpus of Parquet files that are there, without reading their rows.

    The files are linked where the file system allows it, else copied; they are renamed to
    ``part-00000.parquet`` and so on, in the order given. That ids are unique over all of
    them is the caller's care.

    Args:
        path: The folder; a corpus that is there is replaced.
        shards: At least one, all with the same columns, those of the record schema first.
        manifest: Further keys for the manifest (counts, parents, config).

    Raises:
        CorpusError: There is no shard, their columns differ or are not a corpus', or the
            folder holds something other than a corpus.
        StorageError: The disk is full or not writable.
    """
    if not shards:
        raise CorpusError("a corpus needs a shard", where=str(path), cure="write an empty one")
    schema = _checked_schema(shards)
    _check_replaceable(path)
    entries = []
    with atomic_dir(path) as temporary:
        for number, shard in enumerate(shards):
            name = f"part-{number:05d}.parquet"
            _link(shard.path, temporary / name)
            entries.append({"file": name, "rows": shard.rows, "sha256": shard.sha256})
        write_json(
            temporary / MANIFEST, _manifest(schema, sum(each.rows for each in shards), entries, manifest)
        )
    return Corpus.open(path)


def _checked_schema(shards: Sequence[Shard]) -> pa.Schema:
    """Return the schema of all shards.

    Raises:
        CorpusError: They differ, or it does not start with the record schema.
    """
    first: pa.Schema = pq.read_schema(shards[0].path).remove_metadata()
    for shard in shards[1:]:
        if not pq.read_schema(shard.path).remove_metadata().equals(first):
            raise CorpusError("shards differ in their columns", where=str(shard.path), cure="write them anew")
    base = [(field.name, field.type) for field in BASE_SCHEMA]
    if [(field.name, field.type) for field in first][: len(base)] != base:
        raise CorpusError(
            "the columns do not start with those of a corpus",
            where=str(shards[0].path),
            cure="use conform first",
        )
    return first


def _link(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except OSError:  # another file system, or one without links
        shutil.copyfile(source, target)


def _manifest(
    schema: pa.Schema, documents: int, shards: list[dict[str, Any]], further: Mapping[str, Any] | None
) -> dict[str, Any]:
    return {
        "kind": "corpus",
        "format": _FORMAT,
        "documents": documents,
        "columns": {field.name: str(field.type) for field in schema},
        **(further or {}),
        "shards": shards,
    }


def conform(table: pa.Table) -> pa.Table:
    """Return ``table`` with the base columns first, in order; missing ones become null.

    Raises:
        CorpusError: ``id`` or ``text`` is missing or null, an id occurs twice, or a
            column has a type that does not cast to the schema's.
    """
    columns: list[pa.ChunkedArray | pa.Array] = []
    for field in BASE_SCHEMA:
        if field.name not in table.column_names:
            if not field.nullable:
                raise CorpusError(f"no column {field.name!r}", cure="every record needs an id and a text")
            columns.append(empty_column(field, table.num_rows))
            continue
        column = table[field.name]
        if not field.nullable and column.null_count:
            raise CorpusError(
                f"{column.null_count} nulls in column {field.name!r}", cure="leave such records out"
            )
        try:
            columns.append(column.cast(field.type))
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
            raise CorpusError(
                f"column {field.name!r} is {column.type}, not {field.type}", cure="convert it first"
            ) from error
    extra = [name for name in table.column_names if name not in BASE_SCHEMA.names]
    schema = pa.schema([*BASE_SCHEMA, *(table.schema.field(name) for name in extra)])
    result = pa.Table.from_arrays([*columns, *(table[name] for name in extra)], schema=schema)
    unique = result["id"].combine_chunks().unique()
    if len(unique) != result.num_rows:
        raise CorpusError(
            f"{result.num_rows - len(unique)} ids occur more than once", cure="give each record its own id"
        )
    return result


def write_corpus(
    path: Path, table: pa.Table, *, rows_per_shard: int = 50_000, manifest: Mapping[str, Any] | None = None
) -> Corpus:
    """Write ``table`` as a corpus at ``path``, whole or not at all.

    Args:
        path: The folder; a corpus that is there is replaced.
        table: Rows with at least ``id`` and ``text``.
        rows_per_shard: Rows in a Parquet file.
        manifest: Further keys for the manifest (counts, parents, config).

    Raises:
        CorpusError: The table does not fit the record schema, or the folder holds something
            other than a corpus, which replacing it would delete.
        StorageError: The disk is full or not writable.
    """
    table = conform(table)
    _check_replaceable(path)
    with atomic_dir(path) as temporary:
        shards = []
        for number, start in enumerate(range(0, max(table.num_rows, 1), rows_per_shard)):
            name = f"part-{number:05d}.parquet"
            part = table.slice(start, rows_per_shard)
            pq.write_table(part, temporary / name, compression="zstd")
            shards.append({"file": name, "rows": part.num_rows, "sha256": hash_file(temporary / name)})
        write_json(temporary / MANIFEST, _manifest(table.schema, table.num_rows, shards, manifest))
    return Corpus.open(path)


def _check_replaceable(path: Path) -> None:
    """Raise `CorpusError` if there are files at ``path`` that are not a corpus."""
    if path.is_dir() and any(not file.name.startswith(".") for file in path.iterdir()):
        try:
            Corpus.open(path)
        except (CorpusError, StorageError) as error:
            raise CorpusError(
                "the folder has files in it that are not a corpus",
                where=str(path),
                cure="give another folder",
            ) from error


@dataclass(frozen=True)
class Corpus:
    """An opened corpus. Nothing is read until it is asked for."""

    path: Path
    manifest: dict[str, Any]

    @classmethod
    def open(cls, path: Path) -> Corpus:
        """Open the corpus at ``path``.

        Raises:
            CorpusError: There is no manifest, it is not a corpus, or its format is newer.
        """
        if not (path / MANIFEST).is_file():
            raise CorpusError(
                "no corpus here: manifest.json is missing", where=str(path), cure="give a corpus folder"
            )
        manifest = read_json(path / MANIFEST)
        if not isinstance(manifest, dict) or manifest.get("kind") != "corpus" or "shards" not in manifest:
            raise CorpusError(
                "manifest.json is not a corpus manifest", where=str(path), cure="give a corpus folder"
            )
        shards = manifest["shards"]
        if not isinstance(shards, list) or not all(
            isinstance(shard, dict) and {"file", "sha256"} <= shard.keys() for shard in shards
        ):
            raise CorpusError(
                "manifest.json lists no usable shards", where=str(path), cure="write the corpus again"
            )
        if manifest.get("format", 0) > _FORMAT:
            raise CorpusError(
                f"the corpus has format {manifest['format']}, this version reads up to {_FORMAT}",
                where=str(path),
                cure="upgrade hinterland",
            )
        return cls(path, manifest)

    def __len__(self) -> int:
        return int(self.manifest["documents"])

    @property
    def fingerprint(self) -> str:
        """A hash over the shards' hashes: equal for equal content."""
        digests = "\n".join(str(shard["sha256"]) for shard in self.manifest["shards"])
        return hashlib.sha256(digests.encode()).hexdigest()[:24]

    def shards(self, *, verify: bool = True) -> Iterator[tuple[Path, dict[str, Any]]]:
        """Yield each shard's path and manifest entry.

        Raises:
            CorpusError: A shard is missing or its content is not what was written.
        """
        for shard in self.manifest["shards"]:
            path = self.path / shard["file"]
            if not path.is_file():
                raise CorpusError("a shard is missing", where=str(path), cure="write the corpus again")
            if verify and hash_file(path) != shard["sha256"]:
                raise CorpusError(
                    "a shard is corrupt: its SHA-256 differs from the manifest's",
                    where=str(path),
                    cure="restore the file or write the corpus again",
                )
            yield path, shard

    def read(self, columns: Iterable[str] | None = None) -> pa.Table:
        """Return all rows as one table.

        Args:
            columns: The columns to read; all when ``None``.

        Raises:
            CorpusError: A shard is missing, corrupt, or lacks a column.
        """
        wanted = list(columns) if columns is not None else None
        tables = []
        for path, _ in self.shards():
            with parquet_errors(path, cure="write it again"):
                missing = set(wanted or ()) - set(pq.read_schema(path).names)
                if missing:
                    raise CorpusError(
                        f"no column {', '.join(sorted(missing))}",
                        where=str(path),
                        cure="score the corpus first",
                    )
                tables.append(pq.read_table(path, columns=wanted))
        try:
            return pa.concat_tables(tables).combine_chunks()
        except (pa.ArrowInvalid, pa.ArrowTypeError):
            return _joined(tables, str(self.path))


def _joined(tables: Sequence[pa.Table], where: str) -> pa.Table:
    """Return tables one below the other, where writers chose different types for the same values.

    Raises:
        CorpusError: A column holds values of different kinds.
    """
    plain = []
    for table in tables:
        fields = [
            field.with_type(field.type.value_type) if pa.types.is_dictionary(field.type) else field
            for field in table.schema
        ]
        plain.append(table.cast(pa.schema([each.with_nullable(True) for each in fields])))
    try:
        return pa.concat_tables(plain, promote_options="permissive").combine_chunks()
    except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
        raise CorpusError(
            f"shards differ in the types of their columns: {' '.join(str(error).split())}",
            where=where,
            cure="write the corpus again",
        ) from error
