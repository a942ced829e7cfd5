"""What evening out did, for each group, and what it cost."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hinterland.core.svg import number_text

__all__ = ["Cost", "GroupChange", "Result"]


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
            rules' own bound. Documents at the bound itself are chosen by id.
    """

    documents: int
    kept_before: int
    kept_after: int
    readmitted: int
    removed: int
    threshold: float


@dataclass(frozen=True, slots=True)
class Cost:
    """What it cost.

    Attributes:
        tokens_before: Tokens kept before.
        tokens_after: Tokens kept after.
        tokens_added: Tokens of documents that came back.
        tokens_removed: Tokens of documents that were kept before and are dropped now.
        share_lost: ``tokens_removed / tokens_before``.
        documents_readmitted: How many came back.
        documents_removed: How many went.
        quality_before: Mean quality of documents kept before; NaN without a quality.
        quality_after: The same after.
        worst_disparity_before: Worst-kept over best-kept group's retention, before.
        worst_disparity_after: The same after.
    """

    tokens_before: int
    tokens_after: int
    tokens_added: int
    tokens_removed: int
    share_lost: float
    documents_readmitted: int
    documents_removed: int
    quality_before: float
    quality_after: float
    worst_disparity_before: float
    worst_disparity_after: float


@dataclass(frozen=True)
class Result:
    """A new decision for every document.

    Attributes:
        keep: Which documents are kept now, shape (documents,).
        weight: 1 where kept, else 0, shape (documents,).
        mode: "readmit" or "budget".
        target: The least retention asked of every group.
        groups: What changed, by group.
        cost: What it cost.
        unmet: Groups that stay below the target, and why.
    """

    keep: NDArray[np.bool_]
    weight: NDArray[np.float64]
    mode: str
    target: float
    groups: dict[str, GroupChange]
    cost: Cost
    unmet: dict[str, str]

    def to_dict(self) -> dict[str, Any]:
        """Return all but the arrays as JSON-able values; what is not a number is null."""
        return {
            "mode": self.mode,
            "target": self.target,
            "groups": {label: asdict(change) for label, change in self.groups.items()},
            "cost": {
                key: None if isinstance(value, float) and not math.isfinite(value) else value
                for key, value in asdict(self.cost).items()
            },
            "unmet": dict(self.unmet),
        }

    def __str__(self) -> str:
        return describe(self.to_dict())


def describe(result: Mapping[str, Any]) -> str:
    """Return a result's `Result.to_dict` in plain words."""
    cost = result["cost"]

    def number(key: str, unit: str = "") -> str:
        return number_text(math.nan if cost[key] is None else float(cost[key]), unit)

    lines = [
        f"The worst disparity ratio goes from {number('worst_disparity_before')}"
        f" to {number('worst_disparity_after')} (mode {result['mode']}).",
        f"{cost['documents_readmitted']:,} documents come back ({cost['tokens_added']:,} tokens),"
        f" {cost['documents_removed']:,} go ({cost['tokens_removed']:,} tokens,"
        f" {number('share_lost', '%')} of those kept before);"
        f" {cost['tokens_before']:,} tokens become {cost['tokens_after']:,}.",
    ]
    if cost["quality_before"] is not None:
        lines.append(f"Mean quality goes from {number('quality_before')} to {number('quality_after')}.")
    lines += [f"Not met: {label}: {why}." for label, why in result["unmet"].items()]
    return "\n".join(lines)
