"""Evening out to one rate, at the most tokens, and on a plain score: by hand and for any corpus."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hinterland.core.errors import ConfigError, CorpusError
from hinterland.curate.debias.equalize import equalize, worst_disparity
from hinterland.curate.debias.scores import equalize_scores


def locked_groups() -> dict[str, object]:
    """Group a keeps 4 of 10 and can get 1 back, b keeps 9 of 10; quality falls with the position."""
    kept = [True] * 4 + [False] * 6 + [True] * 9 + [False]
    return {
        "severity": [0.0] * 4 + [0.1] * 6 + [0.0] * 9 + [0.5],
        "kept": kept,
        "group": ["a"] * 10 + ["b"] * 10,
        "tokens": [10] * 20,
        "quality": [20 - i for i in range(20)],
        "locked_out": [False] * 5 + [True] * 5 + [False] * 10,
        "min_documents": 5,
    }


def test_most_tokens_cuts_only_what_it_must_by_hand() -> None:
    result = equalize(**locked_groups(), mode="most_tokens", disparity=0.8)  # type: ignore[arg-type]
    # a can reach 5 of 10, so b may keep 0.5 / 0.8 × 10 = 6.25: 6, its best.
    assert np.flatnonzero(result.keep).tolist() == [0, 1, 2, 3, 4, 10, 11, 12, 13, 14, 15]
    assert result.unmet == {}
    assert result.cost.worst_disparity_after == pytest.approx(5 / 6)
    assert result.cost.share_lost == pytest.approx(3 / 13)
    assert result.groups["b"].cut == 5  # the quality of document 15
    assert math.isnan(result.groups["a"].cut)
    readmitted = equalize(**locked_groups(), disparity=0.8)  # type: ignore[arg-type]
    assert readmitted.unmet["a"].startswith(
        "3 more documents needed for 72.0%; of 6 dropped, 1 could come back"
    )
    assert readmitted.cost.share_lost == 0


def test_most_tokens_drops_nothing_where_nothing_must_go() -> None:
    given_ = {**locked_groups(), "locked_out": [False] * 20}
    first = equalize(**given_, mode="most_tokens", disparity=0.8)  # type: ignore[arg-type]
    second = equalize(**given_, mode="readmit", disparity=0.8)  # type: ignore[arg-type]
    assert first.keep.tolist() == second.keep.tolist()
    assert first.target == second.target


def test_most_tokens_gives_up_no_more_than_allowed() -> None:
    result = equalize(**locked_groups(), mode="most_tokens", disparity=0.8, max_loss=0.1)  # type: ignore[arg-type]
    # 10% of 130 tokens is one document: b keeps 8, and a would have to keep 0.8 × 8 = 6.4.
    assert result.groups["b"].kept_after == 8
    assert result.cost.share_lost == pytest.approx(1 / 13)
    assert result.unmet["a"].startswith("2 more documents needed for 64.0%")
    nothing = equalize(**locked_groups(), mode="most_tokens", disparity=0.8, max_loss=0)  # type: ignore[arg-type]
    assert nothing.cost.share_lost == 0


def test_a_group_of_which_nothing_can_be_kept_does_not_empty_the_corpus() -> None:
    group = ["a"] * 10 + ["b"] * 10
    result = equalize(
        [0.0] * 10 + [math.nan] * 10, [True] * 10 + [False] * 10, group, [1] * 20,
        mode="most_tokens", min_documents=5,
    )  # fmt: skip
    assert result.keep.tolist() == [True] * 10 + [False] * 10
    assert result.unmet["b"] == (
        "10 more documents needed for 95.0%; of 10 dropped, 0 could come back, 0 are locked out,"
        " 10 are too severe or unscored"
    )


def test_one_rate_for_all_by_hand() -> None:
    given_ = {**locked_groups(), "locked_out": [False] * 20}
    result = equalize(**given_, mode="rate")  # type: ignore[arg-type]
    # 13 of 20 are kept: 65%, so 7 of each 10.
    assert result.target == 0.65
    assert (result.groups["a"].kept_after, result.groups["b"].kept_after) == (7, 7)
    half = equalize(**given_, mode="rate", target=0.5)  # type: ignore[arg-type]
    assert np.flatnonzero(half.keep).tolist() == [0, 1, 2, 3, 4, *range(10, 15)]
    small = equalize(**{**given_, "min_documents": 11}, mode="rate", target=0.5)  # type: ignore[arg-type]
    assert small.groups["b"].removed == 0
    assert "No group has 11 documents" in str(small)


def test_weights_before_are_kept_and_said() -> None:
    weight = [0.5] * 4 + [1.0] * 16
    result = equalize(**{**locked_groups(), "locked_out": None}, weight=weight)  # type: ignore[arg-type]
    assert result.weight[:9].tolist() == [0.5] * 4 + [1.0] * 5
    assert "4 kept documents had weights other than 1" in result.notes[0]
    assert worst_disparity(result.weight, ["a"] * 10 + ["b"] * 10, min_documents=5) == pytest.approx(
        result.cost.worst_disparity_after
    )


@pytest.mark.parametrize(
    ("kept", "group", "note"),
    [
        ([True, False], ["unknown", "unknown"], "No document has a known group"),
        ([True, False], ["a", "a"], "All documents with a known group are in one group, a"),
        ([True, True], ["a", "b"], "All documents are kept already"),
        ([False, False], ["a", "b"], "No document is kept"),
        ([], [], "There is no document"),
    ],
)
def test_nothing_to_even_out_is_said(kept: list[bool], group: list[str], note: str) -> None:
    for mode in ("readmit", "budget", "rate", "most_tokens"):
        severity = [0.0 if each else 0.5 for each in kept]
        result = equalize(severity, kept, group, [1] * len(kept), mode=mode, min_documents=1)  # type: ignore[arg-type]
        assert any(note in each for each in result.notes)
        assert result.keep.tolist() == kept
        assert note in str(result)


def test_bad_settings() -> None:
    with pytest.raises(ConfigError, match="max_loss is 2"):
        equalize([0], [True], ["a"], [1], max_loss=2)
    with pytest.raises(ConfigError, match=r"target is 0\.5 with mode most_tokens"):
        equalize([0], [True], ["a"], [1], mode="most_tokens", target=0.5)
    with pytest.raises(CorpusError, match="negative or missing"):
        equalize([0], [True], ["a"], [math.nan])
    with pytest.raises(ConfigError, match="either a rate or a threshold"):
        equalize_scores([1], ["a"], [1])
    with pytest.raises(ConfigError, match="rate is 2"):
        equalize_scores([1], ["a"], [1], rate=2)


def test_one_threshold_for_each_group_by_hand() -> None:
    score = [0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1, math.nan]
    group = ["a"] * 4 + ["b"] * 6
    result = equalize_scores(score, group, [1] * 10, rate=0.5, min_documents=2)
    # One threshold keeps the best five: all of a and one of b. One rate: 2 of 4 and 3 of 6.
    assert result.before.tolist() == [True] * 5 + [False] * 5
    assert np.flatnonzero(result.keep).tolist() == [0, 1, 4, 5, 6]
    assert result.groups["a"].score == 0.8
    assert result.groups["b"].score == 0.3
    assert result.cost.worst_disparity_before == pytest.approx(1 / 6)
    assert result.cost.worst_disparity_after == 1
    assert result.notes[-1] == "1 document has no score and is not kept."
    assert "  b: 0.30" in str(result)
    low = equalize_scores(-np.array(score), group, [1] * 10, rate=0.5, lower_is_better=True, min_documents=2)
    assert low.keep.tolist() == result.keep.tolist()
    assert low.groups["b"].score == -0.3


def test_a_score_and_a_threshold_readmit() -> None:
    score, group = [3, 3, 3, 1, 3, 2, 1, 0], ["a"] * 4 + ["b"] * 4
    result = equalize_scores(score, group, [1] * 8, threshold=3, mode="readmit", min_documents=2)
    assert np.flatnonzero(result.keep).tolist() == [0, 1, 2, 4, 5, 6]
    assert result.groups["b"].threshold == 2
    locked = [False] * 5 + [True] + [False] * 2
    barred = equalize_scores(
        score, group, [1] * 8, threshold=3, mode="readmit", min_documents=2, locked_out=locked
    )
    assert np.flatnonzero(barred.keep).tolist() == [0, 1, 2, 4, 6, 7]
    none = equalize_scores([math.nan] * 4, ["a", "b"] * 2, [1] * 4, rate=0.5, min_documents=1)
    assert not none.keep.any()
    assert equalize_scores([], [], [], rate=0.5).keep.tolist() == []


def test_budget_on_a_score_draws_between_equals() -> None:
    found = set()
    score, group, ids = [1.0] * 12, ["a"] * 6 + ["b"] * 6, list("lkjihgfedcba")
    for order in (list(range(12)), list(range(12))[::-1], [3, 1, 4, 0, 5, 2, 11, 6, 7, 10, 8, 9]):
        result = equalize_scores(
            [score[i] for i in order], [group[i] for i in order], [1] * 12, rate=0.5, mode="budget",
            ids=[ids[i] for i in order], min_documents=2, disparity=1,
        )  # fmt: skip
        found.add("".join(sorted(ids[i] for at, i in enumerate(order) if result.keep[at])))
    assert len(found) == 1
    assert len([each for each in found.pop() if each in "abcdef"]) == 3


rows = st.lists(
    st.tuples(
        st.sampled_from(["a", "b", "c", "unknown"]),
        st.sampled_from([0.0, 0.0, 0.1, 0.3, math.nan]),
        st.integers(1, 50),
        st.floats(0, 1) | st.just(math.nan),
        st.booleans(),
    ),
    max_size=120,
)


@settings(max_examples=150, deadline=None)
@given(rows, st.floats(0.3, 0.95), st.sampled_from([1.0, 0.3, 0.05]))
def test_most_tokens_meets_the_bound_or_says_who_does_not(
    documents: list[tuple[str, float, int, float, bool]], disparity: float, max_loss: float
) -> None:
    severity = [row[1] for row in documents]
    kept = np.array([row[1] == 0 and not row[4] for row in documents], dtype=bool)
    result = equalize(
        severity, kept, [row[0] for row in documents], [row[2] for row in documents],
        mode="most_tokens", disparity=disparity, max_loss=max_loss,
        quality=[row[3] for row in documents], locked_out=[row[4] for row in documents], min_documents=5,
    )  # fmt: skip
    assert result.cost.share_lost <= max_loss + 1e-9
    counted = [c for label, c in result.groups.items() if c.documents >= 5 and label != "unknown"]
    top = max((c.kept_after / c.documents for c in counted), default=0)
    for label, change in result.groups.items():
        if label == "unknown":
            assert (change.readmitted, change.removed) == (0, 0)
        elif label not in result.unmet and change.documents >= 5:
            # To within one document, where no whole number lies in between.
            assert change.kept_after + 1 > disparity * top * change.documents - 1e-6 - disparity
            assert change.kept_after >= result.target * change.documents - 1e-6
        if change.documents < 5:
            assert change.removed == 0
    best = max((c.kept_before / c.documents for c in counted), default=0)
    reachable = all(
        c.kept_before + sum(
            1 for row, k in zip(documents, kept, strict=True)
            if row[0] == label and not k and not row[4] and not math.isnan(row[1])
        ) >= disparity * best * c.documents
        for label, c in result.groups.items() if label != "unknown" and c.documents >= 5
    )  # fmt: skip
    if reachable:
        assert result.cost.documents_removed == 0


@settings(max_examples=80, deadline=None)
@given(rows, st.floats(0, 1))
def test_one_rate_is_reached_to_within_a_document(
    documents: list[tuple[str, float, int, float, bool]], rate: float
) -> None:
    result = equalize_scores(
        [row[3] for row in documents], [row[0] for row in documents], [row[2] for row in documents],
        rate=rate, min_documents=1,
    )  # fmt: skip
    for label, change in result.groups.items():
        if label not in ("unknown", *result.unmet):
            assert rate * change.documents - 1e-6 <= change.kept_after < rate * change.documents + 1 + 1e-6
