from __future__ import annotations

import math
import resource
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterable
from pathlib import Path

import pytest

from hinterland.core.errors import EndpointError, RegistryError, StorageError
from hinterland.core.system import Answer, Passage, Usage
from hinterland.eval.cache import AnswerCache, answer_from_dict, answer_to_dict
from hinterland.eval.runner import (
    UnansweredError,
    answer_all,
    answer_scores,
    rankings_of,
    retrieval_scores,
)
from hinterland.eval.task import Question

QUESTIONS = [Question(f"q{n}", f"Question {n}?", (f"answer {n}",), (f"d{n}",)) for n in range(8)]


class Echo:
    """Says the question's number; fails on those it is told to fail on."""

    def __init__(self, failing: Iterable[int] = (), kind: type[EndpointError] = EndpointError) -> None:
        self.name = "echo"
        self.fingerprint = "echo-1"
        self.failing, self.kind = set(failing), kind
        self.asked: list[str] = []

    def answer(self, question: str) -> Answer:
        self.asked.append(question)
        number = int(question.split()[1].rstrip("?"))
        if number in self.failing:
            raise self.kind("down", where="http://nowhere", cure="wait")
        return Answer(f"answer {number}", (Passage("c", f"d{number}", "text", 0.5),), (0,), Usage(3, 2, 0.1))


def texts(answers: list[Answer | None]) -> list[str | None]:
    return [answer.text if answer else None for answer in answers]


def test_answers_come_in_order_and_are_asked_once(tmp_path: Path) -> None:
    system, cache = Echo(), tmp_path / "deep" / "answers.jsonl"
    first = answer_all(system, QUESTIONS, cache)
    assert texts(first) == [f"answer {n}" for n in range(8)]
    again = answer_all(system, QUESTIONS, cache)
    assert again == first
    assert len(system.asked) == 8
    assert answer_all(system, QUESTIONS[:3][::-1], cache) == first[:3][::-1]
    other = Echo()
    other.fingerprint = "echo-2"
    answer_all(other, QUESTIONS, cache)
    assert len(other.asked) == 8


def test_a_failure_is_unmeasured_counted_and_tried_again(tmp_path: Path) -> None:
    failed: list[str] = []
    system = Echo(failing={1, 2, 4, 5})
    answers = answer_all(
        system, QUESTIONS, tmp_path / "a", on_failure=lambda question, error: failed.append(question.id)
    )
    assert failed == ["q1", "q2", "q4", "q5"]
    assert [number for number, answer in enumerate(answers) if answer is None] == [1, 2, 4, 5]
    scores = answer_scores(answers, QUESTIONS, ["exact_match"])["exact_match"]
    assert [math.isnan(value) for value in scores] == [answer is None for answer in answers]
    system.failing.clear()
    assert None not in answer_all(system, QUESTIONS, tmp_path / "a")
    assert len(system.asked) == 12


@pytest.mark.parametrize("workers", [1, 3])
def test_three_failures_in_a_row_stop_the_run_and_keep_what_is_there(tmp_path: Path, workers: int) -> None:
    system = Echo(failing={2, 3, 4})
    with pytest.raises(
        EndpointError, match=r"3 questions in a row had no answer from echo; the last: down"
    ) as e:
        answer_all(system, QUESTIONS, tmp_path / "a", workers=workers)
    assert e.value.where == "http://nowhere"
    system.failing.clear()
    system.asked.clear()
    answer_all(system, QUESTIONS, tmp_path / "a")
    assert "Question 0?" not in system.asked


def test_questions_that_merely_have_no_answer_do_not_stop_the_run(tmp_path: Path) -> None:
    answers = answer_all(Echo(range(6), UnansweredError), QUESTIONS, tmp_path / "a")
    assert texts(answers) == [None] * 6 + ["answer 6", "answer 7"]


def test_other_errors_are_not_swallowed(tmp_path: Path) -> None:
    class Broken(Echo):
        def answer(self, question: str) -> Answer:
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        answer_all(Broken(), QUESTIONS, tmp_path / "a")


def test_workers_ask_at_the_same_time_and_change_nothing(tmp_path: Path) -> None:
    class Meeting(Echo):
        barrier = threading.Barrier(4, timeout=20)

        def answer(self, question: str) -> Answer:
            self.barrier.wait()  # passes only if four questions are under way together
            return super().answer(question)

    together = answer_all(Meeting(), QUESTIONS, tmp_path / "many", workers=4)
    alone = answer_all(Echo(), QUESTIONS, tmp_path / "one")
    assert together == alone
    assert (tmp_path / "many").read_bytes() == (tmp_path / "one").read_bytes()


def test_a_torn_last_line_is_cut_off_and_asked_again(tmp_path: Path) -> None:
    cache = tmp_path / "a"
    answer_all(Echo(), QUESTIONS, cache)
    whole = cache.read_bytes()
    for cut in (1, 20, len(whole.splitlines()[-1]) - 1):
        cache.write_bytes(whole[:-cut])
        system = Echo()
        answer_all(system, QUESTIONS, cache)
        assert system.asked == ["Question 7?"]
        assert cache.read_bytes() == whole


