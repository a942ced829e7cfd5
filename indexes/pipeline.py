"""From candidates to the best k: fuse, rerank, apply rules, diversify, cap; one query at a time.

Each step works on arrays over the query's candidates. A score comes with its *floor*: what a passage
that has nothing to do with the query would get (BM25 0; cosines: the mean with a fixed sample of the
index; a cross-encoder's probability 0). Rules multiply **relevance**: (score − floor) / (best − floor),
so that 1 is the best of the query's candidates and 0 a passage picked at random. Without that, a weight
of ½ on cosines of 0.7 and 0.6 would put the best passage behind everything, and what a weight does
would hang on the encoder and on how many candidates there are.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import isnan
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from hinterland.indexes.fusion import fuse, unit_scale
from hinterland.indexes.mmr import diversify
from hinterland.indexes.rules import Caps, Rules
from hinterland.indexes.search_config import SearchConfig

__all__ = ["Candidates", "Ranked", "Reranker", "finish"]

Floats = NDArray[np.float64]
Rows = NDArray[np.int64]


class Reranker(Protocol):
    """Reads query and passages together."""

    def scores(self, query: str, passages: list[str]) -> Floats:
        """Return how well each passage answers the query, 0 to 1."""
        ...


@dataclass(frozen=True)
class Candidates:
    """What the rankings found for one query.

    Attributes:
        rows: Chunks by number, in ascending order.
        dense: Cosines, NaN where not computed; ``None`` where vectors were not searched.
        words: BM25, NaN where not computed; ``None`` where words were not searched.
        background: The query's mean cosine with a sample of the index.
    """

    rows: Rows
    dense: Floats | None
    words: Floats | None
    background: float = 0.0


@dataclass(frozen=True)
class Ranked:
    """The best chunks of one query, best first.

    Attributes:
        rows: Chunks by number, shape (found,).
        parts: Each step's scores, shape (found,), NaN where not computed; the last one ranks.
        capped: Whether a cap kept chunks out that would have filled k.
    """

    rows: Rows
    parts: dict[str, Floats]
    capped: bool = False

    @property
    def score(self) -> Floats:
        """What the chunks are ranked by, shape (found,)."""
        return next(reversed(self.parts.values()), np.zeros(0))

    def parts_by_row(self) -> list[dict[str, float]]:
        """Return each chunk's parts, those that were computed for it."""
        names, columns = list(self.parts), [part.tolist() for part in self.parts.values()]
        lines = zip(*columns, strict=True) if columns else [() for _ in self.rows]
        return [
            {name: value for name, value in zip(names, line, strict=True) if not isnan(value)}
            for line in lines
        ]


def finish(
    query: str,
    found: Candidates,
    k: int,
    config: SearchConfig,
    rules: Rules,
    *,
    passages: Callable[[Rows], list[str]],
    vectors: Callable[[Rows], NDArray[np.float32]],
    reranker: Reranker | None = None,
    wider: int = 1,
    documents: Rows | None = None,
) -> Ranked:
    """Rank a query's candidates by the steps of a config.

    Args:
        query: The query.
        found: Its candidates.
        k: How many to return.
        config: The steps.
        rules: Its rules, worked out for the index.
        passages: Chunks' texts with their titles, for the reranker.
        vectors: Chunks' unit vectors, for diversity.
        reranker: The config's cross-encoder.
        wider: What the depths of reranking and diversity are multiplied by.
        documents: Each chunk's document by number, shape (chunks of the index,): of each document
            its best candidate alone is ranked. ``None`` ranks all candidates.
    """
    rows, parts = found.rows, {}
    score, floor = np.zeros(len(rows)), 0.0
    if found.words is not None:
        parts["bm25"] = score = found.words
    if found.dense is not None:
        score, floor = found.dense, found.background
        parts = {"dense": score, **parts}
    if found.dense is not None and found.words is not None:
        score, floor = fuse(found.dense, found.words, config.fusion, background=floor)
        parts["fused"] = score
    factors = None if rules.factors is None else rules.factors[rows]
    if reranker is not None and config.rerank is not None:
        relevance = unit_scale(score, floor) * (1.0 if factors is None else factors)
        depth = max(config.rerank.depth, k) * wider
        kept = np.sort(_best(relevance if factors is not None else score)[:depth])
        rows, parts = rows[kept], {name: part[kept] for name, part in parts.items()}
        factors = None if factors is None else factors[kept]
        score, floor = reranker.scores(query, passages(rows)), 0.0
        parts["rerank"] = score
    before = score
    if factors is not None:
        parts["rules"] = score = unit_scale(score, floor) * factors
        floor = 0.0
    order = np.lexsort((-before, -score))  # of equal scores the one that was better; else row by row
    if documents is not None:
        order = order[np.sort(np.unique(documents[rows[order]], return_index=True)[1])]
    if config.mmr is None:
        chosen, values = _within(rows[order], k, Caps(rules)), None
    else:
        order = order[: max(config.mmr.depth, k) * wider]
        caps, there = Caps(rules), rows[order]
        chosen, values = diversify(
            unit_scale(score, floor)[order],
            vectors(there),
            k,
            weight=config.mmr.relevance,
            shuts=lambda number: caps.shut(int(there[number]), there),
        )
    best = order[chosen]
    parts = {name: part[best] for name, part in parts.items()}
    if values is not None:
        parts["mmr"] = values
    return Ranked(rows[best], parts, capped=len(chosen) < min(k, len(rows)))


def _best(score: Floats) -> Rows:
    """Return all candidates, best first, equal ones in their order."""
    return np.asarray(np.argsort(-score, kind="stable"))


def _within(rows: Rows, k: int, caps: Caps) -> Rows:
    """Return the places of the first k rows that the caps admit."""
    chosen: list[int] = []
    for place, row in enumerate(rows.tolist()):
        if len(chosen) == k:
            break
        if caps.admits(row):
            caps.take(row)
            chosen.append(place)
    return np.asarray(chosen, dtype=np.int64)
