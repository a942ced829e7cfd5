"""Rank the chunks of an index for queries, deeper where caps leave too few, and say what is missing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from hinterland.core.errors import IndexBundleError
from hinterland.indexes.backend import Mask, Vectors
from hinterland.indexes.pipeline import Ranked, finish
from hinterland.indexes.rerank import CrossEncoderReranker
from hinterland.indexes.retrieve import Rankings
from hinterland.indexes.rules import Rules, compile_rules
from hinterland.indexes.search_config import SearchConfig

__all__ = ["Prepared", "prepare", "rank"]

Rows = NDArray[np.int64]

_WIDER = 4  # times as deep a look where caps leave too few


@dataclass(frozen=True)
class Prepared:
    """A config worked out for an index.

    Attributes:
        how: The config.
        rules: Its rules for each chunk.
        rankings: The index's vectors and words.
        passages: Chunks' texts with their titles.
        reranker: Its cross-encoder, not yet loaded.
    """

    how: SearchConfig
    rules: Rules
    rankings: Rankings
    passages: Callable[[Rows], list[str]]
    reranker: CrossEncoderReranker | None

    @property
    def plain(self) -> bool:
        """Whether the nearest vectors are the answer as they come."""
        how = self.how
        return how.mode == "dense" and not (how.rules or how.rerank or how.mmr)


def prepare(
    how: SearchConfig,
    rankings: Rankings,
    chunks: pa.Table,
    passages: Callable[[Rows], list[str]],
    *,
    where: str,
) -> Prepared:
    """Work a config out for an index.

    Args:
        how: The config.
        rankings: The index's vectors and words.
        chunks: Its chunks.
        passages: Chunks' texts with their titles.
        where: The index's folder, for errors.

    Raises:
        IndexBundleError: Words are to be searched and were not indexed.
        ConfigError: A condition cannot be read, or names a column that is not there.
        ModelSourceError: There is no such cross-encoder.
    """
    if how.mode != "dense" and rankings.lexical is None:
        raise IndexBundleError(
            f"mode {how.mode} needs words, and this index was built without them",
            where=where,
            cure="build it again with bm25, or search with mode: dense",
        )
    reranker = None if how.rerank is None else CrossEncoderReranker(how.rerank)
    return Prepared(how, compile_rules(how.rules, chunks), rankings, passages, reranker)


def rank(
    prepared: Prepared,
    queries: Sequence[str],
    k: int,
    mask: Mask | None,
    *,
    size: int,
    vectors: Vectors | None,
    documents: Rows | None = None,
) -> tuple[list[Ranked], list[str]]:
    """Return the best k chunks for each query, and what is to be said where fewer came back.

    Args:
        prepared: How.
        queries: Texts.
        k: How many.
        mask: Which chunks may be found, shape (size,).
        size: Chunks in the index.
        vectors: The queries' vectors; ``None`` where only words are searched.
        documents: Each chunk's document by number, shape (size,), to rank each document by its best
            chunk alone; ``None`` ranks all chunks.
    """
    pool = size if mask is None else int(mask.sum())
    if prepared.plain and vectors is not None and documents is None:
        scores, rows = prepared.rankings.dense(vectors, k, mask)
        ranked = [
            Ranked(row[row >= 0], {"dense": score[row >= 0].astype(np.float64)})
            for score, row in zip(scores, rows, strict=True)
        ]
    else:
        ranked = _stepwise(prepared, queries, k, mask, pool, vectors, documents)
    limit = "the filter leaves" if mask is not None else "the index holds"
    return ranked, [_note(each, k, pool, limit) for each in ranked]


def _stepwise(
    prepared: Prepared,
    queries: Sequence[str],
    k: int,
    mask: Mask | None,
    pool: int,
    vectors: Vectors | None,
    documents: Rows | None,
) -> list[Ranked]:
    """Go through the steps of the config; again and deeper for queries whose candidates caps used up.

    To return one chunk of each document is such a cap.
    """
    how, rankings = prepared.how, prepared.rankings
    ranked = [Ranked(np.zeros(0, np.int64), {}) for _ in queries]
    left, wider = list(range(len(queries))) if pool else [], 1
    steps = [how.rerank.depth if how.rerank else 1, how.mmr.depth if how.mmr else 1]
    while left:
        depth = max(how.depth, k, *steps) * wider
        candidates = rankings.candidates(
            [queries[number] for number in left],
            None if vectors is None else vectors[left],
            depth,
            mask,
            words=how.mode != "dense",
            complete=how.mode == "hybrid" and how.fusion.method == "convex",
        )
        for number, found in zip(left, candidates, strict=True):
            ranked[number] = finish(
                queries[number],
                found,
                k,
                how,
                prepared.rules,
                passages=prepared.passages,
                vectors=rankings.vectors,
                reranker=prepared.reranker,
                wider=wider,
                documents=documents,
            )
        left = [number for number in left if ranked[number].capped and depth < pool]
        wider *= _WIDER
    return ranked


def _note(found: Ranked, asked: int, pool: int, limit: str) -> str:
    """Return why fewer came back than were asked for; empty if they did not."""
    count = len(found.rows)
    if count >= asked:
        return ""
    if count >= pool:
        reason = f"{limit} {pool} chunks"
    elif found.capped:
        reason = "the rules allow no more of the same sources"
    else:
        reason = "no other chunk shares a word with the query"
    return f"{asked} asked for, {count} found: {reason}"