def test_spoilt_lines_are_counted_and_asked_again(tmp_path: Path) -> None:
    cache = tmp_path / "a"
    answer_all(Echo(), QUESTIONS, cache)
    lines = cache.read_bytes().splitlines(keepends=True)
    lines[2] = b"spoilt\n"
    lines[4] = lines[4].replace(b'"text": "answer 4"', b'"text": 4')
    cache.write_bytes(b"".join(lines))
    with AnswerCache.open(cache) as known:
        assert known.spoilt == 2
    system = Echo()
    answer_all(system, QUESTIONS, cache)
    assert system.asked == ["Question 2?", "Question 4?"]


def test_a_cache_is_held_by_one_run(tmp_path: Path) -> None:
    with AnswerCache.open(tmp_path / "a"), pytest.raises(StorageError, match="another run is writing here"):
        answer_all(Echo(), QUESTIONS, tmp_path / "a")


def test_a_cache_that_cannot_be_written_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="a file stands where a folder is needed"):
        answer_all(Echo(), QUESTIONS, tmp_path / "file" / "a")


def test_a_write_that_stops_half_way_spoils_nothing(tmp_path: Path) -> None:
    cache, system = tmp_path / "a", Echo()
    answer_all(system, QUESTIONS[:2], cache)
    whole = cache.read_bytes()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    # The system takes half of the next line and refuses the rest, as a full disk does.
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(whole) * 5 // 4, hard))
    try:
        with pytest.raises(StorageError, match="larger than allowed"):
            answer_all(system, QUESTIONS, cache)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert cache.read_bytes() == whole
    assert len(answer_all(system, QUESTIONS, cache)) == 8
    assert system.asked.count("Question 0?") == 1


def test_any_text_survives_the_cache(tmp_path: Path) -> None:
    strange = Answer(
        "line\nbreak \u2028 \ud800 \x00 ü", (Passage("c", "d", "t", math.inf, "a", None, "CC0"),), (0,)
    )
    with AnswerCache.open(tmp_path / "a") as known:
        known.put("s", "q\ud800", strange)
    with AnswerCache.open(tmp_path / "a") as known:
        assert known.get("s", "q\ud800") == strange
    assert answer_from_dict(answer_to_dict(strange)) == strange


SCRIPT = """
import sys, time
from pathlib import Path
from hinterland.core.system import Answer
from hinterland.eval.runner import answer_all
from hinterland.eval.task import Question

class Slow:
    name, fingerprint = "slow", "slow-1"
    def answer(self, question):
        time.sleep(0.05)
        return Answer(question[::-1] * 50)

answer_all(Slow(), [Question(f"q{n}", f"Question {n}?", ("a",)) for n in range(40)], Path(sys.argv[1]))
"""


def test_a_killed_run_goes_on_and_ends_the_same(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(textwrap.dedent(SCRIPT))
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    command = [sys.executable, str(script)]
    subprocess.run([*command, str(whole)], check=True, capture_output=True)
    for lines in (3, 17):
        process = subprocess.Popen([*command, str(killed)], stderr=subprocess.DEVNULL)
        give_up = time.monotonic() + 60
        while not killed.is_file() or killed.read_bytes().count(b"\n") < lines:
            assert time.monotonic() < give_up
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
        process.wait()
        before = killed.read_bytes()
        assert before
        assert before != whole.read_bytes()
    subprocess.run([*command, str(killed)], check=True, capture_output=True)
    assert killed.read_bytes() == whole.read_bytes()


def test_retrieval_scores_by_hand() -> None:
    questions = [
        Question("a", "A?", ("x",), ("d1", "d2")),
        Question("b", "B?", ("x",), ("d3",)),
        Question("c", "C?", ("x",), ()),
        Question("d", "D?", ("x",), ("d4",)),
    ]
    scores = retrieval_scores([["d1", "d9", "d2"], ["d9", "d3"], ["d1"], None], questions, [1, 3])
    assert list(scores) == ["recall@1", "recall@3", "ndcg@1", "ndcg@3"]
    assert scores["recall@1"][:2] == [0.5, 0.0]
    assert scores["recall@3"][:2] == [1.0, 1.0]
    assert scores["ndcg@1"][:2] == [1.0, 0.0]
    ideal = 1 + 1 / math.log2(3)
    assert scores["ndcg@3"][:2] == pytest.approx([1.5 / ideal, 1 / math.log2(3)])
    assert all(math.isnan(value) for values in scores.values() for value in values[2:])


def test_scores_need_as_many_answers_as_questions() -> None:
    with pytest.raises(ValueError, match="argument 2"):
        answer_scores([None], QUESTIONS, ["f1"])
    with pytest.raises(ValueError, match="argument 2"):
        retrieval_scores([None], QUESTIONS, [1])
    with pytest.raises(RegistryError, match="unknown ranking_metric 'recal'"):
        retrieval_scores([], [], [1], metrics=["recal"])
    assert rankings_of([None, Answer("x", (Passage("c", "d", "t", 1.0),))]) == [None, ["d"]]
