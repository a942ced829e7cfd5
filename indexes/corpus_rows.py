"""A corpus's rows as documents to cut, and chunks as rows with what they inherit."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from hinterland.core.corpus import Corpus
from hinterland.core.errors import ConfigError, CorpusError, IndexBundleError, nearest
from hinterland.indexes.chunk_types import Chunk, Document

__all__ = ["as_documents", "chunk_table", "read_documents", "title_of"]

#: What a chunk inherits from its document.
_CARRIED = ("source", "license", "url", "date", "country", "lang")
#: Columns that chunks have of their own.
_OWN = frozenset({"id", "document_id", "start", "end", "text", "title", "row", "meta"})


def title_of(meta: str | None) -> str:
    """Return the title path in a record's ``meta`` JSON, or an empty string.

    JSON can escape half a character, which no model takes; it becomes "?".

    >>> title_of('{"title": "Kenya › Government"}')
    'Kenya › Government'
    """
    try:
        title = json.loads(meta).get("title") if meta else ""
    except (ValueError, AttributeError):
        return ""
    return " ".join(str(title).encode("utf-8", "replace").decode().split()) if title else ""


def read_documents(corpus: Corpus, *, only_kept: bool = True, columns: Sequence[str] = ()) -> pa.Table:
    """Return the rows to index.

    An index holds a document once or not at all: a weight of 0 keeps it out, and any other
    weight changes nothing, because a search ranks by the query alone.

    Args:
        corpus: The corpus.
        only_kept: Leave out what its ``keep`` column rejects, and what has weight 0, if it
            has these columns.
        columns: Further columns to carry, such as ``admin1`` or a score.

    Raises:
        ConfigError: The corpus has no such column, or a chunk has one of its own of that name.
        CorpusError: A shard is missing or corrupt, or a weight is negative, null or not finite.
        IndexBundleError: No document is left.
    """
    there = corpus.manifest.get("columns", {})
    further = _further(columns, there)
    decided = [name for name in ("keep", "weight") if name in there and only_kept]
    table = corpus.read(dict.fromkeys(["id", "text", "meta", *_CARRIED, *decided, *further]))
    if "keep" in decided:
        table = table.filter(pc.fill_null(table["keep"], False))
    if "weight" in decided:
        table = table.filter(pc.greater(_weights(table["weight"], corpus), 0))
    table = table.drop_columns([name for name in decided if name not in further])
    if not table.num_rows:
        raise IndexBundleError(
            f"no document to index among {len(corpus)}",
            where=str(corpus.path),
            cure="set only_kept: false, or loosen the filters" if decided else "give a corpus with documents",
        )
    return table


def _further(columns: Sequence[str], there: Mapping[str, Any]) -> list[str]:
    """Return the names that are not carried anyway.

    Raises:
        ConfigError: A name is unknown or taken.
    """
    for name in columns:
        if name not in there:
            raise ConfigError(
                f"the corpus has no column {name!r}", where="columns", cure=nearest(name, set(there) - _OWN)
            )
        if name in _OWN:
            raise ConfigError(
                f"a chunk has a column {name!r} of its own", where="columns", cure="leave the name out"
            )
    return [name for name in dict.fromkeys(columns) if name not in _CARRIED]


def _weights(column: pa.ChunkedArray, corpus: Corpus) -> pa.ChunkedArray:
    """Return weights as floats.

    Raises:
        CorpusError: One is negative, null, not finite or no number.
    """
    cure = "a weight is a number of 0 or more: run debias again, or set only_kept: false"
    try:
        weights = column.cast(pa.float64())
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise CorpusError("column 'weight' holds no numbers", where=str(corpus.path), cure=cure) from error
    sound = pc.and_(pc.is_finite(weights), pc.greater_equal(weights, 0))
    bad = len(weights) - (pc.sum(pc.fill_null(sound, False)).as_py() or 0)
    if bad:
        raise CorpusError(
            f"{bad} kept documents have a weight that is negative, missing or not finite",
            where=str(corpus.path),
            cure=cure,
        )
    return weights


def as_documents(table: pa.Table) -> list[Document]:
    """Return a corpus table's rows as documents with their titles."""
    return [
        Document(row["id"], row["text"], title_of(row["meta"]))
        for row in table.select(["id", "text", "meta"]).to_pylist()
    ]


def chunk_table(chunks: list[Chunk], documents: pa.Table) -> pa.Table:
    """Return chunks with what they inherit from their documents, one row each.

    Columns of ``documents`` other than id, text and meta are carried.
    """
    further = [name for name in documents.column_names if name not in ("id", "text", "meta", *_CARRIED)]
    carried = [*_CARRIED, *further]
    row_of = {document: row for row, document in enumerate(documents["id"].to_pylist())}
    rows = pa.array([row_of[chunk.document_id] for chunk in chunks], pa.int64())
    return pa.table(
        {
            "id": pa.array([chunk.id for chunk in chunks], pa.string()),
            "document_id": pa.array([chunk.document_id for chunk in chunks], pa.string()),
            "start": pa.array([chunk.start for chunk in chunks], pa.int64()),
            "end": pa.array([chunk.end for chunk in chunks], pa.int64()),
            "text": pa.array([chunk.text for chunk in chunks], pa.string()),
            "title": pa.array([chunk.title for chunk in chunks], pa.string()),
            **{name: documents[name].take(rows).combine_chunks() for name in carried},
        }
    )
