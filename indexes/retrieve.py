"""The rankings of one version: by vectors and by words, over the live chunks, filters before both.

Chunk i is not row i of the dense index: rows of removed chunks stay there, dead, until compaction.
Everything here speaks of chunks by number; rows are known to this file alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from hinterland.core.errors import IndexBundleError
from hinterland.indexes.backend import IndexBackend, Mask, Vectors
from hinterland.indexes.lexical import LexicalIndex, best_first
from hinterland.indexes.pipeline import Candidates
from hinterland.indexes.unit_vectors import unit_vectors

__all__ = ["Rankings"]

Floats = NDArray[np.float64]
Rows = NDArray[np.int64]

#: Vectors whose mean cosine with a query stands for a passage picked at random.
_SAMPLE = 512


class Rankings:
    """Vectors and words of a version.

    Args:
        backend: The dense index.
        rows: Each chunk's row in it, shape (chunks,).
        lexical: The words of the chunks, if they are indexed.
    """

    def __init__(self, backend: IndexBackend, rows: Rows, lexical: LexicalIndex | None) -> None:
        self.backend, self.lexical, self._rows = backend, lexical, rows
        self._same = len(rows) == backend.size and bool((rows == np.arange(len(rows))).all())
        self._chunk_of = np.full(backend.size, -1, dtype=np.int64)
        self._chunk_of[rows] = np.arange(len(rows))
        self._alive = self._chunk_of >= 0
        self._alive.flags.writeable = False  # a mask that stays is prepared once

    def dense(self, queries: Vectors, k: int, mask: Mask | None) -> tuple[Vectors, Rows]:
        """Return cosines and chunks of the nearest, as `IndexBackend.search`; dead rows never come."""
        if self._same:
            return self.backend.search(queries, k, mask)
        alive = self._alive
        if mask is not None:
            alive = np.zeros(self.backend.size, dtype=np.bool_)
            alive[self._rows[mask]] = True
        scores, rows = self.backend.search(queries, k, alive)
        chunks = np.where(rows >= 0, self._chunk_of[rows], -1)
        # Equal scores in the order of chunks, which need not be that of rows.
        order = np.lexsort((chunks, -scores), axis=1)
        return np.take_along_axis(scores, order, 1), np.take_along_axis(chunks, order, 1)

    def vectors(self, chunks: Rows) -> Vectors:
        """Return chunks' vectors as the index holds them, of length 1, shape (chunks, dimension).

        Raises:
            IndexBundleError: This kind of index cannot give vectors back.
        """
        return unit_vectors(self.backend.reconstruct(self._rows[chunks]))

    @cached_property
    def _sample(self) -> Vectors:
        """The mean of vectors spread evenly over the chunks: its product with a query is the mean cosine.

        Zeros, as if passages picked at random had nothing in common, where there is none to be had.
        """
        spread = np.linspace(0, len(self._rows) - 1, min(_SAMPLE, len(self._rows))).astype(np.int64)
        nothing = np.zeros(self.backend.dimension, np.float32)
        if not len(spread):
            return nothing
        try:
            return np.asarray(self.vectors(np.unique(spread)).mean(axis=0), dtype=np.float32)
        except IndexBundleError:
            return nothing

    def background(self, queries: Vectors) -> Floats:
        """Return each query's mean cosine with a fixed sample of the chunks, shape (queries,)."""
        return np.asarray(queries @ self._sample, dtype=np.float64)

    def _cosines(self, query: Vectors, chunks: Rows, found: Vectors) -> Floats:
        """Return chunks' cosines; where there are no vectors, the least ``found``: they are below it."""
        try:
            return np.asarray(self.vectors(chunks) @ query, dtype=np.float64)
        except IndexBundleError:
            return np.full(len(chunks), float(found.min(initial=0.0)))

    def candidates(
        self,
        queries: Sequence[str],
        vectors: Vectors | None,
        depth: int,
        mask: Mask | None,
        *,
        words: bool,
        complete: bool,
    ) -> list[Candidates]:
        """Return what the rankings find for each query, to ``depth`` in each.

        Args:
            queries: Texts.
            vectors: Their vectors; ``None`` leaves the dense index out.
            depth: How deep each ranking is read.
            mask: Which chunks may be found.
            words: Whether words are searched.
            complete: Compute both scores for all candidates, whichever ranking found them.
        """
        found: list[Candidates] = []
        grounds = np.zeros(len(queries)) if vectors is None else self.background(vectors)
        near = None if vectors is None else self.dense(vectors, depth, mask)
        for number, query in enumerate(queries):
            pieces: list[Rows] = []
            if near is not None:
                cosines, chunks = (each[number] for each in near)
                cosines, chunks = cosines[chunks >= 0], chunks[chunks >= 0]
                pieces.append(chunks)
            if words and self.lexical is not None:
                bm25 = self.lexical.scores(query)
                shared = best_first(bm25, depth, mask)
                pieces.append(shared)
            rows = np.unique(np.concatenate(pieces))
            dense = lexical = None
            if near is not None and vectors is not None:
                dense = np.full(len(rows), np.nan)
                dense[np.searchsorted(rows, chunks)] = cosines
                missing = np.isnan(dense)
                if complete and missing.any():
                    dense[missing] = self._cosines(vectors[number], rows[missing], cosines)
            if words and self.lexical is not None:
                lexical = bm25[rows].astype(np.float64)
                if not complete:
                    lexical[~np.isin(rows, shared)] = np.nan
            found.append(Candidates(rows, dense, lexical, float(grounds[number])))
        return found
