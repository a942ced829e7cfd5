"""A random number for every string: the same for the same string and seed, in any order."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hinterland.curate.kernels.jit import jit
from hinterland.curate.kernels.tokens import Bytes, Integers

__all__ = ["draw"]


def draw(data: Bytes, offsets: Integers, seed: int) -> NDArray[np.uint64]:
    """Return 64 random bits for each string, shape (strings,).

    FNV-1a over the bytes, begun from the seed, then the finaliser of splitmix64 (Steele et
    al. 2014), whose output bits each depend on all input bits.

    Args:
        data: The strings' bytes, one after the other.
        offsets: Where each begins and the last ends, shape (strings + 1,).
        seed: Another seed gives independent numbers; 0 to 2^64 − 1.
    """
    return np.asarray(_draw(data, offsets, np.uint64(seed)), dtype=np.uint64)


@jit
def _draw(data, offsets, seed):
    out = np.empty(len(offsets) - 1, np.uint64)
    start = np.uint64(0xCBF29CE484222325) ^ _mix(seed)
    for row in range(len(out)):
        value = start
        for at in range(offsets[row], offsets[row + 1]):
            value = (value ^ np.uint64(data[at])) * np.uint64(0x100000001B3)
        out[row] = _mix(value)
    return out


@jit
def _mix(value):
    value = value + np.uint64(0x9E3779B97F4A7C15)
    value = (value ^ (value >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    value = (value ^ (value >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return value ^ (value >> np.uint64(31))
