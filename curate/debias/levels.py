"""How far into its order each group is kept: to a rate, within a budget, or at the most tokens.

Within a group documents stand in one order, kept ones first; a method decides how many
documents from the front each group keeps.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

__all__ = ["SLACK", "Counts", "budget", "most_tokens"]

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Codes = NDArray[np.int64]

#: Rounding of counts: a target of 0.95 × 0.8 × 100 documents is 76, whatever floats say.
SLACK = 1e-9


class Counts:
    """Documents, kept and readmittable ones by group, and which groups count.

    Args:
        codes: Group of each document, shape (documents,).
        held: Which are kept now.
        available: Which dropped ones may come back.
        labels: The groups.
        exempt: Groups that stay as they are.
        min_documents: A smaller group is raised, never cut, and no model for others.
    """

    def __init__(
        self,
        codes: Codes,
        held: Bools,
        available: Bools,
        labels: Sequence[str],
        exempt: Sequence[str],
        min_documents: int,
    ) -> None:
        groups = len(labels)
        self.labels = tuple(labels)
        self.n = np.bincount(codes, minlength=groups)
        self.kept = np.bincount(codes[held], minlength=groups)
        self.available = np.bincount(codes[available], minlength=groups)
        self.fixed = np.array([label in exempt for label in labels], dtype=bool)
        self.counts = ~self.fixed & (self.n >= max(min_documents, 1))

    @property
    def reach(self) -> Codes:
        """The most documents that each group can keep."""
        return np.asarray(self.kept + self.available)

    def best(self) -> float:
        """Return the best-kept group's retention; 0 where no group is large enough."""
        return float((self.kept[self.counts] / self.n[self.counts]).max(initial=0.0))

    def overall(self) -> float:
        """Return the retention of all groups that are not exempt, together; 0 without a document."""
        n = int(self.n[~self.fixed].sum())
        return int(self.kept[~self.fixed].sum()) / n if n else 0.0

    def needed(self, goal: float) -> Codes:
        """Return how many documents each group must keep to reach the goal, at least what it keeps."""
        return np.asarray(np.where(self.fixed, self.kept, np.maximum(self.kept, self.least(goal))))

    def least(self, goal: float) -> Codes:
        """Return the fewest documents with which each group's retention is the goal or more."""
        least: Codes = np.ceil(goal * self.n - SLACK).astype(np.int64)
        return least

    def between(self, low: float, high: float) -> Codes:
        """Return how many documents each group keeps to have a retention from low to high.

        Where no whole number lies between, the next above. Small groups are never cut.
        """
        least = self.least(low)
        most = np.maximum(np.floor(high * self.n + SLACK).astype(np.int64), least)
        raised = np.minimum(self.needed(low), self.reach)
        return np.where(self.counts, np.minimum(raised, most), raised)


def most_tokens(
    counts: Counts, codes: Codes, held: Bools, rank: Codes, tokens: Floats, disparity: float, max_loss: float
) -> tuple[float, Codes]:
    """Find the highest level that the best-kept groups may have so that all reach the bound.

    A group that has nothing left to come back sets the level: its rate over ``disparity``.
    Documents above that level go, and no more. The level is no lower than what
    ``max_loss`` allows. A group of which nothing can be kept is left aside.

    Returns:
        The least retention asked of every group, and how many documents each keeps.
    """
    top = counts.best()
    reachable = counts.counts & (counts.reach > 0)
    limit = (counts.reach[reachable] / counts.n[reachable]).min(initial=math.inf) / disparity
    level = min(top, float(limit))
    if level < top:
        level = max(level, _least_level(counts, codes, held, rank, tokens, max_loss))
    return disparity * level, counts.between(disparity * level, level)


def _least_level(
    counts: Counts, codes: Codes, held: Bools, rank: Codes, tokens: Floats, max_loss: float
) -> float:
    """Return the lowest level at which no more than a share of the kept tokens goes.

    The k-th of n documents stays from level k / n on.
    """
    rows = np.flatnonzero(held & counts.counts[codes])
    stays = (rank[rows] + 1) / counts.n[codes[rows]]
    order = np.argsort(-stays, kind="stable")
    spent = np.cumsum(tokens[rows[order]])
    gone = int(np.searchsorted(spent, _allowed(held, tokens, max_loss), side="right"))
    return float(stays[order[gone]]) if gone < len(order) else 0.0


def _allowed(held: Bools, tokens: Floats, max_loss: float) -> float:
    """Return how many of the kept tokens may go, with room for rounding."""
    return max_loss * float(tokens[held].sum()) * (1 + 1e-12)


def budget(
    counts: Counts,
    codes: Codes,
    held: Bools,
    available: Bools,
    rank: Codes,
    tokens: Floats,
    disparity: float,
    max_loss: float,
) -> tuple[float, Bools]:
    """Raise a common level until the tokens are spent: each document comes in at a level of its own.

    At level r a group keeps at least ``disparity × r`` of its documents, and no more than
    r of them unless it must. The k-th of n documents is therefore in from r = (k − 1) /
    (disparity × n), and one that is kept now from r = k / n, if that is lower. Coming in by
    level, in one order over all groups, the documents fill the budget to within one.

    Where that drops more than ``max_loss`` of the kept tokens, the level is the lowest one
    that does not, whatever the tokens become: every group keeps at least ``disparity`` of
    it, and documents above it go.

    Returns:
        The least retention reached by every group, and which documents are kept.
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
    spent, most = np.cumsum(tokens[order]), float(tokens[held].sum())
    take = int(np.searchsorted(spent, most * (1 + 1e-12), side="right"))
    keep = np.zeros(len(held), dtype=bool)
    keep[order[:take]] = True
    if float(tokens[held & ~keep].sum()) > _allowed(held, tokens, max_loss):
        lowest = _least_level(counts, codes, held, rank, tokens, max_loss)
        number = counts.between(disparity * lowest, lowest)
        return disparity * lowest, (held | available) & (rank < number[codes])
    reached = float(level[order[take]]) if take < len(order) else float(level[order].max(initial=0.0))
    return disparity * min(reached, 1.0), keep
