"""What chunking works on and makes: documents, sections, chunks, and what it asks of an encoder."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "Chunk",
    "ChunkCounts",
    "Cut",
    "Document",
    "Section",
    "Sections",
    "Span",
    "Tokenizer",
    "with_title",
]

Span = tuple[int, int]


class Tokenizer(Protocol):
    """What chunking needs to know of an encoder."""

    @property
    def overhead(self) -> int:
        """Tokens that every passage costs besides its text: special tokens and prompt."""
        ...

    @property
    def max_tokens(self) -> int:
        """Tokens that the encoder reads, all told."""
        ...

    def token_spans(self, texts: Sequence[str]) -> list[NDArray[np.int64]]:
        """Return each text's tokens as character spans, shape (tokens, 2), nothing cut off."""
        ...


@dataclass(frozen=True, slots=True)
class Document:
    """A text to cut, with the title path that says where it stands ("Kenya › Government")."""

    id: str
    text: str
    title: str = ""


@dataclass(frozen=True, slots=True)
class Section:
    """A part of a document that no chunk reaches out of, with the title path of its chunks."""

    start: int
    end: int
    title: str


#: How a document falls into sections that hold all its non-space characters, in their order.
Sections = Callable[[Document], Iterable[Section]]
#: How a text is cut: its characters, its tokens' spans, and the tokens that a piece may have, to
#: the pieces and how many sentences had to be cut.
Cut = Callable[[str, NDArray[np.int64], int], tuple[list[Span], int]]


@dataclass(frozen=True, slots=True)
class Chunk:
    """A piece of a document.

    Attributes:
        id: The document's id and a hash of the span and its text.
        document_id: The document's id.
        start: The first character in the document's text.
        end: One past the last character.
        text: The characters from ``start`` to ``end``.
        title: The title path, possibly cut to fit.
    """

    id: str
    document_id: str
    start: int
    end: int
    text: str
    title: str = ""

    @property
    def passage(self) -> str:
        """What is embedded and shown to a model: the title path, then the text."""
        return with_title(self.title, self.text)


@dataclass(frozen=True, slots=True)
class ChunkCounts:
    """What chunking met.

    Attributes:
        documents: Documents in.
        empty: Documents without a non-space character; they have no chunk.
        chunks: Chunks out.
        sentences_cut: Sentences longer than the budget; of windows, sentences that no window holds whole.
        titles_cut: Titles shortened, because they took more than half of the budget.
    """

    documents: int
    empty: int
    chunks: int
    sentences_cut: int
    titles_cut: int


def with_title(title: str, text: str) -> str:
    """Return ``text`` under its title path."""
    return f"{title}\n{text}" if title else text
