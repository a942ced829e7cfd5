"""Iterative proportional fitting with bounds on the weights: the kernel of raking.

Deming and Stephan (1940) scale a table's rows and columns in turn until both have the
wanted sums. With bounds, a weight is clip(base × product of its margins' factors), and each
factor is the one with which its group has its sum after clipping: what one weight may not
take, the others of its group take at once. That is coordinate ascent on the dual of "stay
as close to the base weights as possible (Kullback-Leibler) within bounds", so it converges
wherever the margins can be met (Deville and Särndal 1992, case of truncated raking).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Fit", "fit_weights", "scale_groups"]

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]

#: Factors are kept in this range, and unclipped weights in that of a float.
_FACTOR = 1e30
_LARGEST = 1e200
#: A step that solves for a group's factor ends at this relative error.
_EXACT = 1e-13
#: Sweeps without a gain of one in a thousand after which the margins count as in conflict.
_PATIENCE = 50


@dataclass(frozen=True, slots=True)
class Fit:
    """Fitted weights.

    Attributes:
        weight: One for each unit, shape (units,).
        iterations: Sweeps over all margins.
        error: The largest distance of a group's share from the one wanted.
        converged: Whether that is within the tolerance.
    """

    weight: Floats
    iterations: int
    error: float
    converged: bool


def fit_weights(
    base: Floats,
    amount: Floats,
    margins: Sequence[tuple[Codes, Floats]],
    low: float,
    high: float,
    *,
    max_iterations: int = 1000,
    tolerance: float = 1e-6,
) -> Fit:
    """Weigh units so that each margin's groups have the wanted sums.

    Args:
        base: Weights to start from, above 0, shape (units,).
        amount: What a unit counts (documents, tokens), shape (units,).
        margins: For each margin every unit's group, shape (units,), and every group's
            wanted sum of weight × amount, shape (groups,); all margins have one total.
        low: The smallest weight.
        high: The largest weight.
        max_iterations: The most sweeps over all margins.
        tolerance: The largest distance of a share that counts as met.

    A unit in a group whose wanted sum is 0 gets the smallest weight.
    """
    loose = np.array(base, dtype=np.float64)
    for codes, wanted in margins:
        loose[wanted[codes] <= 0] = 0.0
    total = max((float(wanted.sum()) for _, wanted in margins), default=0.0)
    best, waited, sweep, error = np.inf, 0, 0, 0.0
    for sweep in range(1, max_iterations + 1):
        for codes, wanted in margins:
            factor = scale_groups(loose, amount, codes, wanted, low, high)
            loose = np.clip(loose * factor[codes], 0.0, _LARGEST)
        weight = np.clip(loose, low, high)
        error = max(
            (
                float(np.abs(_sums(codes, weight * amount, wanted) - wanted).max(initial=0.0)) / total
                for codes, wanted in margins
                if total
            ),
            default=0.0,
        )
        if error <= tolerance:
            return Fit(weight, sweep, error, converged=True)
        waited = 0 if error < best * 0.999 else waited + 1
        best = min(best, error)
        if waited >= _PATIENCE:
            break
    return Fit(np.clip(loose, low, high), sweep, error, converged=error <= tolerance)


def scale_groups(
    loose: Floats, amount: Floats, codes: Codes, wanted: Floats, low: float, high: float
) -> Floats:
    """Return the factor of each group with which its clipped weights have the wanted sum.

    The sum is a growing, piecewise linear function of the factor, so Newton's method inside
    a shrinking bracket ends at its root. Sums that no factor reaches get the nearest one.

    Args:
        loose: Unclipped weights, 0 or more, shape (units,).
        amount: What a unit counts.
        codes: Each unit's group.
        wanted: Each group's wanted sum, shape (groups,).
        low: The smallest weight.
        high: The largest weight.
    """
    groups = len(wanted)
    moved = (loose > 0) & (amount > 0)
    least = np.full(groups, np.inf)
    most = np.zeros(groups)
    np.minimum.at(least, codes[moved], loose[moved])
    np.maximum.at(most, codes[moved], loose[moved])
    fixed = _sums(codes[~moved], low * amount[~moved], wanted)
    size = _sums(codes[moved], amount[moved], wanted)
    there = size > 0
    full = there & (wanted - fixed >= high * size * (1 - _EXACT))
    empty = there & ~full & (wanted - fixed <= low * size * (1 + _EXACT))
    factor = np.ones(groups)
    if np.isfinite(high):
        factor[full] = high / least[full]
    factor[empty] = low / most[empty]
    below, above = np.zeros(groups), np.full(groups, np.inf)
    open_ = there & ~full & ~empty
    for _ in range(200):
        scaled = loose[moved] * factor[codes[moved]]
        free = (scaled > low) & (scaled < high)
        got = fixed + _sums(codes[moved], np.clip(scaled, low, high) * amount[moved], wanted)
        open_ = open_ & (np.abs(got - wanted) > _EXACT * np.maximum(wanted, 1e-300))
        if not open_.any():
            break
        slope = _sums(codes[moved][free], (loose[moved] * amount[moved])[free], wanted)
        below = np.where(got < wanted, np.maximum(below, factor), below)
        above = np.where(got > wanted, np.minimum(above, factor), above)
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            newton = factor + (wanted - got) / slope
            middle = np.where(np.isfinite(above), (below + above) / 2, 2 * factor)
        good = np.isfinite(newton) & (newton > below) & (newton < above)
        stuck = open_ & ~good & ((middle <= below) | (middle >= above))
        factor = np.where(open_ & ~stuck, np.where(good, newton, middle), factor)
        open_ = open_ & ~stuck
    return np.clip(factor, 1 / _FACTOR, _FACTOR)


def _sums(codes: Codes, values: Floats, groups: Floats) -> Floats:
    return np.bincount(codes, weights=values, minlength=len(groups)).astype(np.float64)
