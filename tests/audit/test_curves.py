"""Curves of thresholds: by hand, against deciding again at every threshold, and at the edges."""

from __future__ import annotations

import math
import time
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hinterland.core.errors import CorpusError
from hinterland.core.record import content_id
from hinterland.curate.audit.curves import curve_of, curves_of_rules
from hinterland.curate.audit.groups import Grouping
from hinterland.curate.audit.parts import Curve
from hinterland.curate.decide import decide
from hinterland.curate.decisions_config import DecisionsConfig
from hinterland.curate.rule import Rule
from hinterland.curate.score_columns import TableColumns


def curve(score: Any, side: str = ">=", current: float | None = None, **more: Any) -> Curve:
    codes = np.asarray(more.pop("codes", np.arange(len(score)) % 2), dtype=np.int64)
    tokens = more.pop("tokens", np.ones(len(score)))
    others = more.pop("others_keep", None)
    ranked = more.pop("ranked", ("a", "b"))
    grouping = Grouping("kind", codes, ("a", "b", "unknown"))
    return curve_of(score, side, current, others, tokens, grouping, ranked, filter="f", column="f.x", **more)


def test_by_hand() -> None:
    # a has 1, 3, 5, 7; b has 2, 4, 6, 8.
    found = curve(np.arange(1.0, 9.0), current=4.5, tokens=np.arange(1.0, 9.0), bound=0.6)
    assert found.thresholds == (1, 2, 3, 4, 4.5, 5, 6, 7, 8)
    assert found.kept == tuple(x / 8 for x in (8, 7, 6, 5, 4, 4, 3, 2, 1))
    assert found.tokens == pytest.approx([x / 36 for x in (36, 35, 33, 30, 26, 26, 21, 15, 8)])
    assert found.groups["a"] == (1, 0.75, 0.75, 0.5, 0.5, 0.5, 0.25, 0.25, 0)
    assert found.groups["b"] == (1, 1, 0.75, 0.75, 0.5, 0.5, 0.5, 0.25, 0.25)
    assert found.disparity == pytest.approx([1, 0.75, 1, 2 / 3, 1, 1, 0.5, 1, 0])
    assert found.best == 1  # all is kept, of all groups alike
    assert math.isnan(found.groups["unknown"][0])
    other = curve(np.arange(1.0, 9.0), "<=", 2.0)
    assert other.kept == tuple(x / 8 for x in range(1, 9))
    assert other.groups["a"] == (0.25, 0.25, 0.5, 0.5, 0.75, 0.75, 1, 1)
    assert other.best == 8


def test_best_is_held_by_the_other_rules() -> None:
    # The other rules drop half of b, so full retention has a disparity of 0.5.
    score = np.array([1.0, 2, 3, 4, 1, 2, 3, 4])
    codes = [0, 0, 0, 0, 1, 1, 1, 1]
    others = np.array([1, 1, 1, 1, 0, 0, 1, 1], bool)
    found = curve(score, current=1.0, codes=codes, others_keep=others)
    assert found.disparity == pytest.approx([0.5, 2 / 3, 1, 1])
    assert found.best == 3
    none = curve(score, current=1.0, codes=codes, others_keep=np.array([1, 1, 1, 1, 0, 0, 0, 0], bool))
    assert none.disparity == (0, 0, 0, 0)
    assert math.isnan(none.best)


def test_nothing_kept_is_not_equal() -> None:
    found = curve([1.0, 2.0], others_keep=np.zeros(2, bool))
    assert all(math.isnan(each) for each in found.disparity)
    assert math.isnan(found.best)
    assert found.kept == (0, 0)


