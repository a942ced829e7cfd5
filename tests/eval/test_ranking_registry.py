from __future__ import annotations

import math

import pytest

from hinterland.core import ranking_metrics
from hinterland.eval.metrics import RANKING_METRICS, ndcg, recall


def test_the_registered_metrics_are_those_of_the_core() -> None:
    assert {"ndcg": ndcg, "recall": recall} == {name: RANKING_METRICS.get(name) for name in RANKING_METRICS}
    ranking, graded = ["b", "x", "a"], {"a": 3.0, "b": 2.0, "c": 1.0}
    assert recall(ranking, graded, 3) == pytest.approx(2 / 3)
    assert ndcg(ranking, graded, 3) == ranking_metrics.ndcg(ranking, graded, 3) != 1.0


def test_bad_depths_and_grades_are_refused() -> None:
    for name in RANKING_METRICS:
        with pytest.raises(ValueError, match="at least 1"):
            RANKING_METRICS.get(name)(["a"], {"a": 1.0}, 0)
        assert math.isnan(RANKING_METRICS.get(name)(["a"], {}, 1))
    with pytest.raises(ValueError, match="negative"):
        ndcg(["a"], {"a": -1.0}, 1)
