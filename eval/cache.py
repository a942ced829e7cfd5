"""Answers on disk, one per line as they come, so that a killed run goes on where it was.

A line is keyed by the system's fingerprint and the question's hash. Lines are only ever
appended. A kill in the middle of a write leaves a last line without its line feed; it is
cut off when the file is next opened, and its question is asked again.
"""

from __future__ import annotations

import fcntl
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any, BinaryIO

from hinterland.core.errors import StorageError
from hinterland.core.files import storage_errors
from hinterland.core.record import content_id
from hinterland.core.system import Answer, Passage, Usage

__all__ = ["AnswerCache", "answer_from_dict", "answer_to_dict"]


def answer_to_dict(answer: Answer) -> dict[str, Any]:
    """Return the answer as JSON-able values."""
    return asdict(answer)


def answer_from_dict(value: dict[str, Any]) -> Answer:
    """Undo `answer_to_dict`.

    Raises:
        KeyError: A key is missing.
        TypeError: A value is of the wrong kind.
    """
    if not isinstance(value["text"], str):
        raise TypeError("an answer's text is a text")
    return Answer(
        text=value["text"],
        passages=tuple(Passage(**passage) for passage in value["passages"]),
        citations=tuple(int(number) for number in value["citations"]),
        usage=Usage(**value["usage"]),
    )


def _parse(raw: bytes) -> tuple[dict[tuple[str, str], Answer], int]:
    """Return the answers in whole lines, and how many lines could not be read."""
    known: dict[tuple[str, str], Answer] = {}
    spoilt = 0
    for line in raw.splitlines():
        try:
            entry = json.loads(line)
            known[entry["system"], entry["question"]] = answer_from_dict(entry["answer"])
        except (ValueError, KeyError, TypeError):
            spoilt += 1
    return known, spoilt


class AnswerCache:
    """The answers known so far, and the open file that new ones are appended to.

    Attributes:
        spoilt: Lines in the middle of the file that could not be read (not the work of a
            kill, but of an editor or a disk); their questions are asked again.
    """

    def __init__(self, handle: BinaryIO, path: Path) -> None:
        self._handle, self._path = handle, path
        handle.seek(0)
        raw = handle.read()
        whole = raw.rfind(b"\n") + 1
        if whole < len(raw):
            with storage_errors(path):
                handle.truncate(whole)
        self._known, self.spoilt = _parse(raw[:whole])

    @classmethod
    @contextmanager
    def open(cls, path: Path) -> Iterator[AnswerCache]:
        """Open the cache at ``path``, created if missing, for this process alone.

        Raises:
            StorageError: Another run holds it, or it cannot be written.
        """
        with storage_errors(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            handle = path.open("a+b", buffering=0)
        with handle:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise StorageError(
                    "another run is writing here", where=str(path), cure="wait for it, or give another folder"
                ) from None
            yield cls(handle, path)

    @staticmethod
    def peek(path: Path) -> dict[tuple[str, str], Answer]:
        """Return the answers by system and question hash, without touching the file."""
        raw = path.read_bytes() if path.is_file() else b""
        return _parse(raw[: raw.rfind(b"\n") + 1])[0]

    def get(self, system: str, question: str) -> Answer | None:
        """Return the answer of the system with this fingerprint, if it is known."""
        return self._known.get((system, content_id(question)))

    def put(self, system: str, question: str, answer: Answer) -> None:
        """Remember an answer, on disk before this returns.

        Raises:
            StorageError: The disk is full; what was there before stays readable.
        """
        key = (system, content_id(question))
        entry = {"system": key[0], "question": key[1], "answer": answer_to_dict(answer)}
        line = json.dumps(entry).encode() + b"\n"  # ASCII: any text survives, half surrogates too
        with storage_errors(self._path):
            start = self._handle.seek(0, 2)
            try:
                written = self._handle.write(line)
                while written < len(line):  # a nearly full disk takes a part, then refuses the rest
                    written += self._handle.write(line[written:])
            except OSError:
                self._handle.truncate(start)
                raise
        self._known[key] = answer
