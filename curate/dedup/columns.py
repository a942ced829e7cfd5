"""The last passes: what was found, as columns beside each shard."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from hinterland.core.errors import CorpusError
from hinterland.core.files import write_json
from hinterland.curate.dedup.bands import unpack
from hinterland.curate.dedup.exact import hex_hashes
from hinterland.curate.dedup.gather import read_ids
from hinterland.curate.dedup.layout import Group, Place, load, read_columns
from hinterland.curate.dedup.settings import NearDuplicates

__all__ = ["make_columns", "write_shard"]

_FILE = "columns.arrow"
#: Ranks, which deciding needs; in memory 4 bytes each, on disk 8.
_INTERNAL = ("_exact_cluster", "_near_cluster", "_order")


def make_columns(
    groups: tuple[Group, ...], target: Path, *, place: Place, settings: NearDuplicates, pieces: dict[str, int]
) -> None:
    """Write all columns in the order of rows, one Arrow batch per shard, and the card.

    Args:
        groups: The shards.
        target: A folder to be made.
        place: Where the pieces are.
        settings: For the card.
        pieces: How many pieces the stages ``pairs``, ``buckets``, ``similar`` and
            ``paragraphs`` have.
    """
    target.mkdir()
    order = load(place.order, "row_of_rank")
    exact, exact_card = _exact(place)
    near, near_card = _near(place, settings, pieces)
    paragraphs, paragraph_card = _paragraphs(place, pieces["paragraphs"])
    columns: dict[str, NDArray[Any]] = {}
    for name, values in {**exact, **near}.items():
        columns[name] = np.empty_like(values)
        columns[name][order] = values
    columns |= paragraphs
    columns["_order"] = place.rank_of_row()
    ids = read_ids(place)
    shards = [rows for group in groups for rows in group.rows]
    schema = pa.schema([("near_dup.cluster", pa.large_string())] + [
        (name, pa.int64() if name in _INTERNAL else pa.from_numpy_dtype(values.dtype))
        for name, values in columns.items()
    ])  # fmt: skip
    start = 0
    with pa.OSFile(str(target / _FILE), "wb") as sink, pa.ipc.new_file(sink, schema) as writer:
        for rows in shards:
            part = slice(start, start + rows)
            clusters = ids.take(pa.array(order[columns["_near_cluster"][part]]))
            found = [
                pa.array(values[part].astype(np.int64) if name in _INTERNAL else values[part])
                for name, values in columns.items()
            ]
            writer.write_batch(pa.record_batch([clusters, *found], schema=schema))
            start += rows
    card = {
        "documents": len(order),
        "policy": settings.policy,
        "repeated_ids": int(load(place.order, "repeated_ids")),
        "exact": exact_card,
        "paragraphs": paragraph_card,
        "near": near_card,
    }
    write_json(target / "card.json", card)


def _exact(place: Place) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
    """Return the columns of exact copies by rank, and their card."""
    copy_of, size = (np.asarray(load(place.order, name)) for name in ("copy_of", "copies"))
    first = copy_of == np.arange(len(copy_of))
    return {"exact_dup.size": size, "exact_dup.first": first, "_exact_cluster": copy_of}, _cluster_card(
        size, first
    )


def _near(
    place: Place, settings: NearDuplicates, pieces: dict[str, int]
) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
    """Return the columns of near-duplicates by rank, and their card."""
    copy_of = load(place.order, "copy_of")
    kept = np.asarray(load(place.clusters, "kept"))
    ranks = np.arange(len(kept))
    size = np.bincount(kept, minlength=len(kept))[kept]
    _, others = unpack(np.asarray(load(place.clusters, "pairs")))
    measured = [load(folder, "jaccard") for folder in place.pieces("similar", pieces["similar"])]
    jaccard = np.ones(len(kept))
    jaccard[others] = np.concatenate([np.empty(0), *measured])
    jaccard = np.where(size > 1, jaccard[copy_of], np.nan)
    first = kept == ranks
    counts = {
        stage: sum(
            (load(folder, "counts") for folder in place.pieces(stage, pieces[stage])), np.zeros(3, int)
        )
        for stage in ("pairs", "buckets")
    }
    verified = sum(
        len(load(folder, "edges")) for stage in counts for folder in place.pieces(stage, pieces[stage])
    )
    compared = int(counts["pairs"][0] + counts["buckets"][0])
    implied, skipped = counts["buckets"][1:].tolist()
    return {
        "near_dup.size": size,
        "near_dup.first": first,
        "near_dup.jaccard": jaccard,
        "_near_cluster": kept,
    }, {
        "threshold": settings.threshold,
        "chains": settings.chains,
        **_cluster_card(size, first),
        "candidate_pairs": compared + implied + skipped,
        "verified": verified,
        "refused": compared - verified,
        "implied": implied,
        "skipped": skipped,
        "below_threshold": int((jaccard < settings.threshold).sum()),
    }


def _cluster_card(size: NDArray[np.int64], first: NDArray[np.bool_]) -> dict[str, Any]:
    return {
        "clusters": int((first & (size > 1)).sum()),
        "documents": int((size > 1).sum()),
        "copies": int((~first).sum()),
        "largest": int(size.max(initial=0)),
    }


def _paragraphs(place: Place, parts: int) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
    """Return the columns of copied paragraphs by row, and their card."""
    folders = place.gathered()
    characters = np.concatenate([np.empty(0, np.int64), *(load(f, "characters") for f in folders)])
    copies, copied = np.zeros(len(characters), np.int64), np.zeros(len(characters), np.int64)
    for folder in place.pieces("paragraphs", parts):
        rows = load(folder, "row")
        copies[rows] += load(folder, "copies")
        copied[rows] += load(folder, "characters")
    with np.errstate(invalid="ignore"):
        share = copied / characters
    return {"para_dup.share": share, "para_dup.copies": copies}, {
        "paragraphs": sum(len(load(folder, "paragraph_row")) for folder in folders),
        "copies": int(copies.sum()),
        "documents": int((copies > 0).sum()),
        "characters": int(characters.sum()),
        "copied_characters": int(copied.sum()),
    }


def write_shard(item: tuple[int, Path], target: Path, *, place: Place) -> None:
    """Write the columns of one shard as Parquet, in the order of its rows.

    Args:
        item: The shard's number and its score shard.
        target: A file to be made.
        place: Where the columns are.
    """
    number, path = item
    scores = read_columns(path, ["id", "_exact"])
    with pa.memory_map(str(place.columns / _FILE)) as source:
        found = pa.Table.from_batches([pa.ipc.open_file(source).get_batch(number)])
        if found.num_rows != scores.num_rows:
            raise CorpusError("the shard has changed during the search", where=str(path), cure="run again")
        hashes = scores["_exact"].combine_chunks()
        raw = np.frombuffer(hashes.buffers()[1], np.uint8)[16 * hashes.offset :][: 16 * len(hashes)]
        table = pa.table(
            {
                "id": scores["id"],
                "exact_dup.cluster": hex_hashes(raw.reshape(len(hashes), 16)),
                **{name: found[name] for name in ("exact_dup.size", "exact_dup.first")},
                **{name: found[name] for name in ("para_dup.share", "para_dup.copies")},
                "near_dup.cluster": found["near_dup.cluster"].cast(pa.string()),
                **{name: found[name] for name in ("near_dup.size", "near_dup.first", "near_dup.jaccard")},
                **{name: found[name] for name in _INTERNAL if name in found.column_names},
            }
        )
        pq.write_table(table, target, compression="zstd")
