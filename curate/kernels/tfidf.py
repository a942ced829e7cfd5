"""A linear classifier over TF-IDF weighted words, calibrated: an average of several."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hinterland.curate.kernels.hashed import Hashes, Words
from hinterland.curate.kernels.jit import jit
from hinterland.curate.kernels.tokens import Integers

__all__ = ["Linear", "probabilities", "vocabulary"]

Floats = NDArray[np.float64]


class Linear(NamedTuple):
    """The classifier.

    Attributes:
        keys: Hashes of known words in a table with linear probing, shape (a power of two,).
        places: Each key's feature, −1 where the slot is free.
        idf: The features' inverse document frequencies, shape (features,).
        weights: One row per member of the average, shape (members, features).
        intercepts: shape (members,).
        slopes: Platt's a, shape (members,).
        offsets: Platt's b, shape (members,).
    """

    keys: Hashes
    places: Integers
    idf: Floats
    weights: Floats
    intercepts: Floats
    slopes: Floats
    offsets: Floats


def vocabulary(hashes: Hashes) -> tuple[Hashes, Integers]:
    """Return the table of the features' words, shape (features,) in, (a power of two,) out."""
    slots = max(16, 1 << int(2 * len(hashes)).bit_length())
    keys, places = _fill(hashes, slots)
    return np.asarray(keys, dtype=np.uint64), np.asarray(places, dtype=np.int64)


def probabilities(found: Words, model: Linear) -> Floats:
    """Return each document's probability, shape (documents,); NaN without a word."""
    return np.asarray(_probabilities(found.hashes, found.offsets, *model), dtype=np.float64)


@jit
def _fill(hashes, slots):
    keys = np.zeros(slots, np.uint64)
    places = np.full(slots, -1, np.int64)
    mask = np.uint64(slots - 1)
    for at in range(len(hashes)):
        slot = hashes[at] & mask
        while places[slot] >= 0:
            slot = (slot + np.uint64(1)) & mask
        keys[slot], places[slot] = hashes[at], at
    return keys, places


@jit
def _probabilities(hashes, offsets, keys, places, idf, weights, intercepts, slopes, biases):
    documents, members = len(offsets) - 1, len(intercepts)
    mask = np.uint64(len(keys) - 1)
    counts = np.zeros(len(idf), np.int64)
    touched = np.empty(len(idf), np.int64)
    products = np.empty(members)
    result = np.full(documents, np.nan)
    for document in range(documents):
        first, last = offsets[document], offsets[document + 1]
        if first == last:
            continue
        known = 0
        for at in range(first, last):
            key = hashes[at]
            slot = key & mask
            while places[slot] >= 0 and keys[slot] != key:
                slot = (slot + np.uint64(1)) & mask
            place = places[slot]
            if place < 0:
                continue
            if counts[place] == 0:
                touched[known] = place
                known += 1
            counts[place] += 1
        products[:] = 0
        squares = 0.0
        for at in range(known):
            place = touched[at]
            value = counts[place] * idf[place]
            counts[place] = 0
            squares += value * value
            for member in range(members):
                products[member] += value * weights[member, place]
        length = np.sqrt(squares) if squares > 0 else 1.0
        total = 0.0
        for member in range(members):
            margin = products[member] / length + intercepts[member]
            total += 1.0 / (1.0 + np.exp(slopes[member] * margin + biases[member]))
        result[document] = total / members
    return result
