"""From answers to one JSON-able result: scores, comparisons, groups, retrieval."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from hinterland.core.system import Answer
from hinterland.eval.compare import Pair, Score, breakdown, compare, score
from hinterland.eval.runner import answer_scores, rankings_of, retrieval_scores
from hinterland.eval.task import Question, Task

__all__ = ["UNGROUPED", "json_able", "measure"]

#: The group of questions that a group key says nothing about.
UNGROUPED = "none given"


def json_able(value: Any) -> Any:
    """Return ``value`` with NaN and infinities as null, numbers to nine digits.

    Rounding hides the last bits, which depend on the order in which a machine sums.
    """
    if isinstance(value, float):
        return float(f"{value:.9g}") if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): json_able(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [json_able(item) for item in value]
    return value


def _flat(found: Score) -> dict[str, Any]:
    return {
        "mean": found.mean.estimate,
        "low": found.mean.low,
        "high": found.mean.high,
        "n": found.n,
        "unmeasured": found.unmeasured,
    }


def _pair(pair: Pair) -> dict[str, Any]:
    flat = asdict(pair)
    interval = flat.pop("difference")
    return {**flat, "difference": interval["estimate"], "low": interval["low"], "high": interval["high"]}


def _groups(
    keys: Sequence[str],
    questions: Sequence[Question],
    values: Mapping[str, Mapping[str, list[float]]],
    **how: Any,
) -> dict[str, Any]:
    """Return key → metric → system → the list of its groups."""
    result: dict[str, Any] = {}
    for key in keys:
        groups = [question.groups.get(key, UNGROUPED) for question in questions]
        result[key] = {
            metric: {
                system: [
                    {"group": part.group, "worst": part.worst, "p_rest": part.p_rest, **_flat(part.score)}
                    for part in breakdown(system, metric, scores, groups, **how)
                ]
                for system, scores in systems.items()
            }
            for metric, systems in values.items()
        }
    return result


def measure(
    task: Task,
    answers: Mapping[str, Sequence[Answer | None]],
    *,
    metrics: Sequence[str] = ("exact_match", "f1"),
    ks: Sequence[int] = (1, 5, 10),
    baseline: str | None = None,
    group_by: Sequence[str] | None = None,
    least: int = 5,
    resamples: int = 2000,
    seed: int = 0,
    level: float = 0.95,
) -> dict[str, Any]:
    """Measure every system on one task, side by side.

    Args:
        task: The questions.
        answers: System → its answer to each question, None where there is none.
        metrics: Names of answer metrics.
        ks: Depths at which retrieval is measured, for systems that show passages.
        baseline: Compare the others with this system only; else all pairs.
        group_by: Group keys to break the answer metrics down by; by default all.
        least: Measured questions a group needs to be called the worst.
        resamples: Bootstrap resamples.
        seed: Of all resampling.
        level: Of the intervals; 1 − level is the chance of any false claim of a difference.

    Returns:
        ``task``, ``level``, ``systems`` (name → metric → mean, low, high, n, unmeasured, and
        ``usage``), ``pairs`` (with verdicts), ``groups`` (key → metric → system → groups) and
        ``questions`` (per question its answers and scores). NaN is null.

    Raises:
        ConfigError: The baseline is unknown.
        RegistryError: A metric is unknown.
        ValueError: A system has not as many answers as there are questions.
    """
    questions = task.questions
    how: dict[str, Any] = {"resamples": resamples, "seed": seed, "level": level}
    by_system = {name: answer_scores(given, questions, metrics) for name, given in answers.items()}
    values = {metric: {name: scores[metric] for name, scores in by_system.items()} for metric in metrics}
    systems: dict[str, Any] = {}
    for name, given in answers.items():
        if any(answer and answer.passages for answer in given):
            by_system[name] |= retrieval_scores(rankings_of(given), questions, ks)
        usages = [answer.usage for answer in given if answer]
        systems[name] = {
            "scores": {
                metric: _flat(score(name, metric, found, **how)) for metric, found in by_system[name].items()
            },
            "usage": {
                "prompt_tokens": sum(usage.prompt_tokens for usage in usages),
                "completion_tokens": sum(usage.completion_tokens for usage in usages),
                "seconds": math.fsum(usage.seconds for usage in usages),
            },
        }
    keys = (
        sorted({key for question in questions for key in question.groups}) if group_by is None else group_by
    )
    rows = [
        {
            "id": question.id,
            "question": question.question,
            "answers": question.answers,
            "groups": question.groups,
            "systems": {
                name: {
                    "answer": answer.text if (answer := given[number]) else None,
                    "documents": [passage.document_id for passage in answer.passages] if answer else [],
                    **{metric: found[number] for metric, found in by_system[name].items()},
                }
                for name, given in answers.items()
            },
        }
        for number, question in enumerate(questions)
    ]
    result = {
        "task": {"name": task.name, "questions": len(task), "fingerprint": task.fingerprint},
        "level": level,
        "systems": systems,
        "pairs": [_pair(pair) for pair in compare(values, baseline=baseline, **how)],
        "groups": _groups(keys, questions, values, least=least, **how),
        "questions": rows,
    }
    return dict(json_able(result))
