"""One id for each document over a whole corpus, without holding the ids in memory.

16 bytes of each id's hash decide which occur more than once. The first keeps its id, in
the order of the inputs; each other gets its text's hash behind it, or a number where the
id is that hash already. Only shards with such documents are written again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from hinterland.core.corpus import Shard, write_shard
from hinterland.curate.part import hash_ids
from hinterland.curate.readers.values import content_ids

__all__ = ["Renamed", "make_unique", "repeats"]


#: What is kept about a shard's renamed documents, one file for each such shard.
_NAMES = pa.schema([("row", pa.int64()), ("given", pa.string()), ("identity", pa.string())])


@dataclass(frozen=True, slots=True)
class Renamed:
    """A document whose id was taken.

    Attributes:
        row: Its row in the corpus, from 0.
        given: The id it came with.
        identity: The id it has now.
    """

    row: int
    given: str
    identity: str


def repeats(
    hashes: NDArray[np.uint64], rank: NDArray[np.uint8] | None = None
) -> tuple[NDArray[np.int64], ...]:
    """Return the rows whose hash occurs earlier, in order, and how often it does.

    Args:
        hashes: (rows, 2).
        rank: Rows of a lower rank come earlier; all are of one rank if not given.

    >>> repeats(np.array([[1, 0], [2, 0], [1, 0], [1, 0]], np.uint64))
    (array([2, 3]), array([1, 2]))
    """
    ordered = np.sort(hashes[:, 0])
    doubles = np.unique(ordered[1:][ordered[1:] == ordered[:-1]])
    del ordered
    candidates = np.flatnonzero(np.isin(hashes[:, 0], doubles)) if len(doubles) else np.empty(0, np.int64)
    if not len(candidates):
        return candidates, candidates
    first, second = hashes[candidates, 0], hashes[candidates, 1]
    ranks = rank[candidates] if rank is not None else np.zeros(len(candidates), np.uint8)
    order = np.lexsort((candidates, ranks, second, first))
    same = np.r_[False, (first[order][1:] == first[order][:-1]) & (second[order][1:] == second[order][:-1])]
    starts = np.maximum.accumulate(np.where(same, 0, np.arange(len(order))))
    occurrence = np.arange(len(order)) - starts
    rows, times = candidates[order][same], occurrence[same]
    back = np.argsort(rows)
    return rows[back], times[back]


def make_unique(
    shards: Sequence[Shard], hashes: NDArray[np.uint64], folder: Path
) -> tuple[list[Shard], Iterator[Renamed]]:
    """Give each document an id of its own.

    Args:
        shards: In the order in which documents keep their ids.
        hashes: `hash_ids` of all ids, (documents, 2); it is changed to those of the new ids.
        folder: Where shards go that are written again; it must not exist.

    Returns:
        The shards, and the documents whose given id was taken, in order.
    """
    starts = np.cumsum([0, *(shard.rows for shard in shards)])
    rank = np.zeros(len(hashes), np.uint8)
    changed: dict[int, Path] = {}
    rows, times = repeats(hashes)
    while len(rows):  # the new ids may be taken, too
        folder.mkdir(parents=True, exist_ok=True)
        homes = np.searchsorted(starts, rows, side="right") - 1
        for home in np.unique(homes).tolist():
            mine = rows[homes == home]
            names = changed.setdefault(home, folder / f"names-{home:05d}.parquet")
            new = _rename(shards[home], mine - starts[home], times[homes == home], names)
            hashes[mine] = np.frombuffer(hash_ids(pa.array(new, pa.string())), np.uint64).reshape(-1, 2)
        rank[rows] = 1
        rows, times = repeats(hashes, rank)
    written = list(shards)
    for home, names in changed.items():
        written[home] = _rewritten(shards[home], names, folder / f"shard-{home:05d}.parquet")
    return written, _renamed([(int(starts[home]), changed[home]) for home in sorted(changed)])


def _rename(shard: Shard, rows: NDArray[np.int64], times: NDArray[np.int64], file: Path) -> list[str]:
    """Put new ids for rows of a shard into ``file``, and return them."""
    old = pq.read_table(file).to_pylist() if file.exists() else []
    names: dict[int, tuple[str | None, str]] = {
        each["row"]: (each["given"], each["identity"]) for each in old
    }
    fresh = [row for row in rows.tolist() if row not in names]
    table = (
        pq.read_table(shard.path, columns=["id", "text"]).take(pa.array(fresh, pa.int64())).combine_chunks()
    )
    made = content_ids(pa.concat_arrays(table["text"].chunks)) if fresh else []
    found = dict(zip(fresh, zip(table["id"].to_pylist(), made, strict=True), strict=True))
    for row, count in zip(rows.tolist(), times.tolist(), strict=True):
        if row in names:
            names[row] = (names[row][0], f"{names[row][1]}-{count + 1}")
        else:
            given, content = found[row]
            own = given == content
            names[row] = (None, f"{given}-{count + 1}") if own else (given, f"{given}-{content[:8]}")
    listed = [{"row": row, "given": each[0], "identity": each[1]} for row, each in sorted(names.items())]
    pq.write_table(pa.Table.from_pylist(listed, schema=_NAMES), file)
    return [names[row][1] for row in rows.tolist()]


def _renamed(files: Sequence[tuple[int, Path]]) -> Iterator[Renamed]:
    for start, file in files:
        for each in pq.read_table(file).to_pylist():
            if each["given"] is not None:
                yield Renamed(start + each["row"], each["given"], each["identity"])


def _rewritten(shard: Shard, names: Path, path: Path) -> Shard:
    table = pq.read_table(shard.path)
    ids = table["id"].to_pylist()
    for each in pq.read_table(names).to_pylist():
        ids[each["row"]] = each["identity"]
    place = table.schema.get_field_index("id")
    return write_shard(path, table.set_column(place, table.schema.field(place), pa.array(ids, pa.string())))
