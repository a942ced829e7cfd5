"""An index as a function from queries to ranked documents, for what must not know indexes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from hinterland.indexes.embed import Embedder
from hinterland.indexes.search import Index

__all__ = ["open_index"]

#: Queries embedded and searched at a time.
_BATCH = 256


def open_index(
    path: Path, *, embedder: Embedder | None = None
) -> Callable[[list[str], int], list[list[str]]]:
    """Return a function that finds documents: (queries, k) → document ids, best first, for each.

    A document counts once, at its best chunk; fewer than ``k`` come back only where the index
    has fewer.

    Args:
        path: The index's folder.
        embedder: Embeds queries; ``None`` loads the one that the index names.

    Raises:
        IndexBundleError: The index is missing, damaged, or was built with another encoder.
        ModelSourceError: The encoder cannot be had.
    """
    index = Index.open(path, embedder=embedder)

    def find(queries: list[str], k: int) -> list[list[str]]:
        found: list[list[str]] = []
        for start in range(0, len(queries), _BATCH):
            hits = index.search_documents(queries[start : start + _BATCH], k)
            found += [[hit.document_id for hit in each] for each in hits]
        return found

    return find
