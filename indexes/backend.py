"""What holds the vectors: one protocol, one file per implementation."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from hinterland.core.registry import Registry
from hinterland.indexes.build_options import BuildOptions

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
                search, so that as many come back as there are. A mask that is used again is
                faster if it is read-only (``allow.flags.writeable = False``).

        Returns:
            Scores and rows, both of shape (queries, min(k, rows allowed)), best first;
            equal scores in the order of rows. A row of -1 was not found.

        Raises:
            ValueError: A query is not a finite vector of this dimension, ``k`` is negative, or
                the mask has another length.
        """
        ...

    @property
    def exact(self) -> bool:
        """Whether `reconstruct` gives the very float32 vectors that were put in."""
        ...

    def reconstruct(self, rows: NDArray[np.int64]) -> Vectors:
        """Return the vectors of ``rows``, shape (rows, dimension), as the index holds them.

        Raises:
            ValueError: A row is not there.
            IndexBundleError: This kind of index cannot give vectors back.
        """
        ...

    def add(self, vectors: Vectors) -> None:
        """Put vectors, shape (rows, dimension), in after the last row; nothing is trained again.

        Whoever searches meanwhile must have another copy; so too for `remove`.

        Raises:
            ValueError: The vectors are not finite or of another dimension.
        """
        ...

    @property
    def can_remove(self) -> bool:
        """Whether `remove` works on this kind of index."""
        ...

    def remove(self, rows: NDArray[np.int64]) -> None:
        """Take rows out; those that stay keep their order and are numbered from 0 again.

        Raises:
            ValueError: A row is not there.
            IndexBundleError: This kind of index cannot: build another without these rows.
        """
        ...

    def tuned(self, parameters: Mapping[str, int]) -> IndexBackend:
        """Return the same index with other search parameters; vectors are shared, not copied."""
        ...

    def grid(self) -> dict[str, list[int]]:
        """Return the search parameters that trade recall for time, each from fast to thorough.

        An index that is searched exhaustively has none.
        """
        ...

    def save(self, path: Path) -> None:
        """Write everything to one file."""
        ...


class BackendType(Protocol):
    """How a backend is made."""

    def build(
        self, vectors: Vectors, *, factory: str, seed: int, options: BuildOptions | None = None
    ) -> IndexBackend:
        """Build over ``vectors``, shape (rows, dimension), with the memory, device and engine of ``options``.

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
