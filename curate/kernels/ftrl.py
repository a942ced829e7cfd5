"""Logistic regression on sparse rows, one at a time: FTRL-Proximal.

McMahan et al., *Ad click prediction: a view from the trenches* (KDD 2013), algorithm 1. A
step of its own for every coordinate suits hashed words, most of which are rare; memory is
two numbers a feature, however many documents pass by.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hinterland.curate.kernels.hashed import Features, Weights
from hinterland.curate.kernels.jit import jit

__all__ = ["State", "fit_rows", "make_state", "weights_of"]


class State(NamedTuple):
    """What the algorithm keeps; the last entry of each is the intercept's.

    Attributes:
        z: Gradients less the steps taken, float64, shape (features + 1,).
        n: Squared gradients, float64, shape (features + 1,).
    """

    z: NDArray[np.float64]
    n: NDArray[np.float64]


def make_state(features: int) -> State:
    """Return the state before the first row: all weights 0."""
    return State(np.zeros(features + 1), np.zeros(features + 1))


def fit_rows(
    state: State,
    rows: Features,
    labels: NDArray[np.uint8],
    order: NDArray[np.int64],
    *,
    damped: bool,
    rate: float,
    l1: float,
    l2: float,
) -> float:
    """Go once over the rows in ``order`` and change ``state``.

    Args:
        state: Where the fit stands; it is written to.
        rows: Counted features; each row is scaled to length 1.
        labels: 1 or 0 for each row, shape (rows,).
        order: Row numbers.
        damped: Whether a count c enters as 1 + log c.
        rate: The step's size, alpha in the paper (beta is 1).
        l1: The penalty on absolute weights; the intercept has none.
        l2: The penalty on squared weights.

    Returns:
        The summed log loss of each row before its step.
    """
    values = 1 + np.log(rows.counts) if damped else rows.counts
    return float(
        _fit(
            state.z,
            state.n,
            rows.offsets,
            rows.indices,
            values.astype(np.float64),
            labels,
            order,
            rate,
            l1,
            l2,
        )
    )


def weights_of(state: State, *, rate: float, l1: float, l2: float) -> tuple[Weights, float]:
    """Return the weights, float32, shape (features,), and the intercept."""
    weights = np.asarray(_weights(state.z, state.n, rate, l1, l2), dtype=np.float64)
    return weights[:-1].astype(np.float32), float(weights[-1])


@jit
def _weight(z, n, rate, l1, l2):
    if abs(z) <= l1:
        return 0.0
    return -(z - (l1 if z > 0 else -l1)) / ((1.0 + np.sqrt(n)) / rate + l2)


@jit
def _weights(z, n, rate, l1, l2):
    weights = np.empty(len(z))
    last = len(z) - 1
    for at in range(last):
        weights[at] = _weight(z[at], n[at], rate, l1, l2)
    weights[last] = _weight(z[last], n[last], rate, 0.0, 0.0)
    return weights


@jit
def _fit(z, n, offsets, indices, values, labels, order, rate, l1, l2):
    last = len(z) - 1
    loss = 0.0
    for row in order:
        begin, end = offsets[row], offsets[row + 1]
        if begin == end:
            continue
        intercept = _weight(z[last], n[last], rate, 0.0, 0.0)
        product = squares = 0.0
        for at in range(begin, end):
            feature = indices[at]
            product += values[at] * _weight(z[feature], n[feature], rate, l1, l2)
            squares += values[at] * values[at]
        length = np.sqrt(squares)
        margin = product / length + intercept
        signed = margin if labels[row] else -margin
        loss += np.log1p(np.exp(-abs(signed))) + max(-signed, 0.0)
        # 1/(1 + e^x) without an overflow.
        error = 1.0 / (1.0 + np.exp(-margin)) if margin >= 0 else np.exp(margin) / (1.0 + np.exp(margin))
        error -= labels[row]
        for at in range(begin, end):
            feature = indices[at]
            gradient = error * values[at] / length
            grown = n[feature] + gradient * gradient
            weight = _weight(z[feature], n[feature], rate, l1, l2)
            z[feature] += gradient - (np.sqrt(grown) - np.sqrt(n[feature])) / rate * weight
            n[feature] = grown
        grown = n[last] + error * error
        z[last] += error - (np.sqrt(grown) - np.sqrt(n[last])) / rate * intercept
        n[last] = grown
    return loss
