"""What a build will take, measured on a small sample before anything is written."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from hinterland.core.corpus import Corpus
from hinterland.core.seeds import generator
from hinterland.indexes.build_options import BuildOptions
from hinterland.indexes.chunk_types import Chunk
from hinterland.indexes.chunking import ChunkConfig, cut_documents
from hinterland.indexes.corpus_rows import as_documents, chunk_table, read_documents
from hinterland.indexes.embed import Embedder
from hinterland.indexes.faiss_size import bytes_per_vector, choose, index_bytes
from hinterland.indexes.lexical import LexicalConfig
from hinterland.indexes.search_check import check_search
from hinterland.indexes.search_config import SearchConfig

__all__ = ["estimate"]

_SAMPLE = 24  # documents that are cut, and chunks that are embedded
_IN_MEMORY = 256_000_000  # bytes of vectors above which they are mapped from a file
_POSTING = 8  # bytes of a word in a passage: its row and its score
_COMPRESSED = 0.45  # of the text's bytes, under zstd


def _words(chunks: Sequence[Chunk]) -> float:
    """Return how many different words a passage has, on average."""
    counts = [len(set(chunk.passage.lower().split())) for chunk in chunks]
    return sum(counts) / max(len(counts), 1)


def estimate(
    corpus: Corpus,
    embedder: Embedder,
    chunking: ChunkConfig,
    *,
    columns: Sequence[str],
    factory: str,
    options: BuildOptions,
    lexical: LexicalConfig | None,
    search: SearchConfig | None = None,
    only_kept: bool,
    seed: int,
) -> dict[str, Any]:
    """Return counts, bytes and seconds; keys that end in ``estimated`` follow from the sample.

    ``peak_memory_bytes_estimated`` is that of one process: texts, vectors, index, without the
    model. Seconds are those of embedding here, nothing of it cached.

    Raises:
        ConfigError: A column, the chunk budget, the factory string or the way to rank cannot be used.
        CorpusError: The corpus is damaged.
        IndexBundleError: No document is left.
        ModelSourceError: There is no such cross-encoder.
    """
    table = read_documents(corpus, only_kept=only_kept, columns=columns)
    size = min(_SAMPLE, table.num_rows)
    picked = sorted(generator(seed, "plan").choice(table.num_rows, size, replace=False).tolist())
    taken = table.take(picked)
    sample = as_documents(taken)
    chunks, _ = cut_documents(sample, embedder.tokenizer, chunking)
    check_search(search, chunk_table(chunks, taken), words=lexical is not None)
    texts = [chunk.passage for chunk in chunks][:_SAMPLE]
    embedder.passages(texts[:2])  # the first call loads and warms up; it is not timed
    start = time.perf_counter()
    embedder.passages(texts)
    seconds_each = (time.perf_counter() - start) / max(len(texts), 1)
    characters = sum(len(text) for text in table["text"].to_pylist())
    in_sample = max(sum(len(document.text) for document in sample), 1)
    expected = max(round(characters * len(chunks) / in_sample), 1)
    shown = sum(len(chunk.passage) for chunk in chunks) / in_sample  # titles and overlaps come on top
    chosen = choose(
        factory,
        expected,
        embedder.dimension,
        memory=options.memory,
        lists_on_disk=options.lists_on_disk,
    )
    vector_bytes = round(index_bytes(chosen.factory, embedder.dimension, expected))
    text_bytes = round(characters * shown)
    words = round(_words(chunks) * expected * _POSTING) if lexical is not None else 0
    vectors = min(4 * embedder.dimension * expected, _IN_MEMORY)
    in_memory = 0 if chosen.on_disk else vector_bytes
    return {
        "documents": table.num_rows,
        "characters": characters,
        "chunks_estimated": expected,
        "factory": chosen.factory,
        "why": chosen.why,
        "lists_on_disk": chosen.on_disk,
        "bytes_per_vector": round(bytes_per_vector(chosen.factory, embedder.dimension), 1),
        "vector_bytes_estimated": vector_bytes,
        "text_bytes_estimated": round(_COMPRESSED * text_bytes),
        "bm25_bytes_estimated": words,
        "disk_bytes_estimated": vector_bytes + round(_COMPRESSED * text_bytes) + words,
        "peak_memory_bytes_estimated": pa.total_allocated_bytes()
        + 2 * text_bytes
        + words
        + vectors
        + in_memory,
        "seconds_estimated": round(expected * seconds_each, 1),
    }
