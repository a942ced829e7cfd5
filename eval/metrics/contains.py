"""Containment: does a gold answer stand, word for word, in the prediction?

The lenient companion of exact match for models that answer in sentences (used by Mallen
et al. 2023, https://arxiv.org/abs/2212.10511). It rewards saying everything; read it
beside F1, which does not.
"""

from __future__ import annotations

from collections.abc import Sequence

from hinterland.eval.metrics.base import METRICS
from hinterland.eval.metrics.normalise import tokens

__all__ = ["contains"]


@METRICS.register("contains")
def contains(prediction: str, answers: Sequence[str]) -> float:
    """Return 1.0 if the words of any gold answer follow one another in the prediction.

    A gold answer that normalises to nothing is contained in nothing. NaN if there is no
    gold answer.

    >>> contains("The longest is the Nile, I think.", ["Nile"])
    1.0
    """
    if not answers:
        return float("nan")
    # Whole words: "Oman" is not in "Romania".
    said = f" {' '.join(tokens(prediction))} "
    return float(any(gold and f" {' '.join(gold)} " in said for gold in map(tokens, answers)))
