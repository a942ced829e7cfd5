"""A model's loss, its accuracy or any other number, by group."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hinterland.core.errors import CorpusError
from hinterland.core.stats import Interval
from hinterland.curate.audit.groups import Grouping
from hinterland.curate.audit.parts import Measure, MeasureRow
from hinterland.curate.audit.retention import MIN_CLUSTERS, Design, interval
from hinterland.curate.audit.shares import ratio, share_interval

__all__ = ["measure_of"]

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]


def measure_of(
    values: ArrayLike,
    grouping: Grouping,
    clusters: Codes,
    n_clusters: int,
    column: str,
    *,
    weight: ArrayLike | None = None,
    seed: int = 0,
    resamples: int = 2000,
    min_documents: int = 30,
) -> Measure:
    """Return the mean by group, and its difference from the mean of all others.

    Whole clusters are resampled, the same ones for all groups. Values of 0 and 1 alone, such
    as right and wrong answers, are a share: of a group that has only one of the two, the bounds
    are those of as many independent documents as it has clusters.

    Args:
        values: One for each document, NaN where it is not measured, shape (documents,).
        grouping: Of every document.
        clusters: Cluster of each document, shape (documents,).
        n_clusters: How many clusters there are.
        column: What was measured.
        weight: Of each document in the mean: with its bytes, bits per byte are those of the
            whole text rather than the mean over documents. 1 by default, shape (documents,).
        seed: For the resamples.
        resamples: How many.
        min_documents: Smaller groups are shown and not compared.

    Raises:
        CorpusError: The arrays differ in length, a value is infinite, or a weight is negative.
    """
    numbers = np.asarray(values, dtype=np.float64)
    if not len(numbers) == len(grouping) == len(clusters):
        raise CorpusError(
            f"{len(numbers)} values, {len(grouping)} group labels, {len(clusters)} clusters",
            where=column,
            cure="give one of each for every document",
        )
    if np.isinf(numbers).any():
        raise CorpusError(
            f"{int(np.isinf(numbers).sum())} values are infinite",
            where=column,
            cure="leave out what could not be measured (NaN or null)",
        )
    measured = np.isfinite(numbers)
    weighed = np.ones(len(numbers)) if weight is None else np.asarray(weight, dtype=np.float64)
    if len(weighed) != len(numbers) or not np.all(np.isfinite(weighed[measured]) & (weighed[measured] >= 0)):
        raise CorpusError("a weight is negative or missing", where=column, cure="give one for every value")
    design = Design(
        grouping.codes[measured], grouping.labels, clusters[measured], n_clusters, weighed[measured],
        seed=seed, resamples=resamples, min_documents=min_documents,
    )  # fmt: skip
    found = _Means(design, numbers[measured], grouping.unknown)
    rows = (found.all(), *(found.row(g) for g in range(len(grouping.labels))))
    return Measure(column, grouping.name, rows, int((~measured).sum()))


class _Means:
    """The means of a design in the data and in the resamples.

    Args:
        design: Documents with a value; their tokens are the weights.
        values: The values.
        unknown: The label of documents without a group.
    """

    def __init__(self, design: Design, values: Floats, unknown: str) -> None:
        self.design, self.unknown = design, unknown
        self.is_share = bool(np.isin(values, (0.0, 1.0)).all())
        weights, sums = design.token_totals, design.sums(values * design.tokens)
        self.documents = design.documents.sum(axis=0).astype(np.int64)
        (self.mean, self.rest, self.total) = _means(sums.sum(axis=0), weights.sum(axis=0))
        (self.drawn, self.rest_drawn, self.total_drawn) = _means(design.draws @ sums, design.draws @ weights)

    def _interval(self, estimate: float, drawn: Floats, clusters: int) -> Interval:
        if self.is_share and estimate in (0.0, 1.0):
            return share_interval(estimate, drawn, clusters, clusters)
        return interval(estimate, drawn, clusters)

    def all(self) -> MeasureRow:
        """Return the row of all documents."""
        clusters = self.design.n_clusters
        mean = self._interval(float(self.total[0]), self.total_drawn[:, 0], clusters)
        none = Interval(math.nan, math.nan, math.nan)
        return MeasureRow("all", int(self.documents.sum()), clusters, mean, none, ranked=True)

    def row(self, g: int) -> MeasureRow:
        """Return the row of one group."""
        label, documents = self.design.labels[g], int(self.documents[g])
        clusters, outside = int(self.design.clusters[g]), int(self.design.outside[g])
        mean = self._interval(float(self.mean[g]), self.drawn[:, g], clusters)
        rest = self._interval(float(self.rest[g]), self.rest_drawn[:, g], outside)
        apart = self.drawn[:, g] - self.rest_drawn[:, g]
        difference = interval(float(self.mean[g] - self.rest[g]), apart, min(clusters, outside))
        if self.is_share and {mean.estimate, rest.estimate} & {0.0, 1.0}:
            difference = _between(mean, rest)
        ranked = label != self.unknown and documents >= self.design.min_documents and clusters >= MIN_CLUSTERS
        return MeasureRow(label, documents, clusters, mean, difference, ranked)


def _means(sums: Floats, weights: Floats) -> tuple[Floats, Floats, Floats]:
    """Return the means of each group, of all others, and of all, over the last axis."""
    whole, mass = sums.sum(axis=-1, keepdims=True), weights.sum(axis=-1, keepdims=True)
    left = mass - weights
    # What is left of a subtraction of equal sums is not always 0.
    left = np.where(left > 1e-9 * mass, left, 0.0)
    return ratio(sums, weights), ratio(whole - sums, left), ratio(whole, mass)


def _between(first: Interval, second: Interval) -> Interval:
    """Return the difference of two shares from their intervals (Newcombe 1998, method 10)."""
    estimate = first.estimate - second.estimate
    low = estimate - math.hypot(first.estimate - first.low, second.high - second.estimate)
    high = estimate + math.hypot(first.high - first.estimate, second.estimate - second.low)
    return Interval(estimate, low, high, first.level)