def test_unmeasured_and_infinite_scores() -> None:
    score = [math.nan, 1.0, math.inf, 2.0, -math.inf, 3.0]
    low = curve(score)
    assert low.unmeasured == 1
    assert low.thresholds == (1, 2, 3)
    assert low.kept == pytest.approx([5 / 6, 4 / 6, 3 / 6])  # NaN and the infinite one stay
    high = curve(score, "<=")
    assert high.kept == pytest.approx([3 / 6, 4 / 6, 5 / 6])  # NaN and minus infinity stay
    bare = curve([math.nan] * 4)
    assert (bare.thresholds, bare.kept, bare.unmeasured) == ((), (), 4)
    assert math.isnan(bare.best)
    assert curve([math.nan] * 4, current=1.0).kept == (1,)
    assert math.isnan(curve([1.0, 2.0], current=math.inf).best) is False


def test_one_group_has_no_disparity() -> None:
    found = curve([1.0, 2.0], ranked=("a",))
    assert math.isnan(found.disparity[0])
    assert found.ranked == ("a",)
    empty = curve([])
    assert (empty.kept, empty.groups["a"]) == ((), ())


def test_of_equal_thresholds_the_one_in_force() -> None:
    score = [1.0, 1.0, 5.0, 5.0]
    assert curve(score, current=3.0, bound=0.9).best == 1
    others = np.array([0, 0, 1, 1], bool)
    assert curve(score, current=3.0, others_keep=others).best == 3
    assert curve(score, others_keep=others).best == 1
    assert curve([5.0, 5.0, 1.0, 1.0], "<=", others_keep=~others).best == 5


