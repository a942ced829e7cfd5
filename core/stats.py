"""Uncertainty by resampling: percentile intervals from (clustered, paired) bootstraps.

Efron and Tibshirani, *An Introduction to the Bootstrap* (1993), ch. 13; resampling whole
clusters follows Field and Welsh (2007). Documents of one place are not independent, so
audits resample places, not documents.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hinterland.core.seeds import generator

__all__ = ["Interval", "bootstrap_mean", "cluster_weights", "paired_difference", "percentile_interval"]

Floats = NDArray[np.float64]
_BLOCK = 4_000_000  # draws held in memory at a time


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimate and its two-sided percentile interval."""

    estimate: float
    low: float
    high: float
    level: float = 0.95

    def excludes(self, value: float) -> bool:
        """Whether ``value`` lies outside; an interval of NaN excludes nothing."""
        return bool(value < self.low or value > self.high)


def percentile_interval(estimate: float, replicates: Floats, *, level: float = 0.95) -> Interval:
    """Return the percentile interval of ``replicates`` (NaN ones left out)."""
    finite = replicates[np.isfinite(replicates)]
    if not finite.size:
        return Interval(estimate, float("nan"), float("nan"), level)
    low, high = np.quantile(finite, [(1 - level) / 2, (1 + level) / 2])
    return Interval(float(estimate), float(low), float(high), level)


def cluster_weights(clusters: int, *, resamples: int, seed: int, name: str = "cluster") -> Floats:
    """Return how often each cluster is drawn in each resample, shape (resamples, clusters)."""
    if clusters == 0:
        return np.zeros((resamples, 0))
    draws = generator(seed, "bootstrap", name).multinomial(
        clusters, np.full(clusters, 1 / clusters), size=resamples
    )
    return draws.astype(np.float64)


def _means(values: Floats, *, resamples: int, seed: int) -> Floats:
    """Return the mean of each resample; as `cluster_weights`, a block in memory at a time."""
    draw, chances = generator(seed, "bootstrap", "mean"), np.full(len(values), 1 / len(values))
    rows = max(1, _BLOCK // len(values))
    return np.concatenate(
        [
            draw.multinomial(len(values), chances, size=min(rows, resamples - start)) @ values / len(values)
            for start in range(0, resamples, rows)
        ]
    )


def bootstrap_mean(
    values: ArrayLike, *, resamples: int = 2000, seed: int = 0, level: float = 0.95
) -> Interval:
    """Return the mean of ``values`` with its interval; NaN values are unmeasured and left out."""
    array = np.asarray(values, dtype=np.float64)
    array = array[np.isfinite(array)]
    if not array.size:
        return Interval(float("nan"), float("nan"), float("nan"), level)
    return percentile_interval(
        float(array.mean()), _means(array, resamples=resamples, seed=seed), level=level
    )


def paired_difference(
    first: ArrayLike, second: ArrayLike, *, resamples: int = 2000, seed: int = 0, level: float = 0.95
) -> Interval:
    """Return the mean of ``second − first`` over the same items, with its interval.

    Both are resampled together, item by item, so what makes an item hard cancels out.
    Items unmeasured (NaN) in either are left out.

    Raises:
        ValueError: The two do not have the same length.
    """
    a, b = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    if a.shape != b.shape:
        raise ValueError(f"paired values need equal lengths, found {a.shape} and {b.shape}")
    return bootstrap_mean(b - a, resamples=resamples, seed=seed, level=level)
