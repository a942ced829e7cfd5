"""Recall at k: which share of the relevant documents is among the first k?"""

from __future__ import annotations

from hinterland.core.ranking_metrics import recall
from hinterland.eval.metrics.base import RANKING_METRICS

__all__ = ["recall"]

RANKING_METRICS.register("recall")(recall)
