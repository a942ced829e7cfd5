"""What a search returns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from hinterland.indexes.chunk_types import with_title

__all__ = ["DocumentHit", "Hit", "Result"]


@dataclass(frozen=True, slots=True)
class Hit:
    """A chunk that was found.

    Attributes:
        chunk_id: The chunk.
        document_id: The document it was cut from.
        start: Its first character in the document.
        end: One past its last character.
        text: Its text.
        title: Its title path.
        score: What it was ranked by: the last of ``parts``.
        source: The document's source.
        license: The document's licence.
        url: The document's address.
        date: The document's date, ISO 8601.
        country: The document's country, ISO 3166-1 alpha-3.
        parts: What the score is made of, in the order of the steps: ``dense`` (the cosine of
            query and chunk, −1 to 1), ``bm25``, ``fused``, ``rerank`` (0 to 1), ``rules``
            (relevance of 0 to 1 times weights and decay), ``mmr``; only those that were
            computed for this chunk.
    """

    chunk_id: str
    document_id: str
    start: int
    end: int
    text: str
    title: str
    score: float
    source: str | None = None
    license: str | None = None
    url: str | None = None
    date: str | None = None
    country: str | None = None
    parts: Mapping[str, float] = field(default_factory=dict)

    @property
    def passage(self) -> str:
        """The title path and the text."""
        return with_title(self.title, self.text)


@dataclass(frozen=True, slots=True)
class DocumentHit:
    """A document, ranked by its best chunk."""

    document_id: str
    score: float
    chunk_id: str


@dataclass(frozen=True, slots=True)
class Result:
    """What one query found.

    Attributes:
        query: The query.
        hits: Best first.
        asked: How many were asked for.
        note: Why fewer came back; empty if they did not.
    """

    query: str
    hits: tuple[Hit, ...]
    asked: int
    note: str = ""

    def __iter__(self) -> Iterator[Hit]:
        return iter(self.hits)

    def __len__(self) -> int:
        return len(self.hits)

    def __getitem__(self, number: int) -> Hit:
        return self.hits[number]

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON-able values."""
        return {"query": self.query, "note": self.note, "hits": [asdict(hit) for hit in self.hits]}
