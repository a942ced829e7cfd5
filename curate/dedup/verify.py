"""Verification: the true Jaccard similarity of every candidate pair."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hinterland.curate.dedup.bands import Pairs, Ranks, pack, unpack
from hinterland.curate.dedup.layout import Place, load, save
from hinterland.curate.dedup.shingles import ShingleStore, slices

__all__ = ["SIMILAR_PER_PIECE", "similar_to_kept", "similarities", "verify_buckets", "verify_pairs"]

#: Documents whose similarity to the kept one is measured in one piece.
SIMILAR_PER_PIECE = 500_000


def similarities(store: ShingleStore, pairs: Pairs, *, threshold: float = 0.0) -> NDArray[np.float64]:
    """Return each pair's Jaccard similarity; where it is below the threshold it may be 0."""
    from hinterland.curate.kernels.jaccard import pair_similarities

    first, second = unpack(pairs)
    found = np.empty(len(pairs), dtype=np.float64)
    for start, stop in slices(store.lengths(first) + store.lengths(second)):
        ranks, places = np.unique(
            np.concatenate([first[start:stop], second[start:stop]]), return_inverse=True
        )
        data, offsets = store.read(ranks)
        one, other = places[: stop - start], places[stop - start :]
        found[start:stop] = pair_similarities(data, offsets, one, other, threshold)
    return found


def verify_pairs(ranks: tuple[int, int], target: Path, *, place: Place, bands: int, threshold: float) -> None:
    """Write the pairs whose first rank is in a range and that are alike.

    Also ``counts``: distinct pairs compared, and as for buckets two noughts.
    """
    low, high = (np.uint64(rank << 32) for rank in ranks)
    found = [np.empty(0, np.uint64)]
    for folder in place.pieces("bands", bands):
        pairs = load(folder, "pairs")
        found.append(pairs[np.searchsorted(pairs, low) : np.searchsorted(pairs, high)])
    merged = np.unique(np.concatenate(found))
    with ShingleStore(place) as store:
        alike = similarities(store, merged, threshold=threshold) >= threshold
    save(target, edges=merged[alike], counts=np.array([len(merged), 0, 0]))


def verify_buckets(
    buckets: tuple[int, int, int], target: Path, *, place: Place, threshold: float, leaders: int
) -> None:
    """Write the pairs of leader and follower in a range of one band's large buckets.

    Also ``counts``: pairs compared; pairs that need not be, because both are like the same
    leader; and the others of these buckets, which were left out.
    """
    band, first, last = buckets
    folder = place.root / "bands" / f"{band:05d}"
    starts, members = load(folder, "starts"), load(folder, "members")
    found = [np.empty(0, np.uint64)]
    compared = implied = total = 0
    with ShingleStore(place) as store:
        for bucket in range(first, last):
            ranks = np.asarray(members[starts[bucket] : starts[bucket + 1]])
            edges, number = _follow(store, ranks, threshold, leaders)
            found.append(edges)
            compared += number
            followers = np.unique(unpack(edges)[0], return_counts=True)[1]
            implied += int((followers * (followers - 1) // 2).sum())
            total += len(ranks) * (len(ranks) - 1) // 2
    save(
        target,
        edges=np.unique(np.concatenate(found)),
        counts=np.array([compared, implied, total - compared - implied]),
    )


def _follow(store: ShingleStore, ranks: Ranks, threshold: float, limit: int) -> tuple[Pairs, int]:
    """Return the verified pairs of one bucket, and the number of comparisons."""
    from hinterland.curate.kernels.jaccard import NEW_LEADER, follow_leaders

    leaders = ranks[:0]
    found, compared = [np.empty(0, np.uint64)], 0
    for start, stop in slices(store.lengths(ranks)):
        members = ranks[start:stop]
        data, offsets = store.read(np.concatenate([leaders, members]))
        joined, number = follow_leaders(
            data,
            offsets,
            len(leaders) + np.arange(len(members)),
            np.arange(len(leaders)),
            threshold=threshold,
            limit=limit,
        )
        compared += number
        leaders = np.concatenate([leaders, members[joined == NEW_LEADER]])
        follows = joined >= 0
        found.append(pack(leaders[joined[follows]], members[follows]))
    return np.concatenate(found), compared


def similar_to_kept(bounds: tuple[int, int], target: Path, *, place: Place) -> None:
    """Write the similarity of documents to the kept one of their cluster."""
    pairs: Any = load(place.clusters, "pairs")[slice(*bounds)]
    with ShingleStore(place) as store:
        save(target, jaccard=similarities(store, np.asarray(pairs)))
