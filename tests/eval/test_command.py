from __future__ import annotations

import json
import math
import signal
import subprocess
import sys
import time
from importlib.resources import files
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pydantic import ValidationError

from hinterland.core.config import load_config
from hinterland.core.corpus import write_corpus
from hinterland.core.errors import ConfigError, RegistryError, StorageError
from hinterland.eval.command import CommandConfig, plan, render, run
from hinterland.eval.measure import UNGROUPED, json_able, measure
from hinterland.eval.report import group_rows, plain_table, report_text, system_rows
from hinterland.eval.task import Question, Task, write_task

STARTER = Path(str(files("hinterland.configs").joinpath("eval.yaml")))


def write_lines(path: Path, rows: list[dict[str, Any]]) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A task of 40 questions, and the two files of predictions the starter config names.

    Closed-book knows every tenth answer. Retrieval knows nine of ten in Asia, one of four
    in Africa, finds the gold document second, and has no answer to question 5.
    """
    monkeypatch.chdir(tmp_path)
    write_task(
        tmp_path / "questions.jsonl",
        [
            Question(
                f"q{n}",
                f"What is the capital of land number {n} of the atlas, as the newest edition has it?",
                (f"City{n}",),
                (f"d{n}",),
                {"region": "Africa" if n < 20 else "Asia"} | ({"kind": "hard"} if n == 0 else {}),
            )
            for n in range(40)
        ],
    )
    write_lines(
        tmp_path / "closed-book.jsonl",
        [{"id": f"q{n}", "answer": f"City{n}" if n % 10 == 0 else "no idea"} for n in range(40)],
    )
    write_lines(
        tmp_path / "retrieval.jsonl",
        [
            {
                "id": f"q{n}",
                "answer": f"the City{n}." if (n % 4 == 0 if n < 20 else n % 10) else "elsewhere",
                "documents": ["other", f"d{n}"],
            }
            for n in range(40)
            if n != 5
        ],
    )
    return tmp_path


def starter(*overrides: str) -> CommandConfig:
    return load_config(CommandConfig, STARTER, overrides)


def test_the_starter_config_runs_on_predictions_files(folder: Path) -> None:
    result = run(starter())
    assert result["task"] == result["task"] | {"name": "questions", "questions": 40, "bad_lines": 0}
    closed, retrieval = result["systems"]["closed-book"]["scores"], result["systems"]["retrieval"]["scores"]
    assert closed["exact_match"]["mean"] == pytest.approx(4 / 40)
    assert "recall@1" not in closed
    # Right on 5 of 19 measured in Africa and 18 of 20 in Asia.
    assert retrieval["exact_match"] == retrieval["exact_match"] | {"n": 39, "unmeasured": 1}
    assert retrieval["exact_match"]["mean"] == pytest.approx(23 / 39)
    assert retrieval["recall@1"]["mean"] == 0.0
    assert retrieval["recall@5"]["mean"] == 1.0
    assert retrieval["ndcg@10"]["mean"] == pytest.approx(1 / math.log2(3))
    assert result["failures"]["retrieval"] == {
        "questions": 1,
        "ids": ["q5"],
        "last": "no answer to 'q5'",
    }
    assert [pair["metric"] for pair in result["pairs"]] == ["exact_match", "f1"]
    assert all(pair["different"] and pair["n"] == 39 for pair in result["pairs"])
    africa = result["groups"]["region"]["exact_match"]["retrieval"][0]
    assert (africa["group"], africa["n"], africa["worst"]) == ("Africa", 19, True)
    assert africa["mean"] == pytest.approx(5 / 19)
    assert africa["p_rest"] < 0.01
    assert [part["group"] for part in result["groups"]["kind"]["f1"]["closed-book"]] == ["hard", UNGROUPED]

    text = render(result)
    assert "retrieval answers more questions than closed-book (+0.49 [0." in text
    assert "retrieval: lowest EM for Africa (0.26 [" in text
    assert "below the other groups" in text
    assert "retrieval: 1 question without an answer; the last: no answer to 'q5'" in text
    assert "(n = 19)" in text

    out = folder / "runs" / "eval"
    assert json.loads((out / "scores" / "result.json").read_text()) == result
    rows = [json.loads(line) for line in (out / "scores" / "questions.jsonl").read_text().splitlines()]
    assert rows[5]["systems"]["retrieval"] == {
        "answer": None,
        "documents": [],
        "exact_match": None,
        "f1": None,
        **{f"{metric}@{k}": None for metric in ("recall", "ndcg") for k in (1, 5, 10)},
    }
    assert rows[0]["systems"]["retrieval"]["answer"] == "the City0."
    manifest = json.loads((out / "manifest.json").read_text())
    assert manifest["command"] == "eval"
    assert manifest["config"]["systems"][0]["path"] == "closed-book.jsonl"


def test_a_second_run_reuses_everything_and_says_the_same(folder: Path) -> None:
    first = run(starter())
    before = (folder / "runs/eval/answers.jsonl").read_bytes()
    stamp = (folder / "runs/eval/scores/result.json").stat().st_mtime_ns
    assert run(starter()) == first
    assert (folder / "runs/eval/answers.jsonl").read_bytes() == before
    assert (folder / "runs/eval/scores/result.json").stat().st_mtime_ns == stamp


def test_changed_predictions_are_scored_anew(folder: Path) -> None:
    run(starter())
    write_lines(folder / "closed-book.jsonl", [{"id": f"q{n}", "answer": f"City{n}"} for n in range(40)])
    result = run(starter())
    assert result["systems"]["closed-book"]["scores"]["exact_match"]["mean"] == 1.0


def test_the_plan_counts_calls_and_writes_nothing(folder: Path) -> None:
    overrides = (
        "systems=[{name: closed-book, kind: predictions, path: closed-book.jsonl},"
        " {name: m, kind: openai, base_url: 'http://127.0.0.1:9/v1', model: m, seconds_per_answer: 3,"
        " price_per_answer: 0.01, workers: 2}]",
        "limit=30",
    )
    before = sorted(folder.rglob("*"))
    found = plan(starter(*overrides))
    assert sorted(folder.rglob("*")) == before
    assert found["questions"] == 30
    assert found["calls"] == 60
    assert found["systems"]["m"] == {"answers_known": 0, "calls": 30, "seconds": 45.0, "price": 0.3}
    assert (found["estimated_seconds"], found["estimated_price"]) == (45.0, 0.3)
    run(starter("limit=10"))
    assert plan(starter("limit=30"))["systems"]["closed-book"]["answers_known"] == 10


def test_leaks_into_the_training_corpus_are_reported(folder: Path) -> None:
    rows = [
        {"id": "t1", "text": "Clean text about rivers.", "country": "KEN"},
        {
            "id": "t2",
            "text": "What is the capital of land number 3 of the atlas, as the newest edition has it? City3",
            "country": "PER",
        },
        {"id": "d7", "text": "A gold document.", "country": None},
    ]
    write_corpus(folder / "corpus", pa.Table.from_pylist(rows))
    result = run(starter("training.corpus=corpus", "training.held_out=[PER]"))
    leak = result["contamination"]
    assert not leak["clean"]
    assert leak["overlaps"][0] | {"words": ""} == {"question": "q3", "document": "t2", "words": ""}
    assert (leak["gold_documents"], leak["held_out"]) == (["d7"], ["t2"])
    assert "Contamination: LEAK: " in render(result)
    clean = run(starter("training.corpus=corpus", "limit=1", "training.ngram=18"))
    assert clean["contamination"]["clean"]


@pytest.mark.parametrize(
    ("override", "error", "message"),
    [
        ("metrics=[exact]", RegistryError, "unknown metric 'exact'"),
        ("baseline=closedbook", ConfigError, "did you mean 'closed-book'"),
        ("group_by=[regoin]", ConfigError, "did you mean 'region'"),
        ("ks=[0]", ConfigError, "a depth is below 1"),
        ("systems=[{name: a, kind: predictions, path: x.jsonl}]", ConfigError, "no system is called"),
        ("task=none.jsonl", StorageError, "No such file"),
        ("metrcs=[f1]", ConfigError, "did you mean 'metrics'"),
        ("systems=[]", ConfigError, "at least 1 item"),
        ("level=95", ConfigError, "less than 1"),
    ],
)
def test_mistakes_are_named_before_anything_is_asked(
    folder: Path, override: str, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        run(starter(override))
    assert not (folder / "runs").exists()


def test_two_systems_need_two_names(folder: Path) -> None:
    same = "{name: a, kind: predictions, path: retrieval.jsonl}"
    with pytest.raises(ConfigError, match="same name"):
        run(starter(f"systems=[{same}, {same}]", "baseline=null"))


def test_configs_are_frozen(folder: Path) -> None:
    with pytest.raises(ValidationError, match="frozen"):
        starter().seed = 2  # type: ignore[misc]


SCRIPT = """
import sys
from pathlib import Path
from hinterland.core.config import load_config
from hinterland.eval.command import CommandConfig, run
run(load_config(CommandConfig, Path(sys.argv[1]), sys.argv[2:]))
"""


def test_a_killed_run_ends_with_the_same_bytes(folder: Path) -> None:
    """Killed while it answers and while it scores, then run to the end."""
    arguments = [sys.executable, "-c", SCRIPT, str(STARTER), "resamples=20000"]
    subprocess.run([*arguments, "out=whole"], check=True, cwd=folder, capture_output=True)
    for sign in ("answers.jsonl", "scores/.begun"):
        process = subprocess.Popen([*arguments, "out=killed"], cwd=folder, stderr=subprocess.DEVNULL)
        give_up = time.monotonic() + 60
        while not (folder / "killed" / sign).exists() and process.poll() is None:
            assert time.monotonic() < give_up
            time.sleep(0.001)
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert not (folder / "killed" / "manifest.json").exists()
    subprocess.run([*arguments, "out=killed"], check=True, cwd=folder, capture_output=True)
    for name in ("answers.jsonl", "scores/result.json", "scores/questions.jsonl"):
        assert (folder / "killed" / name).read_bytes() == (folder / "whole" / name).read_bytes()


def test_measure_alone_takes_any_answers() -> None:
    task = Task("t", (Question("a", "A?", ("x",)), Question("b", "B?", ("y",))))
    result = measure(task, {"silent": [None, None]}, resamples=100)
    assert result["systems"]["silent"]["scores"]["f1"] == {
        "mean": None,
        "low": None,
        "high": None,
        "n": 0,
        "unmeasured": 2,
    }
    assert result["pairs"] == []
    assert result["groups"] == {}
    assert system_rows(result) == [
        {"system": "silent", "EM": "unmeasured", "F1": "unmeasured", "n": "0", "unmeasured": "2"}
    ]
    assert report_text(result).startswith("t: 2 questions\n\nsystem")
    assert len(result["questions"]) == 2


def test_rows_and_tables() -> None:
    assert plain_table([]) == ""
    assert plain_table([{"a": "1", "long": "2"}, {"a": "333"}]) == "a    long\n───  ────\n1    2\n333  –"
    assert json_able({1: (math.nan, 0.1 + 0.2), "t": "x"}) == {"1": [None, 0.3], "t": "x"}
    part = {"group": "g", "worst": False, "p_rest": None, "mean": 0.5, "low": 0.0, "high": 1.0, "n": 2}
    result = {"groups": {"region": {"f1": {"s": [{**part, "unmeasured": 1}]}}}}
    assert group_rows(result, "region", "f1") == [{"region": "g", "n": "2", "s": "0.50 [0.00, 1.00] (n = 2)"}]
