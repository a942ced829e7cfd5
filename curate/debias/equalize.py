"""Even out what is kept of each group, by thresholds that depend on the group.

The idea is the group-conditional threshold of fair classification (Hardt, Price and
Srebro 2016), here for demographic parity of retention: within a group, documents stand
in one order (kept ones by quality, then dropped ones by how far they fail), and each
group keeps a first part of that order.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hinterland.core.errors import ConfigError, CorpusError
from hinterland.core.places import UNKNOWN
from hinterland.curate.audit.groups import Grouping, encode
from hinterland.curate.debias.result import Cost, GroupChange, Result

__all__ = ["Mode", "equalize", "worst_disparity"]

Mode = Literal["readmit", "budget"]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Codes = NDArray[np.int64]

#: Rounding of counts: a target of 0.95 × 0.8 × 100 documents is 76, whatever floats say.
_SLACK = 1e-9


def equalize(
    severity: ArrayLike,
    kept: ArrayLike,
    group: Grouping | Sequence[str] | NDArray[np.str_],
    tokens: ArrayLike,
    *,
    mode: Mode = "readmit",
    disparity: float = 0.95,
    target: float | None = None,
    quality: ArrayLike | None = None,
    locked_out: ArrayLike | None = None,
    ids: Sequence[str] | NDArray[np.str_] | None = None,
    max_severity: float = math.inf,
    min_documents: int = 30,
    exempt: Sequence[str] = (UNKNOWN,),
) -> Result:
    """Bring every group's share of documents kept to within ``disparity`` of the best-kept one's.

    ``readmit`` drops nothing: worse-kept groups get their least severe documents back.
    ``budget`` keeps the tokens as they are in total (less at most one document's): the
    best-kept groups lose their worst documents by quality to pay for what others get back.

    Args:
        severity: How far a document fails the rules, shape (documents,); 0 passes. NaN is
            never readmitted.
        kept: Which documents are kept now, shape (documents,).
        group: Label of each document, shape (documents,).
        tokens: Tokens of each document, shape (documents,).
        mode: "readmit" or "budget".
        disparity: The least share of the best-kept group's retention, above 0, at most 1.
        target: Readmit up to this retention (0 to 1) instead of relative to the best-kept group.
        quality: Higher is better; decides what "budget" drops first. Severity by default.
        locked_out: Documents that never come back (exact duplicates, empty ones).
        ids: Break ties, shape (documents,); the position does by default.
        max_severity: The worst that may come back.
        min_documents: A smaller group is raised, but is no model for others.
        exempt: Groups that stay as they are.

    Raises:
        ConfigError: ``disparity`` or ``target`` is out of range, or both modes are asked for.
        CorpusError: The arrays differ in length, or tokens are negative or missing.
    """
    _check_settings(mode, disparity, target)
    codes, labels = (group.codes, group.labels) if isinstance(group, Grouping) else encode(group)
    held = np.asarray(kept, dtype=bool)
    harm, cost = np.asarray(severity, dtype=np.float64), np.asarray(tokens, dtype=np.float64)
    locked = np.zeros(len(held), bool) if locked_out is None else np.asarray(locked_out, dtype=bool)
    worth = None if quality is None else np.asarray(quality, dtype=np.float64)
    names = np.arange(len(held)) if ids is None else np.asarray(ids)
    _check_lengths(held, harm, cost, locked, codes, names, *(() if worth is None else (worth,)))
    available = ~held & ~locked & np.isfinite(harm) & (harm <= max_severity)
    rank = _order(held, available, harm, worth, names, codes)
    counts = _Counts(codes, held, available, len(labels), labels, exempt, min_documents)
    if mode == "readmit":
        goal = disparity * counts.best() if target is None else target
        keep = held | (available & (rank < counts.needed(goal)[codes]))
    else:
        goal, keep = _budget(counts, codes, held, available, rank, cost, disparity)
    return _result(counts, codes, held, keep, harm, cost, worth, locked, goal, mode)


def worst_disparity(
    kept: ArrayLike,
    group: Grouping | Sequence[str] | NDArray[np.str_],
    *,
    min_documents: int = 30,
    exempt: Sequence[str] = (UNKNOWN,),
) -> float:
    """Return the worst-kept group's retention over the best-kept one's; NaN with fewer than two.

    Args:
        kept: Which documents are kept, shape (documents,).
        group: Label of each document, shape (documents,).
        min_documents: Smaller groups do not count.
        exempt: Groups that do not count.
    """
    codes, labels = (group.codes, group.labels) if isinstance(group, Grouping) else encode(group)
    held = np.asarray(kept, dtype=bool)
    none = np.zeros(len(held), bool)
    return _Counts(codes, held, none, len(labels), labels, exempt, min_documents).disparity(held, codes)


def _check_settings(mode: str, disparity: float, target: float | None) -> None:
    if mode not in ("readmit", "budget"):
        raise ConfigError(f"unknown mode {mode!r}", where="debias", cure="use readmit or budget")
    if not 0 < disparity <= 1:
        raise ConfigError(
            f"disparity is {disparity}", where="debias", cure="give a number above 0, at most 1"
        )
    if target is not None and (not 0 <= target <= 1 or mode == "budget"):
        raise ConfigError(
            f"target is {target} with mode {mode}",
            where="debias",
            cure="give a retention from 0 to 1 with mode readmit; the budget sets its own",
        )


def _check_lengths(held: Bools, harm: Floats, cost: Floats, *others: NDArray[np.generic]) -> None:
    lengths = {len(held), len(harm), len(cost), *(len(other) for other in others)}
    if len(lengths) > 1:
        raise CorpusError(
            f"the columns have different lengths: {sorted(lengths)}", where="debias", cure="give one each"
        )
    if cost.size and not cost.min() >= 0:
        raise CorpusError("a token count is negative or missing", where="debias", cure="count them again")


def _order(
    held: Bools,
    available: Bools,
    harm: Floats,
    worth: Floats | None,
    names: NDArray[np.generic],
    codes: Codes,
) -> Codes:
    """Return each document's place in its group: kept ones, then those that may come back, then the rest.

    Kept ones stand by quality, the best first; the others by severity. Ties go by id.
    """
    part = np.where(held, 0, np.where(available, 1, 2))
    better = np.zeros(len(held)) if worth is None else -np.where(np.isfinite(worth), worth, -np.inf)
    by = np.where(held, better if worth is not None else harm, np.where(np.isfinite(harm), harm, np.inf))
    ties = np.unique(names, return_inverse=True)[1]
    order = np.lexsort((ties, by, part, codes))
    starts = np.searchsorted(codes[order], np.arange(codes.max(initial=-1) + 1))
    rank = np.empty(len(held), dtype=np.int64)
    rank[order] = np.arange(len(held)) - starts[codes[order]]
    return rank


class _Counts:
    """Documents, kept and readmittable ones by group, and which groups count."""

    def __init__(
        self,
        codes: Codes,
        held: Bools,
        available: Bools,
        groups: int,
        labels: Sequence[str],
        exempt: Sequence[str],
        min_documents: int,
    ) -> None:
        self.labels = tuple(labels)
        self.n = np.bincount(codes, minlength=groups)
        self.kept = np.bincount(codes[held], minlength=groups)
        self.available = np.bincount(codes[available], minlength=groups)
        self.fixed = np.array([label in exempt for label in labels], dtype=bool)
        self.counts = ~self.fixed & (self.n >= max(min_documents, 1))

    def best(self) -> float:
        """Return the best-kept group's retention; 0 where no group is large enough."""
        return float((self.kept[self.counts] / self.n[self.counts]).max(initial=0.0))

    def needed(self, goal: float) -> Codes:
        """Return how many documents each group must keep to reach the goal, at least what it keeps."""
        least = np.ceil(goal * self.n - _SLACK).astype(np.int64)
        return np.where(self.fixed, self.kept, np.maximum(self.kept, least))

    def disparity(self, keep: Bools, codes: Codes) -> float:
        """Return the worst over the best retention among the groups that count."""
        rates = np.bincount(codes[keep], minlength=len(self.n))[self.counts] / self.n[self.counts]
        return float(rates.min() / rates.max()) if rates.size > 1 and rates.max() > 0 else math.nan


def _budget(
    counts: _Counts, codes: Codes, held: Bools, available: Bools, rank: Codes, cost: Floats, disparity: float
) -> tuple[float, Bools]:
    """Raise a common level until the tokens are spent: each document comes in at a level of its own.

    At level r a group keeps at least ``disparity × r`` of its documents, and no more than
    r of them unless it must. The k-th of n documents is therefore in from r = (k − 1) /
    (disparity × n), and one that is kept now from r = k / n, if that is lower. Coming in by
    level, in one order over all groups, the documents fill the budget to within one.
    """
    n = np.maximum(counts.n[codes], 1)
    level = rank / (disparity * n)
    level = np.where(held, np.minimum(level, (rank + 1) / n), level)
    # Small groups are raised and never cut; exempt ones stay.
    small = held & ~counts.counts[codes]
    level = np.where(small, -1.0, level)
    open_to = (held | available) & ~(counts.fixed[codes] & ~held)
    order = np.flatnonzero(open_to)
    order = order[np.lexsort((codes[order], rank[order], level[order]))]
    spent, budget = np.cumsum(cost[order]), float(cost[held].sum())
    take = int(np.searchsorted(spent, budget * (1 + 1e-12), side="right"))
    keep = np.zeros(len(held), dtype=bool)
    keep[order[:take]] = True
    reached = float(level[order[take]]) if take < len(order) else float(level[order].max(initial=0.0))
    return disparity * min(reached, 1.0), keep


def _result(
    counts: _Counts,
    codes: Codes,
    held: Bools,
    keep: Bools,
    harm: Floats,
    cost: Floats,
    worth: Floats | None,
    locked: Bools,
    goal: float,
    mode: Mode,
) -> Result:
    groups = len(counts.n)
    after = np.bincount(codes[keep], minlength=groups)
    readmitted = np.bincount(codes[keep & ~held], minlength=groups)
    barred = np.bincount(codes[locked & ~held], minlength=groups)
    back = keep & ~held
    bounds = np.zeros(groups)
    np.maximum.at(bounds, codes[back], harm[back])
    changes, unmet = {}, {}
    for g, label in enumerate(counts.labels):
        short = math.ceil(goal * counts.n[g] - _SLACK) - int(after[g])
        if short > 0 and not counts.fixed[g] and counts.n[g]:
            others = int(counts.n[g] - counts.kept[g] - counts.available[g] - barred[g])
            unmet[label] = (
                f"{short} more documents needed for {goal:.1%}; of {counts.n[g] - counts.kept[g]} dropped,"
                f" {counts.available[g]} could come back, {barred[g]} are locked out"
                + (f", {others} are too severe or unscored" if others else "")
            )
        changes[label] = GroupChange(
            documents=int(counts.n[g]),
            kept_before=int(counts.kept[g]),
            kept_after=int(after[g]),
            readmitted=int(readmitted[g]),
            removed=int(counts.kept[g] + readmitted[g] - after[g]),
            threshold=float(bounds[g]),
        )
    before_tokens, lost = float(cost[held].sum()), float(cost[held & ~keep].sum())
    return Result(
        keep=keep,
        weight=keep.astype(np.float64),
        mode=mode,
        target=goal,
        groups=changes,
        unmet=unmet,
        cost=Cost(
            tokens_before=int(before_tokens),
            tokens_after=int(cost[keep].sum()),
            tokens_added=int(cost[back].sum()),
            tokens_removed=int(lost),
            share_lost=lost / before_tokens if before_tokens else 0.0,
            documents_readmitted=int(back.sum()),
            documents_removed=int((held & ~keep).sum()),
            quality_before=_mean(worth, held),
            quality_after=_mean(worth, keep),
            worst_disparity_before=counts.disparity(held, codes),
            worst_disparity_after=counts.disparity(keep, codes),
        ),
    )


def _mean(worth: Floats | None, chosen: Bools) -> float:
    """Return the mean quality of the chosen documents that have one."""
    if worth is None:
        return math.nan
    values = worth[chosen & np.isfinite(worth)]
    return float(values.mean()) if values.size else math.nan
