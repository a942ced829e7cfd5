"""Repeated lines, paragraphs and word n-grams of every document of a batch."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hinterland.curate.kernels.jit import jit
from hinterland.curate.kernels.tokens import Integers, Split

__all__ = ["ngram_shares", "repeated"]

Floats = NDArray[np.float64]


def repeated(offsets: Integers, hashes: NDArray[np.uint64], characters: Integers) -> tuple[Floats, Floats]:
    """Return the share of parts that stood in the document before, by number and by characters.

    Args:
        offsets: Where each document's parts begin, shape (documents + 1,).
        hashes: The parts' hashes, shape (parts,).
        characters: Their lengths, shape (parts,).

    Returns:
        Two arrays of shape (documents,); NaN for a document without parts.
    """
    shares = _repeated(offsets, hashes, characters)
    return shares[0], shares[1]


def ngram_shares(parts: Split, *, top: int = 4, longest: int = 10) -> Floats:
    """Return the share of characters in repeated n-grams, for n = 2 to ``longest``.

    Up to n = ``top`` it is the most frequent n-gram's copies (the first of equally
    frequent ones; 0 if none occurs twice), above it all characters of words in an n-gram
    that occurs more than once, each once.

    Returns:
        Shape (longest − 1, documents); NaN for a document without words.
    """
    return np.asarray(_ngrams(parts.word_offsets, parts.word_hash, parts.word_characters, top, longest))


@jit
def slots_for(entries):
    """Return a power of two that leaves a hash table of ``entries`` at most half full."""
    size = 16
    while size < 2 * entries:
        size *= 2
    return size


@jit
def _joined(gram, word):
    """Return the hash of an n-gram with one more word behind it."""
    value = (gram ^ (gram >> np.uint64(29))) * np.uint64(0x9E3779B97F4A7C15) + word
    return value ^ (value >> np.uint64(32))


@jit
def _repeated(offsets, hashes, characters):
    documents = len(offsets) - 1
    shares = np.full((2, documents), np.nan)
    most = 0
    for document in range(documents):
        most = max(most, offsets[document + 1] - offsets[document])
    keys = np.empty(slots_for(most), np.uint64)
    stamps = np.full(slots_for(most), -1, np.int64)
    for document in range(documents):
        first, last = offsets[document], offsets[document + 1]
        if first == last:
            continue
        mask = np.uint64(slots_for(last - first) - 1)
        copies = repeats = total = 0
        for part in range(first, last):
            key = hashes[part]
            slot = key & mask
            while stamps[slot] == document and keys[slot] != key:
                slot = (slot + np.uint64(1)) & mask
            if stamps[slot] == document:
                copies += 1
                repeats += characters[part]
            else:
                stamps[slot], keys[slot] = document, key
            total += characters[part]
        shares[0, document] = copies / (last - first)
        shares[1, document] = repeats / total
    return shares


@jit
def _ngrams(word_offsets, word_hash, word_characters, top, longest):
    documents = len(word_offsets) - 1
    shares = np.full((longest - 1, documents), np.nan)
    most = 0
    for document in range(documents):
        most = max(most, word_offsets[document + 1] - word_offsets[document])
    keys = np.empty(slots_for(most), np.uint64)
    counts = np.empty(slots_for(most), np.int64)
    stamps = np.full(slots_for(most), -1, np.int64)
    grams = np.empty(most, np.uint64)
    slot_of = np.empty(most, np.int64)
    repeats = np.empty(most + 1, np.bool_)
    stamp = 0
    for document in range(documents):
        first = word_offsets[document]
        words = word_offsets[document + 1] - first
        if words == 0:
            continue
        total = 0
        for word in range(words):
            grams[word] = word_hash[first + word]
            total += word_characters[first + word]
            repeats[word] = True
        shares[:, document] = 0
        candidates = words
        for n in range(2, longest + 1):
            length = words - n + 1
            if length < 2:
                break
            stamp += 1
            mask = np.uint64(slots_for(candidates) - 1)
            # An n-gram can only repeat where both of its (n − 1)-grams do.
            for at in range(length):
                grams[at] = _joined(grams[at], word_hash[first + at + n - 1])
                if not (repeats[at] and repeats[at + 1]):
                    slot_of[at] = -1
                    continue
                key = grams[at]
                slot = (key ^ (key >> np.uint64(32))) & mask
                while stamps[slot] == stamp and keys[slot] != key:
                    slot = (slot + np.uint64(1)) & mask
                if stamps[slot] == stamp:
                    counts[slot] += 1
                else:
                    stamps[slot], keys[slot], counts[slot] = stamp, key, 1
                slot_of[at] = slot
            candidates = best = best_at = 0
            for at in range(length):
                count = counts[slot_of[at]] if slot_of[at] >= 0 else 1
                repeats[at] = count > 1
                candidates += count > 1
                if count > best:
                    best, best_at = count, at
            if candidates == 0:
                break
            characters = 0
            if n <= top:
                for word in range(best_at, best_at + n):
                    characters += word_characters[first + word]
                characters *= best
            else:
                covered = 0
                for at in range(length):
                    if repeats[at]:
                        for word in range(max(at, covered), at + n):
                            characters += word_characters[first + word]
                        covered = at + n
            repeats[length] = False
            shares[n - 2, document] = characters / total
    return shares
