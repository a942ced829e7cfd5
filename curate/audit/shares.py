"""Intervals of shares and of their ratios, which also say what a share of 0 or 1 leaves open."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from hinterland.core.imports import require
from hinterland.core.stats import Interval
from hinterland.curate.audit.retention import interval

__all__ = ["ratio", "scaled", "share_interval"]

Floats = NDArray[np.float64]


def ratio(part: Floats, whole: Floats) -> Floats:
    """Return part / whole, NaN where the whole is 0 or not finite."""
    fine = np.isfinite(whole) & (whole != 0)
    return np.asarray(np.where(fine, part / np.where(fine, whole, 1.0), np.nan))


def share_interval(
    estimate: float, drawn: Floats, clusters: int, overall: int, outside: int | None = None
) -> Interval:
    """Return the interval of a share.

    A group that rests on few clusters has the interval widened as that of a mean of so many.
    Where the share is 0 or 1, resampling shows no spread; then the bound is that of the
    Jeffreys posterior of as many independent documents as there are clusters. In simulations
    of groups in 1 to 8 of 200 clusters, such intervals of 95% held the true share in 98 to 100%
    of cases where clusters were of one size, and in 85 to 88% where sizes were very unequal
    (lognormal, σ = 1.2): of few and very unequal sources no bootstrap knows more.

    Args:
        estimate: The share in the data, 0 to 1.
        drawn: The same in the resamples, shape (resamples,).
        clusters: Clusters with a document of the group.
        overall: Clusters with a document of any group.
        outside: Clusters with a document of another group; by default those without one of
            this group, or all where there are none.
    """
    if overall < 2 or not math.isfinite(estimate):
        return Interval(estimate, math.nan, math.nan)
    if estimate in (0.0, 1.0):
        special = require("scipy.special", cure="pip install scipy")
        reach = float(special.betaincinv(0.5, overall + 0.5, 0.975))
        return Interval(estimate, 0.0, reach) if estimate == 0 else Interval(estimate, 1 - reach, 1.0)
    if outside is None:
        outside = overall - clusters if overall > clusters else overall
    return interval(estimate, drawn, max(min(clusters, outside), 2))


def scaled(found: Interval, by: float) -> Interval:
    """Return an interval divided by a constant; NaN where that is 0 or not finite."""
    if not math.isfinite(by) or by <= 0:
        return Interval(math.nan, math.nan, math.nan, found.level)
    return Interval(found.estimate / by, found.low / by, found.high / by, found.level)
