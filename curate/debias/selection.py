"""What quotas, caps and draws have in common: each group keeps some of its documents."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from hinterland.core.errors import ConfigError
from hinterland.core.places import UNKNOWN
from hinterland.curate.audit.groups import Grouping
from hinterland.curate.debias.cost import measure_cost
from hinterland.curate.debias.result import Outcome
from hinterland.curate.sampling import prefix

__all__ = ["GroupAmount", "Selection", "Unit", "amount_of", "fill", "selected"]

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Codes = NDArray[np.int64]
Unit = Literal["documents", "tokens"]
#: With more groups only those that change are listed, and of these so many, the largest.
_MOST_GROUPS = 1000


@dataclass(frozen=True, slots=True)
class GroupAmount:
    """One group before and after, in documents and in the unit that is counted.

    Attributes:
        documents: How many there are.
        kept_before: Kept before.
        kept_after: Kept after.
        before: What was kept before, in documents or tokens, by weight.
        after: What is kept after.
        wanted: What was asked for: a quota, the most allowed, or what a draw keeps on
            average; NaN where nothing was.
    """

    documents: int
    kept_before: int
    kept_after: int
    before: float
    after: float
    wanted: float


@dataclass(frozen=True, kw_only=True)
class Selection(Outcome):
    """What `quota`, `cap` or `pareto` did.

    Attributes:
        of: What was counted: "documents" or "tokens".
        groups: By group; of more than a thousand, the largest of those that change.
        settings: What was asked for.
    """

    of: Unit
    groups: dict[str, GroupAmount]
    settings: dict[str, float | str | bool]


def amount_of(of: str, before: Floats, tokens: Floats) -> Floats:
    """Return what each document counts by its weight, shape (documents,); 1 × tokens where not kept.

    Raises:
        ConfigError: ``of`` is neither "documents" nor "tokens".
    """
    if of not in ("documents", "tokens"):
        raise ConfigError(f"of is {of!r}", where="debias", cure="use documents or tokens")
    weight = np.where(before > 0, before, 1.0)
    return weight * tokens if of == "tokens" else weight


def fill(codes: Codes, place: Codes, amount: Floats, open_to: Bools, limits: Floats) -> Bools:
    """Return which documents fit when each group is filled in order up to its limit.

    Args:
        codes: Group of each document, shape (documents,).
        place: Each document's place in its group.
        amount: What each counts.
        open_to: Which may be taken.
        limits: Each group's limit, shape (groups,).
    """
    rows = np.flatnonzero(open_to)
    rows = rows[np.lexsort((place[rows], codes[rows]))]
    taken = np.zeros(len(codes), dtype=bool)
    taken[rows] = prefix(amount[rows], limits[codes[rows]], codes[rows])
    return taken


def selected(
    method: str,
    grouping: Grouping,
    before: Floats,
    after: Floats,
    tokens: Floats,
    *,
    of: Unit = "documents",
    wanted: Floats | None = None,
    quality: Floats | None = None,
    unmet: dict[str, str],
    notes: Sequence[str],
    settings: dict[str, float | str | bool],
    min_documents: int,
    exempt: Sequence[str] = (UNKNOWN,),
) -> Selection:
    """Return the selection with its groups and its cost."""
    groups = len(grouping.labels)
    unit = tokens if of == "tokens" else np.ones(len(before))
    counts = [
        np.bincount(grouping.codes[rows], minlength=groups) for rows in (before >= 0, before > 0, after > 0)
    ]
    sums = [np.bincount(grouping.codes, weights=w * unit, minlength=groups) for w in (before, after)]
    asked = np.full(groups, math.nan) if wanted is None else wanted
    shown = np.arange(groups)
    if groups > _MOST_GROUPS:
        changed = np.flatnonzero(sums[0] != sums[1])
        largest = changed[np.argsort(-sums[0][changed], kind="stable")]
        shown = np.sort(largest[:_MOST_GROUPS])
        notes = [*notes, f"Of {groups:,} groups {len(changed):,} change; {len(shown):,} of these are listed."]
    return Selection(
        before=before > 0,
        keep=after > 0,
        weight=after,
        method=method,
        of=of,
        settings=settings,
        groups={
            grouping.labels[g]: GroupAmount(
                int(counts[0][g]),
                int(counts[1][g]),
                int(counts[2][g]),
                float(sums[0][g]),
                float(sums[1][g]),
                float(asked[g]),
            )
            for g in shown.tolist()
        },
        unmet=unmet,
        notes=tuple(notes),
        cost=measure_cost(
            before, after, tokens, quality=quality, group=grouping, min_documents=min_documents, exempt=exempt
        ),
    )
