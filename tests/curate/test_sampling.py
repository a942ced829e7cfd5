"""The Pareto rule, toxic shares and caps."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hinterland.core.config import parse_config
from hinterland.core.errors import ConfigError, CorpusError
from hinterland.curate.decide import decide_columns
from hinterland.curate.decisions import Decisions
from hinterland.curate.decisions_config import Cap, DecisionsConfig, Pareto, ToxicShare
from hinterland.curate.sampling import keep_probability, prefix
from hinterland.curate.score_columns import TableColumns


def corpus(**columns: Any) -> pa.Table:
    rows = len(next(iter(columns.values())))
    return pa.table({"id": [f"d{row}" for row in range(rows)], "_empty": [False] * rows, **columns})


def decided(table: pa.Table, seed: int = 0, **config: Any) -> Decisions:
    return decide_columns(TableColumns(table), (), parse_config(DecisionsConfig, config), seed=seed)


def kept_ids(table: pa.Table, **config: Any) -> set[str]:
    return set(table["id"].filter(pa.array(decided(table, **config).keep)).to_pylist())


def test_the_pareto_rule_as_a_probability() -> None:
    found = keep_probability(np.array([0, 0.5, 0.9, 1, 2, -1, math.nan]))
    np.testing.assert_allclose(found, [2.0**-9, 0.026012, 0.424098, 1, 1, 2.0**-9, 1], rtol=1e-4)
    assert keep_probability(np.array([0.0]), alpha=1e6)[0] > 0


def test_the_pareto_rule_is_the_draw_it_stands_for() -> None:
    # numpy's pareto is the Lomax distribution; GPT-3 keeps if the draw exceeds 1 − score.
    draws = np.random.default_rng(0).pareto(9, 200_000)
    for score in (0.2, 0.5, 0.9):
        assert abs((draws > 1 - score).mean() - keep_probability(np.array([score]))[0]) < 0.004


def test_weights_are_the_expected_share_and_a_draw_comes_near_it() -> None:
    scores = np.random.default_rng(1).random(20_000)
    table = corpus(**{"quality.score": scores})
    weighted = decided(table, pareto={})
    assert weighted.keep.all()
    np.testing.assert_allclose(weighted.weight, (2 - scores) ** -9.0)
    drawn = decided(table, pareto={"draw": True})
    expected = weighted.weight.mean()
    assert abs(drawn.keep.mean() - expected) < 4 * math.sqrt(expected * (1 - expected) / 20_000)
    assert set(drawn.weight) == {0.0, 1.0}
    assert drawn.reports["pareto"]["expected"] == pytest.approx(weighted.weight.sum())
    assert drawn.reports["pareto"]["kept"] == drawn.keep.sum()
    assert (drawn.keep != decided(table, seed=1, pareto={"draw": True}).keep).any()


def test_what_has_no_quality_is_kept_and_counted() -> None:
    found = decided(corpus(q=[None, 1.0, 0.5]), pareto={"column": "q", "alpha": 1})
    assert found.weight.tolist() == [1, 1, 1 / 1.5]
    assert found.reports["pareto"] == {"documents": 3, "expected": 2 + 1 / 1.5, "unmeasured": 1}


TOXIC = corpus(**{"toxicity.score": [0.9, 0.5, 0.4, 0.1, None, 0.2]})


def test_clean_and_inverse() -> None:
    clean, inverse = decided(TOXIC, toxicity={}), decided(TOXIC, toxicity={"mode": "inverse"})
    assert clean.keep.tolist() == [False, False, True, True, True, True]
    assert inverse.keep.tolist() == [True, True, False, False, True, False]
    assert clean.reports["toxicity"] == {
        "before": {"toxic": 2.0, "clean": 3.0, "share": 0.4},
        "after": {"toxic": 0.0, "clean": 3.0, "share": 0.0},
        "unmeasured": 1,
    }
    assert clean.reasons["toxicity"].tolist() == [True, True, False, False, False, False]


@given(
    st.integers(1, 40),
    st.integers(1, 40),
    st.integers(0, 3),
    st.floats(0, 1),
    st.integers(0, 5),
)
def test_a_ratio_is_hit_within_one_document(
    toxic: int, clean: int, none: int, share: float, seed: int
) -> None:
    table = corpus(**{"toxicity.score": [1.0] * toxic + [0.0] * clean + [None] * none})
    found = decided(table, seed=seed, toxicity={"mode": "ratio", "share": share})
    left = found.reports["toxicity"]["after"]
    assert abs(left["toxic"] - share * (left["toxic"] + left["clean"])) <= 1 + 1e-6
    assert left["toxic"] == toxic or left["clean"] == clean
    assert found.keep[toxic + clean :].all()
    assert found.keep.sum() + found.counts().get("toxicity", 0) == toxic + clean + none


def test_a_share_that_cannot_be_reached_is_an_error() -> None:
    for scores, name in (([0.1, 0.2], "no toxic"), ([0.9, 0.8], "no non-toxic")):
        with pytest.raises(CorpusError, match=name):
            decided(corpus(**{"toxicity.score": scores}), toxicity={"mode": "ratio", "share": 0.5})
    nothing = decided(corpus(**{"toxicity.score": [None]}), toxicity={"mode": "ratio", "share": 0.5})
    assert nothing.reports["toxicity"]["after"] == {"toxic": 0.0, "clean": 0.0, "share": None}


def test_prefix_worked_by_hand() -> None:
    values = np.array([3.0, 9, 2, 1, 0, 4, 4, 1])
    groups = np.array([0, 0, 0, 0, 0, 1, 1, 1])
    limits = np.array([5.0] * 5 + [7.0] * 3)
    # 9 is passed over; 3 + 2 fill the group; what counts nothing is in; 4 + 4 is too much.
    assert prefix(values, limits, groups).tolist() == [True, False, True, False, True, True, False, False]
    assert prefix(np.empty(0), np.empty(0), np.empty(0, dtype=int)).tolist() == []


SOURCES = corpus(
    source=["web", "web", "web", "books", None, None, "web"],
    words=[10.0, 20, 30, 40, 50, None, 5],
    quality=[0.1, 0.9, None, 0.2, 0.3, 0.4, 0.9],
)


def test_a_cap_takes_the_best() -> None:
    cap = {"limit": 2, "best": "quality"}
    found = decided(SOURCES, caps=[cap])
    assert found.keep.tolist() == [False, True, False, True, True, True, True]
    assert found.reasons["cap.source"].tolist() == [True, False, True, False, False, False, False]
    assert found.reports["cap.source"]["web"] == {
        "documents_before": 4, "documents": 2, "amount_before": 4.0, "amount": 2.0,
    }  # fmt: skip
    lowest = decided(SOURCES, caps=[{**cap, "lowest": True, "limit": 1}])
    assert lowest.keep.tolist() == [True, False, False, True, True, False, False]


def test_a_cap_of_words_with_limits_by_group() -> None:
    cap = {"of": "words", "limit": 30, "limits": {"books": 39, "null": None}, "best": "words", "lowest": True}
    found = decided(SOURCES, caps=[cap])
    assert found.keep.tolist() == [True, False, False, False, True, True, True]
    only = decided(SOURCES, caps=[{"limits": {"web": 0}, "reason": "no web"}])
    assert only.counts() == {"no web": 4}


def test_caps_follow_each_other_and_what_the_rules_left() -> None:
    caps = [{"limit": 1, "best": "words"}, {"by": "quality", "limit": 0, "reason": "none left"}]
    found = decided(SOURCES, drop=[{"when": "words > 20", "reason": "long"}], caps=caps)
    assert found.counts() == {"long": 3, "cap.source": 2, "none left": 2}
    assert not found.keep.any()


@given(
    st.lists(st.tuples(st.sampled_from(["a", "b", None]), st.floats(0, 5)), min_size=1, max_size=30),
    st.floats(0, 12),
    st.integers(0, 9),
)
def test_no_group_exceeds_its_cap_in_any_order(
    rows: list[tuple[str | None, float]], limit: float, seed: int
) -> None:
    table = corpus(source=pa.array([row[0] for row in rows], pa.string()), words=[row[1] for row in rows])
    config = {"caps": [{"limit": limit, "of": "words"}], "seed": seed}
    found = decided(table, **config)
    for group in found.reports["cap.source"].values():
        assert group["amount"] <= limit + 1e-6
        assert group["documents"] == group["documents_before"] or group["amount_before"] > limit
    turned = table.take(np.random.default_rng(seed).permutation(len(rows)))
    assert kept_ids(turned, **config) == kept_ids(table, **config)


def test_everything_drawn_is_the_same_in_any_order() -> None:
    random = np.random.default_rng(0)
    table = corpus(
        **{"quality.score": random.random(300), "toxicity.score": random.random(300)},
        source=random.choice(["web", "books"], 300),
    )
    config: dict[str, Any] = {
        "pareto": {"alpha": 0.5, "draw": True},
        "caps": [{"limit": 80}],
        "toxicity": {"mode": "ratio", "share": 0.3},
        "seed": 4,
    }
    assert kept_ids(table.take(random.permutation(300)), **config) == kept_ids(table, **config)
    assert kept_ids(table, **config) != kept_ids(table, **{**config, "seed": 5})


@pytest.mark.parametrize(
    ("config", "found"),
    [
        ({"toxicity": {"share": 0.5}}, "`share` goes with mode `ratio`"),
        ({"toxicity": {"mode": "ratio"}}, "`share` goes with mode `ratio`"),
        ({"caps": [{"by": "source"}]}, "give a `limit`"),
        ({"caps": [{"limit": -1}]}, "greater than or equal to 0"),
        ({"caps": [{"limits": {"web": math.inf}}]}, "finite"),
        ({"pareto": {"alpha": 0}}, "greater than 0"),
        ({"drop": [{"reason": "x"}]}, "either `when` or `unless`"),
        ({"drop": [{"when": "a <"}]}, "not an expression"),
        ({"drop": [{"whn": "a"}]}, "unknown key 'drop.0.whn'"),
        ({"pareto": {"column": "qualty"}}, "no column 'qualty'"),
        ({"toxicity": {"column": "source"}}, "holds strings"),
        ({"caps": [{"limit": 1, "of": "negative"}]}, "negative values"),
        ({"caps": [{"limit": 1, "limits": {"wob": 3}}]}, "no group 'wob'"),
        ({"caps": [{"limit": 1}, {"limit": 2}]}, "two reasons 'cap.source'"),
    ],
)
def test_bad_configs_are_refused(config: dict[str, Any], found: str) -> None:
    table = SOURCES.append_column("negative", [[-1.0] * 7]).append_column("quality.score", [[1.0] * 7])
    with pytest.raises(ConfigError, match=found):
        decided(table, **config)


def test_the_config_models_have_their_defaults() -> None:
    assert Pareto().alpha == 9
    assert ToxicShare().mode == "clean"
    assert Cap(limit=3).limit_of("x") == 3
    assert math.isinf(Cap(limits={"x": 1}).limit_of("y"))
