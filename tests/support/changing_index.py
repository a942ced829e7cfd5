"""A small index of letter vectors, and documents to add to it."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
from tests.support.letter_embedder import LetterEmbedder

from hinterland.core.corpus import Corpus, write_corpus
from hinterland.indexes.build import build_index
from hinterland.indexes.lexical import LexicalConfig

__all__ = ["COUNTRIES", "EMBEDDER", "build", "documents", "secret"]

EMBEDDER = LetterEmbedder()
COUNTRIES = ["KEN", "PER", "ISL", "JPN"]


def secret(number: int) -> str:
    """Return a text of several chunks that no other document shares."""
    words = [f"quokka{number}x{place} whispers Zürich{number}y{place}" for place in range(25)]
    return f"The hidden ledger {number} says: " + ". ".join(words) + "."


def documents(first: int, last: int, *, source: str = "web") -> pa.Table:
    """Return the documents from ``first`` up to ``last``."""
    numbers = range(first, last)
    return pa.table(
        {
            "id": [f"document-with-number-{number:03d}" for number in numbers],
            "text": [secret(number) for number in numbers],
            "source": [source] * len(numbers),
            "license": ["CC-BY" if number % 2 else "CC0" for number in numbers],
            "url": [f"https://example.org/{source}/{number}" for number in numbers],
            "country": [COUNTRIES[number % 4] for number in numbers],
            "meta": [f'{{"title": "Ledger {number} of {source}"}}' for number in numbers],
        }
    )


def build(root: Path, *, factory: str = "Flat", lexical: LexicalConfig | None = None) -> Corpus:
    """Build an index of documents 0 to 5 of ``books`` and 6 to 9 of ``web`` at ``root``."""
    table = pa.concat_tables([documents(0, 6, source="books"), documents(6, 10)])
    corpus = write_corpus(root.with_name(f"{root.name}-corpus"), table)
    build_index(corpus, root, EMBEDDER, chunk_tokens=64, factory=factory, lexical=lexical or LexicalConfig())
    return corpus
