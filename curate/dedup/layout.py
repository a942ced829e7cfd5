"""Where the pieces of a search lie, and how they are read.

A document has a row, its place in the corpus, and a rank, its place in the policy's order.
Everything is found among ranks, so that it does not depend on the rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from hinterland.core.errors import CorpusError
from hinterland.core.parquet import parquet_errors

__all__ = ["Group", "Place", "groups_of", "load", "read_columns", "save"]

#: Documents and paragraphs at which a group of shards is large enough.
GROUP_ROWS = 100_000
GROUP_PARAGRAPHS = 1_000_000


@dataclass(frozen=True)
class Group:
    """Shards that lie one after another and are worked on together.

    Attributes:
        number: The group's number.
        start: The row of its first document.
        rows: Documents in each shard.
        paragraphs: How many paragraphs they have, about.
        texts: The corpus' shards.
        scored: Their score shards.
    """

    number: int
    start: int
    rows: tuple[int, ...]
    paragraphs: int
    texts: tuple[Path, ...]
    scored: tuple[Path, ...]


@dataclass(frozen=True)
class Place:
    """The folders of a search's pieces.

    Attributes:
        root: The folder.
        groups: How many groups there are.
    """

    root: Path
    groups: int

    @property
    def order(self) -> Path:
        """The policy's order and the exact copies."""
        return self.root / "order"

    @property
    def plan(self) -> Path:
        """What is to be compared."""
        return self.root / "plan"

    @property
    def clusters(self) -> Path:
        """The clusters."""
        return self.root / "clusters"

    @property
    def columns(self) -> Path:
        """The finished columns."""
        return self.root / "columns"

    def pieces(self, stage: str, number: int) -> list[Path]:
        """Return the targets of a stage with ``number`` pieces."""
        return [self.root / stage / f"{piece:05d}" for piece in range(number)]

    def gathered(self) -> list[Path]:
        """Return the folders with what was gathered from each group."""
        return self.pieces("gathered", self.groups)

    def rank_of_row(self) -> NDArray[np.uint32]:
        """Return each document's rank, shape (documents,)."""
        row_of_rank = load(self.order, "row_of_rank")
        ranks = np.empty(len(row_of_rank), dtype=np.uint32)
        ranks[row_of_rank] = np.arange(len(row_of_rank), dtype=np.uint32)
        return ranks


def save(folder: Path, **arrays: NDArray[Any]) -> None:
    """Write arrays into a folder, each as a file of its name."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, array in arrays.items():
        np.save(folder / f"{name}.npy", array, allow_pickle=False)


def load(folder: Path, name: str) -> NDArray[Any]:
    """Map an array of a folder into memory; only what is looked at is read."""
    path = folder / f"{name}.npy"
    try:
        found: NDArray[Any] = np.load(path, mmap_mode="r", allow_pickle=False)
        return found
    except (ValueError, OSError) as error:
        raise CorpusError(
            f"a piece of the duplicate search cannot be read: {error}",
            where=str(path),
            cure="delete the work folder and run again",
        ) from error


def read_columns(path: Path, names: Sequence[str]) -> pa.Table:
    """Return columns of a Parquet file.

    Raises:
        CorpusError: The file is missing, damaged, or lacks a column.
    """
    with parquet_errors(path, cure="restore the file or write it again"):
        missing = set(names) - set(pq.read_schema(path).names)
        if not missing:
            return pq.read_table(path, columns=list(names))
    raise CorpusError(
        f"no column {', '.join(sorted(missing))}", where=str(path), cure="score the corpus first"
    )


def groups_of(texts: Sequence[Path], scored: Sequence[Path]) -> tuple[Group, ...]:
    """Return the shards in groups of even size.

    Raises:
        CorpusError: The score shards are not those of the corpus.
    """
    if [path.name for path in texts] != [path.name for path in scored]:
        raise CorpusError(
            f"{len(scored)} score shards do not belong to {len(texts)} shards of the corpus",
            where=str(scored[0].parent) if scored else "",
            cure="score the corpus again",
        )
    found: list[Group] = []
    shards: list[tuple[Path, Path, int]] = []
    start = rows = paragraphs = 0
    for text, score in zip(texts, scored, strict=True):
        own_rows, own_paragraphs = _size(score)
        shards.append((text, score, own_rows))
        rows, paragraphs = rows + own_rows, paragraphs + own_paragraphs
        if rows >= GROUP_ROWS or paragraphs >= GROUP_PARAGRAPHS or text == texts[-1]:
            names, scores, counts = zip(*shards, strict=True)
            found.append(Group(len(found), start, counts, paragraphs, names, scores))
            start, rows, paragraphs, shards = start + rows, 0, 0, []
    return tuple(found)


def _size(path: Path) -> tuple[int, int]:
    """Return a score shard's documents and about how many paragraphs they have."""
    with parquet_errors(path, cure="restore the file or score the corpus again"):
        metadata = pq.read_metadata(path)
    names = [metadata.schema.column(place).path.split(".")[0] for place in range(metadata.num_columns)]
    place = names.index("_paragraphs") if "_paragraphs" in names else None
    if place is None:
        return metadata.num_rows, 0
    values = [metadata.row_group(g).column(place).num_values for g in range(metadata.num_row_groups)]
    return metadata.num_rows, sum(values)
