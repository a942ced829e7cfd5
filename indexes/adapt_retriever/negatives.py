"""Passages that share a query's words and are not its answer (BM25's hard negatives)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hinterland.core.seeds import generator
from hinterland.indexes.adapt_retriever.documents import Passage
from hinterland.indexes.adapt_retriever.pairs import Pair
from hinterland.indexes.adapt_retriever.settings import NegativeSettings
from hinterland.indexes.adapt_retriever.vectors import Vectors
from hinterland.indexes.lexical import LexicalConfig, LexicalIndex

__all__ = ["Embed", "Mined", "hard_negatives"]

_BLOCK = 256  # pairs searched at a time, so that their rows fit into memory

#: Unit vectors of queries, and of the passages at the given places.
Embed = Callable[[Sequence[str], Sequence[int]], tuple[Vectors, Vectors]]


@dataclass(frozen=True, slots=True)
class Mined:
    """Hard negatives.

    Attributes:
        rows: Passages to each pair, shape (pairs, per_query).
        too_close: Candidates left out because the base encoder may know them as answers.
        drawn: Places that no candidate was left for, filled with a passage drawn at random.
    """

    rows: NDArray[np.int64]
    too_close: int
    drawn: int


def hard_negatives(
    pairs: Sequence[Pair],
    passages: Sequence[Passage],
    settings: NegativeSettings,
    *,
    seed: int,
    embed: Embed | None = None,
    lexical: LexicalConfig | None = None,
) -> Mined:
    """Return for each pair the best passages by BM25 that are of another document.

    Args:
        pairs: Pairs over ``passages``.
        passages: What negatives are taken from; the pairs' own documents never are.
        settings: How many, how deep, and how close to the positive they may be.
        seed: Draws a passage where BM25 finds too few.
        embed: The base encoder; needed where ``settings.margin`` is set. Only passages that are
            in question are embedded.
        lexical: How words are indexed.

    Raises:
        ValueError: All passages are of one document, or the encoder is missing.
    """
    names, documents = np.unique([passage.document for passage in passages], return_inverse=True)
    if len(names) < 2:
        raise ValueError("hard negatives need passages of at least two documents")
    index = LexicalIndex.build([passage.shown for passage in passages], lexical or LexicalConfig())
    candidates = [
        [row for row in found if passages[row].text != passages[pair.passage].text]
        for pair, found in zip(pairs, _of_others(pairs, documents, index, settings.depth), strict=True)
    ]
    too_close = 0
    if settings.margin is not None:
        if embed is None:
            raise ValueError("a margin needs the base encoder")
        candidates, too_close = _far(pairs, candidates, settings.margin, embed)
    drawn, rows = 0, np.zeros((len(pairs), settings.per_query), np.int64)
    for place, pair in enumerate(pairs):
        kept = candidates[place][: settings.per_query]
        missing = settings.per_query - len(kept)
        if missing:
            others = np.flatnonzero(documents != documents[pair.passage])
            kept += generator(seed, "retriever", "negatives", place).choice(others, missing).tolist()
            drawn += missing
        rows[place] = kept
    return Mined(rows, too_close, drawn)


def _of_others(
    pairs: Sequence[Pair], documents: NDArray[np.int64], index: LexicalIndex, depth: int
) -> Iterator[list[int]]:
    """Yield the best rows for each pair that are not of its document, up to ``depth``.

    Looking deeper by as many rows as the document has and dropping its own gives the same rows as
    leaving it out, without a mask over all passages for each pair.
    """
    mine = documents[[pair.passage for pair in pairs]]
    more = int(np.bincount(documents)[mine].max(initial=0))
    for start in range(0, len(pairs), _BLOCK):
        part = slice(start, start + _BLOCK)
        _, found = index.search([pair.query for pair in pairs[part]], depth + more)
        other = (found >= 0) & (documents[found] != mine[part, None])
        yield from (rows[kept][:depth].tolist() for rows, kept in zip(found, other, strict=True))


def _far(
    pairs: Sequence[Pair], candidates: Sequence[Sequence[int]], margin: float, embed: Embed
) -> tuple[list[list[int]], int]:
    """Return the candidates scored at most ``margin`` times the positive, and how many were not."""
    wanted = sorted({pair.passage for pair in pairs}.union(*candidates))
    place = {row: number for number, row in enumerate(wanted)}
    queries, table = embed([pair.query for pair in pairs], wanted)
    far: list[list[int]] = []
    for pair, query, found in zip(pairs, queries, candidates, strict=True):
        bound = margin * float(query @ table[place[pair.passage]])
        far.append([row for row in found if float(query @ table[place[row]]) <= bound])
    return far, sum(map(len, candidates)) - sum(map(len, far))
