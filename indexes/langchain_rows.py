"""LangChain's documents as rows of an index, and back. A document is one chunk."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa
from langchain_core.documents import Document

from hinterland.core.errors import ConfigError
from hinterland.indexes.hits import Hit

__all__ = ["META", "as_document", "chunk_rows", "hit_document", "metadata_of"]

META = "meta"
#: Metadata that rules, removal and licences look for: it is kept in columns of its own too.
_CARRIED = ("source", "license", "url", "date", "country", "lang")


def _columns(metadata: Mapping[str, Any]) -> dict[str, str | None]:
    values = {name: metadata.get(name) for name in _CARRIED}
    return {name: value if isinstance(value, str) else None for name, value in values.items()}


def _as_json(metadata: Mapping[str, Any], identity: str) -> str:
    """Return metadata as JSON. Keys become strings and tuples lists, as JSON has them.

    Raises:
        ConfigError: It holds something that JSON has not.
    """
    try:
        return json.dumps(metadata, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise ConfigError(
            f"metadata that JSON cannot hold: {error}",
            where=f"document {identity!r}",
            cure="use strings, finite numbers, booleans, None, lists and mappings",
        ) from error


def chunk_rows(ids: Sequence[str], documents: Sequence[Document]) -> pa.Table:
    """Return documents as chunks of an index, one row each, in their order.

    Args:
        ids: Their ids.
        documents: The documents.

    Raises:
        ConfigError: Metadata is not JSON, or a text holds half a character.
    """
    rows = []
    for identity, document in zip(ids, documents, strict=True):
        text = document.page_content
        try:
            (identity + text).encode()
        except UnicodeEncodeError as error:
            raise ConfigError(
                "a text with half a character (a lone surrogate)",
                where=f"document {identity!r}",
                cure="decode it with errors='replace'",
            ) from error
        rows.append(
            {
                "id": identity,
                "document_id": identity,
                "start": 0,
                "end": len(text),
                "text": text,
                "title": "",
                **_columns(document.metadata),
                META: _as_json(document.metadata, identity),
            }
        )
    strings = ("id", "document_id", "text", "title", *_CARRIED, META)
    schema = pa.schema(
        [(name, pa.string()) for name in strings] + [("start", pa.int64()), ("end", pa.int64())]
    )
    return pa.Table.from_pylist(rows, schema=schema)


def metadata_of(chunks: pa.Table) -> list[dict[str, Any]]:
    """Return each chunk's metadata: as it was given, or from the columns of a chunk cut by us."""
    there = [
        name for name in ("document_id", "start", "end", "title", *_CARRIED) if name in chunks.column_names
    ]
    given = chunks[META].to_pylist() if META in chunks.column_names else [None] * chunks.num_rows
    return [
        {name: value for name, value in row.items() if value not in (None, "")}
        if text is None
        else json.loads(text)
        for text, row in zip(given, chunks.select(there).to_pylist(), strict=True)
    ]


def as_document(identity: str, text: str, metadata: Mapping[str, Any]) -> Document:
    """Return a chunk as LangChain's document, which may be changed freely."""
    return Document(id=identity, page_content=text, metadata=json.loads(json.dumps(metadata)))


def hit_document(hit: Hit) -> Document:
    """Return a hit as a document that says where it is from and what it was ranked by."""
    metadata: dict[str, Any] = {
        "chunk_id": hit.chunk_id,
        "document_id": hit.document_id,
        "start": hit.start,
        "end": hit.end,
        "title": hit.title,
        "source": hit.source,
        "license": hit.license,
        "url": hit.url,
        "date": hit.date,
        "country": hit.country,
        "score": hit.score,
        "parts": dict(hit.parts),
    }
    return Document(id=hit.chunk_id, page_content=hit.text, metadata=metadata)
