"""An n-gram language model with exact probabilities: interpolated modified Kneser-Ney.

Chen and Goodman (1998), "An empirical study of smoothing techniques for language
modeling", section 3: three discounts for each order, estimated from the counts of counts;
lower orders count in how many contexts an n-gram was seen. The last order below the
unigrams is uniform over the vocabulary, so every symbol has a probability above 0 and they
sum to 1. An n-gram is one 64-bit number, and all counting is sorting.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["KneserNey", "Queries", "pack", "windows"]

Keys = NDArray[np.uint64]
Integers = NDArray[np.int64]
Floats = NDArray[np.float64]

#: Where the counts of counts give no discounts (too few n-grams): those for 1, 2 and 3 or more.
_FALLBACK = (0.5, 1.0, 1.5)


def _bits(vocabulary: int) -> int:
    """Return the bits that hold a symbol or the start symbol, which is ``vocabulary``."""
    return max(int(vocabulary).bit_length(), 1)


def pack(grams: NDArray[np.int64], vocabulary: int) -> Keys:
    """Return one number for each n-gram, its last symbol in the lowest bits.

    Args:
        grams: Symbols, shape (n-grams, order).
        vocabulary: How many symbols there are; this number itself is the start symbol.

    Raises:
        ValueError: So many symbols do not fit into 64 bits.
    """
    bits, order = _bits(vocabulary), grams.shape[1]
    if bits * order > 64:
        raise ValueError(f"{order} symbols of {bits} bits do not fit into 64 bits")
    keys = np.zeros(len(grams), dtype=np.uint64)
    for column in range(order):
        keys = (keys << np.uint64(bits)) | grams[:, column].astype(np.uint64)
    return keys


def windows(
    tokens: NDArray[np.integer], starts: Integers, ends: Integers, *, order: int, vocabulary: int
) -> Keys:
    """Return the n-gram that ends in each token of the given stretches, in their order.

    Every stretch begins anew after ``order − 1`` start symbols.

    Args:
        tokens: All symbols, shape (tokens,).
        starts: Where each stretch begins, shape (stretches,).
        ends: Where it ends, shape (stretches,).
        order: Symbols in an n-gram.
        vocabulary: How many symbols there are.
    """
    lengths = ends - starts
    before = np.cumsum(lengths) - lengths
    within = np.arange(int(lengths.sum())) - np.repeat(before, lengths)
    stream = np.full(int(lengths.sum()) + (order - 1) * len(lengths), vocabulary, dtype=np.int64)
    pads = (order - 1) * np.arange(1, len(lengths) + 1)
    places = within + np.repeat(before + pads, lengths)
    stream[places] = tokens[within + np.repeat(starts, lengths)]
    return pack(np.stack([stream[places - back] for back in range(order - 1, -1, -1)], axis=1), vocabulary)


class Queries:
    """N-grams to look up in several models: the distinct ones of every order, and their suffixes.

    Args:
        keys: N-grams as `pack` and `windows` give them, shape (tokens,).
        order: Symbols in an n-gram.
        vocabulary: How many symbols there are.
    """

    def __init__(self, keys: Keys, *, order: int, vocabulary: int) -> None:
        self.order, self.vocabulary = order, vocabulary
        bits = _bits(vocabulary)
        distinct, self.place = np.unique(keys, return_inverse=True)
        self.keys, self.suffix = [distinct], [np.zeros(len(distinct), dtype=np.int64)]
        for length in range(order - 1, 0, -1):
            lower, at = np.unique(self.keys[0] & _mask(bits * length), return_inverse=True)
            self.suffix[0] = at.astype(np.int64)
            self.keys.insert(0, lower)
            self.suffix.insert(0, np.zeros(len(lower), dtype=np.int64))


def _mask(bits: int) -> np.uint64:
    return np.uint64((1 << bits) - 1)


@dataclass(frozen=True)
class _Order:
    """One order's n-grams and contexts.

    Attributes:
        keys: Distinct n-grams, ascending, shape (n-grams,).
        worth: Their counts less the discount, shape (n-grams,).
        contexts: Distinct contexts, ascending, shape (contexts,).
        totals: The sum of counts after each.
        spread: The mass that its discounts free.
    """

    keys: Keys
    worth: Floats
    contexts: Keys
    totals: Floats
    spread: Floats

    @classmethod
    def count(cls, keys: Keys, counts: Integers, bits: int) -> _Order:
        """Make the order from its distinct n-grams and their counts."""
        take = discounts(counts)[np.minimum(counts, 3)]
        of = keys >> np.uint64(bits)
        first = np.flatnonzero(np.concatenate([[True], of[1:] != of[:-1]]))
        totals = np.add.reduceat(counts, first).astype(np.float64)
        spread = np.add.reduceat(take, first) / totals
        return cls(keys, counts - take, of[first], totals, spread)

    def probability(self, keys: Keys, lower: Floats, bits: int) -> Floats:
        """Return the probability of each n-gram's last symbol, given that of the order below."""
        at, known = _find(self.keys, keys)
        context, seen = _find(self.contexts, keys >> np.uint64(bits))
        own = np.where(known, self.worth[at], 0.0) / self.totals[context]
        return np.where(seen, own + self.spread[context] * lower, lower)


def _find(ordered: Keys, wanted: Keys) -> tuple[Integers, NDArray[np.bool_]]:
    at = np.minimum(np.searchsorted(ordered, wanted), len(ordered) - 1)
    return at, ordered[at] == wanted


def discounts(counts: Integers) -> Floats:
    """Return what is taken from counts of 0, 1, 2 and 3 or more (Chen and Goodman 1998, eq. 26).

    >>> discounts(np.array([1, 1, 1, 1, 2, 2, 3, 4])).tolist()
    [0.0, 0.5, 1.25, 1.0]
    """
    n1, n2, n3, n4 = (int(np.count_nonzero(counts == c)) for c in (1, 2, 3, 4))
    if not (n1 and n2 and n3):
        return np.array([0.0, *_FALLBACK])
    y = n1 / (n1 + 2 * n2)
    found = [1 - 2 * y * n2 / n1, 2 - 3 * y * n3 / n2, 3 - 4 * y * n4 / n3]
    sound = all(0 < each < most for each, most in zip(found, (1, 2, 3), strict=True))
    return np.array([0.0, *(found if sound else _FALLBACK)])


class KneserNey:
    """The model.

    Args:
        keys: The training text's n-grams, one for each token, shape (tokens,).
        order: Symbols in an n-gram.
        vocabulary: How many symbols there are.

    Raises:
        ValueError: There is nothing to count.
    """

    def __init__(self, keys: Keys, *, order: int, vocabulary: int) -> None:
        if not len(keys):
            raise ValueError("an n-gram model needs at least one token")
        self.order, self.vocabulary, self._bits = order, vocabulary, _bits(vocabulary)
        distinct, counts = np.unique(keys, return_counts=True)
        self._orders: list[_Order] = []
        for length in range(order, 0, -1):
            if length < order:
                distinct, counts = np.unique(distinct & _mask(self._bits * length), return_counts=True)
            self._orders.insert(0, _Order.count(distinct, counts.astype(np.int64), self._bits))

    def bits(self, queries: Queries) -> Floats:
        """Return −log2 of each token's probability, shape (tokens,).

        Args:
            queries: For the same order and vocabulary.
        """
        chance = np.full(1, 1 / self.vocabulary)
        for order, keys, suffix in zip(self._orders, queries.keys, queries.suffix, strict=True):
            chance = order.probability(keys, chance[suffix], self._bits)
        return np.asarray(-np.log2(chance)[queries.place])
