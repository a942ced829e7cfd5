"""Token F1: how much of the prediction and of the gold answer overlap."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from hinterland.eval.metrics.base import METRICS
from hinterland.eval.metrics.normalise import tokens

__all__ = ["f1"]


@METRICS.register("f1")
def f1(prediction: str, answers: Sequence[str]) -> float:
    """Return the harmonic mean of token precision and recall, at best over the gold answers.

    Rajpurkar et al. 2016; two answers that normalise to nothing are equal, as in SQuAD 2.0.
    NaN if there is no gold answer.

    >>> f1("the River Nile", ["Nile"])
    0.6666666666666666
    """
    if not answers:
        return float("nan")
    found = tokens(prediction)
    return max(_f1(found, tokens(answer)) for answer in answers)


def _f1(found: list[str], gold: list[str]) -> float:
    if not found or not gold:
        return float(found == gold)
    # 2PR / (P + R) with P = common/|found|, R = common/|gold|.
    return 2 * (Counter(found) & Counter(gold)).total() / (len(found) + len(gold))
