"""The learning rate as a pure function of the step: nothing to save, nothing to restore."""

from __future__ import annotations

import math
from typing import Literal

__all__ = ["Schedule", "learning_rate_at"]

Schedule = Literal["cosine", "linear", "constant"]


def learning_rate_at(
    step: int, *, steps: int, peak: float, warmup: float, schedule: Schedule, floor: float
) -> float:
    """Return the learning rate of step ``step`` (from 0).

    It rises linearly to ``peak`` over the first ``warmup`` share of the steps, then falls to
    ``floor × peak``, which it would reach one step after the last (Loshchilov and Hutter 2017).

    Args:
        step: The step's number.
        steps: How many steps there are.
        peak: The highest learning rate.
        warmup: The share of steps that warm up, 0 to 1.
        schedule: How it falls.
        floor: The share of the peak that is left at the end.
    """
    rising = round(warmup * steps)
    if step < rising:
        return peak * (step + 1) / rising
    done = (step - rising) / max(1, steps - rising)
    fall = {"cosine": 0.5 * (1 + math.cos(math.pi * done)), "linear": 1 - done, "constant": 1.0}[schedule]
    return peak * (floor + (1 - floor) * fall)
