"""The command ``eval``: measure systems on a task, side by side."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pydantic import ConfigDict, Field

from hinterland.core.config import Config
from hinterland.core.corpus import Corpus
from hinterland.core.errors import ConfigError, EndpointError, nearest
from hinterland.core.files import write_text
from hinterland.core.record import content_id
from hinterland.core.run import Run, fingerprint
from hinterland.core.system import Answer, System
from hinterland.eval.cache import AnswerCache, answer_to_dict
from hinterland.eval.contamination import corpus_documents, find_contamination
from hinterland.eval.jsonl import BadLine
from hinterland.eval.measure import json_able, measure
from hinterland.eval.metrics import METRICS
from hinterland.eval.report import report_text
from hinterland.eval.runner import answer_all
from hinterland.eval.systems import PredictionsSystem, build_system
from hinterland.eval.task import Question, Task, read_task

__all__ = ["CommandConfig", "SystemConfig", "TrainingConfig", "plan", "render", "run"]


class SystemConfig(Config):
    """One system under test; further keys are its kind's own.

    Attributes:
        name: In tables.
        kind: ``openai``, ``predictions``, a kind another package adds under the entry
            point group ``hinterland.system``, or ``module:function`` of an installed package.
        workers: Questions asked at a time.
        seconds_per_answer: For the dry run's estimate, until answers have been timed.
        price_per_answer: For the dry run's estimate, in any currency.
    """

    model_config = ConfigDict(extra="allow")

    name: str = Field(min_length=1)
    kind: str
    workers: int = Field(default=1, ge=1)
    seconds_per_answer: float = Field(default=1.0, ge=0)
    price_per_answer: float = Field(default=0.0, ge=0)

    @property
    def options(self) -> dict[str, Any]:
        """The keys of its kind."""
        return dict(self.model_extra or {})


class TrainingConfig(Config):
    """What a system was trained on, to look for the test set in it.

    Attributes:
        corpus: A corpus folder.
        held_out: Countries kept out of training, ISO 3166-1 alpha-3.
        ngram: Words in a row that count as overlap.
    """

    corpus: Path
    held_out: list[str] = Field(default=[])
    ngram: int = Field(default=13, ge=1)


class CommandConfig(Config):
    """The config of ``hinterland eval``.

    Attributes:
        task: Questions, as JSON Lines.
        systems: The systems under test.
        out: The run folder. Answers stay in its ``answers.jsonl`` whatever else changes.
        metrics: Answer metrics.
        ks: Depths at which retrieval is measured.
        limit: Ask this many questions, drawn by the seed.
        baseline: Compare the other systems with this one; else all pairs.
        group_by: Group keys to break results down by; by default all that the task has.
        least: Measured questions a group needs to be called the worst.
        training: Look for the task in a training corpus.
        resamples: Bootstrap resamples.
        seed: Of sampling and resampling.
        level: Of the intervals.
    """

    task: Path
    systems: list[SystemConfig] = Field(min_length=1)
    out: Path = Path("runs/eval")
    metrics: list[str] = Field(default=["exact_match", "f1"], min_length=1)
    ks: list[int] = Field(default=[1, 5, 10])
    limit: int | None = Field(default=None, ge=1)
    baseline: str | None = None
    group_by: list[str] | None = None
    least: int = Field(default=5, ge=1)
    training: TrainingConfig | None = None
    resamples: int = Field(default=2000, ge=100)
    seed: int = 0
    level: float = Field(default=0.95, gt=0.5, lt=1)


def _prepare(config: CommandConfig) -> tuple[Task, list[BadLine], list[System]]:
    """Read the task, build the systems, and check all names before anything is asked."""
    for metric in config.metrics:
        METRICS.get(metric)
    names = [system.name for system in config.systems]
    if len(set(names)) < len(names):
        raise ConfigError("two systems have the same name", where="systems", cure="give each its own")
    if config.baseline is not None and config.baseline not in names:
        raise ConfigError(
            f"no system is called {config.baseline!r}", where="baseline", cure=nearest(config.baseline, names)
        )
    if any(k < 1 for k in config.ks):
        raise ConfigError("a depth is below 1", where="ks", cure="give depths such as [1, 5, 10]")
    task, bad = read_task(config.task)
    if config.limit is not None:
        task = task.sample(config.limit, seed=config.seed)
    keys = {key for question in task.questions for key in question.groups}
    for key in config.group_by or ():
        if key not in keys:
            raise ConfigError(f"no question has a group {key!r}", where="group_by", cure=nearest(key, keys))
    ids = {question.question: question.id for question in task.questions}
    systems = [build_system(entry.kind, entry.name, entry.options, ids) for entry in config.systems]
    return task, bad, systems


def plan(config: CommandConfig) -> dict[str, Any]:
    """Say what would be asked and what it takes; asks nothing, writes nothing."""
    task, bad, systems = _prepare(config)
    known = AnswerCache.peek(config.out / "answers.jsonl")
    parts: dict[str, Any] = {}
    for entry, system in zip(config.systems, systems, strict=True):
        mark = system.fingerprint
        had = [known.get((mark, content_id(question.question))) for question in task.questions]
        timed = [answer.usage.seconds for answer in had if answer and answer.usage.seconds > 0]
        guess = 0.0 if isinstance(system, PredictionsSystem) else entry.seconds_per_answer
        each = sum(timed) / len(timed) if timed else guess
        calls = sum(answer is None for answer in had)
        parts[entry.name] = {
            "answers_known": len(had) - calls,
            "calls": calls,
            "seconds": round(calls * each / entry.workers, 1),
            "price": round(calls * entry.price_per_answer, 4),
        }
    return {
        "questions": len(task),
        "bad_lines": len(bad),
        "systems": parts,
        "calls": sum(part["calls"] for part in parts.values()),
        "estimated_seconds": round(sum(part["seconds"] for part in parts.values()), 1),
        "estimated_price": round(sum(part["price"] for part in parts.values()), 4),
    }


def _counted(failures: dict[str, dict[str, Any]], name: str) -> Callable[[Question, EndpointError], None]:
    """Return what counts the questions that a system has no answer to."""

    def count(question: Question, error: EndpointError) -> None:
        entry = failures.setdefault(name, {"questions": 0, "ids": []})
        entry["questions"] += 1
        entry["ids"].append(question.id)
        entry["last"] = error.found

    return count


def run(config: CommandConfig) -> dict[str, Any]:
    """Ask what is not yet known, score, compare, and write it all down.

    In the run folder: ``answers.jsonl`` (every answer ever had), ``scores/result.json``,
    ``scores/questions.jsonl`` (per question each system's answer and scores),
    ``manifest.json``.

    Raises:
        ConfigError: A key, a name or an option is wrong.
        RegistryError: A metric or a kind of system is unknown.
        CorpusError: The task has no usable question, or the training corpus is damaged.
        EndpointError: A system failed on three questions in a row.
        StorageError: A file cannot be read or written, or another run holds the folder.
    """
    task, bad, systems = _prepare(config)
    corpus = Corpus.open(config.training.corpus) if config.training else None
    folder = Run(config.out, command="eval", config=config.model_dump(mode="json"))
    failures: dict[str, dict[str, Any]] = {}
    with folder.locked():
        answers: dict[str, list[Answer | None]] = {}
        for entry, system in zip(config.systems, systems, strict=True):
            answers[entry.name] = answer_all(
                system,
                task.questions,
                config.out / "answers.jsonl",
                workers=entry.workers,
                on_failure=_counted(failures, entry.name),
            )

        def work(target: Path) -> dict[str, Any]:
            result = measure(
                task,
                answers,
                **config.model_dump(include={"metrics", "ks", "baseline", "group_by", "least"}),
                **config.model_dump(include={"resamples", "seed", "level"}),
            )
            rows = result.pop("questions")
            result["task"]["bad_lines"] = len(bad)
            result["bad_lines"] = [f"line {line.line}: {line.reason}" for line in bad[:100]]
            result["failures"] = failures
            result["fingerprints"] = {system.name: system.fingerprint for system in systems}
            if corpus and config.training:
                found = find_contamination(
                    task.questions,
                    corpus_documents(corpus),
                    n=config.training.ngram,
                    held_out=config.training.held_out,
                )
                result["contamination"] = found.as_dict()
            lines = (json.dumps(row, ensure_ascii=False) for row in rows)
            write_text(target / "questions.jsonl", "".join(f"{line}\n" for line in lines))
            result = json_able(result)
            write_text(target / "result.json", json.dumps(result, indent=2, ensure_ascii=False) + "\n")
            return dict(result)

        record = folder.stage(
            "scores",
            work,
            depends={
                "config": config.model_dump(mode="json", exclude={"out", "systems", "task"}),
                "task": [task.name, task.fingerprint, len(bad)],
                "answers": fingerprint(
                    {name: [answer and answer_to_dict(answer) for answer in a] for name, a in answers.items()}
                ),
                "failures": failures,
                "corpus": corpus.fingerprint if corpus else None,
            },
        )
        folder.finish(
            task=task.fingerprint, fingerprints={system.name: system.fingerprint for system in systems}
        )
    return record.result


def render(result: dict[str, Any]) -> str:
    """Return the result as text for people."""
    return report_text(result)
