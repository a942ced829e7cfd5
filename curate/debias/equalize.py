"""Even out what is kept of each group, by thresholds that depend on the group.

The idea is the group-conditional threshold of fair classification (Hardt, Price and
Srebro 2016), here for demographic parity of retention: within a group, documents stand
in one order (kept ones by quality, then dropped ones by how far they fail), and each
group keeps a first part of that order.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hinterland.core.errors import ConfigError
from hinterland.core.places import UNKNOWN
from hinterland.curate.audit.groups import Grouping
from hinterland.curate.debias.arrays import (
    Groups,
    Ids,
    as_grouping,
    as_numbers,
    as_optional,
    as_tokens,
    as_weights,
    best_first,
    check_lengths,
    group_notes,
    place_in_group,
    tie_breaks,
)
from hinterland.curate.debias.cost import measure_cost, weighted_disparity
from hinterland.curate.debias.counted import counted
from hinterland.curate.debias.levels import SLACK, Counts, budget, most_tokens
from hinterland.curate.debias.result import GroupChange, Result

__all__ = ["Mode", "equalize", "worst_disparity"]

Mode = Literal["readmit", "budget", "rate", "most_tokens"]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Codes = NDArray[np.int64]
Keys = NDArray[np.uint64]


def equalize(
    severity: ArrayLike,
    kept: ArrayLike,
    group: Groups,
    tokens: ArrayLike,
    *,
    mode: Mode = "readmit",
    disparity: float = 0.95,
    target: float | None = None,
    quality: ArrayLike | None = None,
    locked_out: ArrayLike | None = None,
    ids: Ids | None = None,
    seed: int = 0,
    max_severity: float = math.inf,
    max_loss: float = 1.0,
    min_documents: int = 30,
    exempt: Sequence[str] = (UNKNOWN,),
    weight: ArrayLike | None = None,
) -> Result:
    """Bring every group's share of documents kept to one rate, or to a bound on the disparity.

    ``readmit`` drops nothing: worse-kept groups get their least severe documents back
    until they are within ``disparity`` of the best-kept one.
    ``most_tokens`` does the same, and where a group has nothing left to come back (locked
    out, too severe, dropped without a score), the best-kept groups lose their worst
    documents by quality until the bound is met: of all ways to meet it the one that gives
    up the fewest documents of each group, and at most ``max_loss`` of the tokens.
    ``budget`` keeps the tokens as they are in total (less at most one document's): the
    best-kept groups lose their worst documents by quality to pay for what others get back.
    Where that drops more than ``max_loss`` of the tokens kept before, they lose no more than
    that, and more tokens are kept than before: as few more as bring the others within
    ``disparity`` of them. With 0 nothing goes, as in ``readmit``; 1 asks for nothing.
    ``rate`` gives all groups one retention: those above it lose, those below it get back.

    A group smaller than ``min_documents`` is raised and never cut.

    Args:
        severity: How far a document fails the rules, shape (documents,); 0 passes. NaN is
            never readmitted.
        kept: Which documents are kept now, shape (documents,).
        group: Label of each document, shape (documents,).
        tokens: Tokens of each document, shape (documents,).
        mode: "readmit", "most_tokens", "budget" or "rate".
        disparity: The least share of the best-kept group's retention, above 0, at most 1;
            "rate" goes without.
        target: "readmit": bring up to this retention (0 to 1) instead of relative to the
            best-kept group. "rate": the one retention; by default what is kept of all groups.
        quality: Higher is better; decides what goes first. Severity by default.
        locked_out: Documents that never come back (exact duplicates, empty ones).
        ids: With the seed they decide between equals, shape (documents,); the position does by
            default.
        seed: Another seed decides otherwise between equals.
        max_severity: The worst that may come back.
        max_loss: The largest share of the tokens kept before that "most_tokens" and "budget"
            may drop; 1 sets no bound.
        min_documents: A smaller group is no model for others.
        exempt: Groups that stay as they are.
        weight: Weights of the kept documents before, 1 by default. What stays keeps its
            weight, what comes back gets 1; rates are counted in documents.

    Raises:
        ConfigError: A setting is out of range, or a target is given to a mode that sets its own.
        CorpusError: The arrays differ in length, or tokens or weights are negative or missing.
    """
    _check_settings(mode, disparity, target, max_loss)
    grouping = as_grouping(group)
    size = len(grouping)
    before, cost = as_weights(kept, weight, size), as_tokens(tokens, size)
    held = before > 0
    harm, worth = as_numbers(severity, size, "severities"), as_optional(quality, size, "qualities")
    locked = np.zeros(size, bool) if locked_out is None else np.asarray(locked_out, dtype=bool)
    check_lengths({"documents": size, "locks": len(locked)})
    available = ~held & ~locked & np.isfinite(harm) & (harm <= max_severity)
    rank = _order(held, available, harm, worth, tie_breaks(ids, size, seed), grouping.codes)
    counts = Counts(grouping.codes, held, available, grouping.labels, exempt, min_documents)
    goal, keep = _decide(
        counts, grouping.codes, held, available, rank, cost, mode, disparity, target, max_loss
    )
    changes, unmet = _changes(counts, grouping.codes, held, keep, harm, worth, locked, goal)
    after = np.where(keep, np.where(held, before, 1.0), 0.0)
    spent = measure_cost(
        before, after, cost, quality=worth, group=grouping, min_documents=min_documents, exempt=exempt
    )
    notes = _notes(grouping, counts, before, exempt, min_documents, target)
    if mode == "budget" and spent.tokens_after > spent.tokens_before:
        notes += (
            f"At most {max_loss:.1%} of the tokens kept before may go (max_loss): {spent.share_lost:.1%} go,"
            f" and in all {spent.tokens_after / spent.tokens_before - 1:.1%} more are kept than before.",
        )
    return Result(
        before=held,
        keep=keep,
        weight=after,
        mode=mode,
        target=goal,
        groups=changes,
        unmet=unmet,
        cost=spent,
        notes=notes,
    )


def worst_disparity(
    kept: ArrayLike,
    group: Groups,
    *,
    min_documents: int = 30,
    exempt: Sequence[str] = (UNKNOWN,),
) -> float:
    """Return the worst-kept group's retention over the best-kept one's; NaN with fewer than two.

    Args:
        kept: Which documents are kept, or their weights, shape (documents,).
        group: Label of each document, shape (documents,).
        min_documents: Smaller groups do not count.
        exempt: Groups that do not count.
    """
    grouping, held = as_grouping(group), np.asarray(kept, dtype=np.float64)
    check_lengths({"documents": len(grouping), "decisions": len(held)})
    return weighted_disparity(held, grouping, min_documents=min_documents, exempt=exempt)


def _check_settings(mode: str, disparity: float, target: float | None, max_loss: float) -> None:
    if mode not in get_args(Mode):
        raise ConfigError(f"unknown mode {mode!r}", where="debias", cure=f"use {', '.join(get_args(Mode))}")
    if not 0 < disparity <= 1:
        raise ConfigError(
            f"disparity is {disparity}", where="debias", cure="give a number above 0, at most 1"
        )
    if not 0 <= max_loss <= 1:
        raise ConfigError(f"max_loss is {max_loss}", where="debias", cure="give a share from 0 to 1")
    if target is not None and (not 0 <= target <= 1 or mode in ("budget", "most_tokens")):
        raise ConfigError(
            f"target is {target} with mode {mode}",
            where="debias",
            cure="give a retention from 0 to 1 with mode readmit or rate; the others set their own",
        )


def _order(
    held: Bools, available: Bools, harm: Floats, worth: Floats | None, ties: Keys, codes: Codes
) -> Codes:
    """Return each document's place in its group: kept ones, then those that may come back, then the rest.

    Kept ones stand by quality, the best first; the others by severity. Between equals `tie_breaks` decides.
    """
    part = np.where(held, 0, np.where(available, 1, 2))
    severe = np.where(np.isfinite(harm), harm, np.inf)
    by = severe if worth is None else np.where(held, best_first(worth, len(held)), severe)
    return place_in_group(codes, (part, by, ties))


def _decide(
    counts: Counts,
    codes: Codes,
    held: Bools,
    available: Bools,
    rank: Codes,
    cost: Floats,
    mode: Mode,
    disparity: float,
    target: float | None,
    max_loss: float,
) -> tuple[float, Bools]:
    """Return the least retention asked of every group, and which documents are kept."""
    if mode == "budget":
        return budget(counts, codes, held, available, rank, cost, disparity, max_loss)
    if mode == "most_tokens":
        goal, number = most_tokens(counts, codes, held, rank, cost, disparity, max_loss)
    elif mode == "rate":
        goal = counts.overall() if target is None else target
        number = counts.between(goal, goal)
    else:
        goal = disparity * counts.best() if target is None else target
        number = counts.needed(goal)
    return goal, (held | available) & (rank < number[codes])


def _changes(
    counts: Counts,
    codes: Codes,
    held: Bools,
    keep: Bools,
    harm: Floats,
    worth: Floats | None,
    locked: Bools,
    goal: float,
) -> tuple[dict[str, GroupChange], dict[str, str]]:
    """Return what changed for each group, and which groups stay below the goal, and why."""
    groups = len(counts.n)
    back = keep & ~held
    after = np.bincount(codes[keep], minlength=groups)
    readmitted = np.bincount(codes[back], minlength=groups)
    barred = np.bincount(codes[locked & ~held], minlength=groups)
    bounds, cuts = np.zeros(groups), np.full(groups, np.inf)
    np.maximum.at(bounds, codes[back], harm[back])
    if worth is not None:
        stayed = held & keep & np.isfinite(worth)
        np.minimum.at(cuts, codes[stayed], worth[stayed])
    least = counts.least(goal)
    changes, unmet = {}, {}
    for g, label in enumerate(counts.labels):
        short = int(least[g] - after[g])
        removed = int(counts.kept[g] + readmitted[g] - after[g])
        if short > 0 and not counts.fixed[g] and counts.n[g]:
            others = int(counts.n[g] - counts.reach[g] - barred[g])
            unmet[label] = (
                f"{counted(short, 'more document')} needed for {goal:.1%};"
                f" of {counts.n[g] - counts.kept[g]:,} dropped, {counts.available[g]:,} could come back,"
                f" {counted(int(barred[g]), 'is', 'are')} locked out"
                + (f", {counted(others, 'is', 'are')} too severe or unscored" if others else "")
            )
        changes[label] = GroupChange(
            documents=int(counts.n[g]),
            kept_before=int(counts.kept[g]),
            kept_after=int(after[g]),
            readmitted=int(readmitted[g]),
            removed=removed,
            threshold=float(bounds[g]),
            cut=float(cuts[g]) if removed and math.isfinite(cuts[g]) else math.nan,
        )
    return changes, unmet


def _notes(
    grouping: Grouping,
    counts: Counts,
    before: Floats,
    exempt: Sequence[str],
    min_documents: int,
    target: float | None,
) -> tuple[str, ...]:
    notes = list(group_notes(grouping, exempt))
    known = int(counts.n[~counts.fixed].sum())
    if known and not notes and not counts.counts.any():
        notes.append(
            f"No group has {counted(min_documents, 'document')}:"
            " none is large enough to be a model for others."
        )
    if known and not counts.kept.sum() and target is None:
        notes.append("No document is kept: there is no rate to bring others to.")
    if known and counts.kept.sum() == counts.n.sum():
        notes.append("All documents are kept already.")
    odd = int(((before > 0) & (np.abs(before - 1) > SLACK)).sum())
    if odd:
        notes.append(
            f"{counted(odd, 'kept document had a weight', 'kept documents had weights')} other than 1:"
            " those that stay keep theirs,"
            " and retention is evened out in documents, not in weights."
        )
    return tuple(notes)
