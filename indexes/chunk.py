"""Cut documents into chunks that an encoder reads whole.

A chunk is a run of neighbouring sentences (or lines) of one document within a token budget.
Only a sentence longer than the budget is cut: at semicolons, then between words, and a
word between tokens.
Nothing is dropped: the spans of a document's chunks cover each of its non-space characters.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

__all__ = ["Chunk", "ChunkCounts", "Document", "Tokenizer", "chunk_documents", "sentence_spans", "with_title"]

Span = tuple[int, int]

#: The end of a sentence: a full stop with its closing quotes before a space, a CJK full
#: stop, or a line's end. A wrong cut ("U.S. forces") is harmless: pieces are packed again.
_END = re.compile(r"[.!?…]+[\"'”’)\]]*(?=\s)|[。！？]+[」』”’)]*|\n+")
_CLAUSE_END = re.compile(r";(?=\s)")
_WORD = re.compile(r"\S+")
_BATCH = 256  # documents to a tokenizer call


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
        sentences_cut: Sentences longer than the budget.
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


def sentence_spans(text: str) -> list[Span]:
    """Return the sentences (or lines) of ``text`` as spans without surrounding space.

    >>> sentence_spans("One. Two?  Three")
    [(0, 4), (5, 9), (11, 16)]
    """
    ends = [match.end() for match in _END.finditer(text)]
    spans, start = [], 0
    for end in [*ends, len(text)]:
        piece = text[start:end]
        stripped = piece.strip()
        if stripped:
            first = start + len(piece) - len(piece.lstrip())
            spans.append((first, first + len(stripped)))
        start = end
    return spans


def _clauses(text: str, span: Span) -> list[Span]:
    """Return the parts of a sentence that end in a semicolon before a space, and the rest."""
    cuts = [match.end() for match in _CLAUSE_END.finditer(text, *span)]
    spans = []
    for start, end in pairwise(sorted({span[0], *cuts, span[1]})):
        piece = text[start:end].strip()
        if piece:
            first = start + text[start:end].index(piece)
            spans.append((first, first + len(piece)))
    return spans


def _words(text: str, span: Span) -> list[Span]:
    return [match.span() for match in _WORD.finditer(text, *span)]


def _pieces(span: Span, tokens: NDArray[np.int64]) -> list[Span]:
    """Cut a word where its tokens begin."""
    starts = tokens[:, 0]
    inner = starts[(starts > span[0]) & (starts < span[1])]
    cuts = sorted({span[0], *(int(start) for start in inner), span[1]})
    return list(pairwise(cuts))


def _count(tokens: NDArray[np.int64], spans: Sequence[Span]) -> NDArray[np.int64]:
    """Return how many tokens begin in each span; a token belongs to where it ends."""
    ends = tokens[:, 1]
    bounds = np.asarray(spans, dtype=np.int64).reshape(-1, 2)
    return np.asarray(
        np.searchsorted(ends, bounds[:, 1], "right") - np.searchsorted(ends, bounds[:, 0], "right")
    )


def _units(text: str, tokens: NDArray[np.int64], budget: int) -> tuple[list[Span], NDArray[np.int64], int]:
    """Return spans that fit the budget, their token counts, and how many sentences were cut."""
    sentences = sentence_spans(text)
    units: list[Span] = []
    cut = 0
    for sentence, size in zip(sentences, _count(tokens, sentences), strict=True):
        if size <= budget:
            units.append(sentence)
            continue
        cut += 1
        clauses = _clauses(text, sentence)
        for clause, clause_size in zip(clauses, _count(tokens, clauses), strict=True):
            if clause_size <= budget:
                units.append(clause)
                continue
            words = _words(text, clause)
            for word, length in zip(words, _count(tokens, words), strict=True):
                units.extend([word] if length <= budget else _pieces(word, tokens))
    return units, _count(tokens, units), cut


def _pack(units: Sequence[Span], sizes: NDArray[np.int64], budget: int) -> list[Span]:
    """Join neighbouring units while they fit the budget."""
    spans: list[Span] = []
    used = 0
    for (start, end), size in zip(units, sizes.tolist(), strict=True):
        if spans and used + size <= budget:
            spans[-1] = (spans[-1][0], end)
            used += size
        else:
            spans.append((start, end))
            used = size
    return spans


def _halves(text: str, span: Span) -> list[Span]:
    """Cut a span near its middle: between words if it has several, else anywhere."""
    words = _words(text, span)
    if len(words) > 1:
        middle = len(words) // 2
        return [(span[0], words[middle - 1][1]), (words[middle][0], span[1])]
    if span[1] - span[0] < 2:
        return [span]
    cut = (span[0] + span[1]) // 2
    return [(span[0], cut), (cut, span[1])]


def _chunk(document: Document, span: Span, title: str) -> Chunk:
    text = document.text[span[0] : span[1]]
    digest = hashlib.sha256(f"{span[0]}:{span[1]}:{text}".encode("utf-8", "surrogatepass")).hexdigest()
    return Chunk(f"{document.id}#{digest[:12]}", document.id, *span, text, title)


def _fit(document: Document, spans: list[Span], title: str, tokenizer: Tokenizer, limit: int) -> list[Chunk]:
    """Return the spans as chunks, halving those that as whole passages exceed ``limit``.

    A tokenizer may cut a passage differently from the same words within their document
    (byte-pair encodings do at the edges), so the finished passages are counted as well.
    """
    chunks = [_chunk(document, span, title) for span in spans]
    sizes = [len(tokens) for tokens in tokenizer.token_spans([chunk.passage for chunk in chunks])]
    if all(size <= limit for size in sizes):
        return chunks
    fitting: list[Chunk] = []
    for span, chunk, size in zip(spans, chunks, sizes, strict=True):
        halves = [span] if size <= limit else _halves(document.text, span)
        fitting.extend([chunk] if halves == [span] else _fit(document, halves, title, tokenizer, limit))
    return fitting


def chunk_documents(
    documents: Iterable[Document], tokenizer: Tokenizer, *, budget: int = 128
) -> tuple[list[Chunk], ChunkCounts]:
    """Cut documents into chunks of at most ``budget`` tokens, in their order.

    Args:
        documents: What to cut.
        tokenizer: The encoder's tokenizer.
        budget: Tokens to a passage with its title, prompt and special tokens; no more
            than the encoder reads are used.

    Returns:
        The chunks, and what was met.

    Raises:
        ValueError: The budget leaves fewer than 8 tokens beside the tokenizer's overhead.
    """
    limit = min(budget, tokenizer.max_tokens) - tokenizer.overhead
    if limit < 8:
        raise ValueError(f"a budget of {budget} tokens leaves {limit} for text; give more")
    everything = list(documents)
    chunks: list[Chunk] = []
    empty = sentences_cut = titles_cut = 0
    for first in range(0, len(everything), _BATCH):
        batch = everything[first : first + _BATCH]
        texts = tokenizer.token_spans([document.text for document in batch])
        titles = tokenizer.token_spans([document.title for document in batch])
        for document, tokens, title_tokens in zip(batch, texts, titles, strict=True):
            if not document.text.strip():
                empty += 1
                continue
            title = document.title
            if len(title_tokens) > limit // 2:
                title = title[: int(title_tokens[limit // 2 - 1, 1])]
                titles_cut += 1
            room = limit - min(len(title_tokens), limit // 2)
            units, sizes, cut = _units(document.text, tokens, room)
            sentences_cut += cut
            chunks.extend(_fit(document, _pack(units, sizes, room), title, tokenizer, limit))
    return chunks, ChunkCounts(len(everything), empty, len(chunks), sentences_cut, titles_cut)
