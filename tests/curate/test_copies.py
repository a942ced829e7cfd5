"""Which copy is kept when other rules drop some: one of each cluster that can be, never two."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hinterland.core.config import parse_config
from hinterland.core.corpus import write_corpus
from hinterland.core.errors import CorpusError
from hinterland.curate.config import CurateConfig
from hinterland.curate.copies import first_left
from hinterland.curate.decide import decide, decide_columns
from hinterland.curate.decisions import Decisions
from hinterland.curate.decisions_config import DecisionsConfig
from hinterland.curate.dedup import DUPLICATE_RULES
from hinterland.curate.pipeline import score_corpus
from hinterland.curate.rule import Rule
from hinterland.curate.score_columns import TableColumns

EXACT, NEAR = "exact_dup.copy", "near_dup.copy"
RULES = (Rule("f.x", "f.x", low=1), *DUPLICATE_RULES)
#: Six documents in the policy's order, a to f: a = b and c = d but for case, and all four
#: are alike; e and f are alike.
ORDER, EXACTLY, NEARLY = [0, 1, 2, 3, 4, 5], [0, 0, 2, 2, 4, 5], [0, 0, 0, 0, 4, 4]


def table(passes: str, order: list[int], exact: list[int], near: list[int]) -> pa.Table:
    """Return scores as the search writes them; ``passes`` names who passes all other rules."""
    return pa.table(
        {
            "id": [chr(ord("a") + place) for place in order],
            "_empty": [False] * len(order),
            "f.x": pa.array([float(chr(ord("a") + place) in passes) for place in order], pa.float64()),
            "exact_dup.first": [place == first for place, first in zip(order, exact, strict=True)],
            "para_dup.share": pa.array([0.0] * len(order), pa.float64()),
            "near_dup.first": [place == first for place, first in zip(order, near, strict=True)],
            "_exact_cluster": pa.array(exact, pa.int64()),
            "_near_cluster": pa.array(near, pa.int64()),
            "_order": pa.array(order, pa.int64()),
        }
    )


def reasons(found: Decisions) -> list[list[str]]:
    return list(found.table()["reasons"].to_pylist())


@pytest.mark.parametrize(
    ("passes", "expected"),
    [
        ("abcdef", [[], [EXACT, NEAR], [NEAR], [EXACT, NEAR], [], [NEAR]]),
        # b takes a's place, f takes e's.
        ("bcdf", [["f.x", EXACT, NEAR], [], [NEAR], [EXACT, NEAR], ["f.x", NEAR], []]),
        # None of a and b is left: d, whose equal c is out, is kept of the four.
        ("def", [["f.x", NEAR], ["f.x", EXACT, NEAR], ["f.x", EXACT, NEAR], [], [], [NEAR]]),
        # All are out: the first of all counts as kept.
        (
            "",
            [["f.x"], ["f.x", EXACT, NEAR], ["f.x", NEAR], ["f.x", EXACT, NEAR], ["f.x"], ["f.x", NEAR]],
        ),
    ],
)
def test_the_first_that_is_left_is_kept(passes: str, expected: list[list[str]]) -> None:
    found = decide_columns(TableColumns(table(passes, ORDER, EXACTLY, NEARLY)), RULES)
    assert reasons(found) == expected
    assert found.keep.tolist() == [not each for each in expected]
    # What each keeps on its own does not depend on other rules, nor does how many copies there are.
    assert found.kept_by_filter == {"f": len(passes), "exact_dup": 4, "para_dup": 6, "near_dup": 2}
    assert found.counts()[EXACT] == 2
    assert found.counts()[NEAR] == 4


def test_expressions_count_and_see_what_was_found() -> None:
    scores = TableColumns(table("abcdef", ORDER, EXACTLY, NEARLY))
    found = decide_columns(scores, RULES, parse_config(DecisionsConfig, {"drop": [{"when": "id == 'a'"}]}))
    assert found.keep.tolist() == [False, True, False, False, True, False]
    own = parse_config(DecisionsConfig, {"drop": [{"unless": "exact_dup.first", "reason": EXACT}]})
    assert reasons(decide_columns(scores, RULES, own))[1] == [EXACT, NEAR]


def test_a_rule_without_bounds_lets_copies_through() -> None:
    scores = TableColumns(table("bcdf", ORDER, EXACTLY, NEARLY))
    near_only = decide_columns(scores, (RULES[0], Rule("exact_dup.first", EXACT), RULES[-1]))
    assert near_only.keep.tolist() == [False, True, False, False, False, True]
    exact_only = decide_columns(scores, (*RULES[:2], Rule("near_dup.first", NEAR)))
    assert exact_only.keep.tolist() == [False, True, True, False, False, True]


def test_a_later_cap_brings_no_copy_back() -> None:
    scores = table("abcdef", ORDER, EXACTLY, NEARLY).append_column("source", pa.array(["s"] * 6))
    cap = parse_config(DecisionsConfig, {"caps": [{"limit": 0}]})
    found = decide_columns(TableColumns(scores), RULES, cap)
    assert reasons(found)[0] == ["cap.source"]
    assert not found.keep.any()


def test_published_columns_are_rules_like_others() -> None:
    scores = table("bcdf", ORDER, EXACTLY, NEARLY)
    published = scores.drop_columns([name for name in scores.column_names if name.startswith("_")])
    decided = decide(published.append_column("text", pa.array(["x"] * 6)), RULES)
    assert decided["reasons"].to_pylist() == [
        ["f.x"], [EXACT, NEAR], [NEAR], [EXACT, NEAR], ["f.x"], [NEAR],
    ]  # fmt: skip


def test_a_part_of_a_corpus() -> None:
    part = table("bcdf", ORDER, EXACTLY, NEARLY).slice(2)
    assert decide_columns(TableColumns(part), RULES).keep.tolist() == [True, False, False, True]
    assert decide_columns(TableColumns(part.slice(4)), RULES).keep.tolist() == []


def test_gaps_are_refused() -> None:
    scores = table("abcdef", ORDER, EXACTLY, NEARLY)
    place = scores.column_names.index("_near_cluster")
    gap = scores.set_column(place, "_near_cluster", pa.array([0, 0, 0, None, 4, 4], pa.int64()))
    with pytest.raises(CorpusError, match="'_near_cluster' does not number"):
        decide_columns(TableColumns(gap), RULES)


@settings(deadline=None)
@given(st.data(), st.integers(min_value=0, max_value=26))
def test_a_plain_reading(data: st.DataObject, documents: int) -> None:
    few = st.integers(min_value=0, max_value=max(0, documents // 2))
    groups = data.draw(st.lists(few, min_size=documents, max_size=documents), label="exact")
    wider = data.draw(st.lists(few, min_size=max(1, documents), max_size=max(1, documents)), label="near")
    passes = data.draw(st.sets(st.integers(0, max(0, documents - 1))), label="passes")
    order = data.draw(st.permutations(range(documents)), label="order")
    ranks = range(documents)
    exact = [min(other for other in ranks if groups[other] == groups[rank]) for rank in ranks]
    near = [min(other for other in ranks if wider[exact[other]] == wider[exact[rank]]) for rank in ranks]

    def is_kept(rank: int, cluster: list[int]) -> bool:
        members = [other for other in ranks if cluster[other] == cluster[rank]]
        left = [other for other in members if other in passes]
        return rank == min(left or members)

    expected = {
        chr(ord("a") + rank): [
            *(["f.x"] if rank not in passes else []),
            *([] if is_kept(rank, exact) else [EXACT]),
            *([] if is_kept(rank, near) else [NEAR]),
        ]
        for rank in ranks
    }
    names = "".join(chr(ord("a") + rank) for rank in passes)
    scores = table(names, order, [exact[rank] for rank in order], [near[rank] for rank in order])
    found = decide_columns(TableColumns(scores), RULES)
    assert dict(zip(scores["id"].to_pylist(), reasons(found), strict=True)) == expected
    # One of each near-duplicate cluster with a member that passes, and it is that one's first.
    kept = [rank for rank in ranks if not expected[chr(ord("a") + rank)]]
    assert sorted({near[rank] for rank in passes if rank < documents}) == sorted(near[rank] for rank in kept)


def test_large_clusters() -> None:
    draw = np.random.default_rng(0)
    order, cluster = draw.permutation(10_000), draw.integers(0, 9_000, 10_000)
    dropped = draw.random(10_000) < 0.5
    kept = first_left(cluster, order, dropped)
    assert sorted(cluster[kept]) == sorted(set(cluster.tolist()))
    assert not (dropped & kept)[np.isin(cluster, cluster[~dropped])].any()


def prose(seed: int, lines: int = 12) -> str:
    draw = random.Random(seed)
    words = ["the", "of", "and", "with", *("".join(draw.choices("abcdefgh", k=6)) for _ in range(60))]
    return "\n".join(" ".join(draw.choices(words, k=12)).capitalize() + "." for _ in range(lines))


@pytest.mark.parametrize(
    ("policy", "chains", "dropped"),
    [("first", "join", "1"), ("first", "split", "1"), ("longest", "join", "3")],
)
def test_a_copy_takes_the_place_of_one_that_is_out(
    tmp_path: Path, policy: str, chains: str, dropped: str
) -> None:
    text = prose(0)
    braces = text + "\n{ and this line is what a filter drops it for }"
    rows = [("2", text), ("1" if dropped == "1" else "3", braces), ("4", text.upper()), ("5", prose(1))]
    documents = pa.table({"id": [row[0] for row in rows], "text": [row[1] for row in rows]})
    corpus = write_corpus(tmp_path / "read", documents, manifest={})
    config: dict[str, Any] = {"filters": ["c4"], "duplicates": {"policy": policy, "chains": chains}}
    curated = score_corpus(corpus, tmp_path / "out", parse_config(CurateConfig, config)).read()
    found = {row["id"]: row for row in curated.to_pylist()}
    assert {name: row["reasons"] for name, row in found.items()} == {
        "2": [],
        dropped: ["c4.curly_bracket", NEAR],
        "4": [EXACT, NEAR],
        "5": [],
    }
    # What the search found stays: of all documents, the one that is out comes first.
    assert {name: row["near_dup.first"] for name, row in found.items()} == {
        "2": False, dropped: True, "4": False, "5": True,
    }  # fmt: skip
    assert {row["near_dup.cluster"] for name, row in found.items() if name != "5"} == {dropped}
    assert not [name for name in curated.column_names if name.startswith("_")]
