"""Which word n-grams of a batch stand in a table of n-grams."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from hinterland.curate.kernels.jit import jit
from hinterland.curate.kernels.tokens import Integers, mix

__all__ = ["Overlap", "Table", "make_table", "ngram_keys", "overlap"]

Hashes = NDArray[np.uint64]

_BASE: Final = np.uint64(0x9E3779B97F4A7C15)  # odd: the base of the rolling polynomial


class Table(NamedTuple):
    """N-grams of several lengths in a hash table with linear probing.

    Attributes:
        keys: shape (a power of two,).
        owners: The set each key is from, −1 where the slot is free.
        bits: One bit per key at its hash, so that most of what is not there costs one
            look, uint8, shape (a power of two,).
        lengths: The lengths that occur, the longest first.
    """

    keys: Hashes
    owners: NDArray[np.int32]
    bits: NDArray[np.uint8]
    lengths: Integers


class Overlap(NamedTuple):
    """What a batch has in common with a table.

    Attributes:
        matches: Places where an n-gram of the table stands, shape (documents,).
        covered: Words inside at least one of them, shape (documents,).
        owner: The set of the first match, −1 without one, shape (documents,).
    """

    matches: Integers
    covered: Integers
    owner: Integers


def ngram_keys(hashes: Hashes, n: int) -> Hashes:
    """Return the keys of the n-grams of one text, shape (max(words − n + 1, 0),)."""
    return np.asarray(_keys(hashes, n), dtype=np.uint64)


def make_table(keys: Hashes, owners: NDArray[np.int32], lengths: Integers) -> Table:
    """Return the table of ``keys``; of a key given twice the first owner stays.

    Args:
        keys: From `ngram_keys`, shape (n,).
        owners: The set each is from, not negative, shape (n,).
        lengths: The lengths of n-grams that occur.
    """
    unique, first = np.unique(keys, return_index=True)
    slots = max(16, 1 << int(2 * len(unique)).bit_length())
    bits = max(64, 1 << int(16 * len(unique)).bit_length())
    slot_keys, slot_owners, marked = _fill(unique, owners[first], slots, bits // 8)
    return Table(slot_keys, slot_owners, marked, np.sort(lengths)[::-1].astype(np.int64))


def overlap(hashes: Hashes, offsets: Integers, table: Table) -> Overlap:
    """Return the overlap of each document.

    Args:
        hashes: The words' hashes.
        offsets: Where each document's words begin, shape (documents + 1,).
        table: The n-grams looked for.
    """
    return Overlap(*_overlap(hashes, offsets, *table))


@jit
def _keys(hashes, n):
    count = len(hashes) - n + 1
    if count < 1:
        return np.empty(0, np.uint64)
    keys = np.empty(count, np.uint64)
    highest = np.uint64(1)
    for _ in range(n):
        highest *= _BASE
    value = np.uint64(0)
    for at in range(len(hashes)):
        value = value * _BASE + hashes[at]
        if at >= n:
            value -= highest * hashes[at - n]
        if at >= n - 1:
            keys[at - n + 1] = mix(value + np.uint64(n))
    return keys


@jit
def _fill(unique, owners, slots, width):
    keys = np.zeros(slots, np.uint64)
    owned = np.full(slots, -1, np.int32)
    bits = np.zeros(width, np.uint8)
    mask, bit_mask = np.uint64(slots - 1), np.uint64(8 * width - 1)
    for at in range(len(unique)):
        key = unique[at]
        slot = key & mask
        while owned[slot] >= 0:
            slot = (slot + np.uint64(1)) & mask
        keys[slot], owned[slot] = key, owners[at]
        bit = (key >> np.uint64(20)) & bit_mask
        bits[bit >> np.uint64(3)] |= np.uint8(1 << (bit & np.uint64(7)))
    return keys, owned, bits


@jit
def _find(key, keys, owners, bits):
    """Return the owner of a key, −1 if it is not there."""
    bit = (key >> np.uint64(20)) & np.uint64(8 * len(bits) - 1)
    if not (bits[bit >> np.uint64(3)] >> (bit & np.uint64(7))) & 1:
        return np.int32(-1)
    mask = np.uint64(len(keys) - 1)
    slot = key & mask
    while owners[slot] >= 0 and keys[slot] != key:
        slot = (slot + np.uint64(1)) & mask
    return owners[slot]


@jit
def _overlap(hashes, offsets, keys, owners, bits, lengths):
    documents = len(offsets) - 1
    found = np.zeros((2, documents), np.int64)
    owner = np.full(documents, -1, np.int64)
    most = 0
    for document in range(documents):
        most = max(most, offsets[document + 1] - offsets[document])
    reach = np.zeros(most + 1, np.int64)  # how many words the longest match at a word covers
    for document in range(documents):
        first, last = offsets[document], offsets[document + 1]
        matches, earliest = 0, last
        for n in lengths:
            if last - first < n:
                continue
            highest = np.uint64(1)
            for _ in range(n):
                highest *= _BASE
            value = np.uint64(0)
            for at in range(first, last):
                value = value * _BASE + hashes[at]
                if at >= first + n:
                    value -= highest * hashes[at - n]
                if at < first + n - 1:
                    continue
                one = _find(mix(value + np.uint64(n)), keys, owners, bits)
                if one >= 0:
                    matches += 1
                    begin = at - n + 1
                    reach[begin - first] = max(reach[begin - first], n)
                    if begin < earliest:  # the longest first: of equal places it stays
                        earliest, owner[document] = begin, one
        if matches == 0:
            continue
        until = covered = 0
        for at in range(last - first):
            if reach[at]:
                until = max(until, at + reach[at])
                reach[at] = 0
            covered += at < until
        found[0, document], found[1, document] = matches, covered
    return found[0], found[1], owner
