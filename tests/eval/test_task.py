from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hinterland.core.errors import CorpusError, StorageError
from hinterland.eval.task import Question, Task, read_task, write_task

KENYA = Question("ken", "Capital of Kenya?", ("Nairobi",), ("ken-gov",), {"region": "Africa"})
PERU = Question("per", "Capital of Peru?", ("Lima", "Ciudad de los Reyes"))


def test_what_is_written_is_read(tmp_path: Path) -> None:
    write_task(tmp_path / "capitals.jsonl", [KENYA, PERU])
    task, bad = read_task(tmp_path / "capitals.jsonl")
    assert task == Task("capitals", (KENYA, PERU))
    assert bad == []
    assert len(task) == 2
    assert KENYA.relevance == {"ken-gov": 1.0}


def test_bad_lines_are_listed_with_their_reasons(tmp_path: Path) -> None:
    good = json.dumps(KENYA.as_dict())
    lines = [
        b"\xef\xbb\xbf" + good.encode(),
        b"",
        b"{not json",
        b'"a text"',
        b'{"id": "\xff"}',
        b'{"id": "x", "question": "Q?"}',
        b'{"id": "x", "question": "Q?", "answers": []}',
        b'{"id": "x", "question": "Q?", "answers": ["a", ""]}',
        b'{"id": "", "question": "Q?", "answers": ["a"]}',
        b'{"id": "x", "question": "Q?", "answers": ["a"], "anwsers": []}',
        b'{"id": "x", "question": "Q?", "answers": ["a"], "groups": {"region": 3}}',
        b'{"id": "x", "question": "Q?", "answers": ["a"], "gold_documents": "d"}',
        b'{"id": "x", "question": "half a pair \\ud800", "answers": ["a"]}',
        b'{"id": "ken", "question": "Another?", "answers": ["a"]}',
        b'{"id": "y", "question": "Capital of Kenya?", "answers": ["a"]}',
        b"[" * 100_000,
    ]
    path = tmp_path / "task.jsonl"
    path.write_bytes(b"\n".join(lines))
    task, bad = read_task(path)
    assert task.questions == (KENYA,)
    assert [line.line for line in bad] == list(range(3, 17))
    reasons = " | ".join(line.reason for line in bad)
    for part in (
        "not JSON",
        "not an object but str",
        "not UTF-8",
        "'answers' is not a list of texts",
        "'answers' is empty",
        "'id' is not a text",
        "unknown key 'anwsers'",
        "'groups' does not map",
        "'gold_documents' is not a list",
        "the same id as 'ken'",
        "the same question as 'ken'",
    ):
        assert part in reasons


def test_a_line_separator_inside_a_text_ends_no_line(tmp_path: Path) -> None:
    path = tmp_path / "task.jsonl"
    path.write_text('{"id": "x", "question": "one\u2028two", "answers": ["a"]}\n', encoding="utf-8")
    task, bad = read_task(path)
    assert task.questions[0].question == "one\u2028two"
    assert not bad


def test_a_task_without_questions_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "task.jsonl"
    path.write_text("nonsense\n")
    with pytest.raises(CorpusError, match=r"bad lines: 1, the first \(line 1\): not JSON"):
        read_task(path)
    path.write_text("")
    with pytest.raises(CorpusError, match="no question can be used"):
        read_task(path)
    with pytest.raises(StorageError, match="No such file"):
        read_task(tmp_path / "missing.jsonl")


def test_the_fingerprint_follows_the_content_alone() -> None:
    assert Task("one", (KENYA, PERU)).fingerprint == Task("two", (KENYA, PERU)).fingerprint
    assert Task("one", (KENYA,)).fingerprint != Task("one", (PERU,)).fingerprint
    changed = Question("ken", KENYA.question, ("Mombasa",), KENYA.gold_documents, KENYA.groups)
    assert Task("one", (KENYA,)).fingerprint != Task("one", (changed,)).fingerprint


@given(st.integers(0, 30), st.integers(0, 30), st.integers(0, 5))
def test_samples_are_nested_and_in_task_order(small: int, large: int, seed: int) -> None:
    task = Task("t", tuple(Question(f"q{n}", f"Q{n}?", ("a",)) for n in range(25)))
    small, large = sorted((small, large))
    few, many = task.sample(small, seed=seed), task.sample(large, seed=seed)
    assert len(few) == min(small, 25)
    assert {q.id for q in few.questions} <= {q.id for q in many.questions}
    order = [q.id for q in task.questions]
    assert [q.id for q in many.questions] == sorted((q.id for q in many.questions), key=order.index)
