"""Examples of what is kept and dropped: which, how many, and how their text is shown."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hinterland.core.errors import CorpusError
from hinterland.core.record import content_id
from hinterland.curate.audit.examples import NO_REASON, beginning, examples_of
from hinterland.curate.audit.groups import Grouping

REASONS = [["f.words", "g.flag"], ["f.words"], [], ["f.words"], [], ["h.x"]]


def made(size: int = 60, *, order: Any = None, **more: Any) -> Any:
    rows = np.arange(size) if order is None else order
    lists = [REASONS[row % 6] for row in rows]
    table = pa.table({
        "id": [content_id(str(row)) for row in rows],
        "source": [f"s{row}" for row in rows],
        "country": ["KEN" if row % 2 else None for row in rows],
        "text": [f"text of {row}" for row in rows],
    })  # fmt: skip
    grouping = Grouping("kind", (rows // 30).astype(np.int64), ("a", "b"))
    keep = np.array([not each for each in lists])
    return examples_of(keep, pa.array(lists, pa.list_(pa.string())), grouping, table, **more)


def test_kept_first_then_the_most_frequent_reasons() -> None:
    found = made(per_group=2)
    a = [each for each in found if each.group == "a"]
    assert [each.reason for each in a] == ["", "", *["f.words"] * 2, *["g.flag"] * 2, *["h.x"] * 2]
    assert [each.kept for each in a] == [True, True, *[False] * 6]
    assert len({each.id for each in found}) == len(found) == 16
    for each in found:
        row = int(each.source[1:])
        assert each.id == content_id(str(row))
        assert each.text == f"text of {row}"
        assert each.country == ("KEN" if row % 2 else "")
        assert each.grouping == "kind"
        assert (each.reason in REASONS[row % 6]) if each.reason else not REASONS[row % 6]
    assert [each.reason for each in made(per_group=1, max_reasons=1)] == ["", "f.words"] * 2
    assert {each.group for each in made(groups=["b"])} == {"b"}


@settings(deadline=None, max_examples=20)
@given(st.permutations(range(60)), st.integers(0, 3))
def test_order_of_rows_does_not_matter(order: list[int], seed: int) -> None:
    assert made(order=np.array(order), seed=seed) == made(seed=seed)


def test_another_seed_draws_others() -> None:
    assert made(seed=1) != made(seed=2)


def test_other_documents_do_not_change_who_is_drawn() -> None:
    both = [each for each in made(60) if each.group == "a"]
    assert tuple(both) == made(30)


def test_only_texts_shown_are_read() -> None:
    asked: list[int] = []

    def read(rows: Any) -> list[str | None]:
        asked.extend(rows.tolist())
        return [f"row {row}" if row % 2 else None for row in rows]

    found = made(texts=read, per_group=1)
    assert sorted(asked) == asked
    assert len(asked) == len(found) == 8
    assert {each.text for each in found} <= {f"row {row}" for row in asked} | {""}
    with pytest.raises(CorpusError, match="0 texts for"):
        made(texts=lambda _: [])


def test_dropped_without_reason_and_few_columns() -> None:
    grouping = Grouping("kind", np.zeros(3, np.int64), ("a",))
    table = pa.table({"text": ["x", None, "z"]})
    found = examples_of(
        [True, False, False], pa.array([[], [], ["f.a"]], pa.list_(pa.string())), grouping, table
    )
    assert [(each.reason, each.id, each.text) for each in found] == [
        ("", "", "x"), ("f.a", "", "z"), (NO_REASON, "", ""),
    ]  # fmt: skip
    bare = examples_of([True, False, False], None, grouping, table)
    assert sorted((each.reason, each.text) for each in bare) == [("", "x"), (NO_REASON, ""), (NO_REASON, "z")]
    none = Grouping("kind", np.empty(0, np.int64), ())
    assert examples_of([], pa.array([], pa.list_(pa.string())), none, table.slice(0, 0)) == ()


def test_bad_input() -> None:
    grouping = Grouping("kind", np.zeros(2, np.int64), ("a",))
    lists = pa.array([[], []], pa.list_(pa.string()))
    with pytest.raises(CorpusError, match="1 decisions, 2 lists"):
        examples_of([True], lists, grouping, pa.table({"text": ["a", "b"]}))
    with pytest.raises(CorpusError, match="no column 'text'"):
        examples_of([True, True], lists, grouping, pa.table({"id": ["a", "b"]}))


def test_beginning() -> None:
    assert beginning("One\ttwo\n\nthree\x00", 8) == "One two…"
    assert beginning("short") == "short"
    assert beginning("") == ""
    assert beginning("a\x07b\x9bc \u202eevil\u202c \u2028 end") == "abc evil end"
    assert beginning("漢" * 300, 10) == "漢" * 10 + "…"
    assert beginning("e\u0301" * 9, 5) == "e\u0301e\u0301…"  # no accent is parted from its letter
    assert beginning("می\u200cخواهم") == "می\u200cخواهم"  # a non-joiner is part of the word
    assert beginning(" " * 5000 + "late") == "late"
    assert beginning("word " * 5000).endswith("word…")
    assert beginning("a" + " " * 5000 + "b").startswith("a")


@given(st.text(), st.integers(5, 60))
def test_beginning_is_short_and_clean(text: str, length: int) -> None:
    shown = beginning(text, length)
    assert len(shown) <= length + 1
    assert shown == " ".join(shown.split())
    assert shown.isprintable() or any(ord(each) > 127 for each in shown)


@pytest.mark.slow
def test_million_documents() -> None:
    size = 1_000_000
    lists = pa.ListArray.from_arrays(
        pa.array(np.arange(size + 1, dtype=np.int32) * 2),
        pa.array(["f.a", "f.b", "g.c", "h.d"] * (size // 2)),
    )
    table = pa.table({"id": pa.array(np.arange(size)).cast(pa.string()), "text": pa.array(["x"] * size)})
    grouping = Grouping("kind", np.arange(size) % 200, tuple(f"g{i}" for i in range(200)))
    start = time.perf_counter()
    found = examples_of(np.arange(size) % 3 == 0, lists, grouping, table)
    assert len(found) == 200 * 9
    assert time.perf_counter() - start < 20
