from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hinterland.core.errors import ConfigError
from hinterland.eval.compare import breakdown, compare, score

NAN = math.nan
HALF = [1.0, 0.0] * 20


def test_a_score_counts_what_it_could_not_measure() -> None:
    found = score("s", "f1", [1.0, 0.0, NAN, 0.5])
    assert (found.mean.estimate, found.n, found.unmeasured) == (0.5, 3, 1)
    assert found.mean.low <= 0.5 <= found.mean.high
    nothing = score("s", "f1", [NAN, NAN])
    assert math.isnan(nothing.mean.estimate)
    assert (nothing.n, nothing.unmeasured) == (0, 2)


def test_a_clear_difference_is_said_plainly_in_either_order() -> None:
    good, bad = [1.0] * 30 + [0.0] * 10, [1.0] * 5 + [0.0] * 35
    (pair,) = compare({"exact_match": {"closed-book": bad, "retrieval": good}})
    assert pair.different
    assert pair.difference.estimate == pytest.approx(0.625)
    assert pair.verdict.startswith("retrieval answers more questions than closed-book (+0.62 [0.")
    assert pair.verdict.endswith("] EM, n = 40)")
    (turned,) = compare({"exact_match": {"retrieval": good, "closed-book": bad}})
    assert turned.verdict == pair.verdict
    assert turned.difference.estimate == -pair.difference.estimate


def test_no_difference_is_claimed_without_evidence() -> None:
    (same,) = compare({"exact_match": {"a": HALF, "b": HALF}})
    assert not same.different
    assert same.verdict == "no evidence of a difference between a and b (+0.00 [0.00, 0.00] EM, n = 40)"
    # Better on all of four questions: the bootstrap interval is [1, 1], and still no claim.
    (few,) = compare({"exact_match": {"a": [0.0] * 4, "b": [1.0] * 4}})
    assert few.difference.low == 1.0
    assert few.p == 2 / 16
    assert not few.different
    assert "no evidence" in few.verdict


def test_nothing_in_common_is_unmeasured() -> None:
    (pair,) = compare({"f1": {"a": [1.0, NAN], "b": [NAN, 1.0]}})
    assert (pair.n, pair.unmeasured, pair.different) == (0, 2, False)
    assert math.isnan(pair.p)
    assert math.isnan(pair.p_holm)
    assert pair.verdict == "a and b have no measured question in common (F1)"


def test_questions_unmeasured_in_either_leave_the_pair() -> None:
    (pair,) = compare({"f1": {"a": [0.0, 0.0, NAN], "b": [1.0, NAN, 1.0]}})
    assert (pair.n, pair.unmeasured) == (1, 2)
    assert pair.difference.estimate == 1.0


def test_all_pairs_or_against_a_baseline() -> None:
    values = {"f1": {"a": HALF, "b": HALF, "c": HALF}, "contains": {"a": HALF, "b": HALF, "c": HALF}}
    assert [(p.first, p.second) for p in compare(values)][:3] == [("a", "b"), ("a", "c"), ("b", "c")]
    assert [(p.first, p.second) for p in compare(values, baseline="b")][:2] == [("b", "a"), ("b", "c")]
    with pytest.raises(ConfigError, match="did you mean 'aa'"):
        compare({"f1": {"aa": HALF, "b": HALF}}, baseline="a" * 3)
    with pytest.raises(ValueError, match="equal lengths"):
        compare({"f1": {"a": [1.0], "b": [1.0, 0.0]}})


def test_the_correction_spans_pairs_and_metrics() -> None:
    worse, better = [0.0] * 6 + [1.0] * 20, [1.0] * 26
    (alone,) = compare({"f1": {"a": worse, "b": better}})
    assert alone.p == alone.p_holm == 2 / 64
    assert alone.different
    two = compare({"f1": {"a": worse, "b": better}, "contains": {"a": worse, "b": better}})
    assert [pair.p_holm for pair in two] == [4 / 64, 4 / 64]
    assert not any(pair.different for pair in two)


@settings(max_examples=30)
@given(st.lists(st.tuples(st.sampled_from([0.0, 1.0, NAN]), st.sampled_from([0.0, 1.0, NAN])), min_size=1))
def test_counts_add_up_and_claims_rest_on_both_tests(rows: list[tuple[float, float]]) -> None:
    a, b = [row[0] for row in rows], [row[1] for row in rows]
    (pair,) = compare({"exact_match": {"a": a, "b": b}}, resamples=200)
    assert pair.n + pair.unmeasured == len(rows)
    if pair.different:
        assert pair.p_holm <= 0.05
        assert pair.difference.excludes(0.0)
        assert "no evidence" not in pair.verdict


def test_groups_have_their_n_and_one_is_the_worst() -> None:
    values = [1.0] * 30 + [0.0] * 25 + [1.0] * 5 + [0.0] * 2
    groups = ["Asia"] * 30 + ["Africa"] * 30 + ["Tiny"] * 2
    parts = breakdown("s", "exact_match", values, groups)
    assert [(part.group, part.score.n, part.worst) for part in parts] == [
        ("Africa", 30, True),
        ("Asia", 30, False),
        ("Tiny", 2, False),  # 0 of 2, too few to be called the worst
    ]
    assert parts[0].p_rest < 0.01
    assert math.isnan(parts[1].p_rest)
    small = breakdown("s", "exact_match", values, groups, least=1)
    assert next(part for part in small if part.worst).group == "Tiny"


def test_alike_groups_have_no_worst_and_noise_is_called_noise() -> None:
    assert not any(part.worst for part in breakdown("s", "f1", [1.0] * 20, ["a", "b"] * 10))
    noisy = breakdown("s", "f1", [1.0, 0.0] * 9 + [0.0, 0.0], ["a"] * 10 + ["b"] * 10)
    assert next(part for part in noisy if part.worst).p_rest == 1.0
    with pytest.raises(ValueError, match="argument 2"):
        breakdown("s", "f1", [1.0], ["a", "b"])
