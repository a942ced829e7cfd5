"""What can be asked: one protocol for a closed model, retrieval over it, an adapted model."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

__all__ = ["Answer", "Passage", "System", "Usage"]


@dataclass(frozen=True, slots=True)
class Passage:
    """A retrieved piece of a document, as shown to the model.

    Attributes:
        chunk_id: The chunk's id in the index.
        document_id: The id of the record it was cut from.
        text: What the model saw.
        score: The retriever's score; higher is better.
        title: The chunk's title path, for people.
        source: The record's source.
        license: The record's licence.
    """

    chunk_id: str
    document_id: str
    text: str
    score: float
    title: str = ""
    source: str | None = None
    license: str | None = None


@dataclass(frozen=True, slots=True)
class Usage:
    """What an answer took."""

    prompt_tokens: int = 0
    completion_tokens: int = 0
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer, what it was shown, and what it cites.

    Attributes:
        text: The answer without citation marks.
        passages: The passages in the prompt, in order; empty for a closed-book answer.
        citations: Indexes into ``passages`` that the answer rests on.
        usage: Tokens and seconds.
    """

    text: str
    passages: tuple[Passage, ...] = ()
    citations: tuple[int, ...] = ()
    usage: Usage = field(default_factory=Usage)


@runtime_checkable
class System(Protocol):
    """Anything that answers questions."""

    @property
    def name(self) -> str:
        """The name in tables."""
        ...

    @property
    def fingerprint(self) -> str:
        """A hash of all that its answers depend on: model, prompt, index, settings."""
        ...

    def answer(self, question: str) -> Answer:
        """Answer one question.

        Raises:
            EndpointError: The model does not answer.
        """
        ...
