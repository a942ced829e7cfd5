"""What debiasing did: for every method the new decision, its cost, and what cannot be met."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hinterland.core.revive import plain
from hinterland.curate.debias.cost import Cost

__all__ = ["Cost", "GroupChange", "Outcome", "Result"]


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """A new decision for every document; what all methods' results have in common.

    Attributes:
        before: Which documents were kept before, shape (documents,).
        keep: Which are kept now.
        weight: How often each counts, 0 where it is not kept, shape (documents,).
        method: "equalize", "rake", "quota", "cap" or "pareto".
        cost: What it cost.
        unmet: What could not be met, by group, and why.
        notes: What the reader must know: missing scores, groups of one.
    """

    before: NDArray[np.bool_]
    keep: NDArray[np.bool_]
    weight: NDArray[np.float64]
    method: str
    cost: Cost
    unmet: dict[str, str]
    notes: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return all but the arrays as JSON-able values; what is not a number is null."""
        values = {
            field.name: getattr(self, field.name)
            for field in fields(self)
            if field.name not in ("before", "keep", "weight")
        }
        return dict(plain(values))

    def __str__(self) -> str:
        from hinterland.curate.debias.describe import describe

        return describe(self.to_dict())


@dataclass(frozen=True, slots=True)
class GroupChange:
    """One group before and after.

    Attributes:
        documents: How many there are.
        kept_before: Kept before.
        kept_after: Kept after.
        readmitted: Of these, those that had been dropped.
        removed: Kept before and dropped now.
        threshold: The group's own bound on severity: the largest that came back; 0 is the
            rules' own bound. Which documents at the bound itself do is a seeded draw.
        cut: The least quality that stayed, where documents went; NaN where none did, or
            without a quality.
        score: The group's own bound on the score, where one score decides
            (`equalize_scores`): the least (or most) that is kept.
    """

    documents: int
    kept_before: int
    kept_after: int
    readmitted: int
    removed: int
    threshold: float
    cut: float = math.nan
    score: float = math.nan


@dataclass(frozen=True, kw_only=True)
class Result(Outcome):
    """What `equalize` did.

    Attributes:
        mode: "readmit", "budget", "rate" or "most_tokens".
        target: The least retention asked of every group.
        groups: What changed, by group.
    """

    mode: str
    target: float
    groups: dict[str, GroupChange]
    method: str = "equalize"
