"""Vectors of length 1, so that an inner product is a cosine."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["unit_vectors"]

#: Shorter vectors are not stretched to length 1: their direction is rounding error, or there is none.
_SHORTEST = 1e-12


def unit_vectors(vectors: NDArray[np.floating[Any]]) -> NDArray[np.float32]:
    """Return vectors divided by their Euclidean lengths, float32; zeros stay zeros.

    Lengths are computed in the numbers' own format: give bfloat16 as float32, whose lengths are not
    off by up to 1/256.

    Args:
        vectors: Shape (…, dimension).

    >>> unit_vectors(np.array([[3, 4], [0, 0]], np.float32)).tolist()
    [[0.6000000238418579, 0.800000011920929], [0.0, 0.0]]
    """
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.asarray(vectors / np.maximum(lengths, _SHORTEST), dtype=np.float32)
