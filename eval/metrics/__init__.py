"""Metrics, one file each. Importing this package registers those of the kit."""

from hinterland.eval.metrics.base import METRICS, RANKING_METRICS, AnswerMetric, RankingMetric
from hinterland.eval.metrics.contains import contains
from hinterland.eval.metrics.exact_match import exact_match
from hinterland.eval.metrics.f1 import f1
from hinterland.eval.metrics.ndcg import ndcg
from hinterland.eval.metrics.recall import recall

__all__ = [
    "METRICS",
    "RANKING_METRICS",
    "AnswerMetric",
    "RankingMetric",
    "contains",
    "exact_match",
    "f1",
    "ndcg",
    "recall",
]
