"""From a corpus to a published index: chunk, embed, build, publish."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

import hinterland.indexes.faiss_backend  # noqa: F401 - files itself in BACKENDS
from hinterland.core.corpus import Corpus
from hinterland.core.errors import ConfigError, CorpusError, IndexBundleError
from hinterland.indexes.backend import BACKENDS
from hinterland.indexes.bundle import writer_lock
from hinterland.indexes.chunk import Chunk, ChunkCounts, Document, chunk_documents
from hinterland.indexes.embed import Embedder
from hinterland.indexes.embed_cache import CACHE, EmbeddingCache
from hinterland.indexes.embed_passages import embed_passages
from hinterland.indexes.lexical import LexicalConfig
from hinterland.indexes.version import publish_version

__all__ = ["build_index", "chunk_table", "read_documents"]

#: What a chunk inherits from its document.
_CARRIED = ("source", "license", "url", "date", "country", "lang")
_OLD_CACHE = ".blocks"  # of version 0.1.0


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


def read_documents(corpus: Corpus, *, only_kept: bool = True) -> pa.Table:
    """Return the rows to index.

    An index holds a document once or not at all: a weight of 0 keeps it out, and any other
    weight changes nothing, because a search ranks by the query alone.

    Args:
        corpus: The corpus.
        only_kept: Leave out what its ``keep`` column rejects, and what has weight 0, if it
            has these columns.

    Raises:
        CorpusError: A shard is missing or corrupt, or a weight is negative, null or not finite.
        IndexBundleError: No document is left.
    """
    there = corpus.manifest.get("columns", {})
    decided = [name for name in ("keep", "weight") if name in there and only_kept]
    table = corpus.read(["id", "text", "meta", *_CARRIED, *decided])
    if "keep" in decided:
        table = table.filter(pc.fill_null(table["keep"], False))
    if "weight" in decided:
        table = table.filter(pc.greater(_weights(table["weight"], corpus), 0))
    table = table.drop_columns(decided)
    if not table.num_rows:
        raise IndexBundleError(
            f"no document to index among {len(corpus)}",
            where=str(corpus.path),
            cure="set only_kept: false, or loosen the filters" if decided else "give a corpus with documents",
        )
    return table


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
    """Return chunks with what they inherit from their documents, one row each."""
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
            **{name: documents[name].take(rows).combine_chunks() for name in _CARRIED},
        }
    )


def build_index(
    corpus: Corpus,
    root: Path,
    embedder: Embedder,
    *,
    chunk_tokens: int = 128,
    backend: str = "faiss",
    factory: str = "auto",
    lexical: LexicalConfig | None = None,
    only_kept: bool = True,
    seed: int = 0,
) -> dict[str, Any]:
    """Build an index over a corpus and publish it at ``root``.

    Finished blocks of vectors stay in ``root/.blocks``: a run that was killed goes on from
    them, and another factory over the same texts needs no embedding.

    Args:
        corpus: What to index.
        root: The index's folder.
        embedder: The encoder.
        chunk_tokens: Tokens to a chunk, title and special tokens included.
        backend: A name in `BACKENDS`.
        factory: The FAISS factory string, or ``auto``.
        lexical: How words are indexed; ``None`` leaves BM25 out.
        only_kept: Leave out what the corpus's ``keep`` column rejects, and weights of 0.
        seed: For the training of clustered indexes.

    Returns:
        The version, its folder, and counts, all JSON-able.

    Raises:
        CorpusError: The corpus is damaged.
        ConfigError: The chunk budget or the factory string cannot be used.
        IndexBundleError: Nothing is left to index, or the encoder gave no finite vectors.
        StorageError: The folder cannot be written, or another process writes there.
    """
    kind = BACKENDS.get(backend)
    with writer_lock(root):
        table = read_documents(corpus, only_kept=only_kept)
        chunks, counts = _cut(table, embedder, chunk_tokens, corpus.path)
        vectors = embed_passages(
            [chunk.passage for chunk in chunks], embedder, cache=EmbeddingCache(root / CACHE)
        )
        index = kind.build(vectors, factory=factory, seed=seed)
        bundle = publish_version(
            root,
            index,
            chunk_table(chunks, table),
            {
                "corpus": {
                    "fingerprint": corpus.fingerprint,
                    "documents": len(corpus),
                    "only_kept": only_kept,
                },
                "chunking": {"tokens": chunk_tokens, **asdict(counts)},
                "embedder": embedder.describe(),
                "index": {**index.describe(), "seed": seed},
            },
            lexical=lexical,
        )
    return {
        "index": str(root),
        "version": bundle.version,
        "factory": bundle.manifest["index"].get("factory", backend),
        "dimension": index.dimension,
        "unique_passages": len({chunk.passage for chunk in chunks}),
        "bytes": sum((bundle.folder / name).stat().st_size for name in bundle.manifest["files"]),
        **asdict(counts),
    }


def _cut(table: pa.Table, embedder: Embedder, tokens: int, where: Path) -> tuple[list[Chunk], ChunkCounts]:
    try:
        chunks, counts = chunk_documents(as_documents(table), embedder.tokenizer, budget=tokens)
    except ValueError as error:
        raise ConfigError(str(error), where="chunk_tokens", cure="give a larger chunk_tokens") from error
    if not chunks:
        raise IndexBundleError(
            f"all {counts.documents} documents are empty", where=str(where), cure="give documents with text"
        )
    return chunks, counts
