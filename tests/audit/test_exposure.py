"""Exposure: shares of results by hand, in simulation, and files with wrong lines."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hinterland.core.errors import CorpusError, RegistryError
from hinterland.curate.audit.exposure import exposure_of
from hinterland.curate.audit.exposure_inputs import (
    RETRIEVERS,
    Results,
    read_qrels,
    read_queries,
    read_results,
    retrieve,
)
from hinterland.curate.audit.groups import Grouping, encode
from hinterland.curate.audit.parts import Exposure, ExposureRow

IDS = ["a1", "a2", "a3", "b1", "u1"]
GROUPS = Grouping("region", *encode(["A", "A", "A", "B", None]))


def row(found: Exposure, group: str) -> ExposureRow:
    return next(each for each in found.rows if each.group == group)


def test_by_hand() -> None:
    found = exposure_of(
        [["a1", "b1", "a2"], ["b1", "gone", "a1"], ["u1", "a3"], []],
        IDS,
        GROUPS,
        k=2,
        relevant=[{"a1"}, {"b1", "a2"}, set(), {"gone"}],
        cited=[["a1"], ["b1"], ["b1", "a3", "a3"], []],
        resamples=300,
    )
    # Places among the first two in a known group: a1, b1 | b1 | a3.
    a, b = found.rows
    assert (found.grouping, found.queries, found.k) == ("region", 4, 2)
    assert (a.corpus, b.corpus) == (0.75, 0.25)
    assert (a.retrieved.estimate, b.retrieved.estimate) == (0.5, 0.5)
    assert a.against_corpus.estimate == pytest.approx(0.5 / 0.75)
    assert b.against_corpus.estimate == 2
    assert (a.cited.estimate, b.cited.estimate) == (0.5, 0.5)
    assert (a.relevant, b.relevant) == (pytest.approx(2 / 3), pytest.approx(1 / 3))
    assert b.against_relevant.estimate == pytest.approx(1.5)
    assert b.against_relevant.low <= 1.5 <= b.against_relevant.high
    assert found.note == (
        "Shares are of the first 2 results, each place counted alike. 1 queries have no result;"
        " 1 results are not in the corpus; 1 results are of documents without a group;"
        " 1 queries have no citation; 1 queries have no relevant document;"
        " 1 relevant documents are not in the corpus."
    )


def test_position_weights_by_hand() -> None:
    found = exposure_of([["b1", "a1", "a2"]], IDS, GROUPS, k=3, position_weighted=True, resamples=100)
    # 1/log2(2) = 1 against 1/log2(3) + 1/log2(4).
    rest = 1 / math.log2(3) + 0.5
    assert row(found, "B").retrieved.estimate == pytest.approx(1 / (1 + rest))
    assert "1 / log2(1 + r)" in found.note
    assert math.isnan(row(found, "B").retrieved.low)  # one query
    assert math.isnan(row(found, "B").cited.estimate)
    assert math.isnan(row(found, "B").relevant)


def test_repeated_documents_count_once_and_take_no_place() -> None:
    found = exposure_of([["a1", "a1", "a1", "b1", "a2"]], IDS, GROUPS, k=2, resamples=100)
    assert row(found, "A").retrieved.estimate == 0.5
    assert "2 results repeat a document of the same query" in found.note


def test_never_retrieved_is_not_certain() -> None:
    found = exposure_of([["a1"]] * 20, IDS, GROUPS, relevant=[["a1", "b1"]] * 20, k=1, resamples=100)
    b = row(found, "B")
    assert (b.retrieved.estimate, b.retrieved.low) == (0, 0)
    assert b.retrieved.high > 0
    assert b.against_relevant.estimate == 0
    assert b.against_relevant.high == pytest.approx(b.retrieved.high / 0.5)


def test_bad_input() -> None:
    with pytest.raises(CorpusError, match="no query"):
        exposure_of([], IDS, GROUPS)
    with pytest.raises(CorpusError, match="k is 0"):
        exposure_of([["a1"]], IDS, GROUPS, k=0)
    with pytest.raises(CorpusError, match="1 ids, 5 group labels"):
        exposure_of([["a1"]], ["a1"], GROUPS)
    with pytest.raises(CorpusError, match="1 lists of results, 2 of cited"):
        exposure_of([["a1"]], IDS, GROUPS, cited=[[], []])
    with pytest.raises(CorpusError, match="none of the results is a document of the corpus"):
        exposure_of([["x"]], IDS, GROUPS)
    with pytest.raises(CorpusError, match="no query has a result"):
        exposure_of([[]], IDS, GROUPS)
    nowhere = exposure_of([["u1"], ["u1"]], IDS, GROUPS, resamples=100)
    assert math.isnan(row(nowhere, "A").retrieved.estimate)


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.lists(st.sampled_from([*IDS, "gone"]), max_size=6), min_size=1, max_size=8),
    st.integers(1, 5),
)
def test_agrees_with_plain_counting(results: list[list[str]], k: int) -> None:
    group_of = dict(zip(IDS, GROUPS.named().tolist(), strict=True))
    shown = [list(dict.fromkeys(each))[:k] for each in results]
    groups = [group_of.get(one, "") for each in shown for one in each]
    try:
        found = exposure_of(results, IDS, GROUPS, k=k, resamples=50)
    except CorpusError:
        assert not any(groups)
        return
    known = [each for each in groups if each in ("A", "B")]
    for each in found.rows:
        if known:
            assert each.retrieved.estimate == pytest.approx(known.count(each.group) / len(known))


def test_intervals_cover_in_simulation() -> None:
    rng = np.random.default_rng(2)
    ids = [f"d{number}" for number in range(200)]
    groups = Grouping("g", (np.arange(200) % 2).astype(np.int64), ("A", "B"))
    covered = 0
    for seed in range(100):
        chance = rng.beta(1, 1, 40)  # queries differ in which group they find
        results = [
            [ids[2 * number + int(rng.random() >= p)] for number in rng.choice(100, 10, replace=False)]
            for p in chance
        ]
        shown = exposure_of(results, ids, groups, k=10, seed=seed, resamples=400).rows[0].retrieved
        covered += shown.low <= 0.5 <= shown.high
    assert covered >= 90


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def test_trec_run_is_ranked_by_score(tmp_path: Path) -> None:
    path = write(tmp_path / "r.run", "q1 Q0 a 1 0.5 x\nq1 Q0 b 2 0.9 x\n\nq2 Q0 c 1 -1 x\nq1 Q0 c 3 0.5 x\n")
    found = read_results(path)
    assert found.queries == ("q1", "q2")
    assert found.documents == (("b", "c", "a"), ("c",))  # of two alike the later id comes first
    assert found.cited is None


def test_json_lines(tmp_path: Path) -> None:
    lines = [
        {"query_id": 1, "ids": ["a", "b"], "cited": ["a"]},
        {"query_id": "2", "documents": [{"document_id": "c"}, {"id": 7}]},
    ]
    found = read_results(write(tmp_path / "r.jsonl", "\n".join(map(json.dumps, lines))))
    assert found.queries == ("1", "2")
    assert found.documents == (("a", "b"), ("c", "7"))
    assert found.cited == (("a",), ())
    assert found.relevant({"2": ("c",)}) == [(), ("c",)]
    with pytest.raises(CorpusError, match="none of the 2 queries is judged; '1' is one"):
        found.relevant({"3": ("c",)})


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("r.run", "q1 Q0 a 1 0.5 x\nq1 a 0.5\n", "3 fields .*line 2"),
        ("r.run", "q1 Q0 a 1 high x\n", "the score 'high' is no number .*line 1"),
        ("r.run", "q1 Q0 a 1 1 x\nq1 Q0 a 2 1 x\n", "document 'a' occurs twice for query 'q1' .*line 2"),
        ("r.run", "\n", "no result in the file"),
        ("r.jsonl", "{}\n", "no 'query_id' that can be used .*line 1"),
        ("r.jsonl", '{"query_id": 1}\n', "no 'ids' that can be used .*line 1"),
        ("r.jsonl", "[1]\n", "a list where an object is needed"),
        ("r.jsonl", "{", "not JSON"),
        ("r.jsonl", '{"query_id": 1, "ids": "a"}\n', "'ids' is no list of document ids"),
        ("r.jsonl", '{"query_id": 1, "ids": [1.5]}\n', "'ids' is no list of document ids"),
        ("r.jsonl", '{"query_id": 1, "ids": [], "cited": [null]}\n', "'cited' is no list"),
        (
            "r.jsonl",
            '{"query_id": 1, "ids": []}\n{"query_id": "1", "ids": []}\n',
            "'1' occurs twice .*line 2",
        ),
    ],
)
def test_wrong_results(tmp_path: Path, name: str, text: str, message: str) -> None:
    with pytest.raises(CorpusError, match=message):
        read_results(write(tmp_path / name, text))


def test_judgements(tmp_path: Path) -> None:
    trec = write(tmp_path / "q.txt", "q1 0 a 1\nq1 0 b 0\nq2 0 c 2\nq3 0 a 0\n")
    assert read_qrels(trec) == {"q1": ("a",), "q2": ("c",), "q3": ()}
    table = write(tmp_path / "q.tsv", "query-id\tcorpus-id\tscore\nq1\tthe doc\t1\n")
    assert read_qrels(table) == {"q1": ("the doc",)}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("q1 a\n", "2 fields .*line 1"),
        ("q1 0 a 1\nq1 0 b x\n", "the relevance 'x' is no number .*line 2"),
        ("q1 0 a 1\nq1 0 a 0\n", "judged twice for query 'q1' .*line 2"),
        ("query\tdocument\trelevance\n", "no judgement in the file"),
    ],
)
def test_wrong_judgements(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(CorpusError, match=message):
        read_qrels(write(tmp_path / "q.tsv", text))


def test_queries(tmp_path: Path) -> None:
    lines = '{"query_id": "a", "query": "x"}\n{"_id": 5, "text": "y"}\n{"query": "z"}\n'
    assert read_queries(write(tmp_path / "q.jsonl", lines)) == {"a": "x", "5": "y", "3": "z"}
    assert read_queries(write(tmp_path / "q.tsv", "a\tx y\nz\n")) == {"a": "x y", "2": "z"}
    for text, message in [("a\t\n", "no query"), ("a\tx\na\ty\n", "occurs twice"), ("", "no query in")]:
        with pytest.raises(CorpusError, match=message):
            read_queries(write(tmp_path / "q.tsv", text))
    with pytest.raises(CorpusError, match="the file cannot be read"):
        read_queries(tmp_path / "none.tsv")
    (tmp_path / "latin.tsv").write_bytes(b"\xe9t\xe9")
    with pytest.raises(CorpusError, match="the file cannot be read"):
        read_queries(tmp_path / "latin.tsv")


def test_any_index_can_be_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def backwards(path: Path) -> Callable[[list[str], int], list[list[str]]]:
        return lambda queries, k: [[path.name, query[::-1]][:k] for query in queries]

    monkeypatch.setitem(RETRIEVERS._items, "backwards", backwards)
    monkeypatch.setitem(RETRIEVERS._items, "silent", lambda path: lambda queries, k: [])
    found = retrieve("backwards", tmp_path / "x", {"q": "ab"}, 2)
    assert found == Results(("q",), (("x", "ba"),))
    with pytest.raises(CorpusError, match="0 lists of results for 1 queries"):
        retrieve("silent", tmp_path, {"q": "ab"}, 2)
    with pytest.raises(RegistryError, match="unknown retriever 'backward'"):
        retrieve("backward", tmp_path, {"q": "ab"}, 2)
