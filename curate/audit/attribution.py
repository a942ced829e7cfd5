"""Which filters make a gap between one group and all others, whatever order they run in.

A document that several filters drop is lost once, however many of them there are, and each
filter's part depends on which came before. Averaged over all orders (Shapley 1953) it does
not, and it can be had without going through any order: retention is a mean over documents,
and in a document's own game (lost as soon as one of the filters that drop it has come) every
filter that drops it is equally likely to be the first. So each of d filters has 1/d of the
loss. That is the Shapley value exactly, for any number of filters.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hinterland.core.errors import CorpusError
from hinterland.core.seeds import generator
from hinterland.core.stats import Interval
from hinterland.curate.audit.claims import ALL
from hinterland.curate.audit.groups import Grouping
from hinterland.curate.audit.parts import Attribution, FilterShare
from hinterland.curate.audit.retention import Codes, Design, Floats, interval

__all__ = ["OTHER", "attribute", "order_matters"]

Bools = NDArray[np.bool_]

#: What `ALL` decides beyond its filters: caps, sampling, weights, documents without a word,
#: documents that were let back in.
OTHER = "other rules"
#: Parts of less than this share of documents tell no story.
_SMALL = 0.01


def attribute(
    decisions: Mapping[str, ArrayLike],
    grouping: Grouping,
    clusters: Codes,
    n_clusters: int,
    *,
    supported: Collection[str] = (),
    weight: ArrayLike | None = None,
    seed: int = 0,
    resamples: int = 2000,
    min_documents: int = 30,
) -> tuple[Attribution, ...]:
    """Divide the gap of every ranked group among the filters.

    The gap is the retention of all documents outside the group less that of the group, so a
    part above 0 is what a filter takes from the group more than from the others. The parts
    sum to the gap. A filter that drops nothing has 0, and two that drop the same documents
    have the same part.

    What `ALL` decides otherwise than its filters together stands under `OTHER`, one more
    player: the weights of documents that every filter keeps, those it drops nevertheless,
    and those it keeps though a filter drops them, for which its word is the last. Of
    duplicates, which copy a filter drops depends on the other rules; its part is that of
    the copies dropped.

    Intervals come from the resamples of whole clusters that retention has. Where a filter
    drops nothing (or all) of a group they would show no spread, so the group's part is
    drawn from the Jeffreys posterior: for a filter of as many independent documents as the
    group is worth by the design effect of all others (no fewer than its clusters), for the
    gap of as many as it has clusters, as retention does.

    Args:
        decisions: For each filter which documents it keeps on its own, shape (documents,);
            `ALL` is what they keep together, by default what every filter keeps.
        grouping: The groups.
        clusters: Cluster of each document, shape (documents,).
        n_clusters: How many clusters there are.
        supported: Groups whose gap under `ALL` the audit supports.
        weight: Weights of kept documents, shape (documents,); they count under `ALL`.
        seed: For the resamples.
        resamples: How many.
        min_documents: Smaller groups are not ranked, and have no part here.

    Returns:
        One for each ranked group, in the grouping's order; none where no document is
        outside its group.

    Raises:
        CorpusError: There is no decision, the arrays differ in length, or a kept document's weight
            is negative or missing.
    """
    kept = {name: np.asarray(values, dtype=bool) for name, values in decisions.items()}
    if not kept:
        raise CorpusError("no decision to audit", where="audit", cure="give at least one filter's decisions")
    uneven = [name for name, values in kept.items() if values.shape != (len(grouping),)]
    if uneven:
        raise CorpusError(
            f"decisions of {', '.join(uneven)} do not fit {len(grouping)} documents",
            where="audit",
            cure="give one decision for every document",
        )
    design = Design(
        grouping.codes, grouping.labels, clusters, n_clusters, np.zeros(len(grouping)),
        seed=seed, resamples=resamples, min_documents=min_documents,
    )  # fmt: skip
    ranked = [g for g in range(len(grouping.labels)) if not design.why_not(g)]
    if len(grouping) == 0 or not ranked or design.documents.sum(0).max() == len(grouping):
        return ()
    game = _Game.of(kept, weight)
    gaps = _Gaps(design)
    whole = gaps.of(game.loss, ALL, strict=True)
    shares: dict[int, list[FilterShare]] = {g: [] for g in ranked}
    for name, *losses, share in game.players():
        first, last = (gaps.simple(loss) for loss in losses)
        part = gaps.of(share, name)
        for g in ranked:
            alone, after = float(first[g]), float(last[g])
            swaps = order_matters(alone, after, float(whole.estimate[g]))
            shares[g].append(FilterShare(name, alone, after, part.interval(g), swaps))
    return tuple(
        Attribution(
            grouping.name,
            grouping.labels[g],
            whole.interval(g),
            tuple(sorted(shares[g], key=lambda each: (-abs(each.shapley.estimate), each.filter))),
            grouping.labels[g] in supported,
            "exact",
        )
        for g in ranked
    )


def order_matters(first: float, last: float, gap: float) -> bool:
    """Return whether a filter's part before and after all others tells two stories.

    Both are more than one percentage point, in opposite directions; or they lie more than one
    point apart, and more than half of the largest of the two and the gap.

    >>> order_matters(0.10, 0.02, 0.12), order_matters(0.03, -0.02, 0.30), order_matters(0.1, 0.07, 0.05)
    (True, True, False)
    """
    apart = abs(first - last)
    turns = first * last < 0 and min(abs(first), abs(last)) > _SMALL
    return turns or (apart > _SMALL and apart > max(abs(first), abs(last), abs(gap)) / 2)


@dataclass(frozen=True)
class _Game:
    """Every document's loss, and what each player has of it.

    Attributes:
        kept: What each filter keeps, without `ALL`.
        dropping: How many filters drop each document.
        restored: Documents that `ALL` keeps though a filter drops them.
        other: The loss that `OTHER` decides, 1 less the weight, where it has a say; else 0.
        loss: 1 less what is kept of each document in the end.
    """

    kept: dict[str, Bools]
    dropping: Floats
    restored: Bools
    other: Floats
    loss: Floats

    @classmethod
    def of(cls, kept: dict[str, Bools], weight: ArrayLike | None) -> _Game:
        """Set the game up.

        Raises:
            CorpusError: A kept document's weight is negative or missing.
        """
        filters = {name: kept[name] for name in sorted(set(kept) - {ALL})}
        dropping = np.zeros(len(next(iter(kept.values()))))
        for keeps in filters.values():
            dropping += ~keeps
        passed = dropping == 0
        keep = kept.get(ALL, passed)
        held = keep.astype(np.float64)
        if weight is not None:
            held = np.where(keep, np.asarray(weight, dtype=np.float64), 0.0)
            if not np.all(np.isfinite(held) & (held >= 0)):
                raise CorpusError("a weight is negative or missing", where="audit", cure="weigh again")
        restored = keep & ~passed
        other = np.where(passed | restored, 1.0 - held, 0.0)
        return cls(filters, dropping, restored, other, 1.0 - held)

    def players(self) -> Iterator[tuple[str, Floats, Floats, Floats]]:
        """Yield for each player its loss before all others, after all others, and on average.

        A restored document is lost until `OTHER` comes: a filter bears it in the orders in
        which it comes before `OTHER` and before the d − 1 others that drop it, 1 in d + 1.
        """
        orders = np.maximum(self.dropping + self.restored, 1.0)
        alone = (self.dropping == 1) & ~self.restored
        for name, keeps in self.kept.items():
            drops = (~keeps).astype(np.float64)
            yield name, drops, drops * alone, drops / orders
        if self.other.any() or self.restored.any():
            share = self.other - np.where(self.restored, self.dropping / orders, 0.0)
            yield OTHER, self.other, self.other - self.restored, share


@dataclass(frozen=True)
class _Part:
    """Means by group less those of the rest, with their resamples.

    Attributes:
        estimate: Shape (groups,).
        drawn: Shape (resamples, groups).
        clusters: Clusters of the smaller side, shape (groups,).
    """

    estimate: Floats
    drawn: Floats
    clusters: Codes

    def interval(self, g: int) -> Interval:
        """Return one group's."""
        return interval(float(self.estimate[g]), self.drawn[:, g], int(self.clusters[g]))


