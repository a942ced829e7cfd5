"""How much of each group is kept, how sure that is, and against whom.

Documents of one country or source are not independent, so whole clusters are resampled
(Field and Welsh 2007), and with few clusters the percentile interval is widened to the
coverage that Student's t would have (Hesterberg 2015, "expanded percentile"). All groups
are measured in the same resamples, so the ratio of two groups has its own interval.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hinterland.core.errors import CorpusError
from hinterland.core.imports import require
from hinterland.core.places import UNKNOWN
from hinterland.core.seeds import generator
from hinterland.core.stats import Interval, cluster_weights
from hinterland.curate.audit.groups import encode

__all__ = ["MIN_CLUSTERS", "Design", "GroupRetention", "Retention", "retention"]

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]

#: Clusters beyond this number are dealt into so many blocks at random before resampling.
#: Blocks of independent clusters are independent, and 2,000 × 4,000 draws take 64 MB.
MAX_BLOCKS = 4000
#: Below so many clusters a group is shown and not ranked: an interval from 2 to 4 clusters
#: rests on the widening alone.
MIN_CLUSTERS = 5
_LEVEL = 0.95


@dataclass(frozen=True, slots=True)
class GroupRetention:
    """What is kept of one group.

    Attributes:
        group: The label.
        documents: How many there are.
        tokens: How many tokens they have.
        kept_documents: How many are kept (the sum of weights where weights are given).
        kept_tokens: Their tokens.
        clusters: Countries or sources that the group's documents come from.
        retention: Kept documents / documents, with its interval.
        token_retention: Kept tokens / tokens.
        design_effect: Variance over that of as many independent documents.
        vs_rest: Retention over that of all documents outside the group.
        vs_best: Retention over that of the best-kept group.
        p_value: Two-sided, of ``vs_rest`` = 1.
        ranked: Whether the group is large enough to be compared.
        why_not: Why it is not.
    """

    group: str
    documents: int
    tokens: int
    kept_documents: float
    kept_tokens: float
    clusters: int
    retention: Interval
    token_retention: Interval
    design_effect: float
    vs_rest: Interval
    vs_best: Interval
    p_value: float
    ranked: bool
    why_not: str = ""


@dataclass(frozen=True, slots=True)
class Retention:
    """One filter's retention over one grouping.

    Attributes:
        groups: In the grouping's order; no group is left out.
        overall: All documents together, as a group named "all".
        best: The best-kept ranked group.
        worst: The worst-kept ranked group.
        pair_p: Two-sided p-value of worst against best, corrected for having been chosen
            among all pairs (max-T over the joint resamples).
    """

    groups: tuple[GroupRetention, ...]
    overall: GroupRetention
    best: str | None
    worst: str | None
    pair_p: float

    def __getitem__(self, group: str) -> GroupRetention:
        return next(row for row in self.groups if row.group == group)


def retention(
    kept: ArrayLike,
    tokens: ArrayLike,
    group: Sequence[str] | NDArray[np.str_],
    cluster: Sequence[str] | NDArray[np.str_],
    weight: ArrayLike | None = None,
    *,
    seed: int = 0,
    resamples: int = 2000,
    min_documents: int = 30,
) -> Retention:
    """Measure retention by group.

    Args:
        kept: Which documents are kept, shape (documents,).
        tokens: Tokens of each document, shape (documents,).
        group: Label of each document, shape (documents,).
        cluster: What is resampled (country, source), shape (documents,).
        weight: Weights of kept documents, shape (documents,); 1 by default.
        seed: For the resamples.
        resamples: How many.
        min_documents: Smaller groups are shown and not ranked.

    Raises:
        CorpusError: The arrays differ in length, or a token count is negative.
    """
    codes, labels = encode(group)
    clusters, names = encode(cluster)
    design = Design(
        codes,
        labels,
        clusters,
        len(names),
        tokens,
        seed=seed,
        resamples=resamples,
        min_documents=min_documents,
    )
    return design.measure(kept, weight)


@lru_cache(maxsize=2)
def _draws(clusters: int, resamples: int, seed: int) -> Floats:
    """Return the resamples' cluster weights; one call serves all filters and groupings."""
    draws = cluster_weights(clusters, resamples=resamples, seed=seed, name="audit")
    draws.setflags(write=False)
    return draws


