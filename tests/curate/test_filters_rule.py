"""Rules: what passes, how far outside a value lies, and overrides from a config."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hinterland.core.errors import ConfigError
from hinterland.curate.rule import Bounds, Rule, above, below, override_rules

finite = st.floats(allow_nan=False, allow_infinity=False, width=32)


def test_violation_by_hand() -> None:
    rule = Rule("f.words", "f.words", low=50, high=100)
    assert rule.violation([25, 50, 75, 100, 200, 0, math.nan, math.inf]).tolist() == [
        0.5,
        0,
        0,
        0,
        0.5,
        1,
        0,
        1,
    ]
    assert rule.filter == "f"


def test_a_flag_over_a_bound_of_zero_is_one() -> None:
    assert Rule("f.flag", "f.flag", high=0).violation(np.array([True, False])).tolist() == [1, 0]


def test_no_bounds_pass_everything() -> None:
    assert Rule("f.x", "f.x").passes([-1e9, 0, math.nan, math.inf]).all()


def test_open_bounds_are_the_neighbouring_floats() -> None:
    assert not Rule("f.x", "f.x", low=above(0.12)).passes([0.12])[0]
    assert not Rule("f.x", "f.x", high=below(0.67)).passes([0.67])[0]
    assert Rule("f.x", "f.x", low=above(0.12), high=below(0.67)).passes([0.1200001, 0.6699999]).all()


@given(finite, finite, finite)
def test_violation_is_zero_exactly_inside(value: float, one: float, other: float) -> None:
    low, high = sorted((one, other))
    violation = Rule("f.x", "f.x", low=low, high=high).violation([value])[0]
    assert (violation == 0) == (low <= value <= high)
    assert violation >= 0


@given(st.floats(0.01, 100), st.floats(1.01, 50), st.floats(0.01, 1000))
def test_violation_has_no_unit_and_is_even_handed(bound: float, ratio: float, unit: float) -> None:
    under = Rule("f.x", "f.x", low=bound * unit).violation([bound * unit / ratio])[0]
    over = Rule("f.x", "f.x", high=bound).violation([bound * ratio])[0]
    assert under == pytest.approx(over, rel=1e-9)
    assert 0 < under < 1


@given(st.lists(st.floats(0, 1e6), min_size=2, max_size=10))
def test_violation_grows_with_the_distance(values: list[float]) -> None:
    values = sorted(values)
    assert (np.diff(Rule("f.x", "f.x", high=1).violation(values)) >= 0).all()
    assert (np.diff(Rule("f.x", "f.x", low=1e6).violation(values)) <= 0).all()


def test_overrides_change_only_what_they_give() -> None:
    rules = (Rule("f.words", "f.words", low=50, high=100), Rule("f.x", "f.x", high=1))
    changed = override_rules(rules, {"f.words": Bounds(low=20)})
    assert changed == (Rule("f.words", "f.words", low=20, high=100), rules[1])
    assert override_rules(rules, {"f.words": Bounds(high=None)})[0].high is None
    assert override_rules(rules, {}) == rules


def test_overrides_name_the_nearest_rule() -> None:
    with pytest.raises(ConfigError, match=r"f\.words"):
        override_rules((Rule("f.words", "f.words", low=50),), {"f.word": Bounds(low=1)})


def test_crossed_bounds_are_refused() -> None:
    with pytest.raises(ConfigError, match="low 200"):
        override_rules((Rule("f.words", "f.words", low=50, high=100),), {"f.words": Bounds(low=200)})


def test_rules_go_into_manifests() -> None:
    assert Rule("f.x", "f.y", high=1).to_dict() == {"column": "f.x", "reason": "f.y", "low": None, "high": 1}
