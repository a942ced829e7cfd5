"""MinHash: word shingles, signatures by band, and the sets that verify them.

Broder, *On the resemblance and containment of documents* (1997); the banding is that of
Leskovec, Rajaraman, Ullman, *Mining of Massive Datasets*, section 3.4: two documents of
Jaccard similarity s share a band with probability 1 − (1 − s^rows)^bands. With FineWeb's 14
bands of 8 rows (Penedo et al. 2024, arXiv:2406.17557) that is 0.56 at 0.7 and 0.92 at 0.8;
the kit's 22 bands of 5 use as many hash functions and give 0.98 and 0.9999. The more candidates
cost little, since all are verified.

Each of the bands × rows hash functions is h(x) = a·x + b modulo 2^64 with an odd a, over
shingle hashes that are already mixed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from hinterland.core.seeds import generator
from hinterland.curate.kernels.jit import jit
from hinterland.curate.kernels.tokens import Integers, mix
from hinterland.curate.words import Batch

__all__ = ["NO_KEY", "MinHash", "band_keys", "shingle_sets"]

Hashes = NDArray[np.uint64]

#: The key of a document without a word: it has no near-duplicates.
NO_KEY: Final = np.uint64(2**64 - 1)


@dataclass(frozen=True)
class MinHash:
    """How documents are compared.

    Attributes:
        bands: Bands; two documents are candidates if they share one.
        rows: Hash functions in a band.
        shingle: Normalised words in a shingle; a shorter document is one shingle.
        seed: Chooses the hash functions.
    """

    bands: int = 22
    rows: int = 5
    shingle: int = 5
    seed: int = 1


def band_keys(batch: Batch, settings: MinHash) -> Hashes:
    """Return a key for each document and band, shape (documents, bands).

    A document without a normalised word has `NO_KEY` in every band.
    """
    random = generator(settings.seed, "minhash")
    size = settings.bands * settings.rows
    factors = random.integers(0, 2**64, size, dtype=np.uint64) | np.uint64(1)
    terms = random.integers(0, 2**64, size, dtype=np.uint64)
    parts = batch.split
    return np.asarray(
        _band_keys(parts.norm_offsets, parts.norm_hash, factors, terms, settings.bands, settings.shingle)
    )


def shingle_sets(batch: Batch, settings: MinHash) -> tuple[Hashes, Integers]:
    """Return the distinct shingle hashes of each document, in ascending order.

    Returns:
        The hashes, one document after the other, and where each begins, shape
        (documents + 1,). A document without a normalised word has none.
    """
    parts = batch.split
    hashes, offsets = _shingle_sets(parts.norm_offsets, parts.norm_hash, settings.shingle)
    return np.asarray(hashes), np.asarray(offsets)


@jit
def _shingle(norm_hash, at, length):
    value = np.uint64(length)
    for word in range(at, at + length):
        value = (value ^ norm_hash[word]) * np.uint64(0x9E3779B97F4A7C15)
        value ^= value >> np.uint64(29)
    return mix(value)


@jit
def _band_keys(norm_offsets, norm_hash, factors, terms, bands, shingle):
    documents = len(norm_offsets) - 1
    rows = len(factors) // bands
    keys = np.full((documents, bands), np.uint64(2**64 - 1), np.uint64)
    least = np.empty(len(factors), np.int64)
    values = np.empty(len(norm_hash) + 4, np.uint64)
    for document in range(documents):
        first, last = norm_offsets[document], norm_offsets[document + 1]
        if first == last:
            continue
        length = min(shingle, last - first)
        number = last - length + 1 - first
        for at in range(number):
            values[at] = _shingle(norm_hash, first + at, length)
        values[number : number + 3] = values[0]  # a set's least member is that of the set with a copy
        least[:] = np.int64(2**63 - 1)
        # Four shingles at a time: one store of a minimum for four products. The products are
        # unsigned, since a signed one that overflows may be compiled to anything; they are
        # compared as signed numbers, because vector units compare those.
        for at in range(0, number, 4):
            one, two, three, four = values[at], values[at + 1], values[at + 2], values[at + 3]
            for index in range(len(least)):
                factor, term = factors[index], terms[index]
                first_least = min(np.int64(factor * one + term), np.int64(factor * two + term))
                second_least = min(np.int64(factor * three + term), np.int64(factor * four + term))
                least[index] = min(least[index], min(first_least, second_least))  # noqa: PLW3301
        for band in range(bands):
            key = np.uint64(band)
            for row in range(rows):
                key = mix(key ^ np.uint64(least[band * rows + row])) + np.uint64(row)
            keys[document, band] = min(key, np.uint64(2**64 - 2))
    return keys


@jit
def _shingle_sets(norm_offsets, norm_hash, shingle):
    documents = len(norm_offsets) - 1
    offsets = np.zeros(documents + 1, np.int64)
    hashes = np.empty(len(norm_hash), np.uint64)
    filled = 0
    for document in range(documents):
        first, last = norm_offsets[document], norm_offsets[document + 1]
        if first < last:
            length = min(shingle, last - first)
            number = last - length + 1 - first
            found = np.empty(number, np.uint64)
            for at in range(number):
                found[at] = _shingle(norm_hash, first + at, length)
            found.sort()
            for at in range(number):
                if at == 0 or found[at] != found[at - 1]:
                    hashes[filled] = found[at]
                    filled += 1
        offsets[document + 1] = filled
    return hashes[:filled], offsets