class Design:
    """What all filters over one grouping share: the codes, the totals and the resamples.

    Args:
        codes: Group of each document as an index into ``labels``, shape (documents,).
        labels: The groups.
        clusters: Cluster of each document, shape (documents,).
        n_clusters: How many clusters there are.
        tokens: Tokens of each document, shape (documents,).
        seed: For the resamples.
        resamples: How many.
        min_documents: Smaller groups are shown and not ranked.

    Raises:
        CorpusError: The arrays differ in length, or a token count is negative.
    """

    def __init__(
        self,
        codes: Codes,
        labels: Sequence[str],
        clusters: Codes,
        n_clusters: int,
        tokens: ArrayLike,
        *,
        seed: int = 0,
        resamples: int = 2000,
        min_documents: int = 30,
    ) -> None:
        self.labels, self.seed, self.resamples = tuple(labels), seed, resamples
        self.min_documents = min_documents
        self.tokens = np.asarray(tokens, dtype=np.float64)
        if not len(codes) == len(clusters) == len(self.tokens):
            raise CorpusError(
                f"{len(codes)} group labels, {len(clusters)} clusters, {len(self.tokens)} token counts",
                where="audit",
                cure="give one of each for every document",
            )
        if self.tokens.size and not self.tokens.min() >= 0:
            raise CorpusError("a token count is negative or missing", where="audit", cure="count them again")
        k, g = max(n_clusters, 1), max(len(self.labels), 1)
        pairs = _distinct(clusters * g + codes)
        self.clusters = np.bincount(pairs % g, minlength=g)[: len(self.labels)]
        owners, groups_of = np.unique(pairs // g, return_counts=True)
        self.n_clusters = len(owners)
        # Clusters (sources, say) can hold several groups; all but those of one group alone count outside it.
        alone = pairs[np.repeat(groups_of == 1, groups_of)] % g
        self.outside = self.n_clusters - np.bincount(alone, minlength=g)[: len(self.labels)]
        if k > MAX_BLOCKS:
            blocks = generator(seed, "audit", "blocks").permutation(k) % MAX_BLOCKS
            clusters, k = blocks[clusters], MAX_BLOCKS
        self._cell, self._shape = clusters * g + codes, (k, g)
        self._used = len(self.labels)
        self.documents = self.sums(None)
        self.token_totals = self.sums(self.tokens)
        self._weights = _draws(k, resamples, seed)

    @property
    def draws(self) -> Floats:
        """How often each block of clusters is drawn, shape (resamples, blocks); not to be written."""
        return self._weights

    @cached_property
    def drawn_totals(self) -> tuple[Floats, Floats]:
        """Documents and tokens of each group in each resample, shape (resamples, groups) each."""
        return self._weights @ self.documents, self._weights @ self.token_totals

    def why_not(self, g: int) -> str:
        """Return why a group is not ranked, "" where it is."""
        if self.labels[g] == UNKNOWN:
            return "unknown, not compared"
        if self.documents[:, g].sum() < self.min_documents:
            return f"fewer than {self.min_documents} documents"
        if self.clusters[g] < MIN_CLUSTERS:
            return f"fewer than {MIN_CLUSTERS} clusters"
        return ""

    def sums(self, values: Floats | None) -> Floats:
        """Return sums over documents by block of clusters and group, shape (blocks, groups).

        Args:
            values: One for each document; counts without them.
        """
        k, g = self._shape
        flat = np.bincount(self._cell, weights=values, minlength=k * g)
        return flat.astype(np.float64).reshape(k, g)[:, : self._used]

    def measure(self, kept: ArrayLike, weight: ArrayLike | None = None) -> Retention:
        """Measure one filter.

        Args:
            kept: Which documents it keeps, shape (documents,).
            weight: Weights of kept documents; 1 by default.

        Raises:
            CorpusError: The arrays do not fit, or a kept document's weight is negative or missing.
        """
        keep = np.asarray(kept, dtype=np.float64)
        if keep.shape != self.tokens.shape:
            raise CorpusError(
                f"{len(keep)} decisions for {len(self.tokens)} documents", where="audit", cure="decide again"
            )
        if weight is not None:
            share = np.where(keep > 0, np.asarray(weight, dtype=np.float64), 0.0)
            if not np.all(np.isfinite(share) & (share >= 0)):
                raise CorpusError("a weight is negative or missing", where="audit", cure="weigh again")
            keep = share
        kept_documents, kept_tokens = self.sums(keep), self.sums(keep * self.tokens)
        return _Measured(self, kept_documents, kept_tokens).result()


class _Measured:
    """The estimates and resamples of one filter over one design."""

    def __init__(self, design: Design, kept_documents: Floats, kept_tokens: Floats) -> None:
        self.design = design
        self.n, self.t = design.documents.sum(0), design.token_totals.sum(0)
        self.k, self.kt = kept_documents.sum(0), kept_tokens.sum(0)
        draws, (n, t) = design._weights, design.drawn_totals
        # (resamples, clusters) @ (clusters, groups): all groups in the same resamples.
        k, kt = draws @ kept_documents, draws @ kept_tokens
        self.rate = _ratio(self.k, self.n)
        self.token_rate = _ratio(self.kt, self.t)
        self.rest = _ratio(self.k.sum() - self.k, self.n.sum() - self.n)
        self.all = _ratio(self.k.sum(keepdims=True), self.n.sum(keepdims=True))
        self.token_all = _ratio(self.kt.sum(keepdims=True), self.t.sum(keepdims=True))
        self.drawn = _ratio(k, n)
        self.token_drawn = _ratio(kt, t)
        self.rest_drawn = _ratio(k.sum(1, keepdims=True) - k, n.sum(1, keepdims=True) - n)
        self.all_drawn = _ratio(k.sum(1, keepdims=True), n.sum(1, keepdims=True))
        self.token_all_drawn = _ratio(kt.sum(1, keepdims=True), t.sum(1, keepdims=True))
        self.variance = np.array([_variance(self.drawn[:, g]) for g in range(len(self.n))])
        clusters, outside = design.clusters, design.n_clusters
        one = np.array([outside])
        self._loosen(self.drawn, self.rate, clusters, "group")
        self._loosen(self.token_drawn, self.token_rate, clusters, "token")
        self._loosen(self.rest_drawn, self.rest, np.full(len(clusters), max(outside - 1, 1)), "rest")
        self._loosen(self.all_drawn, self.all, one, "all")
        self._loosen(self.token_all_drawn, self.token_all, one, "token-all")

    def _loosen(self, drawn: Floats, rate: Floats, clusters: NDArray[np.int64], name: str) -> None:
        """Give groups of which all or none is kept a spread; resampling alone shows none.

        Their resamples are drawn from the Jeffreys posterior of as many independent
        documents as the group has clusters: what is known if documents of a cluster are alike.
        """
        for g in np.flatnonzero((rate == 0) | (rate == 1)):
            if np.nanmax(np.abs(drawn[:, g] - rate[g]), initial=0.0) > 1e-12:
                continue  # weights that happen to sum to the documents
            successes = clusters[g] * rate[g]
            rng = generator(self.design.seed, "audit", "boundary", name, self._label(int(g)))
            drawn[:, g] = rng.beta(successes + 0.5, clusters[g] - successes + 0.5, size=len(drawn))

    def _label(self, g: int) -> str:
        return self.design.labels[g] if g < len(self.design.labels) else "all"

    def result(self) -> Retention:
        """Return the groups, the best and worst of them, and the test between the two."""
        design = self.design
        why = [design.why_not(g) for g in range(len(self.n))]
        ranked = [g for g, reason in enumerate(why) if not reason]
        best = max(ranked, key=lambda g: (self.rate[g], -g)) if ranked else None
        worst = min(ranked, key=lambda g: (self.rate[g], g)) if ranked else None
        rows = tuple(self._row(g, best, why[g]) for g in range(len(self.n)))
        everything = GroupRetention(
            "all",
            int(self.n.sum()),
            int(self.t.sum()),
            float(self.k.sum()),
            float(self.kt.sum()),
            design.n_clusters,
            interval(float(self.all[0]), self.all_drawn[:, 0], design.n_clusters),
            interval(float(self.token_all[0]), self.token_all_drawn[:, 0], design.n_clusters),
            _effect(_variance(self.all_drawn[:, 0]), float(self.all[0]), float(self.n.sum())),
            *(Interval(1.0, math.nan, math.nan),) * 2,
            math.nan,
            ranked=True,
        )
        if best is None or worst is None or self.rate[worst] >= self.rate[best]:
            return Retention(rows, everything, None, None, math.nan)
        labels = design.labels
        return Retention(rows, everything, labels[best], labels[worst], self._pair_p(worst, best, ranked))

    def _row(self, g: int, best: int | None, why_not: str) -> GroupRetention:
        design = self.design
        m = int(design.clusters[g])
        fewest = min(m, int(design.outside[g]) or design.n_clusters)
        rest = _ratio(self.drawn[:, g], self.rest_drawn[:, g])
        vs_rest = interval(float(_ratio(self.rate[g], self.rest[g])), rest, fewest)
        vs_best = Interval(math.nan, math.nan, math.nan)
        if best == g:
            vs_best = Interval(1.0, 1.0, 1.0)
        elif best is not None:
            drawn = _ratio(self.drawn[:, g], self.drawn[:, best])
            both = min(m, int(design.clusters[best]))
            vs_best = interval(float(_ratio(self.rate[g], self.rate[best])), drawn, both)
        rate = float(self.rate[g])
        return GroupRetention(
            design.labels[g],
            int(self.n[g]),
            int(self.t[g]),
            float(self.k[g]),
            float(self.kt[g]),
            m,
            interval(rate, self.drawn[:, g], m),
            interval(float(self.token_rate[g]), self.token_drawn[:, g], m),
            _effect(float(self.variance[g]), rate, float(self.n[g])) if m > 1 else math.nan,
            vs_rest,
            vs_best,
            self._p_value(g, fewest),
            not why_not,
            why_not,
        )

    def _pair_p(self, worst: int, best: int, ranked: list[int]) -> float:
        """Return the p-value of the widest pair among all pairs of ranked groups."""
        drawn, rate = self.drawn[:, ranked], self.rate[ranked]
        clusters, n = self.design.clusters[ranked], self.n[ranked]
        low, high = sorted((ranked.index(worst), ranked.index(best)))
        largest, seen = np.zeros(len(drawn)), math.nan
        for i in range(len(ranked) - 1):  # one group against all later ones, to bound the memory
            apart = drawn[:, i, None] - drawn[:, i + 1 :]
            spread = np.fmax(np.nanstd(apart, axis=0, ddof=1), self._floor(n[i], n[i + 1 :]))
            spread = np.where(spread > 0, spread, np.nan)
            centred = np.abs(apart - (rate[i] - rate[i + 1 :])) / spread
            largest = np.fmax(largest, np.fmax.reduce(centred, axis=1))
            if i == low:
                # Few clusters vary more than resampling shows: widen as the intervals are.
                wider = _widening(int(min(clusters[low], clusters[high])))
                seen = abs(rate[low] - rate[high]) / (spread[high - low - 1] * wider)
        return float((1 + np.sum(largest >= seen)) / (1 + len(largest))) if math.isfinite(seen) else math.nan

    def _floor(self, n: ArrayLike, others: ArrayLike) -> Floats:
        """Return the standard error of a difference if all documents were independent.

        A few clusters can look more alike than chance allows; a test never rests on that.
        """
        rate = float(self.all[0])
        spread = max(rate * (1 - rate), 0.0)
        a, b = np.asarray(n, dtype=np.float64), np.asarray(others, dtype=np.float64)
        return np.asarray(np.sqrt(spread / np.maximum(a, 1) + spread / np.maximum(b, 1)))

    def _p_value(self, g: int, clusters: int) -> float:
        """Return the two-sided p-value of a group kept as all others are, by Student's t.

        The test is on the difference, which stays regular where nothing is kept.
        """
        apart = self.drawn[:, g] - self.rest_drawn[:, g]
        spread = math.sqrt(_variance(apart)) if clusters > 1 else math.nan
        spread = max(
            spread * math.sqrt(clusters / max(clusters - 1, 1)),
            float(self._floor(self.n[g], self.n.sum() - self.n[g])),
        )
        difference = float(self.rate[g] - self.rest[g])
        if clusters < 2 or not math.isfinite(spread + difference) or not self.all[0] > 0:
            return math.nan
        if spread == 0:
            return 1.0 if difference == 0 else math.nan
        special = require("scipy.special", cure="pip install scipy")
        return float(2 * special.stdtr(clusters - 1, -abs(difference) / spread))


def _distinct(values: Codes) -> Codes:
    """Return the distinct values in order, by sorting: far faster than hashing where most differ."""
    ordered = np.sort(values)
    return ordered[np.flatnonzero(np.diff(ordered, prepend=-1))]


def _ratio(part: ArrayLike, whole: ArrayLike) -> Floats:
    """Return part / whole, NaN where the whole is 0."""
    a, b = np.asarray(part, dtype=np.float64), np.asarray(whole, dtype=np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.where(b > 0, a / np.where(b > 0, b, 1.0), np.nan))


def _variance(values: Floats) -> float:
    finite = values[np.isfinite(values)]
    return float(finite.var(ddof=1)) if finite.size > 1 else math.nan


def _effect(variance: float, rate: float, documents: float) -> float:
    """Return Kish's design effect, NaN where all or none is kept."""
    if not 0 < rate < 1 or documents < 2:
        return math.nan
    return variance / (rate * (1 - rate) / documents)


@lru_cache(maxsize=4096)
def _tail(clusters: int) -> float:
    """Return the percentile that gives Student's coverage (Hesterberg 2015, section 5.3)."""
    special = require("scipy.special", cure="pip install scipy")
    df = clusters - 1
    t = special.stdtrit(df, (1 - _LEVEL) / 2)
    return float(special.ndtr(math.sqrt(clusters / df) * t))


def _widening(clusters: int) -> float:
    """Return how much wider than the normal one an interval from so many clusters is."""
    special = require("scipy.special", cure="pip install scipy")
    return float(special.ndtri(_tail(clusters)) / special.ndtri((1 - _LEVEL) / 2))


def interval(estimate: float, drawn: Floats, clusters: int) -> Interval:
    """Return the expanded percentile interval; without bounds where there is one cluster.

    Args:
        estimate: The value in the data.
        drawn: The same in the resamples, shape (resamples,).
        clusters: How many clusters it rests on.
    """
    finite = drawn[np.isfinite(drawn)]
    if clusters < 2 or not finite.size or not math.isfinite(estimate):
        return Interval(estimate, math.nan, math.nan, _LEVEL)
    low, high = np.quantile(finite, [_tail(clusters), 1 - _tail(clusters)])
    return Interval(estimate, float(min(low, estimate)), float(max(high, estimate)), _LEVEL)