def test_bad_input() -> None:
    with pytest.raises(CorpusError, match="2 scores, 1 decisions"):
        curve([1.0, 2.0], others_keep=np.ones(1, bool))
    with pytest.raises(ValueError, match="not '>'"):
        curve([1.0], ">")


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.sampled_from([0.0, 1.0, 2.0, 2.5, 7.0, math.nan, math.inf]), min_size=1, max_size=40),
    st.sampled_from([">=", "<="]),
    st.integers(0, 2**32),
)
def test_agrees_with_deciding_at_every_threshold(score: list[float], side: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    codes = rng.integers(0, 3, len(score))
    others = rng.random(len(score)) < 0.7
    tokens = rng.integers(1, 9, len(score)).astype(float)
    found = curve(
        score, side, 2.0, codes=codes, others_keep=others, tokens=tokens, points=4, bound=0.5
    )  # fmt: skip
    held = []
    for j, threshold in enumerate(found.thresholds):
        rule = Rule("f.x", "f.x", low=threshold) if side == ">=" else Rule("f.x", "f.x", high=threshold)
        keep = rule.passes(score) & others
        assert found.kept[j] == pytest.approx(keep.mean())
        assert found.tokens[j] == pytest.approx(tokens[keep].sum() / tokens.sum())
        for g, label in enumerate("ab"):
            rate = keep[codes == g].mean() if (codes == g).any() else math.nan
            assert found.groups[label][j] == pytest.approx(rate, nan_ok=True)
        held.append(keep.mean() if found.disparity[j] >= 0.5 else -1)
    if max(held) >= 0:
        assert held[found.thresholds.index(found.best)] == max(held)
    else:
        assert math.isnan(found.best)
    assert list(found.thresholds) == sorted(set(found.thresholds))
    assert found.thresholds.count(2.0) == 1


def corpus(size: int, seed: int = 0) -> pa.Table:
    rng = np.random.default_rng(seed)
    words = rng.integers(0, 200, size).astype(float)
    symbols = rng.random(size)
    symbols[::7] = math.nan
    return pa.table({
        "id": [content_id(str(i)) for i in range(size)],
        "text": ["" if word == 0 else "word " * int(word) for word in words],
        "source": [f"s{i % 5}" for i in range(size)],
        "f.words": words,
        "f.symbols": pa.array(symbols, from_pandas=True),
        "g.flag": rng.integers(0, 2, size).astype(float),
    })  # fmt: skip


RULES = (
    Rule("f.words", "f.words", low=20, high=180),
    Rule("f.symbols", "f.symbols", high=0.9),
    Rule("g.flag", "g.flag", low=1),
    Rule("gone.x", "gone.x", low=1),
    Rule("f.none", "f.none"),
)


@pytest.mark.parametrize("with_reasons", [True, False])
def test_all_rules_of_a_corpus(with_reasons: bool) -> None:
    table = corpus(600)
    config = DecisionsConfig.model_validate({"caps": [{"by": "source", "limit": 60}]})
    decided = decide(table, RULES[:3], config)
    codes = (np.arange(600) % 3).astype(np.int64)
    groupings = {"kind": Grouping("kind", codes, ("a", "b", "c"))}
    curves = curves_of_rules(
        TableColumns(table), RULES, groupings, {"kind": ("a", "b")},
        keep=decided["keep"].to_numpy(), tokens=np.ones(600),
        reasons=decided["reasons"] if with_reasons else None,
    )  # fmt: skip
    assert [(each.column, each.keep, each.current) for each in curves] == [
        ("f.words", ">=", 20), ("f.words", "<=", 180), ("f.symbols", "<=", 0.9),
    ]  # fmt: skip
    keep = decided["keep"].to_numpy()
    for each in curves:
        now = each.thresholds.index(each.current)
        assert each.kept[now] == pytest.approx(keep.mean())  # what is kept now
        assert each.groups["a"][now] == pytest.approx(keep[codes == 0].mean())
        assert each.filter == "f"
    assert curves[2].unmeasured == len(range(0, 600, 7))
    # Deciding again without the cap at another threshold: what the cap dropped stays dropped.
    capped = ~keep & np.logical_and.reduce([rule.passes(table[rule.column]) for rule in RULES[:3]])
    words = np.asarray(table["f.words"])
    again = (words >= curves[0].thresholds[3]) & (words <= 180) & ~capped & (words > 0)
    again &= RULES[1].passes(table["f.symbols"].to_numpy(zero_copy_only=False)) & RULES[2].passes(
        table["g.flag"]
    )
    assert curves[0].kept[3] == pytest.approx(again.mean())
    empty = words == 0
    assert empty.any()
    assert with_reasons is False or curves[0].kept[0] <= 1 - empty.mean()


def test_what_was_let_back_in_stays() -> None:
    table = pa.table({"f.x": [1.0, 2.0, 3.0, 4.0]})
    keep = [True, False, True, True]  # the first is kept though the rule drops it
    reasons = pa.array([["f.x"], ["f.x"], [], []], pa.list_(pa.string()))
    (found,) = curves_of_rules(
        TableColumns(table), [Rule("f.x", "f.x", low=3)],
        {"kind": Grouping("kind", np.zeros(4, np.int64), ("a",))}, {"kind": ()},
        keep=keep, tokens=np.ones(4), reasons=reasons,
    )  # fmt: skip
    assert found.kept == (1, 1, 0.75, 0.5)


def test_strings_are_no_score() -> None:
    with pytest.raises(CorpusError, match="holds strings"):
        curves_of_rules(
            TableColumns(pa.table({"f.x": ["a", "b"]})), [Rule("f.x", "f.x", low=1)], {}, {},
            keep=[True, True], tokens=np.ones(2),
        )  # fmt: skip


@pytest.mark.slow
def test_million_documents_of_thirty_rules() -> None:
    rng = np.random.default_rng(0)
    size = 1_000_000
    table = pa.table({f"f{i}.x": rng.random(size) for i in range(30)})
    rules = [Rule(f"f{i}.x", f"f{i}.x", low=0.02) for i in range(30)]
    keep = np.logical_and.reduce([rule.passes(table[rule.column]) for rule in rules])
    codes = rng.integers(0, 22, size)
    labels = tuple(f"g{i}" for i in range(22))
    start = time.perf_counter()
    found = curves_of_rules(
        TableColumns(table), rules, {"kind": Grouping("kind", codes, labels)}, {"kind": labels},
        keep=keep, tokens=np.ones(size),
    )  # fmt: skip
    assert len(found) == 30
    assert time.perf_counter() - start < 60
