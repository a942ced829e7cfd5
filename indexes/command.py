"""`hinterland index build`: a corpus in, a published index out."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from pydantic import Field

from hinterland.core.config import Config
from hinterland.core.corpus import Corpus
from hinterland.core.seeds import generator
from hinterland.indexes.build import as_documents, build_index, read_documents
from hinterland.indexes.chunk import chunk_documents
from hinterland.indexes.embed import EmbedConfig, SentenceEmbedder
from hinterland.indexes.faiss_build import auto_factory
from hinterland.indexes.lexical import LexicalConfig

__all__ = ["CommandConfig", "plan", "render", "run"]

_SAMPLE = 24  # documents that a dry run cuts, and chunks that it embeds


class CommandConfig(Config):
    """What to index, and how.

    Attributes:
        corpus: The corpus's folder.
        out: The index's folder.
        embed: The encoder.
        chunk_tokens: Tokens to a chunk, title and special tokens included.
        backend: What holds the vectors.
        factory: A FAISS factory string, or ``auto``.
        bm25: How words are indexed; ``null`` leaves them out.
        only_kept: Leave out what the corpus's ``keep`` column rejects, and weights of 0.
        seed: For the training of clustered indexes.
    """

    corpus: Path
    out: Path
    embed: EmbedConfig = Field(default_factory=EmbedConfig)
    chunk_tokens: int = Field(default=128, ge=16)
    backend: str = "faiss"
    factory: str = "auto"
    bm25: LexicalConfig | None = Field(default_factory=LexicalConfig)
    only_kept: bool = True
    seed: int = 0


def plan(config: CommandConfig) -> dict[str, Any]:
    """Cut and embed a small sample, and say what the whole will take; write nothing."""
    corpus = Corpus.open(config.corpus)
    table = read_documents(corpus, only_kept=config.only_kept)
    embedder = SentenceEmbedder(config.embed)
    size = min(_SAMPLE, table.num_rows)
    picked = sorted(generator(config.seed, "plan").choice(table.num_rows, size, replace=False).tolist())
    sample = as_documents(table.take(picked))
    chunks, _ = chunk_documents(sample, embedder.tokenizer, budget=config.chunk_tokens)
    texts = [chunk.passage for chunk in chunks][:_SAMPLE]
    embedder.passages(texts[:2])  # the first call loads and warms up; it is not timed
    start = time.perf_counter()
    embedder.passages(texts)
    seconds_each = (time.perf_counter() - start) / max(len(texts), 1)
    characters = sum(len(text) for text in table["text"].to_pylist())
    per_character = len(chunks) / max(sum(len(document.text) for document in sample), 1)
    expected = max(round(characters * per_character), 1)
    factory = auto_factory(expected) if config.factory == "auto" else config.factory
    return {
        "documents": table.num_rows,
        "characters": characters,
        "chunks_estimated": expected,
        "factory": factory,
        "bytes_per_vector": 4 * embedder.dimension,
        "vector_bytes_estimated": 4 * embedder.dimension * expected,
        "seconds_estimated": round(expected * seconds_each, 1),
    }


def run(config: CommandConfig) -> dict[str, Any]:
    """Build and publish the index."""
    start = time.perf_counter()
    result = build_index(
        Corpus.open(config.corpus),
        config.out,
        SentenceEmbedder(config.embed),
        chunk_tokens=config.chunk_tokens,
        backend=config.backend,
        factory=config.factory,
        lexical=config.bm25,
        only_kept=config.only_kept,
        seed=config.seed,
    )
    return {**result, "seconds": round(time.perf_counter() - start, 2)}


def render(result: dict[str, Any]) -> str:
    """Return the result in a few lines."""
    lines = [
        f"{result['chunks']:,} chunks of {result['documents']:,} documents in {result['index']}",
        f"  version {result['version']}, {result['factory']}, {result['dimension']} dimensions, "
        f"{result['bytes'] / 1e6:.1f} MB, {result['seconds']:.1f} s",
    ]
    for key, words in (
        ("empty", "documents without text left out"),
        ("sentences_cut", "sentences longer than a chunk cut between words"),
        ("titles_cut", "titles shortened to half a chunk"),
    ):
        if result[key]:
            lines.append(f"  {result[key]:,} {words}")
    return "\n".join(lines)
