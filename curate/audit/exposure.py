"""Who is retrieved and cited: groups' shares of results, against the corpus and what is relevant.

The share is that of all places among the first k results, each place alike: what a reader who
goes through k results sees. With ``position_weighted``, a place at rank r counts 1 / log₂(1 + r),
for readers who mostly look at the first ones (Singh and Joachims 2018, "Fairness of exposure
in rankings", section 3).
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from hinterland.core.errors import CorpusError
from hinterland.core.stats import Interval
from hinterland.curate.audit.groups import Grouping
from hinterland.curate.audit.parts import NONE, Exposure, ExposureRow
from hinterland.curate.audit.retention import Design, interval
from hinterland.curate.audit.shares import ratio, scaled, share_interval

__all__ = ["exposure_of"]

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]


@dataclass(frozen=True)
class _Places:
    """Places that documents of the corpus have in lists, one for each query.

    Attributes:
        query: The list of each place, shape (places,).
        row: The document's row in the corpus, shape (places,).
        rank: 1 is the first place, shape (places,).
        strange: Places of documents that the corpus does not have.
        repeated: Places of a document that stands in the same list before.
        empty: Lists without a place.
    """

    query: Codes
    row: Codes
    rank: Codes
    strange: int
    repeated: int
    empty: int


def _places(lists: Sequence[Collection[str]], ids: pa.Array, k: int | None) -> _Places:
    """Look up the first k different documents of each list; all where ``k`` is ``None``."""
    lengths = np.array([len(each) for each in lists], dtype=np.int64)
    query = np.repeat(np.arange(len(lists)), lengths)
    flat = pa.array(chain.from_iterable(lists), type=pa.string()).dictionary_encode()
    codes = flat.indices.to_numpy(zero_copy_only=False).astype(np.int64)
    found = pc.index_in(flat.dictionary, value_set=ids).fill_null(-1).to_numpy(zero_copy_only=False)
    _, first = np.unique(query * max(len(flat.dictionary), 1) + codes, return_index=True)
    first = np.sort(first)
    repeated, query, codes = len(codes) - len(first), query[first], codes[first]
    starts = np.searchsorted(query, np.arange(len(lists)))
    rank = np.arange(len(query)) - starts[query] + 1
    shown = rank <= (k if k is not None else len(query))
    query, rank, row = query[shown], rank[shown], found.astype(np.int64)[codes[shown]]
    there = row >= 0
    return _Places(
        query[there],
        row[there],
        rank[there],
        int((~there).sum()),
        repeated,
        int((lengths == 0).sum()),
    )


def exposure_of(
    results: Sequence[Sequence[str]],
    ids: Sequence[str] | pa.Array | pa.ChunkedArray,
    grouping: Grouping,
    *,
    k: int = 10,
    relevant: Sequence[Collection[str]] | None = None,
    cited: Sequence[Sequence[str]] | None = None,
    position_weighted: bool = False,
    seed: int = 0,
    resamples: int = 2000,
) -> Exposure:
    """Return each group's share of the results and citations, with intervals over queries.

    All shares are among documents of the corpus in a known group; what is left out is counted
    in the note. A document that stands twice in one list counts at its first place.

    Args:
        results: Ids of the documents found for each query, best first.
        ids: Ids of the corpus' documents, shape (documents,).
        grouping: Of the corpus' documents.
        k: How many results are looked at.
        relevant: Ids of the documents that are relevant to each query.
        cited: Ids of the documents cited in the answer to each query; all of them count.
        position_weighted: Let a place at rank r count 1 / log₂(1 + r).
        seed: For the resamples.
        resamples: How many.

    Raises:
        CorpusError: There is no query, the lists differ in number, or no result is in the corpus.
    """
    _check(results, grouping, ids, k, {"relevant": relevant, "cited": cited})
    known_ids = _array(ids)
    found = _places(results, known_ids, k)
    if not len(found.row):
        raise CorpusError(
            "none of the results is a document of the corpus" if found.strange else "no query has a result",
            where="audit exposure",
            cure="give results of an index of this corpus, with its document ids",
        )
    known = [g for g, label in enumerate(grouping.labels) if label != grouping.unknown]
    made = _Exposed(grouping, known, len(results), seed, resamples)
    weights = 1 / np.log2(1 + found.rank) if position_weighted else np.ones(len(found.rank))
    retrieved = made.shares(found, weights)
    cites = made.shares(_places(cited, known_ids, None)) if cited is not None else None
    judged = made.shares(_places(relevant, known_ids, None)) if relevant is not None else None
    corpus = np.bincount(grouping.codes, minlength=len(grouping.labels))[known].astype(np.float64)
    corpus = ratio(corpus, corpus.sum(keepdims=True))
    rows = [
        ExposureRow(
            grouping.labels[code],
            float(corpus[g]),
            retrieved.interval(g),
            cites.interval(g) if cites else NONE,
            float(judged.share[g]) if judged else math.nan,
            scaled(retrieved.interval(g), float(corpus[g])),
            _over(retrieved, judged, g) if judged else NONE,
        )
        for g, code in enumerate(known)
    ]
    note = _note(found, retrieved, cites, judged, k, position_weighted)
    return Exposure(grouping.name, len(results), k, tuple(rows), note)


def _check(
    results: Sequence[Sequence[str]],
    grouping: Grouping,
    ids: Sequence[str] | pa.Array | pa.ChunkedArray,
    k: int,
    others: dict[str, Sequence[Collection[str]] | None],
) -> None:
    if k < 1:
        raise CorpusError(f"k is {k}", where="audit exposure", cure="look at 1 result or more")
    if not results:
        raise CorpusError("no query", where="audit exposure", cure="give results for at least one")
    if len(ids) != len(grouping):
        raise CorpusError(
            f"{len(ids)} ids, {len(grouping)} group labels", where="audit exposure", cure="give one of each"
        )
    for name, each in others.items():
        if each is not None and len(each) != len(results):
            raise CorpusError(
                f"{len(results)} lists of results, {len(each)} of {name} documents",
                where="audit exposure",
                cure="give one for every query, empty where there is none",
            )


def _array(ids: Sequence[str] | pa.Array | pa.ChunkedArray) -> pa.Array:
    array = ids.combine_chunks() if isinstance(ids, pa.ChunkedArray) else ids
    return (array if isinstance(array, pa.Array) else pa.array(array, type=pa.string())).cast(pa.string())


class _Shared:
    """Groups' shares of some places, in the data and in the resamples of queries."""

    def __init__(self, places: _Places, design: Design) -> None:
        self.places, self.design = places, design
        totals = design.token_totals
        whole, drawn = totals.sum(axis=0), design.draws @ totals
        self.share = ratio(whole, whole.sum(keepdims=True))
        self.drawn = ratio(drawn, drawn.sum(axis=1, keepdims=True))

    def interval(self, g: int) -> Interval:
        """Return a group's share with its interval."""
        queries, outside = int(self.design.clusters[g]), int(self.design.outside[g])
        overall = self.design.n_clusters
        return share_interval(float(self.share[g]), self.drawn[:, g], queries, overall, outside)


