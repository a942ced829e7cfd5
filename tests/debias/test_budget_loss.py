"""Evening out at a fixed total where only so many tokens may go: by hand and for any corpus."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hinterland.curate.debias.equalize import equalize
from hinterland.curate.debias.scores import equalize_scores


def two_groups() -> dict[str, Any]:
    """Group a keeps 20 of 100, group b 80 of 100, 10 tokens each; the first are the best."""
    severity = [0.0] * 20 + [0.01 * i for i in range(1, 81)] + [0.0] * 80 + [0.5] * 20
    return {
        "severity": severity,
        "kept": [s == 0 for s in severity],
        "group": ["a"] * 100 + ["b"] * 100,
        "tokens": [10] * 200,
        "quality": [-i for i in range(200)],
        "disparity": 0.8,
        "mode": "budget",
    }


def test_the_lowest_level_at_which_no_more_goes_by_hand() -> None:
    result = equalize(**two_groups(), max_loss=0.1)
    # 100 documents are kept, so 10 may go: b keeps 70 of 100, and a 0.8 × 70 = 56.
    assert np.flatnonzero(result.keep).tolist() == [*range(56), *range(100, 170)]
    assert result.target == pytest.approx(0.8 * 0.7)
    assert result.cost.share_lost == pytest.approx(0.1)
    assert (result.cost.tokens_before, result.cost.tokens_after) == (1000, 1260)
    assert result.cost.worst_disparity_after == pytest.approx(0.8)
    assert result.unmet == {}
    assert result.notes == (
        "At most 10.0% of the tokens kept before may go (max_loss): 10.0% go,"
        " and in all 26.0% more are kept than before.",
    )
    assert "Note: At most 10.0%" in str(result)


def test_half_a_document_more_is_not_enough_for_another_one() -> None:
    assert equalize(**two_groups(), max_loss=0.105).groups["b"].removed == 10
    assert equalize(**two_groups(), max_loss=0.11).groups["b"].removed == 11


def test_where_the_bound_does_not_bind_it_is_plain_budget() -> None:
    plain = equalize(**two_groups())
    # At 5/9 b keeps 56 of 100 and a 44: 24% go, as many come back.
    assert (plain.groups["a"].kept_after, plain.groups["b"].kept_after) == (45, 55)
    assert plain.cost.tokens_after == plain.cost.tokens_before
    for max_loss in (0.25, 0.5, 1.0):
        result = equalize(**two_groups(), max_loss=max_loss)
        assert result.keep.tolist() == plain.keep.tolist()
        assert result.target == plain.target
        assert result.notes == ()
    assert equalize(**two_groups(), max_loss=0.24).cost.share_lost == pytest.approx(0.24)


def test_nothing_may_go() -> None:
    readmit = equalize(**{**two_groups(), "mode": "readmit"})
    result = equalize(**two_groups(), max_loss=0)
    assert result.keep.tolist() == readmit.keep.tolist()
    assert result.target == readmit.target


def test_what_cannot_be_met_is_said() -> None:
    locked = [False] * 30 + [True] * 70 + [False] * 100
    result = equalize(**two_groups(), max_loss=0.05, locked_out=locked)
    # b keeps 75, so a would have to keep 0.8 × 75.
    assert (result.groups["a"].kept_after, result.groups["b"].kept_after) == (30, 75)
    assert result.unmet["a"] == (
        "30 more documents needed for 60.0%; of 80 dropped, 10 could come back, 70 are locked out"
    )
    assert result.cost.share_lost == pytest.approx(0.05)


def test_small_and_unknown_groups_are_not_cut_and_count_in_the_total() -> None:
    given_ = two_groups()
    more = {"severity": 0.0, "kept": True, "group": "unknown", "tokens": 10, "quality": -999}
    for name, value in more.items():
        given_[name] = [*given_[name], *[value] * 25]
    given_["group"][-5:] = ["small"] * 5
    result = equalize(**given_, max_loss=0.04)
    # 4% of 125 documents is 5.
    assert {label: change.removed for label, change in result.groups.items()} == {
        "a": 0, "b": 5, "small": 0, "unknown": 0,
    }  # fmt: skip
    assert result.groups["a"].kept_after == 60


def test_on_a_score() -> None:
    score = [0.9] * 20 + [0.3] * 80 + [0.8] * 80 + [0.2] * 20
    group = ["a"] * 100 + ["b"] * 100
    result = equalize_scores(score, group, None, rate=0.5, mode="budget", disparity=0.8, max_loss=0.1)  # type: ignore[arg-type]
    assert {label: change.kept_after for label, change in result.groups.items()} == {"a": 56, "b": 70}


documents = st.lists(
    st.tuples(
        st.sampled_from(["a", "b", "c", "unknown"]),
        st.sampled_from([0.0, 0.0, 0.1, 0.2, 0.5, math.inf, math.nan]),
        st.integers(1, 50),
        st.floats(0, 1) | st.just(math.nan),
        st.booleans(),
    ),
    max_size=120,
)


def highest_share(quality: np.ndarray, held: np.ndarray, group: np.ndarray) -> np.ndarray:
    """Return the retention from which each kept document stays: the k-th of n from k / n."""
    found = np.full(len(group), np.nan)
    for label in ("a", "b", "c"):
        size = int((group == label).sum())
        rows = [int(row) for row in np.flatnonzero((group == label) & held)]
        rows.sort(key=lambda row: (math.inf if math.isnan(quality[row]) else -quality[row], row))
        for place, row in enumerate(rows):
            if size >= 5:
                found[row] = (place + 1) / size
    return found


@settings(max_examples=300, deadline=None)
@given(documents, st.floats(0.3, 1.0), st.sampled_from([0.0, 0.02, 0.1, 0.3, 1.0]))
def test_no_more_goes_and_all_reach_the_bound(
    rows: list[tuple[str, float, int, float, bool]], disparity: float, max_loss: float
) -> None:
    severity, quality = [row[1] for row in rows], np.array([row[3] for row in rows])
    kept = np.array([row[1] == 0 and not row[4] for row in rows], dtype=bool)
    tokens, group = np.array([row[2] for row in rows]), np.array([row[0] for row in rows], dtype=np.str_)
    more: dict[str, Any] = {"quality": quality, "min_documents": 5, "disparity": disparity}
    more["locked_out"] = [row[4] for row in rows]
    result = equalize(severity, kept, group, tokens, mode="budget", max_loss=max_loss, **more)
    plain = equalize(severity, kept, group, tokens, mode="budget", **more)
    readmit = equalize(severity, kept, group, tokens, **more)
    assert result.cost.share_lost <= max_loss + 1e-9
    if plain.cost.share_lost <= max_loss:
        assert result.keep.tolist() == plain.keep.tolist()
        return
    assert not (result.keep & ~readmit.keep).any()
    if max_loss == 0:
        assert result.keep.tolist() == readmit.keep.tolist()
    level = result.target / disparity
    for label, change in result.groups.items():
        if label == "unknown":
            assert (change.readmitted, change.removed) == (0, 0)
            continue
        least = math.ceil(result.target * change.documents - 1e-9)
        assert change.kept_after >= least or label in result.unmet
        if change.documents < 5:
            assert change.removed == 0
        else:  # from disparity × level to level, or the next whole number above where none is between
            assert change.kept_after <= max(math.floor(level * change.documents + 1e-9), least)
    # Lower, and too much would go.
    share = highest_share(quality, kept, group)
    assert tokens[share >= level - 1e-9].sum() > max_loss * tokens[kept].sum()
