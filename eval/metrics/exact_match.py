"""Exact match: is the normalised prediction one of the normalised gold answers?"""

from __future__ import annotations

from collections.abc import Sequence

from hinterland.eval.metrics.base import METRICS
from hinterland.eval.metrics.normalise import normalise

__all__ = ["exact_match"]


@METRICS.register("exact_match")
def exact_match(prediction: str, answers: Sequence[str]) -> float:
    """Return 1.0 if the prediction equals any gold answer after normalisation, else 0.0.

    Rajpurkar et al. 2016. NaN if there is no gold answer.

    >>> exact_match("the Nile.", ["Nile"])
    1.0
    """
    if not answers:
        return float("nan")
    found = normalise(prediction)
    return float(any(found == normalise(answer) for answer in answers))
