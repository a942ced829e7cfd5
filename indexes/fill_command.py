"""`hinterland index fill-store`: an index's or a corpus's chunks into a vector store that somebody serves."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pyarrow as pa
from pydantic import Field

from hinterland.core.config import Config
from hinterland.core.corpus import Corpus
from hinterland.core.errors import HinterlandError, StorageError
from hinterland.indexes.bundle import CURRENT, open_bundle
from hinterland.indexes.chunking import ChunkConfig
from hinterland.indexes.embed import Embedder, SentenceEmbedder
from hinterland.indexes.encoder import encoder
from hinterland.indexes.foreign_fill import chunks_of, cut_corpus, fill_store
from hinterland.indexes.vector_stores import StoreConfig, open_store, store_factory
from hinterland.indexes.version import passages_of

__all__ = ["CommandConfig", "plan", "render", "run"]

_SAMPLE = 24  # passages that are embedded to tell how long all take


class CommandConfig(Config):
    """What goes where.

    Attributes:
        index: The folder of an index, or of a corpus, which is cut first.
        store: The vector store, as in the configs of ``ask`` and ``serve``; without ``embed``, an index's
            own encoder.
        chunking: How a corpus is cut.
        batch: Chunks to a request.
    """

    index: Path
    store: StoreConfig = Field(default_factory=StoreConfig)
    chunking: ChunkConfig = Field(default_factory=ChunkConfig)
    batch: int = Field(default=128, ge=1)


def _embedder(config: CommandConfig) -> Embedder:
    """Return the encoder that was named, else the index's own, else the default one."""
    if "embed" not in config.store.model_fields_set and (config.index / CURRENT).is_file():
        return encoder(open_bundle(config.index))
    return SentenceEmbedder(config.store.embed)


def _chunks(config: CommandConfig, embedder: Embedder) -> pa.Table:
    if (config.index / CURRENT).is_file():
        return chunks_of(config.index)
    return cut_corpus(Corpus.open(config.index), embedder, config.chunking)


def plan(config: CommandConfig) -> dict[str, Any]:
    """Say how much would be sent and how long it takes to embed; the store is not asked what it has."""
    store_factory(config.store.kind)
    embedder = _embedder(config)
    chunks = _chunks(config, embedder)
    texts = passages_of(chunks.slice(0, _SAMPLE))
    embedder.passages(texts[:2])  # the first call loads and warms up; it is not timed
    start = time.perf_counter()
    embedder.passages(texts)
    each = (time.perf_counter() - start) / max(len(texts), 1)
    return {
        "chunks": chunks.num_rows,
        "requests": -(-chunks.num_rows // config.batch),
        "characters": sum(map(len, chunks["text"].to_pylist())),
        "vector_bytes": 4 * embedder.dimension * chunks.num_rows,
        "seconds_estimated": round(each * chunks.num_rows, 1),
        "encoder": embedder.describe()["model"],
    }


def run(config: CommandConfig) -> dict[str, Any]:
    """Fill the store; a collection that is not there is made.

    Raises:
        StorageError: The store failed; what it has stays, and the same command goes on.
    """
    start = time.perf_counter()
    embedder = _embedder(config)
    chunks = _chunks(config, embedder)
    with open_store(config.store, embedder=embedder, create=True) as searcher:
        try:
            filled = fill_store(chunks, searcher.store, batch=config.batch)
        except HinterlandError:
            raise
        except Exception as error:  # whatever the store's package raises
            raise StorageError(
                f"the store failed: {' '.join(str(error).split())[:300] or type(error).__name__}",
                where=searcher.name,
                cure="run the same command again: it goes on where it stopped",
            ) from error
        name = searcher.name
    return {
        "source": str(config.index),
        "store": name,
        "chunks": filled.chunks,
        "uploaded": filled.uploaded,
        "there": filled.there,
        "resumable": filled.resumable,
        "seconds": round(time.perf_counter() - start, 2),
    }


def render(result: dict[str, Any]) -> str:
    """Return the result in a few lines."""
    source, store = result["source"], result["store"]
    lines = [
        f"{result['uploaded']:,} of {result['chunks']:,} chunks of {source} sent to {store}",
        f"  {result['there']:,} were there, {result['seconds']:.1f} s",
    ]
    if not result["resumable"]:
        lines.append("  (the store cannot say what it has: all are sent each time)")
    return "\n".join(lines)
