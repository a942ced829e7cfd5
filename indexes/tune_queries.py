"""The queries that recall is measured on: a user's own, or chunks of the index.

A chunk that is searched as a query finds itself, so it is left out of what is found and of what
is true. Chunks are longer than questions and lie where the index is dense; recall on them is not
recall on questions, and a user's own queries are better if there are a hundred or more.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hinterland.core.seeds import generator
from hinterland.indexes.backend import Vectors

__all__ = ["Asked", "chunk_queries"]


@dataclass(frozen=True, slots=True)
class Asked:
    """Queries as vectors.

    Attributes:
        kind: ``file`` or ``chunks``.
        vectors: Unit vectors, shape (queries, dimension).
        own: For chunks, which live chunk each one is, shape (queries,).
        origin: Where they come from, for the manifest.
    """

    kind: str
    vectors: Vectors
    own: NDArray[np.int64] | None
    origin: dict[str, Any]

    def __len__(self) -> int:
        return len(self.vectors)

    def pick(self, places: NDArray[np.int64]) -> Asked:
        """Return some of the queries."""
        own = None if self.own is None else self.own[places]
        return Asked(self.kind, np.ascontiguousarray(self.vectors[places]), own, self.origin)

    def halves(self, seed: int) -> tuple[Asked, Asked]:
        """Return two halves, drawn by chance under ``seed``."""
        order = generator(seed, "tune", "halves").permutation(len(self))
        middle = (len(self) + 1) // 2
        return self.pick(np.sort(order[:middle])), self.pick(np.sort(order[middle:]))


def chunk_queries(vectors: Vectors, count: int, seed: int) -> Asked:
    """Return a sample of chunks as queries.

    Args:
        vectors: The live chunks' vectors, shape (chunks, dimension).
        count: How many at most.
        seed: For the sample.
    """
    count = min(count, len(vectors))
    places = np.sort(generator(seed, "tune", "chunks").choice(len(vectors), count, replace=False))
    return Asked("chunks", np.ascontiguousarray(vectors[places]), places, {"kind": "chunks", "seed": seed})
