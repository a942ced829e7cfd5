"""Random streams that depend on a seed and a name, never on the order of calls."""

from __future__ import annotations

import hashlib

import numpy as np

__all__ = ["generator", "integer"]


def integer(seed: int, *names: str | int) -> int:
    """Return a 63-bit integer derived from ``seed`` and ``names``."""
    text = "\0".join(str(part) for part in (seed, *names))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1


def generator(seed: int, *names: str | int) -> np.random.Generator:
    """Return NumPy's generator for the stream called ``names`` under ``seed``."""
    return np.random.default_rng(integer(seed, *names))
