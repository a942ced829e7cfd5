"""What unequal weights cost: Kish's effective sample size and design effect.

Kish (1965), *Survey Sampling*, ch. 11; Kish (1992), "Weighting for unequal Pi".
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

__all__ = ["design_effect", "effective_sample_size"]


def effective_sample_size(weight: ArrayLike) -> float:
    """Return Kish's effective sample size (Σw)² / Σw², 0 where all weights are 0.

    >>> effective_sample_size([1, 1, 1, 1]), effective_sample_size([2, 0])
    (4.0, 1.0)
    """
    w = np.asarray(weight, dtype=np.float64)
    squares = float(np.sum(w * w))
    return float(w.sum()) ** 2 / squares if squares else 0.0


def design_effect(weight: ArrayLike) -> float:
    """Return 1 + CV² of the weights above 0: by how much they inflate a mean's variance.

    NaN where all weights are 0.

    >>> design_effect([1, 1, 0]), round(design_effect([1, 3]), 3)
    (1.0, 1.25)
    """
    w = np.asarray(weight, dtype=np.float64)
    w = w[w > 0]
    return float(len(w) / effective_sample_size(w)) if len(w) else float("nan")