class _Exposed:
    """Makes shares of places, over the same resamples of queries."""

    def __init__(
        self, grouping: Grouping, known: Sequence[int], queries: int, seed: int, resamples: int
    ) -> None:
        self.labels = [grouping.labels[code] for code in known]
        self.group = np.full(max(len(grouping.labels), 1), -1, dtype=np.int64)
        self.group[list(known)] = np.arange(len(known))
        self.codes, self.queries, self.seed, self.resamples = grouping.codes, queries, seed, resamples

    def shares(self, places: _Places, weights: Floats | None = None) -> _Shared:
        """Return the shares of places by group; places of unknown group are left out."""
        group = self.group[self.codes[places.row]]
        there = group >= 0
        weights = np.ones(len(group)) if weights is None else weights
        design = Design(
            group[there], self.labels, places.query[there], self.queries, weights[there],
            seed=self.seed, resamples=self.resamples,
        )  # fmt: skip
        return _Shared(places, design)


def _over(retrieved: _Shared, judged: _Shared, g: int) -> Interval:
    """Return the share retrieved over the share of the relevant documents, both resampled together."""
    share, of_relevant = float(retrieved.share[g]), float(judged.share[g])
    if not of_relevant > 0:
        return NONE
    if share in (0.0, 1.0):
        return scaled(retrieved.interval(g), of_relevant)
    fewest = min(int(retrieved.design.clusters[g]), int(judged.design.clusters[g]))
    drawn = ratio(retrieved.drawn[:, g], judged.drawn[:, g])
    return interval(share / of_relevant, drawn, max(fewest, 2) if retrieved.design.n_clusters > 1 else 1)


def _note(
    found: _Places, retrieved: _Shared, cites: _Shared | None, judged: _Shared | None, k: int, weighted: bool
) -> str:
    """Return what was left out."""
    counted = [
        (found.empty, "queries have no result"),
        (found.strange, "results are not in the corpus"),
        (found.repeated, "results repeat a document of the same query and were counted once"),
        (len(found.row) - len(retrieved.design.tokens), "results are of documents without a group"),
    ]
    if cites is not None:
        placed = len(cites.design.tokens)
        counted += [
            (cites.places.empty, "queries have no citation"),
            (cites.places.strange, "citations are not in the corpus"),
            (len(cites.places.row) - placed, "citations are of documents without a group"),
        ]
    if judged is not None:
        placed = len(judged.design.tokens)
        counted += [
            (judged.places.empty, "queries have no relevant document"),
            (judged.places.strange, "relevant documents are not in the corpus"),
            (len(judged.places.row) - placed, "relevant documents have no group"),
        ]
    how = f"Shares are of the first {k} results"
    how += ", a place at rank r counted 1 / log2(1 + r)." if weighted else ", each place counted alike."
    said = "; ".join(f"{number:,} {what}" for number, what in counted if number)
    return f"{how} {said[0].upper() + said[1:]}." if said else how
