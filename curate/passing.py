"""A corpus of the kit as input: its shards are passed on, checked against their hashes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from hinterland.core.corpus import Corpus
from hinterland.core.errors import CorpusError
from hinterland.core.files import hash_file
from hinterland.core.parquet import parquet_errors, row_batches
from hinterland.curate.part import PartWriter
from hinterland.curate.readers import ReadConfig

__all__ = ["CorpusShard", "pass_shard", "passes", "shards_of"]


@dataclass(frozen=True, slots=True)
class CorpusShard:
    """A shard of a corpus that is read.

    Attributes:
        path: The file.
        sha256: What its manifest says of it.
    """

    path: Path
    sha256: str


def shards_of(corpus: Corpus) -> list[CorpusShard]:
    """Return a corpus' shards.

    Raises:
        CorpusError: One is missing.
    """
    return [CorpusShard(path, entry["sha256"]) for path, entry in corpus.shards(verify=False)]


def passes(corpora: Sequence[Path]) -> bool:
    """Whether corpora have the same columns, so that scores can stay beside the texts."""
    kinds = [Corpus.open(path).manifest.get("columns") for path in corpora]
    return all(kind is not None and kind == kinds[0] for kind in kinds)


def pass_shard(shard: CorpusShard, folder: Path, *, config: ReadConfig, keep: bool) -> None:
    """Write a shard's documents into a part's folder.

    Args:
        shard: The shard.
        folder: Where to; it is made.
        config: The size of shards.
        keep: Leave further columns where they are; else they go into ``meta``, as a file's do.

    Raises:
        CorpusError: It is corrupt.
    """
    if hash_file(shard.path) != shard.sha256:
        raise CorpusError(
            "a shard is corrupt: its SHA-256 differs from the manifest's",
            where=str(shard.path),
            cure="restore the file or write the corpus again",
        )
    with parquet_errors(shard.path, cure="write the corpus again"), PartWriter(folder, config) as writer:
        position = 1
        for batch in row_batches(shard.path):
            rows = int(batch.num_rows)
            if keep:
                writer.seen += rows
                table = pa.Table.from_batches([batch]).replace_schema_metadata()
                writer.write(table, range(position, position + rows))
            else:
                writer.add_table(shard.path, position, batch)
            position += rows
