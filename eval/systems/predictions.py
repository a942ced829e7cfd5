"""Answers from a file, so that any system, in any language, can be measured.

JSON Lines, one ``{"id": …, "answer": …}`` per question; ``"documents": [ids, best first]``
has its retrieval measured as well.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hinterland.core.config import Config, parse_config
from hinterland.core.files import hash_file
from hinterland.core.system import Answer, Passage
from hinterland.eval.jsonl import BadLine, read_jsonl
from hinterland.eval.runner import UnansweredError
from hinterland.eval.systems.base import SYSTEMS

__all__ = ["PredictionsConfig", "PredictionsSystem"]


class PredictionsConfig(Config):
    """Options of the kind ``predictions``.

    Attributes:
        path: The file.
    """

    path: Path


def _prediction(value: dict[str, Any]) -> tuple[str, Answer]:
    """Read one prediction; `ValueError` says what is wrong with it."""
    if not isinstance(value.get("id"), str) or not isinstance(value.get("answer"), str):
        raise ValueError("'id' and 'answer' are texts")
    documents = value.get("documents") or []
    if not isinstance(documents, list) or not all(isinstance(item, str) for item in documents):
        raise ValueError("'documents' is not a list of ids")
    passages = tuple(
        Passage(chunk_id=document, document_id=document, text="", score=1 / rank)
        for rank, document in enumerate(documents, 1)
    )
    return value["id"], Answer(value["answer"], passages)


class PredictionsSystem:
    """Answers looked up in a file.

    Attributes:
        bad_lines: Lines that cannot be used, repeated ids among them.

    Raises:
        StorageError: The file is missing or cannot be read.
    """

    def __init__(self, name: str, path: Path) -> None:
        self.name, self.path = name, path
        self._by_id: dict[str, Answer] = {}
        self._ids: Mapping[str, str] = {}

        def parse(value: dict[str, Any]) -> None:
            key, answer = _prediction(value)
            if key in self._by_id:
                raise ValueError(f"a second answer to {key!r}")
            self._by_id[key] = answer

        _, self.bad_lines = read_jsonl(path, parse)
        self._hash = hash_file(path)

    bad_lines: list[BadLine]

    @property
    def fingerprint(self) -> str:
        """The file's hash."""
        return f"predictions-{self._hash[:24]}"

    def know_ids(self, ids: Mapping[str, str]) -> None:
        """Take the question ids, by the wording of the question."""
        self._ids = ids

    def answer(self, question: str) -> Answer:
        """Return the answer in the file.

        Raises:
            UnansweredError: The file has none; the question counts as unmeasured.
        """
        key = self._ids.get(question, "")
        try:
            return self._by_id[key]
        except KeyError:
            raise UnansweredError(
                f"no answer to {key or question!r}", where=str(self.path), cure="add it to the file"
            ) from None


@SYSTEMS.register("predictions")
def _predictions(name: str, options: Mapping[str, Any]) -> PredictionsSystem:
    return PredictionsSystem(name, parse_config(PredictionsConfig, options, where=f"system {name!r}").path)
