"""Upload an index's chunks, or a corpus's, to any LangChain vector store."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from langchain_core.documents import Document
from langchain_core.vectorstores import VectorStore

from hinterland.core.corpus import Corpus
from hinterland.core.progress import track
from hinterland.indexes.build import as_documents, chunk_table, read_documents
from hinterland.indexes.bundle import CHUNKS, read_current
from hinterland.indexes.chunk_types import with_title
from hinterland.indexes.chunking import ChunkConfig, cut_documents
from hinterland.indexes.embed import Embedder
from hinterland.indexes.foreign import ENCODER
from hinterland.indexes.langchain_embed import HinterlandEmbeddings, as_embedder

__all__ = ["Filled", "chunks_of", "cut_corpus", "fill_store", "store_id"]

_CARRIED = ("document_id", "start", "end", "title", "source", "license", "url", "date", "country", "lang")
_SPACE = uuid.UUID("6f1c0b6e-0d5b-5c55-9d0a-2b8f3a7c41d2")


@dataclass(frozen=True, slots=True)
class Filled:
    """What an upload did.

    Attributes:
        chunks: Chunks there are.
        uploaded: Chunks that were sent.
        there: Chunks that the store had already.
        resumable: Whether the store could say what it had; if not, all are sent each time.
    """

    chunks: int
    uploaded: int
    there: int
    resumable: bool


def store_id(chunk_id: str) -> str:
    """Return a chunk's id in the store: a UUID, because some stores take nothing else.

    >>> store_id("ken-gov#1") == store_id("ken-gov#1") != store_id("ken-gov#2")
    True
    """
    return str(uuid.uuid5(_SPACE, chunk_id))


def fill_store(
    source: Path | Corpus | pa.Table,
    store: VectorStore,
    *,
    batch: int = 128,
    chunking: ChunkConfig | None = None,
) -> Filled:
    """Upload chunks with their texts and metadata; the store embeds them anew.

    An upload that was cut off goes on from what the store has: each batch is looked up by its
    ids first. Chunks that the source no longer has stay in the store.

    Args:
        source: An index's folder, a corpus, or a table of chunks (`build.chunk_table`).
        store: Where to. For a corpus it must embed with an `Embedder` (`langchain_embed.as_embeddings`),
            whose tokenizer says where to cut.
        batch: Chunks to a request.
        chunking: How a corpus is cut.

    Raises:
        ConfigError: A corpus cannot be cut for the store's embedding.
        CorpusError: The corpus is damaged.
        IndexBundleError: The index is missing or damaged.
    """
    ours = store.embeddings
    if isinstance(source, Corpus):
        chunks = cut_corpus(source, as_embedder(ours), chunking or ChunkConfig())
    else:
        chunks = source if isinstance(source, pa.Table) else chunks_of(source)
    space = ours.embedder.space if isinstance(ours, HinterlandEmbeddings) else ""
    sent, there, resumable = 0, 0, True

    def upload() -> Iterator[None]:
        nonlocal sent, there, resumable
        for start in range(0, chunks.num_rows, batch):
            rows = chunks.slice(start, batch).to_pylist()
            present: set[tuple[str, str]] = set()
            if resumable:
                try:
                    present = _present(store, rows)
                except NotImplementedError:
                    resumable = False
            missing = [row for row in rows if (row["id"], _passage(row)) not in present]
            if missing:
                store.add_documents(
                    [_document(row, space) for row in missing], ids=[store_id(row["id"]) for row in missing]
                )
            sent, there = sent + len(missing), there + len(rows) - len(missing)
            yield from (None for _ in rows)

    for _ in track(upload(), "upload", total=chunks.num_rows):
        pass
    return Filled(chunks.num_rows, sent, there, resumable)


def chunks_of(root: Path) -> pa.Table:
    """Return the chunks of the version that is served.

    Raises:
        IndexBundleError: The index is missing or damaged.
    """
    return read_current(root, lambda bundle: pq.read_table(bundle.folder / CHUNKS))


def cut_corpus(corpus: Corpus, embedder: Embedder, chunking: ChunkConfig) -> pa.Table:
    """Return a corpus's chunks, cut for an encoder.

    Raises:
        ConfigError: The encoder cannot say where to cut.
        CorpusError: The corpus is damaged.
    """
    documents = read_documents(corpus)
    chunks, _ = cut_documents(as_documents(documents), embedder.tokenizer, chunking)
    return chunk_table(chunks, documents)


def _present(store: VectorStore, rows: list[dict[str, Any]]) -> set[tuple[str, str]]:
    """Return ids and passages of the chunks that the store has."""
    found = store.get_by_ids([store_id(row["id"]) for row in rows])
    return {(str(each.metadata.get("chunk_id")), each.page_content) for each in found}


def _passage(row: dict[str, Any]) -> str:
    return with_title(row["title"] or "", row["text"])


def _document(row: dict[str, Any], space: str) -> Document:
    metadata = {name: row[name] for name in _CARRIED if row.get(name) not in (None, "")}
    encoder = {ENCODER: space} if space else {}
    return Document(page_content=_passage(row), metadata={"chunk_id": row["id"], **metadata, **encoder})
