"""A published index opened for measuring: its vectors, its live chunks, and the truth about them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from hinterland.indexes.backend import IndexBackend, Mask, Vectors
from hinterland.indexes.bundle import Bundle
from hinterland.indexes.change_state import state_of
from hinterland.indexes.embed import Embedder
from hinterland.indexes.embed_cache import EmbeddingCache
from hinterland.indexes.embed_passages import embed_passages
from hinterland.indexes.encoder import check_space, encoder
from hinterland.indexes.version import passages_of

__all__ = ["Measured", "open_measured"]


@dataclass(frozen=True)
class Measured:
    """An index to measure.

    Attributes:
        root: Its folder.
        bundle: The version served.
        backend: Its vectors, with dead rows.
        chunks: Its live chunks.
        rows: Each live chunk's row in ``backend``.
        given: The embedder to use; ``None`` loads the one the manifest names when it is needed.
        cache: Where vectors are looked up and kept, held by who measures; ``None``: nowhere.
    """

    root: Path
    bundle: Bundle
    backend: IndexBackend
    chunks: pa.Table
    rows: NDArray[np.int64]
    given: Embedder | None = None
    cache: EmbeddingCache | None = None

    @property
    def manifest(self) -> dict[str, Any]:
        """What the version's manifest says."""
        return self.bundle.manifest

    @cached_property
    def embedder(self) -> Embedder:
        """The encoder of queries and passages.

        Raises:
            IndexBundleError: It is another than the index was built with.
            ModelSourceError: It cannot be had.
        """
        embedder = encoder(self.bundle) if self.given is None else self.given
        check_space(embedder, self.bundle, to="tune")
        return embedder

    @cached_property
    def allow(self) -> Mask | None:
        """Which rows are alive; ``None`` if all are."""
        if len(self.rows) == self.backend.size:
            return None
        mask = np.zeros(self.backend.size, dtype=np.bool_)
        mask[self.rows] = True
        mask.flags.writeable = False  # packed once for all searches
        return mask

    @cached_property
    def vectors(self) -> Vectors:
        """The live chunks' true float32 vectors, shape (chunks, dimension).

        An index that keeps them gives them back. For one that keeps codes they come from the
        cache of embeddings, and what is not there is embedded again.
        """
        if self.backend.exact:
            return self.backend.reconstruct(self.rows)
        found = embed_passages(passages_of(self.chunks), self.embedder, cache=self.cache)
        return np.ascontiguousarray(found)

    @cached_property
    def live_of(self) -> NDArray[np.int64]:
        """Each dense row's live chunk, -1 for a dead one; the last entry stands for "not found"."""
        table = np.full(self.backend.size + 1, -1, dtype=np.int64)
        table[self.rows] = np.arange(len(self.rows))
        return table


def open_measured(
    root: Path, embedder: Embedder | None = None, cache: EmbeddingCache | None = None
) -> Measured:
    """Open the version that ``root`` serves.

    Args:
        root: The index's folder.
        embedder: See `Measured.given`.
        cache: The index's, held by the caller (`hinterland.indexes.embedding`), where true vectors
            may have to be embedded again.

    Raises:
        IndexBundleError: The index is missing or damaged.
    """
    state = state_of(root)
    return Measured(root, state.bundle, state.backend, state.chunks, state.rows, embedder, cache)
