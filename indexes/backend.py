"""What holds the vectors: one protocol, one file per implementation."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from hinterland.core.registry import Registry

__all__ = ["BACKENDS", "BackendType", "IndexBackend"]

Vectors = NDArray[np.float32]
Mask = NDArray[np.bool_]


class IndexBackend(Protocol):
    """Vectors that can be searched by inner product. Rows are numbered as they were given."""

    @property
    def size(self) -> int:
        """How many vectors there are."""
        ...

    @property
    def dimension(self) -> int:
        """Numbers in a vector."""
        ...

    def describe(self) -> dict[str, Any]:
        """Return what was built, for the manifest: factory, search parameters, bytes."""
        ...

    def search(
        self, queries: Vectors, k: int, allow: Mask | None = None
    ) -> tuple[Vectors, NDArray[np.int64]]:
        """Return the scores and rows of the nearest vectors.

        Args:
            queries: Unit vectors, shape (queries, dimension).
            k: How many to return.
            allow: Which rows may be returned, shape (size,). It is applied during the
                search, so that as many come back as there are.

        Returns:
            Scores and rows, both of shape (queries, min(k, rows allowed)), best first;
            equal scores in the order of rows. A row of -1 was not found.
        """
        ...

    def save(self, path: Path) -> None:
        """Write everything to one file."""
        ...


class BackendType(Protocol):
    """How a backend is made."""

    def build(self, vectors: Vectors, *, factory: str, seed: int) -> IndexBackend:
        """Build over ``vectors``, shape (rows, dimension).

        Raises:
            ConfigError: The factory string cannot be used for these vectors.
        """
        ...

    def load(self, path: Path, *, settings: dict[str, Any]) -> IndexBackend:
        """Read what `IndexBackend.save` wrote; ``settings`` is what it described.

        Raises:
            IndexBundleError: The file cannot be read.
        """
        ...


BACKENDS: Registry[BackendType] = Registry("index_backend")
