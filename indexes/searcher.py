"""What answers search through: an index of this library, or any store that can do as much."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from hinterland.indexes.hits import Result

__all__ = ["Allow", "Searcher"]

#: Which documents may be found: their ids, or a mask over the index's rows (`Searcher.mask`).
Allow = Collection[str] | NDArray[np.bool_]


@runtime_checkable
class Searcher(Protocol):
    """Finds passages. How it ranks is its own affair: `Index.using` sets it for an index."""

    @property
    def fingerprint(self) -> str:
        """A hash of all that its results depend on: content, encoder, way of ranking."""
        ...

    def mask(self, allow: Allow) -> NDArray[np.bool_]:
        """Return which passages belong to the allowed documents, shape (passages,).

        Raises:
            ValueError: A mask of another length was given.
            IndexBundleError: The store cannot list what it holds.
        """
        ...

    def search(
        self, queries: Sequence[str], k: int = 10, *, allow: Allow | None = None, where: str | None = None
    ) -> list[Result]:
        """Return the best passages for each query, best first.

        Args:
            queries: Texts.
            k: How many; where fewer come back, the result's note says why.
            allow: Which documents may be found; applied before ranking.
            where: A condition over the passages' columns (`core.expressions`), such as
                ``country == 'KEN'``; applied before ranking, together with ``allow``.

        Raises:
            ConfigError: The condition cannot be read, or names a column that is not there.
        """
        ...
