"""From a corpus to a published index: chunk, embed, build, publish."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from hashlib import sha256
from pathlib import Path
from shutil import rmtree
from typing import Any

import pyarrow as pa

import hinterland.indexes.faiss_backend  # noqa: F401 - files itself in BACKENDS
from hinterland.core.corpus import Corpus
from hinterland.core.errors import IndexBundleError
from hinterland.core.run import fingerprint
from hinterland.indexes.backend import BACKENDS, IndexBackend
from hinterland.indexes.build_options import BuildOptions
from hinterland.indexes.chunk_types import Chunk, ChunkCounts
from hinterland.indexes.chunking import ChunkConfig, cut_documents
from hinterland.indexes.corpus_rows import as_documents, chunk_table, read_documents, title_of
from hinterland.indexes.embed import Embedder
from hinterland.indexes.embed_accept import check_backend
from hinterland.indexes.embed_cache import EmbeddingCache
from hinterland.indexes.embed_passages import embed_passages
from hinterland.indexes.embedding import embedding, keep_vectors, publishing, rules_now
from hinterland.indexes.lexical import LexicalConfig
from hinterland.indexes.removal import allowed
from hinterland.indexes.removal_rules import Rule, rules_in_force
from hinterland.indexes.search_check import as_told, check_mode, check_search
from hinterland.indexes.search_config import SearchConfig
from hinterland.indexes.segments import keys_of
from hinterland.indexes.version import publish_version

__all__ = ["as_documents", "build_index", "chunk_table", "read_documents", "title_of"]

_OLD_CACHE = ".blocks"  # of version 0.1.0


def build_index(
    corpus: Corpus,
    root: Path,
    embedder: Embedder,
    *,
    chunking: ChunkConfig | None = None,
    chunk_tokens: int = 128,
    columns: Sequence[str] = (),
    backend: str = "faiss",
    factory: str = "auto",
    lexical: LexicalConfig | None = None,
    search: SearchConfig | None = None,
    only_kept: bool = True,
    seed: int = 0,
    options: BuildOptions | None = None,
) -> dict[str, Any]:
    """Build an index over a corpus and publish it at ``root``.

    The index can be changed while this embeds: what is removed meanwhile is left out. Vectors stay
    in ``root/.vectors`` as long as a version on disk needs them: a run that was
    killed goes on from them, and the next build embeds only passages that are new.

    Args:
        corpus: What to index.
        root: The index's folder.
        embedder: The encoder.
        chunking: How documents are cut.
        chunk_tokens: Tokens to a chunk by sentences, where ``chunking`` is not given.
        columns: Further columns of the corpus that chunks carry, for filters.
        backend: A name in `BACKENDS`.
        factory: The FAISS factory string, or ``auto``.
        lexical: How words are indexed; ``None`` leaves BM25 out.
        search: How the index ranks where a search does not say; ``None``: by vectors.
        only_kept: Leave out what the corpus's ``keep`` column rejects, and weights of 0.
        seed: For the training of clustered indexes.
        options: Memory, device, lists on disk, and the engine that embeds and builds.

    Returns:
        The version, its folder, and counts, all JSON-able.

    Raises:
        CorpusError: The corpus is damaged.
        ConfigError: The chunk budget, a column, the factory string or the way to rank cannot be
            used; the last is found out before anything is embedded.
        EngineError: A worker died.
        IndexBundleError: Nothing is left to index, or the encoder gave no finite vectors.
        ModelSourceError: The encoder's backend loses too much against plain torch, or there is
            no such cross-encoder.
        StorageError: The folder cannot be written, or another process embeds or writes there.
    """
    kind, options = BACKENDS.get(backend), options or BuildOptions()
    chunking = chunking or ChunkConfig(tokens=chunk_tokens)
    check_mode(search, words=lexical is not None)

    def made(rules: Mapping[str, Rule], cache: EmbeddingCache) -> _Made:
        table, withheld = allowed(root, read_documents(corpus, only_kept=only_kept, columns=columns), rules)
        chunks, counts = _cut(table, embedder, chunking, corpus.path)
        rows = chunk_table(chunks, table)
        check_search(search, rows, words=lexical is not None)
        passages = [chunk.passage for chunk in chunks]
        accepted = check_backend(embedder, passages, seed=seed)
        vectors = embed_passages(passages, embedder, cache=cache, engine=options.engine)
        digest = fingerprint(
            embedder.fingerprint, sha256(keys_of(passages).tobytes()).hexdigest(), factory, seed
        )
        index = kind.build(
            vectors, factory=factory, seed=seed, options=replace(options, work=cache.shards / digest)
        )
        return _Made(index, rows, counts, accepted, sum(withheld.values()), len(set(passages)))

    with embedding(root) as cache:
        now, rules = rules_now(root), None
        while now != rules:  # what was removed while this was built is left out, and all made again
            rules = now
            found = made(rules, cache)
            with publishing(root):
                now = rules_in_force(root)
                if now == rules:
                    manifest = {
                        "corpus": {
                            "fingerprint": corpus.fingerprint,
                            "documents": len(corpus),
                            "only_kept": only_kept,
                        },
                        "chunking": {**chunking.model_dump(mode="json"), **asdict(found.counts)},
                        "embedder": {**embedder.describe(), **found.accepted},
                        "index": {**found.index.describe(), "seed": seed},
                        **as_told(search),
                    }
                    bundle = publish_version(root, found.index, found.rows, manifest, lexical=lexical)
                    keep_vectors(root, cache, prune=True)
                    rmtree(root / _OLD_CACHE, ignore_errors=True)
    return {
        "index": str(root),
        "version": bundle.version,
        "factory": bundle.manifest["index"].get("factory", backend),
        "dimension": found.index.dimension,
        "unique_passages": found.unique,
        "bytes": sum((bundle.folder / name).stat().st_size for name in bundle.manifest["files"]),
        **asdict(found.counts),
        **found.accepted,
        "withheld": found.withheld,
    }


@dataclass(frozen=True, slots=True)
class _Made:
    """What is ready to be published.

    Attributes:
        index: The vectors.
        rows: The chunks.
        counts: What was cut.
        accepted: What the manifest says of the encoder's backend.
        withheld: Documents that rules of removal keep out.
        unique: Different passages.
    """

    index: IndexBackend
    rows: pa.Table
    counts: ChunkCounts
    accepted: dict[str, Any]
    withheld: int
    unique: int


def _cut(
    table: pa.Table, embedder: Embedder, chunking: ChunkConfig, where: Path
) -> tuple[list[Chunk], ChunkCounts]:
    chunks, counts = cut_documents(as_documents(table), embedder.tokenizer, chunking)
    if not chunks:
        raise IndexBundleError(
            f"all {counts.documents} documents are empty", where=str(where), cure="give documents with text"
        )
    return chunks, counts
