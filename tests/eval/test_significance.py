from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest, permutation_test

from hinterland.eval.significance import holm, label_permutation, sign_flip

DIFFERENCES = st.lists(st.sampled_from([-1.0, -0.5, 0.0, 0.25, 1.0]), max_size=30)


def test_sign_flip_by_hand() -> None:
    # All five better: only the two patterns of one sign are as extreme, of 2^5.
    assert sign_flip([1.0] * 5) == 2 / 32
    assert sign_flip([1.0]) == 1.0
    assert sign_flip([]) == 1.0
    assert sign_flip([0.0, 0.0]) == 1.0
    assert sign_flip([1.0, math.nan]) == 1.0
    # Sums of ±1 ±2 ±3 as far from 0 as 4: those of ±4 (two) and ±6 (two), of 8.
    assert sign_flip([-1.0, 2.0, 3.0]) == 4 / 8


@given(st.integers(0, 13), st.integers(0, 13))
def test_sign_flip_on_right_and_wrong_is_mcnemars_exact_test(wins: int, losses: int) -> None:
    if 0 < wins + losses <= 13:
        expected = binomtest(wins, wins + losses).pvalue
        assert sign_flip([1.0] * wins + [-1.0] * losses) == pytest.approx(expected)


@pytest.mark.parametrize("seed", range(5))
def test_sign_flip_agrees_with_scipy(seed: int) -> None:
    differences = np.random.default_rng(seed).normal(0.4, 1, size=9)
    exact = permutation_test(
        (differences,), np.sum, permutation_type="samples", n_resamples=np.inf, vectorized=False
    )
    assert sign_flip(differences) == pytest.approx(exact.pvalue)


def test_drawn_signs_come_close_to_the_exact_test() -> None:
    differences = [1.0] * 40 + [-1.0] * 22
    assert sign_flip(differences) == pytest.approx(binomtest(40, 62).pvalue, abs=0.01)
    assert sign_flip([1.0] * 500) == 1 / 10_001
    assert sign_flip(differences, seed=1) == sign_flip(differences, seed=1)


@given(DIFFERENCES)
def test_sign_flip_does_not_ask_which_came_first(differences: list[float]) -> None:
    p = sign_flip(differences, resamples=200)
    assert 0 < p <= 1
    if len([d for d in differences if d]) <= 13:
        assert sign_flip([-d for d in differences]) == p
        assert sign_flip(sorted(differences)) == pytest.approx(p)


def test_under_no_difference_few_tests_say_there_is_one() -> None:
    draw = np.random.default_rng(0)
    false = sum(sign_flip(draw.normal(size=12)) <= 0.05 for _ in range(400))
    assert false <= 33  # 20 are expected; 33 is three standard errors above


def test_label_permutation_agrees_with_scipy() -> None:
    draw = np.random.default_rng(3)
    a, b = draw.normal(0.7, 1, size=7), draw.normal(0, 1, size=8)

    def gap(x: np.ndarray, y: np.ndarray) -> float:
        return float(x.mean() - y.mean())

    exact = permutation_test((a, b), gap, n_resamples=np.inf, vectorized=False).pvalue
    assert label_permutation(a, b) == pytest.approx(exact, abs=0.02)
    assert label_permutation(b, a) == pytest.approx(exact, abs=0.02)


def test_label_permutation_without_a_second_sample_is_one() -> None:
    assert label_permutation([1.0], []) == 1.0
    assert label_permutation([math.nan], [1.0]) == 1.0
    assert label_permutation([1.0, 1.0], [1.0]) == 1.0


def test_holm_by_hand() -> None:
    # Sorted .01 .02 .03 .04 times 4 3 2 1, each at least the one before.
    assert holm([0.04, 0.01, 0.03, 0.02]) == pytest.approx([0.06, 0.04, 0.06, 0.06])
    assert holm([]) == []
    assert holm([0.9, 0.8]) == [1.0, 1.0]
    adjusted = holm([0.01, math.nan, 0.04])
    assert adjusted[0] == 0.02
    assert math.isnan(adjusted[1])
    assert adjusted[2] == 0.04


@given(st.lists(st.floats(0, 1), max_size=10))
def test_holm_never_lowers_and_keeps_the_order(p_values: list[float]) -> None:
    adjusted = holm(p_values)
    assert all(p <= q <= 1 for p, q in zip(p_values, adjusted, strict=True))
    order = np.argsort(p_values, kind="stable")
    assert np.all(np.diff(np.array(adjusted)[order]) >= 0)
