"""Ask a system every question, remember each answer, and score what came back."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from hinterland.core.errors import EndpointError
from hinterland.core.progress import track
from hinterland.core.system import Answer, System
from hinterland.eval.cache import AnswerCache
from hinterland.eval.metrics import METRICS, RANKING_METRICS
from hinterland.eval.task import Question

__all__ = ["UnansweredError", "answer_all", "answer_scores", "rankings_of", "retrieval_scores"]

#: So many failures one after another are a dead endpoint, not a hard question.
_FAILURES_IN_A_ROW = 3


class UnansweredError(EndpointError):
    """This one question has no answer, and that says nothing about the next."""


def answer_all(
    system: System,
    questions: Sequence[Question],
    cache: Path,
    *,
    workers: int = 1,
    on_failure: Callable[[Question, EndpointError], None] | None = None,
) -> list[Answer | None]:
    """Return the system's answer to each question, in order; None where there is none.

    Answers are cached as they come: a killed run, started again, asks only what is
    missing and ends with the same answers. Failures are not cached, so the next run tries
    those questions again.

    Args:
        system: What answers.
        questions: What is asked.
        cache: The cache file; systems may share it.
        workers: Questions asked at a time. Above 1 the system must bear threads.
        on_failure: Told of each question without an answer.

    Raises:
        EndpointError: Three questions in a row had no answer; the answers so far are kept.
        StorageError: The cache cannot be written, or another run holds it.
    """

    def ask(question: Question) -> Answer | EndpointError:
        try:
            return system.answer(question.question)
        except EndpointError as error:
            return error

    with AnswerCache.open(cache) as known:
        mark = system.fingerprint
        answers = [known.get(mark, question.question) for question in questions]
        missing = [number for number, answer in enumerate(answers) if answer is None]
        outcomes = _in_order(ask, [questions[number] for number in missing], workers)
        failures = 0
        for number, outcome in zip(
            missing, track(outcomes, f"ask {system.name}", total=len(missing)), strict=True
        ):
            if isinstance(outcome, Answer):
                known.put(mark, questions[number].question, outcome)
                answers[number] = outcome
                failures = 0
                continue
            if on_failure:
                on_failure(questions[number], outcome)
            failures += not isinstance(outcome, UnansweredError)
            if failures == _FAILURES_IN_A_ROW:
                raise EndpointError(
                    f"{failures} questions in a row had no answer from {system.name}; "
                    f"the last: {outcome.found}",
                    where=outcome.where,
                    cure=outcome.cure or "see that the endpoint is up, then run again to go on from here",
                ) from outcome
    return answers


def _in_order(
    ask: Callable[[Question], Answer | EndpointError], questions: list[Question], workers: int
) -> Iterator[Answer | EndpointError]:
    """Yield the outcomes in the order of the questions."""
    if workers <= 1:
        yield from map(ask, questions)
        return
    pool = ThreadPoolExecutor(workers)
    try:
        yield from pool.map(ask, questions)
    finally:
        pool.shutdown(cancel_futures=True)  # on a stop, questions not yet asked stay unasked


def answer_scores(
    answers: Sequence[Answer | None], questions: Sequence[Question], metrics: Iterable[str]
) -> dict[str, list[float]]:
    """Return each metric's value for each question; NaN where there is no answer.

    Raises:
        RegistryError: A metric is unknown.
        ValueError: There are not as many answers as questions.
    """
    functions = {name: METRICS.get(name) for name in metrics}
    pairs = list(zip(answers, questions, strict=True))
    return {
        name: [
            function(answer.text, question.answers) if answer else float("nan") for answer, question in pairs
        ]
        for name, function in functions.items()
    }


def rankings_of(answers: Sequence[Answer | None]) -> list[list[str] | None]:
    """Return the documents each answer was shown, in order; None where there is no answer."""
    return [[passage.document_id for passage in answer.passages] if answer else None for answer in answers]


def retrieval_scores(
    rankings: Sequence[Sequence[str] | None],
    questions: Sequence[Question],
    ks: Iterable[int],
    *,
    metrics: Iterable[str] = ("recall", "ndcg"),
) -> dict[str, list[float]]:
    """Return ranking metrics per question, under names such as ``recall@10``.

    Args:
        rankings: Document ids, best first, for each question; None is unmeasured.
        questions: The questions; those without gold documents are unmeasured (NaN).
        ks: The depths.
        metrics: Names of ranking metrics.

    Raises:
        RegistryError: A metric is unknown.
        ValueError: There are not as many rankings as questions, or a k is below 1.
    """
    functions = {name: RANKING_METRICS.get(name) for name in metrics}
    pairs = list(zip(rankings, questions, strict=True))
    return {
        f"{name}@{k}": [
            float("nan") if ranking is None else function(ranking, question.relevance, k)
            for ranking, question in pairs
        ]
        for name, function in functions.items()
        for k in ks
    }
