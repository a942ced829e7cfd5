"""The first pass: what the search needs of every shard, in files that later passes read in part."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from hinterland.core.errors import CorpusError
from hinterland.core.parquet import row_batches
from hinterland.curate.dedup.exact import exact_copies
from hinterland.curate.dedup.layout import Group, Place, load, read_columns, save
from hinterland.curate.dedup.policy import POLICY_COLUMNS, Policy, keep_order

__all__ = ["gather", "make_order"]

_DOCUMENTS = "documents.parquet"


def gather(group: Group, target: Path, *, policy: Policy, bands: int, parts: int) -> None:
    """Write a group's ids and policy values, exact hashes, band keys and paragraphs.

    Paragraphs are sorted by part, the range of hashes in which they are compared.

    Raises:
        CorpusError: A shard is damaged, lacks a column, or is not its score shard's.
    """
    target.mkdir()
    tables = [_documents(text, score, policy) for text, score in zip(group.texts, group.scored, strict=True)]
    pq.write_table(pa.concat_tables(tables), target / _DOCUMENTS, compression="zstd")
    scores = [read_columns(path, ["_exact", "_bands"]) for path in group.scored]
    save(
        target,
        exact=np.concatenate(
            [_fixed(table["_exact"], path) for table, path in zip(scores, group.scored, strict=True)]
        ),
        bands=np.concatenate(
            [_bands(table["_bands"], bands, path) for table, path in zip(scores, group.scored, strict=True)]
        ).T.copy(),
    )
    del scores, tables
    _gather_paragraphs(group, target, parts)


def _documents(text: Path, score: Path, policy: Policy) -> pa.Table:
    """Return the ids of a shard and the values that the policy looks at."""
    name = POLICY_COLUMNS.get(policy)
    columns = ["id", *([name] if name and name != "text" else [])]
    table = read_columns(text, columns)
    if not read_columns(score, ["id"])["id"].equals(table["id"]):
        raise CorpusError(
            "the scores are not those of this shard", where=str(score), cure="score the corpus again"
        )
    if name is None:
        return table
    if name == "text":
        lengths = [
            pc.cast(pc.utf8_length(batch["text"]), pa.int64()) for batch in row_batches(text, ["text"])
        ]
        return table.append_column("value", pa.chunked_array(lengths, pa.int64()))
    return table.rename_columns(["id", "value"])


def _fixed(column: pa.ChunkedArray, path: Path) -> NDArray[np.uint64]:
    """Return 16-byte hashes as pairs of numbers, shape (rows, 2)."""
    if column.type != pa.binary(16) or column.null_count:
        raise CorpusError(f"_exact is {column.type}, not 16 bytes", where=str(path), cure="score again")
    parts = [
        np.frombuffer(chunk.buffers()[1], np.uint8)[16 * chunk.offset :][: 16 * len(chunk)]
        for chunk in column.chunks
        if len(chunk)
    ]
    whole = np.concatenate([np.empty(0, np.uint8), *parts])
    return whole.view(np.uint64).reshape(len(column), 2)


def _bands(column: pa.ChunkedArray, bands: int, path: Path) -> NDArray[np.uint64]:
    """Return the keys, shape (rows, bands)."""
    if column.type != pa.list_(pa.uint64(), bands) or column.null_count:
        raise CorpusError(
            f"_bands is {column.type}, not {bands} keys of 64 bits",
            where=str(path),
            cure="score the corpus with the same MinHash settings",
        )
    parts = [chunk.flatten().to_numpy() for chunk in column.chunks]
    return np.concatenate([np.empty(0, np.uint64), *parts]).reshape(len(column), bands)


def _gather_paragraphs(group: Group, target: Path, parts: int) -> None:
    hashes, rows, characters, totals = [], [], [], []
    start = group.start
    for path, number in zip(group.scored, group.rows, strict=True):
        table = read_columns(path, ["_paragraphs", "_paragraph_characters"])
        column = table["_paragraphs"]
        counts = pc.fill_null(pc.list_value_length(column), 0).to_numpy()
        owner = np.repeat(np.arange(number, dtype=np.uint32), counts)
        own_hashes = _flat(column, np.uint64)
        own_characters = _flat(table["_paragraph_characters"], np.int32)
        if len(own_characters) != len(own_hashes):
            raise CorpusError(
                "paragraphs and their characters differ in number", where=str(path), cure="score again"
            )
        hashes.append(own_hashes)
        rows.append(owner + np.uint32(start))
        characters.append(own_characters)
        totals.append(np.bincount(owner, weights=own_characters, minlength=number).astype(np.int64))
        start += number
    merged = np.concatenate(hashes)
    part = part_of(merged, parts)
    order = np.argsort(part, kind="stable")
    save(
        target,
        paragraph_hash=merged[order],
        paragraph_row=np.concatenate(rows)[order],
        paragraph_characters=np.concatenate(characters)[order],
        paragraph_bounds=np.searchsorted(part[order], np.arange(parts + 1)),
        characters=np.concatenate(totals),
    )


def part_of(hashes: NDArray[np.uint64], parts: int) -> NDArray[np.uint16]:
    """Return the part of each hash: ranges of equal width."""
    return ((hashes >> np.uint64(32)) * np.uint64(parts) >> np.uint64(32)).astype(np.uint16)


def _flat(column: pa.ChunkedArray, kind: type[np.generic]) -> NDArray[np.generic]:
    return np.concatenate([np.empty(0, kind), *(chunk.flatten().to_numpy() for chunk in column.chunks)])


def make_order(place: Place, target: Path, *, policy: Policy) -> None:
    """Write the policy's order and the exact copies, all in memory: 8 numbers a document.

    ``row_of_rank``; among ranks ``copy_of`` (the rank of the copy that is kept) and
    ``copies`` (how many there are); and how many ids occur again, which are told apart by row.
    """
    folders = place.gathered()
    table = pa.concat_tables(pq.read_table(folder / _DOCUMENTS) for folder in folders)
    values = table["value"] if "value" in table.column_names else None
    rows = keep_order(policy, table["id"], values)
    repeated = len(rows) - pc.count_distinct(table["id"]).as_py()
    del table, values
    hashes = np.concatenate([load(folder, "exact") for folder in folders])[rows]
    copies = exact_copies(hashes)
    save(
        target,
        row_of_rank=rows,
        copy_of=copies.first,
        copies=copies.size,
        repeated_ids=np.array(repeated),
    )


def read_ids(place: Place) -> pa.Array:
    """Return all ids in the order of rows."""
    tables = [pq.read_table(folder / _DOCUMENTS, columns=["id"]) for folder in place.gathered()]
    return pa.concat_tables(tables)["id"].cast(pa.large_string()).combine_chunks()