class _Gaps:
    """What a design gives of any loss: the mean of each group less that of its rest."""

    def __init__(self, design: Design) -> None:
        self.design = design
        self.n = design.documents.sum(0)
        self.rest = self.n.sum() - self.n
        drawn = design.draws @ design.documents
        self.n_drawn, self.rest_drawn = drawn, drawn.sum(1, keepdims=True) - drawn
        self.inside = design.clusters
        self.outside = np.maximum(design.outside, 1)

    def simple(self, values: Floats) -> Floats:
        """Return the differences without resamples, shape (groups,)."""
        sums = self.design.sums(values).sum(0)
        return _ratio(sums, self.n) - _ratio(sums.sum() - sums, self.rest)

    def of(self, values: Floats, name: str, *, strict: bool = False) -> _Part:
        """Return the differences of a loss, shape (documents,).

        Args:
            values: Each document's loss.
            name: For the random stream.
            strict: Whether a group without spread is worth its clusters, and not more.
        """
        sums = self.design.sums(values)
        drawn = self.design.draws @ sums
        rest_drawn = _ratio(drawn.sum(1, keepdims=True) - drawn, self.rest_drawn)
        drawn = _ratio(drawn, self.n_drawn)
        mean = _ratio(sums.sum(0), self.n)
        rest = _ratio(sums.sum() - sums.sum(0), self.rest)
        if values.any():
            worth, rest_worth = self.inside.astype(np.float64), self.outside.astype(np.float64)
            if not strict:
                worth = np.clip(self.n / _effects(rest_drawn, rest, self.rest), worth, self.n)
                rest_worth = np.clip(self.rest / _effects(drawn, mean, self.n), rest_worth, self.rest)
            self._loosen(drawn, mean, worth, name, "group")
            self._loosen(rest_drawn, rest, rest_worth, name, "rest")
        return _Part(mean - rest, drawn - rest_drawn, np.minimum(self.inside, self.outside))

    def _loosen(self, drawn: Floats, mean: Floats, worth: Floats, *names: str) -> None:
        """Draw a mean of exactly 0 or 1 from what so many independent documents say of it."""
        for g in np.flatnonzero((mean == 0) | (mean == 1)):
            if np.nanmax(np.abs(drawn[:, g] - mean[g]), initial=0.0) > 1e-12:
                continue  # gains and losses that happen to cancel out
            rng = generator(self.design.seed, "audit", "attribution", *names, self.design.labels[int(g)])
            successes = worth[g] * mean[g]
            drawn[:, g] = rng.beta(successes + 0.5, worth[g] - successes + 0.5, size=len(drawn))


def _effects(drawn: Floats, mean: Floats, n: Floats) -> Floats:
    """Return Kish's design effects, shape (groups,); 1 at least, and where there is no spread."""
    with np.errstate(divide="ignore", invalid="ignore"):
        found = drawn.var(axis=0, ddof=1) * n / (mean * (1 - mean))
    return np.where(np.isfinite(found), np.maximum(found, 1.0), 1.0)


def _ratio(part: Floats, whole: Floats) -> Floats:
    """Return part / whole, NaN where the whole is 0."""
    return np.asarray(np.divide(part, whole, out=np.full(part.shape, math.nan), where=whole > 0))
