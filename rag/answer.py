"""Two systems over one model: alone, and with passages retrieved from an index."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from threading import Lock

import numpy as np

from hinterland.core.errors import IndexBundleError
from hinterland.core.run import fingerprint
from hinterland.core.system import Answer, Passage
from hinterland.indexes.hits import Hit
from hinterland.indexes.searcher import Allow, Searcher
from hinterland.rag.clean import clean_answer, supporting_passage
from hinterland.rag.client import ChatClient
from hinterland.rag.prompt import PromptConfig, closed_book_messages, retrieval_messages

__all__ = ["CitationCounts", "ClosedBook", "RetrievalAugmented", "cite"]


@dataclass(slots=True)
class CitationCounts:
    """Where a system's citations came from, summed over its answers.

    Attributes:
        answers: Answers given.
        marked: Citations that the model gave.
        out_of_range: Numbers the model gave that no passage had; dropped.
        attributed: Answers without a valid mark, cited by the passage that holds them.
        uncited: Answers that no passage supports.
    """

    answers: int = 0
    marked: int = 0
    out_of_range: int = 0
    attributed: int = 0
    uncited: int = 0


def cite(
    marks: Sequence[int], answer: str, question: str, passages: Sequence[Passage], counts: CitationCounts
) -> tuple[int, ...]:
    """Return the passages an answer rests on, as indexes, and count where they came from."""
    valid = tuple(mark - 1 for mark in marks if 1 <= mark <= len(passages))
    counts.answers += 1
    counts.marked += len(valid)
    counts.out_of_range += len(marks) - len(valid)
    if valid:
        return valid
    found = supporting_passage(answer, question, passages)
    if found is None:
        counts.uncited += 1
        return ()
    counts.attributed += 1
    return (found,)


class ClosedBook:
    """The model alone.

    Args:
        client: The model.
        prompt: The wording.
        name: The name in tables.
    """

    def __init__(
        self, client: ChatClient, *, prompt: PromptConfig | None = None, name: str = "closed-book"
    ) -> None:
        self._client, self._prompt, self._name = client, prompt or PromptConfig(), name

    @property
    def name(self) -> str:
        """The name in tables."""
        return self._name

    @property
    def fingerprint(self) -> str:
        """See `hinterland.core.system.System.fingerprint`."""
        wording = (self._prompt.closed_system, self._prompt.closed_user)
        return fingerprint("closed-book", self._client.fingerprint, wording)

    def answer(self, question: str) -> Answer:
        """Answer from what the model knows.

        Raises:
            EndpointError: The model does not answer.
        """
        said = self._client.chat(closed_book_messages(self._prompt, question))
        return Answer(clean_answer(said.text, question).text, usage=said.usage)


class RetrievalAugmented:
    """The model, shown passages from an index or a store.

    Args:
        client: The model.
        index: Where passages come from; an index ranks as `Index.using` set.
        k: How many passages.
        prompt: The wording, and the room for passages.
        allow: Which documents may be shown; all when ``None``.
        where: A condition that passages must fit besides (`hinterland.core.expressions`).
        name: The name in tables.
    """

    def __init__(
        self,
        client: ChatClient,
        index: Searcher,
        *,
        k: int = 3,
        prompt: PromptConfig | None = None,
        allow: Allow | None = None,
        where: str = "",
        name: str = "retrieval",
    ) -> None:
        self._client, self._index, self._k = client, index, k
        self._prompt, self._name = prompt or PromptConfig(), name
        self._allow = None if allow is None else _narrowed(index, allow)
        self._where = where.strip() or None
        self._lock = Lock()
        self._counts = CitationCounts()

    @property
    def name(self) -> str:
        """The name in tables."""
        return self._name

    @property
    def citation_counts(self) -> dict[str, int]:
        """Where the citations of all answers so far came from (`CitationCounts`)."""
        with self._lock:
            return asdict(self._counts)

    @property
    def fingerprint(self) -> str:
        """See `hinterland.core.system.System.fingerprint`."""
        prompt = self._prompt
        allowed = "all" if self._allow is None else _hash(self._allow)
        wording = (prompt.retrieval_system, prompt.retrieval_user, prompt.passage_characters)
        where = [] if self._where is None else [self._where]
        return fingerprint(
            "retrieval", self._client.fingerprint, self._index.fingerprint, self._k, wording, allowed, *where
        )

    def retrieve(self, question: str) -> tuple[Passage, ...]:
        """Return the passages for a question, best first."""
        (found,) = self._index.search([question], self._k, allow=self._allow, where=self._where)
        return tuple(_passage(hit) for hit in found)

    def answer(self, question: str) -> Answer:
        """Answer from retrieved passages, and say which the answer rests on.

        Raises:
            EndpointError: The model does not answer.
        """
        passages = self.retrieve(question)
        messages, shown = retrieval_messages(self._prompt, question, passages)
        passages = passages[:shown]
        said = self._client.chat(messages)
        cleaned = clean_answer(said.text, question)
        with self._lock:
            citations = cite(cleaned.marks, cleaned.text, question, passages, self._counts)
        return Answer(cleaned.text, passages, citations, said.usage)


def _narrowed(index: Searcher, allow: Allow) -> Allow:
    """Return a mask, worked out once for all questions; ids where a store cannot list what it holds."""
    try:
        return index.mask(allow)
    except IndexBundleError:
        if isinstance(allow, np.ndarray):
            raise
        return sorted(set(allow))


def _hash(allow: Allow) -> str:
    if isinstance(allow, np.ndarray):
        return hashlib.sha256(np.packbits(allow).tobytes()).hexdigest()
    return fingerprint("ids", sorted(allow))


def _passage(hit: Hit) -> Passage:
    return Passage(hit.chunk_id, hit.document_id, hit.text, hit.score, hit.title, hit.source, hit.license)
