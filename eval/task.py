"""A task: questions with gold answers, the documents that hold them, and groups.

On disk it is JSON Lines, one question per line::

    {"id": "ken-capital", "question": "What is the capital of Kenya?",
     "answers": ["Nairobi"], "gold_documents": ["ken-government"],
     "groups": {"region": "Africa", "relation": "capital"}}

``gold_documents`` and ``groups`` may be left out.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hinterland.core.errors import CorpusError
from hinterland.core.files import write_text
from hinterland.core.run import fingerprint
from hinterland.core.seeds import integer
from hinterland.eval.jsonl import BadLine, read_jsonl

__all__ = ["Question", "Task", "read_task", "write_task"]

_KEYS = frozenset({"id", "question", "answers", "gold_documents", "groups"})


@dataclass(frozen=True, slots=True)
class Question:
    """One question.

    Attributes:
        id: Its name, one of a kind in the task.
        question: What a system is asked.
        answers: Gold answers; any of them is right.
        gold_documents: Ids of the documents that hold the answer.
        groups: What it is counted under, such as ``{"region": "Africa"}``.
    """

    id: str
    question: str
    answers: tuple[str, ...]
    gold_documents: tuple[str, ...] = ()
    groups: Mapping[str, str] = field(default_factory=dict)

    @property
    def relevance(self) -> dict[str, float]:
        """Relevance by document id, for the ranking metrics."""
        return dict.fromkeys(self.gold_documents, 1.0)

    def as_dict(self) -> dict[str, Any]:
        """Return the question as it is written to disk."""
        return {
            "id": self.id,
            "question": self.question,
            "answers": list(self.answers),
            "gold_documents": list(self.gold_documents),
            "groups": dict(self.groups),
        }


@dataclass(frozen=True, slots=True)
class Task:
    """A named list of questions."""

    name: str
    questions: tuple[Question, ...]

    def __len__(self) -> int:
        return len(self.questions)

    @property
    def fingerprint(self) -> str:
        """A hash of the questions, in order; the name does not matter."""
        return fingerprint([question.as_dict() for question in self.questions])

    def sample(self, count: int, *, seed: int = 0) -> Task:
        """Return ``count`` questions drawn without regard to their order, in task order.

        Samples of one seed are nested: the smaller lies inside the larger, so a larger
        run uses the answers of the smaller.
        """
        if count >= len(self):
            return self
        order = sorted(self.questions, key=lambda question: integer(seed, "sample", question.id))
        chosen = {question.id for question in order[:count]}
        return Task(self.name, tuple(question for question in self.questions if question.id in chosen))


def _texts(value: Any, key: str, *, least: int = 0) -> tuple[str, ...]:
    """Return a list of texts as a tuple."""
    if not isinstance(value, list) or not all(isinstance(item, str) and item.strip() for item in value):
        raise ValueError(f"{key!r} is not a list of texts")
    if len(value) < least:
        raise ValueError(f"{key!r} is empty")
    return tuple(value)


def _question(value: Mapping[str, Any]) -> Question:
    """Read one question.

    Raises:
        ValueError: A key is missing, unknown or of the wrong kind.
    """
    unknown = set(value) - _KEYS
    if unknown:
        raise ValueError(f"unknown key {sorted(unknown)[0]!r}")
    for key in ("id", "question"):
        if not isinstance(value.get(key), str) or not value[key].strip():
            raise ValueError(f"{key!r} is not a text")
    groups = value.get("groups") or {}
    if not isinstance(groups, dict) or not all(isinstance(group, str) for group in groups.values()):
        raise ValueError("'groups' does not map names to texts")
    return Question(
        value["id"],
        value["question"],
        _texts(value.get("answers"), "answers", least=1),
        _texts(value.get("gold_documents") or [], "gold_documents"),
        groups,
    )


def read_task(path: Path, *, name: str | None = None) -> tuple[Task, list[BadLine]]:
    """Read a task, and list the lines that cannot be used.

    A second question with an id or a wording that came before is left out and listed: a
    system sees the wording alone, so it would be one measurement counted twice.

    Args:
        path: A JSON Lines file.
        name: The task's name; by default the file's.

    Raises:
        CorpusError: No line can be used.
        StorageError: The file is missing or cannot be read.
    """
    seen: dict[tuple[str, str], str] = {}

    def parse(value: dict[str, Any]) -> Question:
        question = _question(value)
        for key in (("id", question.id), ("question", question.question)):
            if key in seen:
                raise ValueError(f"the same {key[0]} as {seen[key]!r}")
        seen["id", question.id] = seen["question", question.question] = question.id
        return question

    questions, bad = read_jsonl(path, parse)
    if not questions:
        first = f", the first (line {bad[0].line}): {bad[0].reason}" if bad else ""
        raise CorpusError(
            f"no question can be used; bad lines: {len(bad)}{first}",
            where=str(path),
            cure='write one {"id": …, "question": …, "answers": […]} per line',
        )
    return Task(name or path.stem, tuple(questions)), bad


def write_task(path: Path, questions: Sequence[Question]) -> None:
    """Write questions as JSON Lines, whole or not at all.

    Raises:
        StorageError: The disk is full or not writable.
    """
    write_text(
        path,
        "".join(json.dumps(question.as_dict(), ensure_ascii=False) + "\n" for question in questions),
    )
