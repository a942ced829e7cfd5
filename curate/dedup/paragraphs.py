"""Equal paragraphs: how much of a document stands in those that are kept before it.

Of equal paragraphs, the first occurrence in the policy's order is the original and the
others are copies, also inside one document. Paragraphs are equal if their 64-bit hashes
are; among the 33 million of 10 GB of text, two different ones agree with probability 3e-5.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from hinterland.curate.dedup.layout import Place, load, save

__all__ = ["PARAGRAPHS_PER_PART", "copied_paragraphs"]

#: Paragraphs that are compared at a time, at most about: 16 bytes each, twice.
PARAGRAPHS_PER_PART = 4_000_000


def copied_paragraphs(part: int, target: Path, *, place: Place) -> None:
    """Write, for one range of hashes, which rows have copied paragraphs, how many, how long."""
    rank_of_row = place.rank_of_row()
    hashes, rows, characters = [], [], []
    for folder in place.gathered():
        start, stop = load(folder, "paragraph_bounds")[part : part + 2]
        hashes.append(load(folder, "paragraph_hash")[start:stop])
        rows.append(load(folder, "paragraph_row")[start:stop])
        characters.append(load(folder, "paragraph_characters")[start:stop])
    merged, row = np.concatenate(hashes), np.concatenate(rows)
    length = np.concatenate(characters)
    order = np.lexsort((rank_of_row[row], merged))
    merged = merged[order]
    copy = np.zeros(len(merged), dtype=bool)
    copy[1:] = merged[1:] == merged[:-1]
    copied = order[copy]
    copies = np.bincount(row[copied], minlength=1)
    lengths = np.bincount(row[copied], weights=length[copied], minlength=1)
    found = np.flatnonzero(copies)
    save(
        target,
        row=found.astype(np.uint32),
        copies=copies[found],
        characters=lengths[found].astype(np.int64),
    )
