"""Intervals in words: rounding never moves a bound onto the value of no gap, or over it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hinterland.core.stats import Interval
from hinterland.curate.audit.claims import shown


@pytest.mark.parametrize(
    ("low", "high", "words"),
    [
        (0.91, 0.997, "0.95 [0.91, 0.997]"),
        (0.91, 1.0, "0.95 [0.91, 1]"),
        (0.91, 1.00002, "0.95 [0.91, 1.00002]"),
        (0.91, 0.9999, "0.95 [0.91, 0.9999]"),
        (0.91, 0.985, "0.95 [0.91, 0.98]"),
        (0.91, 1.04, "0.95 [0.91, 1.04]"),
    ],
)
def test_a_bound_next_to_one(low: float, high: float, words: str) -> None:
    assert shown(Interval(0.95, low, high), "") == words


@given(st.floats(0.5, 1.5), st.floats(0.0, 0.5))
def test_what_is_shown_crosses_one_as_the_interval_does(low: float, width: float) -> None:
    found = Interval(low, low, low + width)
    written = shown(found, "").split("[")[1].rstrip("]").split(", ")
    read = Interval(low, float(written[0]), float(written[1]))
    nearest = min(abs(found.low - 1), abs(found.high - 1))
    assert read.excludes(1.0) == found.excludes(1.0) or nearest < 1e-8
