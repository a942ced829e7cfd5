"""Step 8: retrieval on every question, answers on as many as time allows, by region."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from hinterland.adapt.documents import read_documents
from hinterland.adapt.recipe import held_out_split
from hinterland.core.corpus import Corpus
from hinterland.core.files import write_json
from hinterland.core.stats import paired_difference
from hinterland.demo.pipeline import Workspace, limit_threads
from hinterland.demo.steps.adapt import recipe
from hinterland.demo.steps.ask import ANSWERS
from hinterland.demo.systems import CLOSED_BOOK, adapted_model, closed_model, open_index
from hinterland.eval.compare import breakdown, score
from hinterland.eval.contamination import Document, find_contamination
from hinterland.eval.measure import json_able, measure
from hinterland.eval.runner import answer_all, retrieval_scores
from hinterland.eval.task import Question, Task, read_task
from hinterland.indexes.search import Index

__all__ = ["build"]

_DEPTH = 10
_METRICS = (f"recall@{_DEPTH}", f"ndcg@{_DEPTH}")


def build(work: Workspace) -> dict[str, Any]:
    """Write ``evaluation.json``: retrieval, answers, comparisons and the leak check."""
    limit_threads(work.config)
    task, _ = read_task(work.of("corpus") / "questions.jsonl", name="World Factbook facts")
    index = open_index(work)
    asked = task.sample(work.config.evaluate.answered, seed=work.config.seed)
    cache = work.folder / f".{ANSWERS}"
    if not cache.exists():
        shutil.copyfile(work.of("ask") / ANSWERS, cache)
    with closed_model(work, index) as systems:
        answers = {system.name: answer_all(system, asked.questions, cache) for system in systems}
    with adapted_model(work) as system:
        answers[system.name] = answer_all(system, asked.questions, cache)
    measured = measure(
        asked,
        answers,
        metrics=("exact_match", "f1", "contains"),
        ks=(work.config.evaluate.passages,),
        baseline=CLOSED_BOOK,
        group_by=("region", "relation"),
        seed=work.config.seed,
    )
    for system in measured["systems"].values():
        system["usage"].pop("seconds")  # differs between runs; the results must not
    result = {
        "questions": len(task),
        "answered": len(asked),
        "retrieval": retrieval(work, index, task),
        "answers": {key: value for key, value in measured.items() if key != "questions"},
        "contamination": leaks(work, task),
    }
    write_json(work.folder / "evaluation.json", {**result, "rows": measured["questions"]})
    return result


def retrieval(work: Workspace, index: Index, task: Task) -> dict[str, Any]:
    """Measure retrieval over all documents, over what filters keep, and after debiasing."""
    vectors = index.embed_queries([question.question for question in task.questions])
    kept = {"all documents": None, "filtered": _kept(work, "curate"), "debiased": _kept(work, "debias")}
    found = {name: _scores(index, task.questions, vectors, allow) for name, allow in kept.items()}
    regions = [question.groups["region"] for question in task.questions]
    how = {"seed": work.config.seed}
    result: dict[str, Any] = {
        "documents": {name: len(allow or index.document_ids) for name, allow in kept.items()}
    }
    for metric in _METRICS:
        result[metric] = {
            "systems": {
                name: asdict(score(name, metric, values[metric], **how)) for name, values in found.items()
            },
            "regions": {
                name: [asdict(part) for part in breakdown(name, metric, values[metric], regions, **how)]
                for name, values in found.items()
            },
            "debiased_minus_filtered": asdict(
                paired_difference(found["filtered"][metric], found["debiased"][metric], **how)
            ),
        }
    return dict(json_able(result))


def _kept(work: Workspace, step: str) -> set[str]:
    table = Corpus.open(work.of(step) / "corpus").read(["id", "keep"])
    return set(table.filter(table["keep"])["id"].to_pylist())


def _scores(
    index: Index, questions: Sequence[Question], vectors: Any, allow: set[str] | None
) -> Mapping[str, list[float]]:
    hits = index.search_documents(
        [question.question for question in questions], _DEPTH, allow=allow, vectors=np.asarray(vectors)
    )
    rankings = [[hit.document_id for hit in found] for found in hits]
    return retrieval_scores(rankings, questions, (_DEPTH,))


def leaks(work: Workspace, task: Task) -> dict[str, Any]:
    """Look for the questions, their gold documents and countries in what the model trained on."""
    corpus = Corpus.open(work.of("debias") / "corpus")
    trained_on = held_out_split(recipe(work), read_documents(corpus)).train
    texts = [Document(item.id, item.text, item.country) for item in trained_on]
    countries = {question.groups["country"] for question in task.questions}
    found = find_contamination(task.questions, texts, held_out=countries)
    return found.as_dict(limit=5)
