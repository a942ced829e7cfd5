"""Deciding a whole corpus column by column, against one document at a time."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hinterland.core.config import parse_config
from hinterland.core.errors import ConfigError, CorpusError
from hinterland.core.record import DECISION_FIELDS
from hinterland.curate.decide import decide_columns
from hinterland.curate.decisions_config import DecisionsConfig, Drop
from hinterland.curate.rule import Rule
from hinterland.curate.score_columns import ShardColumns, TableColumns

RULES = (
    Rule("f.words", "f.words", low=50),
    Rule("f.dots", "f.dots", high=0.5),
    Rule("g.flag", "g.flag", low=1),
)
TABLE = pa.table(
    {
        "id": ["a", "b", "c", "d", "e"],
        "_empty": [False, False, False, True, False],
        "f.words": [50.0, 25.0, 100.0, 0.0, None],
        "f.dots": [0.0, 1.0, 0.5, math.nan, math.nan],
        "g.flag": [True, True, False, True, None],
        "source": ["web", "web", "books", None, "web"],
    }
)
CONFIG = parse_config(
    DecisionsConfig,
    {
        "drop": [
            {"when": "f.words > 90", "reason": "long"},
            {"unless": "g.flag or source == 'web'"},
            {"when": "f.dots > 0.9 and not g.flag == 0", "reason": "f.dots"},
        ]
    },
)


def test_all_reasons_of_rules_and_expressions_in_their_order() -> None:
    found = decide_columns(TableColumns(TABLE), RULES, CONFIG)
    assert list(found.reasons) == [
        "empty", "f.words", "f.dots", "g.flag", "long", "not (g.flag or source == 'web')",
    ]  # fmt: skip
    assert found.table()["reasons"].to_pylist() == [
        [],
        ["f.words", "f.dots"],
        ["g.flag", "long", "not (g.flag or source == 'web')"],
        ["empty", "f.words"],
        [],
    ]
    assert found.counts() == {
        "empty": 1, "f.words": 2, "f.dots": 1, "g.flag": 1, "long": 1, "not (g.flag or source == 'web')": 1,
    }  # fmt: skip
    assert found.kept_by_filter == {"f": 3, "g": 4}
    assert found.unmeasured == {"f.words": 1, "f.dots": 2, "g.flag": 1, "long": 1}


def test_the_table_has_the_decision_fields_for_any_part() -> None:
    found = decide_columns(TableColumns(TABLE), RULES, CONFIG)
    whole = found.table()
    assert whole.schema.equals(pa.schema(DECISION_FIELDS))
    assert len(found) == whole.num_rows == 5
    assert found.table(1, 3).equals(whole.slice(1, 2))
    assert found.table(4).equals(whole.slice(4))
    assert found.table(2, 2).num_rows == 0
    none = decide_columns(TableColumns(TABLE.slice(0, 0)), RULES, CONFIG)
    assert none.table().schema.equals(whole.schema)


def test_shards_give_what_a_table_gives(tmp_path: Path) -> None:
    paths = []
    for start in range(0, 5, 2):
        paths.append(tmp_path / f"part-{start}.parquet")
        pq.write_table(TABLE.slice(start, 2), paths[-1])
    config = parse_config(
        DecisionsConfig, {**CONFIG.model_dump(), "caps": [{"limit": 1}], "mixing": {"shares": {"web": 1}}}
    )
    from_shards = decide_columns(ShardColumns(paths), RULES, config, seed=3)
    from_table = decide_columns(TableColumns(TABLE), RULES, config, seed=3)
    assert from_shards.table().equals(from_table.table())
    assert from_shards.reports == from_table.reports


def test_what_is_missing_is_named() -> None:
    with pytest.raises(CorpusError, match=r"no score column 'f.word'"):
        decide_columns(TableColumns(TABLE), (Rule("f.word", "x", low=1),))
    with pytest.raises(CorpusError, match="'source' holds strings"):
        decide_columns(TableColumns(TABLE), (Rule("source", "x", low=1),))
    config = DecisionsConfig(drop=(Drop(when="f.word < 3"),))
    with pytest.raises(ConfigError, match=r"no column 'f.word'") as caught:
        decide_columns(TableColumns(TABLE), (), config)
    assert caught.value.where == "drop.when: ▸f.word < 3"


VALUES = st.one_of(st.none(), st.sampled_from([0.0, 1.0, 2.0, 3.0]))


@given(
    st.lists(st.tuples(VALUES, VALUES, st.booleans(), st.sampled_from(["web", "books", None])), max_size=12),
    st.sampled_from([None, 1.0, 2.0]),
    st.sampled_from([None, 2.0, 3.0]),
)
def test_columns_at_once_are_documents_one_by_one(
    rows: list[tuple[float | None, float | None, bool, str | None]], low: float | None, high: float | None
) -> None:
    table = pa.table(
        {
            "id": [str(number) for number in range(len(rows))],
            "f.x": pa.array([row[0] for row in rows], pa.float64()),
            "g.y": pa.array([row[1] for row in rows], pa.float64()),
            "_empty": pa.array([row[2] for row in rows], pa.bool_()),
            "source": pa.array([row[3] for row in rows], pa.string()),
        }
    )
    rules = (Rule("f.x", "x", low=low, high=high), Rule("g.y", "y", low=low, high=high))
    config = DecisionsConfig(
        drop=(Drop(when="f.x > g.y", reason="more"), Drop(unless="source == 'web'", reason="other"))
    )
    expected = []
    for x, y, empty, source in rows:
        reasons = ["empty"] * empty
        for name, value in (("x", x), ("y", y)):
            if value is not None and (
                (low is not None and value < low) or (high is not None and value > high)
            ):
                reasons.append(name)
        if x is not None and y is not None and x > y:
            reasons.append("more")
        if source not in {None, "web"}:
            reasons.append("other")
        expected.append(reasons)
    found = decide_columns(TableColumns(table), rules, config)
    assert found.table()["reasons"].to_pylist() == expected
    assert found.keep.tolist() == [not reasons for reasons in expected]
    out = np.logical_or.reduce(list(found.reasons.values()))
    assert found.keep.sum() + out.sum() == len(rows)
    assert (found.weight == found.keep).all()
    assert found.counts() == {
        name: sum(name in reasons for reasons in expected)
        for name in found.reasons
        if any(name in reasons for reasons in expected)
    }
