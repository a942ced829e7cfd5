"""Candidates: the documents that share a band of the MinHash signature."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hinterland.curate.dedup.layout import Place, load, save

__all__ = ["make_plan", "pack", "share_band", "unpack"]

Pairs = NDArray[np.uint64]
Ranks = NDArray[np.uint32]

#: Pairs that are verified in one piece, at most about, and members of large buckets.
PAIRS_PER_PIECE = 2_000_000
MEMBERS_PER_PIECE = 200_000


def pack(first: NDArray[Any], second: NDArray[Any]) -> Pairs:
    """Return pairs of ranks as one number each, which sorts by the first, then the second."""
    return (first.astype(np.uint64) << np.uint64(32)) | second.astype(np.uint64)


def unpack(pairs: Pairs) -> tuple[Ranks, Ranks]:
    """Return the first and second ranks of pairs."""
    return (pairs >> np.uint64(32)).astype(np.uint32), pairs.astype(np.uint32)


def share_band(band: int, target: Path, *, place: Place, bucket: int) -> None:
    """Write the candidates of one band.

    Of exact copies only the kept one takes part. ``pairs`` are those of buckets of at most
    ``bucket`` documents; of larger ones ``members`` lists the ranks in ascending order,
    and ``starts`` where each bucket begins and the last ends.
    """
    from hinterland.curate.kernels.minhash import NO_KEY

    keys = np.concatenate([load(folder, "bands")[band] for folder in place.gathered()])
    keys = keys[load(place.order, "row_of_rank")]
    copy_of = load(place.order, "copy_of")
    ranks = np.flatnonzero((copy_of == np.arange(len(keys))) & (keys != NO_KEY)).astype(np.uint32)
    keys = keys[ranks]
    order = np.argsort(keys, kind="stable")
    keys, ranks = keys[order], ranks[order]
    begins = np.ones(len(keys), dtype=bool)
    begins[1:] = keys[1:] != keys[:-1]
    starts = np.flatnonzero(begins)
    sizes = np.diff(starts, append=len(keys))
    del keys, order, begins
    large = sizes > bucket
    inside = np.repeat(large, sizes)
    save(
        target,
        pairs=_all_pairs(ranks, starts, sizes, bucket),
        members=ranks[inside],
        starts=np.concatenate([[0], np.cumsum(sizes[large])]),
    )


def _all_pairs(ranks: Ranks, starts: NDArray[np.int64], sizes: NDArray[np.int64], bucket: int) -> Pairs:
    """Return every pair inside the buckets of two to ``bucket`` documents, sorted."""
    found = [np.empty(0, np.uint64)]
    for size in np.unique(sizes[(sizes > 1) & (sizes <= bucket)]):
        members = ranks[starts[sizes == size][:, None] + np.arange(size)]
        first, second = np.triu_indices(size, 1)
        found.append(pack(members[:, first], members[:, second]).ravel())
    pairs = np.concatenate(found)
    pairs.sort()
    return pairs


def make_plan(place: Place, target: Path, *, bands: int) -> None:
    """Write what is to be compared, in pieces of even size, and which rows take part.

    ``plan.json`` has ``pairs``, ranges of the first rank, and ``buckets``, a band and a
    range of its large buckets.
    """
    rows = load(place.order, "row_of_rank")
    involved = np.zeros(len(rows), dtype=bool)
    counts = np.zeros(len(rows), dtype=np.int64)
    buckets: list[list[int]] = []
    for band, folder in enumerate(place.pieces("bands", bands)):
        pairs = load(folder, "pairs")
        for start in range(0, len(pairs), PAIRS_PER_PIECE):
            first, second = unpack(pairs[start : start + PAIRS_PER_PIECE])
            involved[first] = involved[second] = True
            found, numbers = np.unique(first, return_counts=True)
            counts[found] += numbers
        involved[load(folder, "members")] = True
        starts = np.asarray(load(folder, "starts"))
        buckets += [[band, first, last] for first, last in _even(np.diff(starts), MEMBERS_PER_PIECE)]
    by_row = np.zeros(len(rows), dtype=bool)
    by_row[rows] = involved
    save(target, involved=by_row)
    plan = {"pairs": _even(counts, PAIRS_PER_PIECE), "buckets": buckets}
    (target / "plan.json").write_text(json.dumps(plan), encoding="utf-8")


def _even(counts: NDArray[np.int64], size: int) -> list[tuple[int, int]]:
    """Return ranges of places whose counts add up to about ``size``; empty ones are left out."""
    total = np.cumsum(counts)
    if not len(total) or total[-1] == 0:
        return []
    cuts = np.searchsorted(total, np.arange(size, total[-1], size), side="left") + 1
    bounds = np.unique(np.concatenate([[0], cuts, [len(counts)]]))
    ranges = zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True)
    return [(first, last) for first, last in ranges if counts[first:last].any()]
