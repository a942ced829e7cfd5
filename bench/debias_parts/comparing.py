"""Bits per byte of held-out speeches by group and arm, and their paired differences."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hinterland.adapt.bits import BitsPerByte
from hinterland.core.imports import require
from hinterland.core.stats import Interval, cluster_weights
from hinterland.curate.audit.retention import MIN_CLUSTERS, interval
from hinterland.eval.significance import holm

__all__ = ["OVERALL", "Change", "changes", "join", "over_runs"]

Floats = NDArray[np.float64]

OVERALL = "all speeches"


@dataclass(frozen=True)
class Change:
    """Second arm less first, on the speeches of one group.

    Attributes:
        group: Its label, or `OVERALL`.
        speeches: How many texts were scored.
        countries: Countries (clusters) that they are from.
        first: Bits per byte under the first arm.
        second: The same under the second.
        difference: ``second − first`` with the interval over countries.
        p_value: Two-sided, of a difference of 0, by Student's t over countries; NaN with too
            few of them (`MIN_CLUSTERS`): no test, no claim.
        p_adjusted: The same after Holm over all groups of the comparison.
        runs: The difference in each run.
        over_runs: Their mean with Student's interval over runs.
    """

    group: str
    speeches: int
    countries: int
    first: float
    second: float
    difference: Interval
    p_value: float
    p_adjusted: float
    runs: tuple[float, ...]
    over_runs: Interval

    @property
    def supported(self) -> bool:
        """Whether the intervals over countries and runs both exclude 0, and Holm's p ≤ 0.05."""
        return bool(
            self.difference.excludes(0.0) and self.over_runs.excludes(0.0) and self.p_adjusted <= 0.05
        )


def join(parts: Sequence[BitsPerByte]) -> BitsPerByte:
    """Return the documents of all runs together; every speech is held out in one run."""
    return BitsPerByte(tuple(item for part in parts for item in part.documents))


def changes(
    first: Sequence[BitsPerByte],
    second: Sequence[BitsPerByte],
    group: Mapping[str, str],
    order: Sequence[str],
    *,
    resamples: int,
    seed: int,
) -> list[Change]:
    """Compare two arms on all speeches and on those of each group.

    Whole countries are resampled, the same ones for both arms and all groups.

    Args:
        first: Each run's documents under the first arm.
        second: The same documents under the second.
        group: The group of each document, by id; others count in `OVERALL` alone.
        order: The groups to report.
        resamples: How many.
        seed: For them.

    Raises:
        ValueError: The arms do not have the same documents.
    """
    names = [OVERALL, *order]
    one, two = join(first).documents, join(second).documents
    if [(a.id, a.bytes) for a in one] != [(b.id, b.bytes) for b in two]:
        raise ValueError("the arms were scored on different texts")
    countries = sorted({item.country or item.id for item in one})
    row = {name: number for number, name in enumerate(countries)}
    cell = np.array([row[item.country or item.id] for item in one])
    values = np.array([(a.bytes, a.bits, b.bits) for a, b in zip(one, two, strict=True)])
    label = np.array([group.get(item.id, "") for item in one])
    run = np.repeat(np.arange(len(first)), [len(part.documents) for part in first])
    drawn = cluster_weights(len(countries), resamples=resamples, seed=seed, name="proof")
    found = []
    for name in names:
        chosen = np.ones(len(one), dtype=bool) if name == OVERALL else label == name
        clusters = len(np.unique(cell[chosen]))
        sums = np.zeros((len(countries), 3))
        np.add.at(sums, cell[chosen], values[chosen])
        size, a, b = sums.sum(axis=0)
        replicates = _difference(drawn @ sums)
        estimate = float((b - a) / size) if size else math.nan
        by_run = tuple(
            float(each)
            for each in _difference(
                np.array([values[chosen & (run == each)].sum(axis=0) for each in range(len(first))])
            )
        )
        found.append(
            Change(
                name,
                int(chosen.sum()),
                clusters,
                float(a / size) if size else math.nan,
                float(b / size) if size else math.nan,
                interval(estimate, replicates, clusters),
                _p_value(estimate, replicates, clusters),
                math.nan,
                by_run,
                over_runs(by_run),
            )
        )
    adjusted = holm([each.p_value for each in found])
    return [replace(each, p_adjusted=value) for each, value in zip(found, adjusted, strict=True)]


def _difference(sums: Floats) -> Floats:
    """Return (second − first) / bytes of each row of (bytes, first, second); NaN without bytes."""
    size = sums[:, 0]
    found = np.divide(sums[:, 2] - sums[:, 1], size, out=np.full(len(sums), np.nan), where=size > 0)
    return np.asarray(found, dtype=np.float64)


def _p_value(estimate: float, replicates: Floats, clusters: int) -> float:
    finite = replicates[np.isfinite(replicates)]
    if clusters < MIN_CLUSTERS or finite.size < 2:
        return math.nan
    # A bootstrap's variance is that of a sum over all clusters; Student's has one degree less.
    spread = float(finite.std(ddof=1)) * math.sqrt(clusters / (clusters - 1))
    if spread == 0:
        return 1.0 if estimate == 0 else 0.0
    return float(2 * _special().stdtr(clusters - 1, -abs(estimate) / spread))


def _special() -> Any:
    return require("scipy.special", cure="pip install scipy")


def over_runs(values: Sequence[float]) -> Interval:
    """Return the mean with Student's 95% interval; without bounds where there is one run."""
    array = np.asarray([value for value in values if math.isfinite(value)])
    if array.size < 2:
        return Interval(float(array.mean()) if array.size else math.nan, math.nan, math.nan)
    half = float(_special().stdtrit(len(array) - 1, 0.975) * array.std(ddof=1) / math.sqrt(len(array)))
    middle = float(array.mean())
    return Interval(middle, middle - half, middle + half)
