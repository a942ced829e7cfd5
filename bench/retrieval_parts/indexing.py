"""Collections as indexes of the kit: documents whole, as the references had them, and as chunks."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from hinterland.core.corpus import write_corpus
from hinterland.core.files import atomic_path
from hinterland.core.progress import track
from hinterland.core.run import fingerprint
from hinterland.indexes.build import build_index
from hinterland.indexes.bundle import writer_lock
from hinterland.indexes.embed import Embedder
from hinterland.indexes.faiss_backend import FaissType
from hinterland.indexes.lexical import LexicalConfig
from hinterland.indexes.search import Index
from hinterland.indexes.version import passages_of, publish_version
from retrieval_parts.data import Collection

__all__ = ["chunked_index", "whole_index"]

_STEP = 64  # texts between two movements of the bar


def whole_index(collection: Collection, work: Path, embedder: Embedder) -> Index:
    """Publish each document as one chunk and open the index. Vectors are kept in ``work``.

    The encoder reads a document as far as it reads; BM25 reads all of it.
    """
    table = collection.chunks()
    passages = passages_of(table)
    kept = work / f"{collection.name}-{fingerprint(embedder.fingerprint, passages)[:16]}.npy"
    if not kept.exists():
        order = sorted(range(len(passages)), key=lambda row: -len(passages[row]))
        vectors = np.zeros((len(passages), embedder.dimension), np.float32)
        steps = range(0, len(order), _STEP)
        for start in track(steps, f"embed {collection.name}", total=len(steps)):
            rows = order[start : start + _STEP]
            vectors[rows] = embedder.passages([passages[row] for row in rows])
        with atomic_path(kept) as temporary, temporary.open("wb") as handle:
            np.save(handle, vectors, allow_pickle=False)
    backend = FaissType().build(np.load(kept, allow_pickle=False), factory="Flat")
    root = work / f"{collection.name}-whole-{embedder.space[:8]}"
    with writer_lock(root):
        publish_version(
            root,
            backend,
            table,
            {"embedder": embedder.describe(), "index": {**backend.describe(), "seed": 0}},
            lexical=LexicalConfig(),
        )
    return Index.open(root, embedder=embedder)


def chunked_index(collection: Collection, work: Path, embedder: Embedder) -> Index:
    """Build an index as `hinterland index build` does by default, words included, and open it."""
    corpus = write_corpus(work / f"{collection.name}-corpus", collection.records())
    root = work / f"{collection.name}-chunks-{embedder.space[:8]}"
    build_index(corpus, root, embedder, lexical=LexicalConfig())
    return Index.open(root, embedder=embedder)
