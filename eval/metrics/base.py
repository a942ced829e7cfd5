"""What a metric is, and where metrics are filed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from hinterland.core.registry import Registry

__all__ = ["METRICS", "RANKING_METRICS", "AnswerMetric", "RankingMetric"]

#: (prediction, gold answers) → a score from 0 to 1; NaN without a gold answer.
AnswerMetric = Callable[[str, Sequence[str]], float]

#: (document ids best first, relevance by document id, k) → a score from 0 to 1; NaN
#: without a relevant document.
RankingMetric = Callable[[Sequence[str], Mapping[str, float], int], float]

METRICS: Registry[AnswerMetric] = Registry("metric")
RANKING_METRICS: Registry[RankingMetric] = Registry("ranking_metric")
