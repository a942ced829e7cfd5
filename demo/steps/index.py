"""Step 5: one index over every document, so that filters can be compared by restricting it."""

from __future__ import annotations

from typing import Any

from hinterland.core.corpus import Corpus
from hinterland.demo.pipeline import Workspace, limit_threads
from hinterland.indexes.build import build_index
from hinterland.indexes.embed import EmbedConfig, SentenceEmbedder

__all__ = ["build"]


def build(work: Workspace) -> dict[str, Any]:
    """Publish the index below ``index/``; decisions restrict it at search time, by a mask."""
    limit_threads(work.config)
    return build_index(
        Corpus.open(work.of("corpus") / "corpus"),
        work.folder / "index",
        SentenceEmbedder(EmbedConfig(model=work.config.embedder)),
        chunk_tokens=work.config.chunk_tokens,
        seed=work.config.seed,
    )
