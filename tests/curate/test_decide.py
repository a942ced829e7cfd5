"""Deciding over score columns."""

from __future__ import annotations

import math

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hinterland.core.errors import CorpusError
from hinterland.curate.decide import decide, filter_decisions, severity, unmeasured
from hinterland.curate.rule import Rule

RULES = (
    Rule("f.words", "f.words", low=50),
    Rule("f.dots", "f.dots", high=0.5),
    Rule("g.flag", "g.flag", low=1),
)
TABLE = pa.table(
    {
        "id": ["a", "b", "c", "d", "e"],
        "text": ["x", "x", "x", " \n", "x"],
        "f.words": [50.0, 25.0, 100.0, 0.0, None],
        "f.dots": [0.0, 1.0, 0.5, math.nan, math.nan],
        "g.flag": [True, True, False, True, True],
    }
)


def test_all_reasons_are_given() -> None:
    decided = decide(TABLE, RULES)
    assert decided["keep"].to_pylist() == [True, False, False, False, True]
    assert decided["reasons"].to_pylist() == [[], ["f.words", "f.dots"], ["g.flag"], ["empty", "f.words"], []]
    assert decided["weight"].to_pylist() == [1, 0, 0, 0, 1]
    assert decided.column_names[: TABLE.num_columns] == TABLE.column_names


def test_deciding_again_replaces_the_decision() -> None:
    again = decide(decide(TABLE, RULES), RULES[:1])
    assert again["keep"].to_pylist() == [True, False, True, False, True]
    assert again.column_names.count("keep") == 1


def test_each_filter_on_its_own() -> None:
    found = filter_decisions(TABLE, RULES)
    assert {name: keeps.tolist() for name, keeps in found.items()} == {
        "f": [True, False, True, False, True],
        "g": [True, True, False, True, True],
    }


def test_severity_is_the_worst_violation() -> None:
    assert severity(TABLE, RULES).tolist() == [0, 0.5, 1, math.inf, 0]
    assert severity(TABLE, ()).tolist() == [0, 0, 0, math.inf, 0]


def test_what_has_no_value_passes_and_is_counted() -> None:
    assert unmeasured(TABLE, RULES) == {"f.words": 1, "f.dots": 2, "g.flag": 0}


def test_no_rules_keep_all_but_empty_documents() -> None:
    assert decide(TABLE, ())["reasons"].to_pylist() == [[], [], [], ["empty"], []]


def test_no_documents() -> None:
    none = TABLE.slice(0, 0)
    assert decide(none, RULES).num_rows == 0
    assert severity(none, RULES).shape == (0,)


def test_a_missing_column_is_named() -> None:
    with pytest.raises(CorpusError, match=r"did you mean 'f.words'"):
        decide(TABLE, (Rule("f.word", "f.word", low=1),))


@given(
    st.lists(st.one_of(st.floats(-10, 10), st.just(math.nan)), min_size=1, max_size=8),
    st.floats(-5, 5),
    st.floats(-5, 5),
)
def test_kept_means_no_severity_no_reason_and_every_filter(
    values: list[float], low: float, high: float
) -> None:
    table = pa.table({"id": [str(i) for i in range(len(values))], "text": ["x"] * len(values), "f.x": values})
    table = table.append_column("g.y", pa.array(values[::-1]))
    rules = (Rule("f.x", "f.x", low=low), Rule("g.y", "g.y", high=high))
    keep = np.array(decide(table, rules)["keep"])
    assert (keep == (severity(table, rules) == 0)).all()
    assert (keep == [not each for each in decide(table, rules)["reasons"].to_pylist()]).all()
    assert (keep == np.logical_and.reduce(list(filter_decisions(table, rules).values()))).all()
