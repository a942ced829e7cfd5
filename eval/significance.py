"""Could chance alone have made this difference? Randomisation tests and their correction.

Randomisation asks no shape of the data and stays honest with few questions: two systems
that differ on one question can never come out different. (Fisher 1935; for retrieval,
Smucker, Allan and Carterette 2007, https://doi.org/10.1145/1321440.1321528.)
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hinterland.core.seeds import generator

__all__ = ["holm", "label_permutation", "sign_flip"]

_EXACT = 13  # up to 2^13 sign patterns are all gone through
_BLOCK = 1_000_000  # numbers drawn at a time


def _finite(values: ArrayLike) -> NDArray[np.float64]:
    array = np.asarray(values, dtype=np.float64)
    return array[np.isfinite(array)]


def _blocks(total: int, width: int) -> Iterator[int]:
    rows = max(1, _BLOCK // max(width, 1))
    for start in range(0, total, rows):
        yield min(rows, total - start)


def sign_flip(differences: ArrayLike, *, resamples: int = 10_000, seed: int = 0) -> float:
    """Return the two-sided p-value of paired differences with mean zero.

    If two systems are equally good, each difference might as well have the other sign. All
    sign patterns are gone through for up to 13 differences, else ``resamples`` drawn ones,
    the observed one counted in. NaN differences are left out; zeros change nothing.
    """
    found = _finite(differences)
    found = found[found != 0]
    if not found.size:
        return 1.0
    # A little slack, because the same sum in another order differs in the last bits.
    bound = abs(found.sum()) - 1e-9 * np.abs(found).sum()
    if found.size <= _EXACT:
        patterns = np.arange(2**found.size)[:, None] >> np.arange(found.size) & 1
        return float(np.mean(np.abs((2 * patterns - 1) @ found) >= bound))
    draw, extreme = generator(seed, "sign-flip"), 0
    for rows in _blocks(resamples, found.size):
        signs = 2 * draw.integers(0, 2, size=(rows, found.size), dtype=np.int8) - 1
        extreme += int(np.count_nonzero(np.abs(signs @ found) >= bound))
    return (extreme + 1) / (resamples + 1)


def label_permutation(
    first: ArrayLike, second: ArrayLike, *, resamples: int = 10_000, seed: int = 0
) -> float:
    """Return the two-sided p-value of two unpaired samples with the same mean.

    Which value carries which label is drawn anew ``resamples`` times. NaN values are left
    out; with an empty sample the p-value is 1.
    """
    a, b = _finite(first), _finite(second)
    if not a.size or not b.size:
        return 1.0
    pooled = np.concatenate([a, b])
    centred = pooled - pooled.mean()
    # With the pooled mean at 0, one sample's sum tells the difference of the means.
    bound = abs(centred[: a.size].sum()) - 1e-9 * np.abs(centred).sum()
    draw, extreme = generator(seed, "label-permutation"), 0
    for rows in _blocks(resamples, centred.size):
        shuffled = draw.permuted(np.broadcast_to(centred, (rows, centred.size)), axis=1)
        extreme += int(np.count_nonzero(np.abs(shuffled[:, : a.size].sum(axis=1)) >= bound))
    return (extreme + 1) / (resamples + 1)


def holm(p_values: Sequence[float]) -> list[float]:
    """Return Holm's adjusted p-values (1979), in the order given.

    Called different below ``alpha``, the chance of even one false claim among all is at
    most ``alpha``, whatever the dependence. NaN (not tested) stays NaN and does not count.

    >>> holm([0.01, 0.04, 0.03])
    [0.03, 0.06, 0.06]
    """
    adjusted = [float("nan")] * len(p_values)
    tested = sorted((p, index) for index, p in enumerate(p_values) if not np.isnan(p))
    highest = 0.0
    for rank, (p, index) in enumerate(tested):
        highest = max(highest, min(1.0, (len(tested) - rank) * p))
        adjusted[index] = highest
    return adjusted
