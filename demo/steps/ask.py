"""Step 6: a few questions to the closed model, without and with retrieval, with citations."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from hinterland.core.files import write_json
from hinterland.core.system import Answer
from hinterland.demo.pipeline import Workspace, limit_threads
from hinterland.demo.systems import closed_model, open_index
from hinterland.eval.runner import answer_all
from hinterland.eval.task import Question, Task, read_task

__all__ = ["ANSWERS", "build", "examples"]

#: The cache of answers, which the evaluation goes on from.
ANSWERS = "answers.jsonl"


def examples(task: Task, count: int, *, seed: int) -> list[Question]:
    """Return ``count`` questions, one of each relation before any comes twice."""
    turns: dict[str, list[Question]] = {}
    for question in task.sample(len(task) - 1, seed=seed).questions:
        turns.setdefault(question.groups["relation"], []).append(question)
    order = task.sample(count, seed=seed).questions
    first = [queue[0] for _, queue in sorted(turns.items())]
    return [*first, *(question for question in order if question not in first)][:count]


def build(work: Workspace) -> dict[str, Any]:
    """Write ``examples.json`` and begin the cache of answers."""
    limit_threads(work.config)
    task, _ = read_task(work.of("corpus") / "questions.jsonl", name="World Factbook facts")
    asked = examples(task, work.config.evaluate.examples, seed=work.config.seed)
    with closed_model(work, open_index(work)) as systems:
        answers = {system.name: answer_all(system, asked, work.folder / ANSWERS) for system in systems}
    rows = [
        {
            "question": question.question,
            "gold": list(question.answers),
            "answers": {name: _shown(given[number]) for name, given in answers.items()},
        }
        for number, question in enumerate(asked)
    ]
    write_json(work.folder / "examples.json", rows)
    cited = [answer for given in answers.values() for answer in given if answer and answer.citations]
    return {"asked": len(asked), "with_citation": len(cited)}


def _shown(answer: Answer | None) -> dict[str, Any] | None:
    """Return an answer as the report shows it; seconds differ between runs and stay out."""
    if answer is None:
        return None
    return {
        "text": answer.text,
        "citations": list(answer.citations),
        "passages": [asdict(passage) for passage in answer.passages],
    }
