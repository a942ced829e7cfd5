"""Vectors that an index already has of its passages, so that they are not embedded again."""

from __future__ import annotations

from pathlib import Path

from hinterland.indexes.adapt_retriever.vectors import Known
from hinterland.indexes.embed import Embedder
from hinterland.indexes.tune_open import open_measured
from hinterland.indexes.version import passages_of

__all__ = ["vectors_of_index"]


def vectors_of_index(root: Path, embedder: Embedder) -> Known:
    """Return the served vectors by passage, if this encoder made them and the index keeps them exactly.

    Raises:
        IndexBundleError: The index is missing or damaged.
    """
    opened = open_measured(root, embedder)
    made = opened.manifest["embedder"].get("fingerprint")
    if made != embedder.fingerprint or not opened.backend.exact:
        return {}
    return dict(zip(passages_of(opened.chunks), opened.vectors, strict=True))
