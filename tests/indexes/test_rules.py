"""Rules by hand: dates, decay, weights, caps."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from hinterland.core.config import Config, parse_config
from hinterland.core.errors import ConfigError
from hinterland.indexes.command import CommandConfig
from hinterland.indexes.lexical import LexicalConfig
from hinterland.indexes.rules import Caps, compile_rules, condition_mask, decay, years_of
from hinterland.indexes.search_config import DecayConfig, RuleConfig, SearchConfig

TABLE = pa.table(
    {
        "source": ["science", "forum", "forum", "forum", None, None],
        "date": ["2020-01-01", "2010-01-01", "2000", None, "2020-01-01T09:00:00Z", "soon"],
        "country": ["KEN", "PER", "KEN", None, "KEN", "PER"],
    }
)


@pytest.mark.parametrize(
    ("date", "same"),
    [
        ("2020", "2020-07-02"),
        ("2020-03", "2020-03-16"),
        ("2020-3-5", "2020-03-05"),
        ("2020-03-05T10:00", "2020-03-05"),
        ("2020-03-05 10:00:00+02", "2020-03-05"),
    ],
)
def test_dates(date: str, same: str) -> None:
    assert years_of(date) == years_of(same)


@pytest.mark.parametrize("date", [None, "", "soon", "2020-13", "2020-02-30", "0000", "20200305", "12.3.2020"])
def test_what_is_no_date(date: str | None) -> None:
    assert math.isnan(years_of(date))


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (SearchConfig, {"rules": [{"weight": math.inf}]}),
        (SearchConfig, {"rules": [{"decay": {"half_life_years": math.inf}}]}),
        (LexicalConfig, {"k1": math.inf}),
        (CommandConfig, {"corpus": "c", "out": "o", "memory_gb": math.inf}),
    ],
)
def test_infinite_settings_are_refused(kind: type[Config], value: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match="finite"):
        parse_config(kind, value, where="search")


def test_a_year_is_a_year() -> None:
    assert years_of("2021-06-01") - years_of("2011-06-01") == pytest.approx(10, abs=0.003)


def test_decay_by_hand() -> None:
    config = DecayConfig(half_life_years=5, floor=0.2, unknown=0.6)
    ages = np.array([0.0, 5.0, 10.0, 100.0, -3.0, np.nan])
    np.testing.assert_allclose(decay(ages, config), [1, 0.5, 0.25, 0.2, 1, 0.6])


def test_every_rule_that_fits_applies() -> None:
    rules = compile_rules(
        [
            RuleConfig(when="source == 'forum'", weight=0.5),
            RuleConfig(decay=DecayConfig(half_life_years=10, unknown=0.3)),
            RuleConfig(when="country == 'KEN'", weight=2),
        ],
        TABLE,
    )
    assert rules.factors is not None
    # 2020 is the newest; 2010 halves; 2000 (its July) is 19.5 years before.
    old = 0.5 ** ((years_of("2020-01-01") - years_of("2000")) / 10)
    expected = [2, 0.5 * 0.5, 0.5 * old * 2, 0.5 * 0.3, 2, 0.3]
    np.testing.assert_allclose(rules.factors, expected, rtol=1e-3)
    assert rules.left_in is None
    assert rules.caps == ()


def test_now_may_be_given() -> None:
    config = DecayConfig(half_life_years=1, now="2011-01-01")
    factors = compile_rules([RuleConfig(decay=config)], TABLE).factors
    assert factors is not None
    np.testing.assert_allclose(factors[:2], [1, 0.5], rtol=1e-3)
    with pytest.raises(ConfigError, match="'tomorrow' is no date"):
        compile_rules([RuleConfig(decay=DecayConfig(half_life_years=1, now="tomorrow"))], TABLE)


def test_a_weight_of_0_leaves_out() -> None:
    rules = compile_rules([RuleConfig(when="source == 'forum'", weight=0)], TABLE)
    assert rules.left_in is not None
    assert rules.left_in.tolist() == [True, False, False, False, True, True]


def test_no_rules() -> None:
    rules = compile_rules([], TABLE)
    assert (rules.factors, rules.caps, rules.left_in) == (None, (), None)


def test_caps_count_each_source() -> None:
    rules = compile_rules([RuleConfig(most=2), RuleConfig(when="country == 'KEN'", most=1)], TABLE)
    caps, taken = Caps(rules), []
    for row in (2, 1, 3, 0, 4, 5):
        if caps.admits(row):
            caps.take(row)
            taken.append(row)
    # 3 is the forum's third; 4 and 5 have no source, which counts as one.
    assert taken == [2, 1, 0, 4, 5]
    again = Caps(rules)
    again.take(4)
    assert not again.admits(4)  # the second KEN of no source
    assert again.admits(2)


def test_what_a_chunk_that_is_taken_shuts_out() -> None:
    rules = compile_rules([RuleConfig(most=2), RuleConfig(when="country == 'KEN'", most=1)], TABLE)
    caps, rows = Caps(rules), np.arange(TABLE.num_rows)
    for taken in (2, 1, 4):
        before = np.array([caps.admits(row) for row in rows.tolist()])
        shut = caps.shut(taken, rows)
        after = np.array([caps.admits(row) for row in rows.tolist()])
        np.testing.assert_array_equal(after, before & ~shut)
    assert not after.all()


def test_unknown_columns_are_refused_with_the_nearest() -> None:
    with pytest.raises(ConfigError, match="did you mean 'country'"):
        condition_mask("contry == 'KEN'", TABLE, where="where")
    with pytest.raises(ConfigError, match=r"rules\[1\]\.when"):
        compile_rules([RuleConfig(), RuleConfig(when="sorce == 'web'")], TABLE)
    assert condition_mask(" ", TABLE, where="where").all()
    assert condition_mask("country != 'KEN'", TABLE, where="where").tolist() == [0, 1, 0, 0, 0, 1]
