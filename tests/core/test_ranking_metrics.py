from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import ndcg_score

from hinterland.core.ranking_metrics import ndcg, recall

IDS = list("abcdefgh")
GRADES = st.dictionaries(st.sampled_from(IDS), st.integers(0, 3).map(float))
RANKINGS = st.permutations(IDS)


def test_recall_by_hand() -> None:
    gold = {"a": 1.0, "b": 2.0, "c": 0.0}
    assert recall(["x", "a", "b"], gold, 1) == 0.0
    assert recall(["x", "a", "b"], gold, 2) == 0.5
    assert recall(["x", "a", "b"], gold, 3) == 1.0
    assert recall([], gold, 3) == 0.0
    # Three chunks of one document take one place.
    assert recall(["a", "a", "a", "b"], gold, 2) == 1.0


def test_ndcg_by_hand() -> None:
    # One relevant document at rank 2: 1/log2(3) of an ideal 1.
    assert ndcg(["x", "a"], {"a": 1.0}, 10) == pytest.approx(0.6309297535714575)
    # Graded, gains 3 2 0 against the order b (2), x (0), a (3):
    # DCG = 2/1 + 0 + 3/2 = 3.5; ideal = 3/1 + 2/log2(3) = 4.2618595...
    graded = {"a": 3.0, "b": 2.0}
    assert ndcg(["b", "x", "a"], graded, 3) == pytest.approx(3.5 / (3 + 2 / math.log2(3)))
    assert ndcg(["b", "x", "a"], graded, 1) == pytest.approx(2 / 3)
    assert ndcg(["b", "b", "a"], graded, 2) == ndcg(["b", "a"], graded, 2)
    assert ndcg(["a", "b"], graded, 2) == pytest.approx(1.0)
    assert ndcg([], graded, 2) == 0.0
    # Gains 3 and 1 at ranks 2 and 3.
    assert ndcg(["x", "a", "b"], {"a": 3.0, "b": 1.0}, 10) == pytest.approx(
        (3 / math.log2(3) + 0.5) / (3 + 1 / math.log2(3))
    )
    # Documents may be numbers of rows.
    assert ndcg([7, 3], {3: 1.0}, 10) == pytest.approx(1 / math.log2(3))


def test_relevance_below_zero_gains_nothing() -> None:
    # As in trec_eval: a document of relevance −2 takes its rank and no more.
    assert ndcg(["spam", "a"], {"a": 1.0, "spam": -2.0}, 10) == ndcg(["x", "a"], {"a": 1.0}, 10)
    assert ndcg(["a", "spam"], {"a": 1.0, "spam": -2.0}, 10) == 1.0
    assert math.isnan(ndcg(["spam"], {"spam": -2.0}, 10))
    assert recall(["spam", "a"], {"a": 1.0, "spam": -2.0}, 1) == 0.0


@given(GRADES, RANKINGS, st.integers(1, 10))
def test_ndcg_agrees_with_scikit_learn(grades: dict[str, float], ranking: list[str], k: int) -> None:
    truth = np.array([[grades.get(name, 0.0) for name in IDS]])
    scores = np.array([[float(-ranking.index(name)) for name in IDS]])
    found = ndcg(ranking, grades, k)
    if truth.any():
        assert found == pytest.approx(ndcg_score(truth, scores, k=k))
    else:
        assert math.isnan(found)  # scikit-learn says 0; nothing to find is unmeasured here


@given(GRADES, RANKINGS)
def test_recall_grows_with_k(grades: dict[str, float], ranking: list[str]) -> None:
    if any(grades.values()):
        values = [recall(ranking, grades, k) for k in range(1, 9)]
        assert values == sorted(values)
        assert values[-1] == 1.0


@given(GRADES, RANKINGS, st.integers(1, 8))
def test_the_best_order_has_ndcg_one(grades: dict[str, float], ranking: list[str], k: int) -> None:
    if any(grades.values()):
        ideal = sorted(ranking, key=lambda name: -grades.get(name, 0.0))
        assert ndcg(ideal, grades, k) == pytest.approx(1.0)
        assert ndcg(ranking, grades, k) <= 1.0 + 1e-12


def test_without_a_relevant_document_nothing_is_measured() -> None:
    for metric in (ndcg, recall):
        assert math.isnan(metric(["a"], {}, 1))
        assert math.isnan(metric(["a"], {"a": 0.0}, 1))
        with pytest.raises(ValueError, match="at least 1"):
            metric(["a"], {"a": 1.0}, 0)
