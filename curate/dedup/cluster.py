"""Clusters from verified pairs."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from hinterland.curate.dedup.bands import Pairs, Ranks, pack, unpack
from hinterland.curate.dedup.layout import Place, load, save
from hinterland.curate.dedup.settings import Chains

__all__ = ["kept_ranks", "make_clusters"]


def kept_ranks(documents: int, edges: Iterable[Pairs], chains: Chains) -> Ranks:
    """Return the rank of the document that is kept for each, shape (documents,).

    Args:
        documents: How many there are.
        edges: Pairs of ranks that are alike, packed.
        chains: See `curate.dedup.settings.Chains`.
    """
    from hinterland.curate.kernels.union import follow_first, join_pairs

    kept = np.arange(documents, dtype=np.uint32)
    if chains == "join":
        for part in edges:
            join_pairs(kept, *unpack(np.asarray(part)))
        return kept
    # By the second rank, then the first, each pair once.
    turned = np.unique(np.concatenate([np.empty(0, np.uint64), *(pack(*unpack(p)[::-1]) for p in edges)]))
    second, first = unpack(turned)
    follow_first(first, second, kept)
    return kept


def make_clusters(folders: list[Path], target: Path, *, place: Place, chains: Chains) -> None:
    """Write ``kept``, the kept rank of each rank, and ``pairs`` of kept and other, packed.

    Exact copies follow the one of them that took part; pairs are without them.

    Args:
        folders: Where the verified pairs are.
        target: A folder to be made.
        place: Where the order is.
        chains: See `curate.dedup.settings.Chains`.
    """
    copy_of = np.asarray(load(place.order, "copy_of"))
    kept = kept_ranks(len(copy_of), (load(folder, "edges") for folder in folders), chains)
    others = np.flatnonzero(kept != np.arange(len(kept)))
    pairs = pack(kept[others], others)
    pairs.sort()
    save(target, kept=kept[copy_of], pairs=pairs)
