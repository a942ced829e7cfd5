"""Words and their n-grams as hashes, and a linear model over them."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from hinterland.curate.kernels.jit import jit
from hinterland.curate.kernels.tokens import Bytes, Integers, decode, mix

__all__ = [
    "FEATURES",
    "Features",
    "Hashes",
    "Words",
    "count_ngrams",
    "document_keys",
    "hash_word",
    "hash_words",
    "linear",
]

#: Hashed features: unigrams and bigrams share them.
FEATURES: Final = 2**20

Hashes = NDArray[np.uint64]
Floats = NDArray[np.float64]
Weights = NDArray[np.float32]

# The offset basis and prime of FNV-1a, 64 bits, and 2^64 over the golden ratio.
_BASIS: Final = np.uint64(0xCBF29CE484222325)
_PRIME: Final = np.uint64(0x100000001B3)
_STEP: Final = np.uint64(0x9E3779B97F4A7C15)
_SHIFT: Final = np.uint64(44)  # leaves 20 bits


class Words(NamedTuple):
    """The words of a batch.

    Attributes:
        hashes: One hash per word, in the order of the text, shape (words,).
        offsets: Where each document's begin and the last's end, shape (documents + 1,).
    """

    hashes: Hashes
    offsets: Integers


class Features(NamedTuple):
    """Counts of the hashed unigrams and bigrams of each document, as a sparse matrix's rows.

    Attributes:
        offsets: Where each document's features begin, shape (documents + 1,).
        indices: Which of the `FEATURES` occur, uint32, in the order of their first place.
        counts: How often, float32.
    """

    offsets: Integers
    indices: NDArray[np.uint32]
    counts: NDArray[np.float32]


def hash_words(
    data: Bytes, offsets: Integers, kinds: NDArray[np.uint8], folded: NDArray[np.uint32], shortest: int = 1
) -> Words:
    """Return the hashed words under tables of what belongs to a word.

    Args:
        data: The documents' UTF-8, one after the other.
        offsets: Where each begins and the last ends, shape (documents + 1,).
        kinds: For each code point 0 (ends a word), 1 (belongs to it), 2 (is a word), 3
            (vanishes); beyond the table it ends a word.
        folded: The code point that each counts as.
        shortest: The fewest characters of a word.
    """
    return Words(*_hash_words(data, offsets, kinds, folded, shortest))


def hash_word(word: str) -> int:
    """Return the hash of a word whose characters all belong to it, already folded."""
    value = int(_BASIS)
    for character in word:
        value = ((value ^ ord(character)) * int(_PRIME)) & 0xFFFFFFFFFFFFFFFF
    return int(mix(np.uint64(value)))


def count_ngrams(found: Words) -> Features:
    """Return each document's counted unigrams and bigrams."""
    return Features(*_features(found.hashes, found.offsets))


def document_keys(found: Words) -> Hashes:
    """Return one hash per document over its words in order, shape (documents,).

    Documents that differ only in case, punctuation, diacritics or space have the same.
    """
    return np.asarray(_document_keys(found.hashes, found.offsets), dtype=np.uint64)


def linear(found: Words, weights: Weights, *, damped: bool) -> Floats:
    """Return the product of each document's counts, scaled to length 1, and the weights.

    Args:
        found: The words.
        weights: One per feature, shape (FEATURES,).
        damped: Whether a count c enters as 1 + log c.

    Returns:
        Shape (documents,); NaN for a document without words.
    """
    return np.asarray(_linear(found.hashes, found.offsets, weights, damped))


@jit
def _hash_words(data, offsets, kinds, folded, shortest):
    documents = len(offsets) - 1
    hashes = np.empty(len(data) // max(shortest, 1) + 1, np.uint64)
    word_offsets = np.zeros(documents + 1, np.int64)
    count = 0
    for document in range(documents):
        at, end = offsets[document], offsets[document + 1]
        value, length = _BASIS, 0
        while at < end:
            code, width = np.int64(data[at]), 1
            if code >= 0x80:
                code, width = decode(data, at)
            at += width
            kind = kinds[code] if code < len(kinds) else 0
            if kind == 1:
                value = (value ^ np.uint64(folded[code])) * _PRIME
                length += 1
            elif kind != 3:
                if length >= shortest:
                    hashes[count] = mix(value)
                    count += 1
                value, length = _BASIS, 0
                if kind == 2:
                    hashes[count] = mix((_BASIS ^ np.uint64(folded[code])) * _PRIME)
                    count += 1
        if length >= shortest:
            hashes[count] = mix(value)
            count += 1
        word_offsets[document + 1] = count
    return hashes[:count].copy(), word_offsets


@jit
def feature(hashes, at, first):
    """Return the features of the word at a place and of its bigram with the word before.

    The bigram's is -1 for the document's first word.
    """
    one = np.int64(hashes[at] >> _SHIFT)
    if at == first:
        return one, np.int64(-1)
    return one, np.int64(mix(hashes[at - 1] * _STEP + hashes[at]) >> _SHIFT)


@jit
def count_features(hashes, first, last, counts, touched):
    """Count a document's features into ``counts`` (all 0 before) and list them in ``touched``.

    Returns:
        How many there are; the caller sets ``counts`` back to 0.
    """
    found = 0
    for at in range(first, last):
        one, two = feature(hashes, at, first)
        if counts[one] == 0:
            touched[found] = one
            found += 1
        counts[one] += 1
        if two >= 0:
            if counts[two] == 0:
                touched[found] = two
                found += 1
            counts[two] += 1
    return found


@jit
def _features(hashes, offsets):
    documents = len(offsets) - 1
    counts = np.zeros(1 << 20, np.int32)
    indices = np.empty(2 * len(hashes), np.uint32)
    values = np.empty(2 * len(hashes), np.float32)
    rows = np.zeros(documents + 1, np.int64)
    touched = np.empty(2 * len(hashes) + 1, np.int64)
    total = 0
    for document in range(documents):
        found = count_features(hashes, offsets[document], offsets[document + 1], counts, touched)
        for at in range(found):
            index = touched[at]
            indices[total + at] = index
            values[total + at] = counts[index]
            counts[index] = 0
        total += found
        rows[document + 1] = total
    return rows, indices[:total].copy(), values[:total].copy()


@jit
def _linear(hashes, offsets, weights, damped):
    documents = len(offsets) - 1
    most = 0
    for document in range(documents):
        most = max(most, offsets[document + 1] - offsets[document])
    counts = np.zeros(len(weights), np.int32)
    touched = np.empty(2 * most + 1, np.int64)
    products = np.full(documents, np.nan)
    for document in range(documents):
        found = count_features(hashes, offsets[document], offsets[document + 1], counts, touched)
        if found == 0:
            continue
        product = squares = 0.0
        for at in range(found):
            index = touched[at]
            value = float(counts[index])
            if damped:
                value = 1.0 + np.log(value)
            product += value * weights[index]
            squares += value * value
            counts[index] = 0
        products[document] = product / np.sqrt(squares)
    return products


@jit
def _document_keys(hashes, offsets):
    keys = np.empty(len(offsets) - 1, np.uint64)
    for document in range(len(keys)):
        value = _BASIS
        for at in range(offsets[document], offsets[document + 1]):
            value = (value ^ hashes[at]) * _STEP
        keys[document] = mix(value)
    return keys
