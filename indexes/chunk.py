"""Cut documents into chunks that an encoder reads whole.

A chunk is a run of neighbouring sentences (or lines) of one document within a token budget.
Only a sentence longer than the budget is cut: at semicolons, then between words, and a
word between tokens. `hinterland.indexes.chunking` names the other ways to cut.
Nothing is dropped: the spans of a document's chunks cover each of its non-space characters.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from hinterland.indexes.chunk_types import (
    Chunk,
    ChunkCounts,
    Cut,
    Document,
    Section,
    Sections,
    Span,
    Tokenizer,
)

__all__ = ["chunk_documents", "sentence_spans"]

#: The end of a sentence: a full stop with its closing quotes before a space, a CJK full
#: stop, or a line's end. A wrong cut ("U.S. forces") is harmless: pieces are packed again.
_END = re.compile(r"[.!?…]+[\"'”’)\]]*(?=\s)|[。！？]+[」』”’)]*|\n+")
_CLAUSE_END = re.compile(r";(?=\s)")
_WORD = re.compile(r"\S+")
_BATCH = 256  # documents to a tokenizer call


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


def _sentences(text: str, tokens: NDArray[np.int64], budget: int) -> tuple[list[Span], int]:
    """Return runs of sentences that fit the budget, and how many sentences were cut; a `Cut`."""
    units, sizes, cut = _units(text, tokens, budget)
    return _pack(units, sizes, budget), cut


def _whole(document: Document) -> list[Section]:
    return [Section(0, len(document.text), document.title)]


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
    documents: Iterable[Document],
    tokenizer: Tokenizer,
    *,
    budget: int = 128,
    sections: Sections = _whole,
    cut: Cut = _sentences,
) -> tuple[list[Chunk], ChunkCounts]:
    """Cut documents into chunks of at most ``budget`` tokens, in their order.

    Args:
        documents: What to cut.
        tokenizer: The encoder's tokenizer.
        budget: Tokens to a passage with its title, prompt and special tokens; no more
            than the encoder reads are used.
        sections: How a document falls into sections; the whole is one.
        cut: How a section is cut; by sentences.

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
    sentences_cut = titles_cut = 0
    for first in range(0, len(everything), _BATCH):
        batch = [
            (document, section)
            for document in everything[first : first + _BATCH]
            for section in sections(document)
            if document.text[section.start : section.end].strip()
        ]
        texts = tokenizer.token_spans([document.text[each.start : each.end] for document, each in batch])
        titles = tokenizer.token_spans([section.title for _, section in batch])
        for (document, section), tokens, title_tokens in zip(batch, texts, titles, strict=True):
            title = section.title
            if len(title_tokens) > limit // 2:
                half = title_tokens[limit // 2 - 1 : limit // 2 + 1]
                title = title[: int(min(half[0, 1], half[1, 0]))]  # two tokens may share a character
                titles_cut += 1
            room = limit - min(len(title_tokens), limit // 2)
            spans, found = cut(document.text[section.start : section.end], tokens, room)
            sentences_cut += found
            moved = [(start + section.start, end + section.start) for start, end in spans]
            found_chunks = _fit(document, moved, title, tokenizer, limit)
            chunks.extend({each.id: each for each in found_chunks}.values())  # halves of overlapping pieces
    empty = sum(not document.text.strip() for document in everything)
    return chunks, ChunkCounts(len(everything), empty, len(chunks), sentences_cut, titles_cut)
