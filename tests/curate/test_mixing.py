"""Mixing weights."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from hinterland.core.config import parse_config
from hinterland.core.errors import ConfigError, CorpusError
from hinterland.curate.decide import decide_columns
from hinterland.curate.decisions import Decisions
from hinterland.curate.decisions_config import DecisionsConfig
from hinterland.curate.score_columns import TableColumns

TABLE = pa.table(
    {
        "id": list("abcdef"),
        "_empty": [False] * 6,
        "source": ["web", "web", "web", "books", "wiki", None],
        "words": [10.0, 20.0, 30.0, 20.0, 20.0, None],
    }
)


def mixed(table: pa.Table = TABLE, **config: Any) -> Decisions:
    drop = config.pop("drop", [])
    parsed = parse_config(DecisionsConfig, {"drop": drop, "mixing": config})
    return decide_columns(TableColumns(table), (), parsed)


def test_shares_of_words_worked_by_hand() -> None:
    found = mixed(shares={"web": 0.3, "books": 0.5}, of="words")
    # 100 words: 30 from the web's 60, 50 from the books' 20, and 20 from the other 20.
    assert found.weight.tolist() == pytest.approx([0.5, 0.5, 0.5, 2.5, 1.0, 1.0])
    report = found.reports["mixing"]
    assert report["total"] == 100
    assert report["limited_by"] is None
    assert report["groups"]["books"] == pytest.approx(
        {
            "documents_before": 1, "documents": 1, "amount_before": 20, "amount": 50,
            "share_before": 0.2, "share": 0.5, "factor": 2.5,
        }
    )  # fmt: skip


def test_a_group_without_a_share_is_out_with_a_reason() -> None:
    found = mixed(shares={"web": 0.5, "books": 0.5, "wiki": 0.0})
    assert found.keep.tolist() == [True, True, True, True, False, False]
    assert found.counts() == {"mixing": 2}
    assert found.weight.tolist() == pytest.approx([1, 1, 1, 3, 0, 0])


def test_no_document_is_repeated_more_than_allowed() -> None:
    found = mixed(shares={"web": 0.3, "books": 0.5}, of="words", most=2)
    assert found.weight.tolist() == pytest.approx([0.4, 0.4, 0.4, 2.0, 0.8, 0.8])
    assert found.reports["mixing"]["total"] == pytest.approx(80)
    assert found.reports["mixing"]["limited_by"] == "books"


def test_a_total_can_be_given() -> None:
    found = mixed(shares={"web": 0.5, "null": 0.5}, total=2, most=1)
    assert found.weight.tolist() == pytest.approx([1 / 3, 1 / 3, 1 / 3, 0, 0, 1])


def test_it_goes_by_what_the_rules_left() -> None:
    found = mixed(
        shares={"web": 0.5, "books": 0.5}, of="words", drop=[{"when": "words == 30", "reason": "x"}]
    )
    assert found.weight[:4].tolist() == pytest.approx([35 / 30, 35 / 30, 0, 35 / 20])
    none = mixed(shares={"web": 1.0}, drop=[{"when": "True", "reason": "x"}])
    assert none.reports["mixing"] == {"total": 0.0, "limited_by": None, "groups": {}}


def test_what_cannot_be_reached_is_an_error() -> None:
    with pytest.raises(ConfigError, match="no group 'wob'"):
        mixed(shares={"wob": 1.0})
    with pytest.raises(CorpusError, match="nothing is left of the group 'books'"):
        mixed(shares={"books": 0.5}, drop=[{"when": "source == 'books'", "reason": "x"}])
    with pytest.raises(CorpusError, match=r"add up to 0.8, and no other group is left"):
        mixed(TABLE.slice(0, 4), shares={"web": 0.4, "books": 0.4})
    for shares in ({"web": 0.8, "books": 0.4}, {"web": 1.5}, {}):
        with pytest.raises(ConfigError):
            mixed(shares=shares)


@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.floats(0.5, 50)), min_size=3, max_size=25),
    st.floats(0, 1),
    st.floats(0, 1),
    st.floats(0.1, 10),
)
def test_shares_are_hit_and_no_factor_is_too_large(
    rows: list[tuple[str, float]], one: float, split: float, most: float
) -> None:
    assume({row[0] for row in rows} == set("abc"))
    shares = {"a": one, "b": (1 - one) * split}
    table = pa.table(
        {
            "id": [str(row) for row in range(len(rows))],
            "_empty": [False] * len(rows),
            "source": [row[0] for row in rows],
            "words": [row[1] for row in rows],
        }
    )
    found = mixed(table, shares=shares, of="words", most=most)
    report = found.reports["mixing"]
    assert found.weight.max() <= most * (1 + 1e-9)
    for name, share in {**shares, "c": 1 - sum(shares.values())}.items():
        assert abs(report["groups"][name]["share"] - share) < 1e-6
    amounts = found.weight * np.array([row[1] for row in rows])
    assert amounts.sum() == pytest.approx(report["total"], rel=1e-6)
    assert (found.keep == (found.weight > 0)).all()
