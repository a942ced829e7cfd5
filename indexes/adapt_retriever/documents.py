"""What a retriever is adapted on: documents cut into passages, some held out, none in both."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import pyarrow as pa

from hinterland.core.errors import CorpusError
from hinterland.core.seeds import generator
from hinterland.indexes.build import title_of
from hinterland.indexes.chunk import chunk_documents, sentence_spans
from hinterland.indexes.chunk_types import Document, Tokenizer, with_title

__all__ = ["Passage", "Split", "from_chunks", "from_corpus", "split_documents"]

_WORD = re.compile(r"\w+")
_LONG = 8  # words; a shorter sentence is likely to be a phrase that many documents share


@dataclass(frozen=True, slots=True)
class Passage:
    """A passage of a document.

    Attributes:
        document: The document's id.
        number: Its place among the document's passages, from 0.
        title: The document's title path, or empty.
        text: The text without the title.
    """

    document: str
    number: int
    title: str
    text: str

    @property
    def shown(self) -> str:
        """What an index embeds: the title path, then the text."""
        return with_title(self.title, self.text)


@dataclass(frozen=True, slots=True)
class Split:
    """Passages to learn from and passages to measure on; no document is in both.

    Attributes:
        train: Passages to learn from.
        held_out: Passages of held-out documents.
        duplicates: Passages left out of ``train`` because held-out ones repeat them in part.
    """

    train: tuple[Passage, ...]
    held_out: tuple[Passage, ...]
    duplicates: int


def from_corpus(table: pa.Table, tokenizer: Tokenizer, *, tokens: int) -> list[Passage]:
    """Cut a corpus's documents into passages.

    Args:
        table: Rows with ``id``, ``text`` and, where there is one, ``meta`` (JSON with a
            ``title``) or ``title``.
        tokenizer: The encoder's.
        tokens: Tokens to a passage, title included.

    Raises:
        CorpusError: A column is missing.
    """
    missing = {"id", "text"} - set(table.column_names)
    if missing:
        raise CorpusError(f"no column {', '.join(sorted(missing))}", cure="give id and text")
    titles = [""] * table.num_rows
    if "title" in table.column_names:
        titles = [" ".join((title or "").split()) for title in table["title"].to_pylist()]
    elif "meta" in table.column_names:
        titles = [title_of(meta) for meta in table["meta"].to_pylist()]
    rows = zip(table["id"].to_pylist(), table["text"].to_pylist(), titles, strict=True)
    chunks, _ = chunk_documents([Document(*row) for row in rows], tokenizer, budget=tokens)
    return _numbered((chunk.document_id, chunk.title, chunk.text) for chunk in chunks)


def from_chunks(table: pa.Table) -> list[Passage]:
    """Return an index's chunks as passages, in their order within each document."""
    names = ["document_id", "title", "text", "start"]
    columns = (table[name].to_pylist() for name in names)
    rows = sorted(enumerate(zip(*columns, strict=True)), key=lambda row: (row[1][0], row[1][3], row[0]))
    return _numbered((document, title or "", text) for _, (document, title, text, _) in rows)


def _numbered(rows: Iterable[tuple[str, str, str]]) -> list[Passage]:
    seen: dict[str, int] = {}
    passages = []
    for document, title, text in rows:
        number = seen.get(document, 0)
        seen[document] = number + 1
        passages.append(Passage(document, number, title, text))
    return passages


def _normal(text: str) -> str:
    return " ".join(_WORD.findall(text.lower()))


def _marks(passage: Passage) -> set[str]:
    """Return hashes of the passage and of its longer sentences: lower case, words only."""
    pieces = [_normal(passage.text)]
    for start, end in sentence_spans(passage.text):
        sentence = _normal(passage.text[start:end])
        if sentence.count(" ") + 1 >= _LONG:
            pieces.append(sentence)
    return {hashlib.sha256(piece.encode("utf-8", "replace")).hexdigest()[:32] for piece in pieces if piece}


def split_documents(
    passages: Sequence[Passage],
    *,
    share: float,
    seed: int,
    most: int | None = None,
) -> Split:
    """Hold documents out before any pair is made.

    Which ones depends on the seed and on the documents' ids, not on their order. Passages to
    learn from that repeat a held-out passage or one of its sentences of eight words or more,
    whatever the case and punctuation, are left out.

    Args:
        passages: All passages.
        share: Of the documents to hold out.
        seed: Draws them.
        most: The most documents to hold out.

    Raises:
        CorpusError: There are fewer than two documents.
    """
    documents = sorted({passage.document for passage in passages})
    if len(documents) < 2:
        raise CorpusError(
            f"{len(documents)} document with text; a retriever learns to tell documents apart",
            cure="give a corpus of at least two documents, better hundreds",
        )
    count = min(max(1, round(share * len(documents))), most or len(documents), len(documents) - 1)
    drawn = generator(seed, "retriever", "hold-out").permutation(len(documents))[:count]
    chosen = {documents[number] for number in drawn.tolist()}
    held_out = tuple(passage for passage in passages if passage.document in chosen)
    seen: set[str] = set().union(*map(_marks, held_out))
    rest = [passage for passage in passages if passage.document not in chosen]
    train = tuple(passage for passage in rest if not _marks(passage) & seen)
    return Split(train, held_out, len(rest) - len(train))
