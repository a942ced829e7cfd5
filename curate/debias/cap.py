"""Caps: at most so much of each source, its best documents first."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hinterland.core.errors import ConfigError, nearest
from hinterland.core.places import UNKNOWN
from hinterland.curate.debias.arrays import (
    Groups,
    Ids,
    as_grouping,
    as_optional,
    as_tokens,
    as_weights,
    best_first,
    place_in_group,
    quality_notes,
    tie_breaks,
)
from hinterland.curate.debias.counted import counted
from hinterland.curate.debias.selection import Selection, Unit, amount_of, fill, selected

__all__ = ["cap", "share_limit"]

Floats = NDArray[np.float64]


def cap(
    group: Groups,
    most: float | None = None,
    *,
    share: float | None = None,
    most_of: Mapping[str, float] | None = None,
    of: Unit = "documents",
    kept: ArrayLike | None = None,
    weight: ArrayLike | None = None,
    tokens: ArrayLike | None = None,
    quality: ArrayLike | None = None,
    ids: Ids | None = None,
    seed: int = 0,
    min_documents: int = 30,
    exempt: Sequence[str] = (UNKNOWN,),
) -> Selection:
    """Keep at most so much of each group, the best by quality first.

    Args:
        group: Label of each document (its source), shape (documents,).
        most: The most documents or tokens of a group.
        share: The largest share of what is kept after the cap that a group may have,
            instead; to within one document.
        most_of: Other limits for single groups; infinite is none.
        of: "documents" or "tokens".
        kept: Which documents are kept now; all by default.
        weight: Their weights, 1 by default; a document counts by its weight.
        tokens: Tokens of each document.
        quality: Higher is better; documents without one come last. Without it chance
            decides, by a draw from the ids and the seed.
        ids: With the seed they decide between equals, shape (documents,); the position does by
            default.
        seed: Another seed decides otherwise between equals.
        min_documents: Smaller groups do not count for the cost's disparity.
        exempt: Groups that are no one source and are not capped.

    Raises:
        ConfigError: No limit or two kinds are given, a limit is out of range or for a group
            that is not there, or so few groups cannot all be below the share.
        CorpusError: The arrays differ in length, or tokens or weights are negative or missing.
    """
    grouping = as_grouping(group)
    size, labels = len(grouping), grouping.labels
    before, token_counts = as_weights(kept, weight, size), as_tokens(tokens, size)
    worth = as_optional(quality, size, "qualities")
    amount, held = amount_of(of, before, token_counts), before > 0
    there = np.bincount(grouping.codes[held], weights=amount[held], minlength=len(labels)).astype(np.float64)
    free = np.array([label in exempt for label in labels], dtype=bool)
    limits = _limits(most, share, most_of or {}, labels, there, free)
    place = place_in_group(grouping.codes, (best_first(worth, size), tie_breaks(ids, size, seed)))
    taken = fill(grouping.codes, place, amount, held, limits)
    notes: list[str] = []
    notes += quality_notes(held, worth)
    if loose := int((held & free[grouping.codes]).sum()) if size else 0:
        known = f"no known {grouping.name} and"
        one, several = (
            f"kept document has {known} is not capped",
            f"kept documents have {known} are not capped",
        )
        notes.append(f"{counted(loose, one, several)}.")
    if not (there > limits * (1 + 1e-9)).any():
        notes.append("No group is above its cap: nothing changes.")
    settings: dict[str, float | str | bool] = {}
    if share is not None:
        settings["share"] = share
    if most is not None:
        settings["most"] = most
    return selected(
        "cap",
        grouping,
        before,
        np.where(taken, before, 0.0),
        token_counts,
        of=of,
        wanted=np.where(np.isinf(limits), math.nan, limits),
        quality=worth,
        unmet={},
        notes=notes,
        settings=settings,
        min_documents=min_documents,
        exempt=exempt,
    )


def _limits(
    most: float | None,
    share: float | None,
    most_of: Mapping[str, float],
    labels: Sequence[str],
    there: Floats,
    free: NDArray[np.bool_],
) -> Floats:
    """Return each group's limit, infinite where it has none, shape (groups,)."""
    if most is not None and share is not None:
        raise ConfigError("two limits: most and share", where="cap", cure="give one")
    if most is None and share is None and not most_of:
        raise ConfigError("no limit", where="cap", cure="give most, share or most_of")
    for name, number in {"most": most, **most_of}.items():
        if number is not None and not number >= 0:
            raise ConfigError(f"the limit {name} is {number}", where="cap", cure="give 0 or more")
    position = {label: g for g, label in enumerate(labels)}
    unknown = [label for label in most_of if label not in position]
    if unknown:
        raise ConfigError(f"no group {unknown[0]!r}", where="cap", cure=nearest(unknown[0], labels))
    limits = np.full(len(labels), math.inf if most is None else float(most))
    limits[free] = math.inf
    named = np.zeros(len(labels), dtype=bool)
    for label, number in most_of.items():
        limits[position[label]], named[position[label]] = number, True
    if share is not None:
        capped = ~free & ~named & (there > 0)
        others = float(np.minimum(there, limits)[~capped].sum())
        limits[capped] = share_limit(there[capped], share, others)
    return limits


def share_limit(amounts: Floats, share: float, others: float = 0.0) -> float:
    """Return the largest limit c with which no group has more than a share of what is left.

    c = share × (Σ min(amount, c) + others). With the k largest groups capped, c = share ×
    (the other groups' sum) / (1 − share × k); k is the smallest for which none of these
    exceeds c.

    Args:
        amounts: Each group's amount, shape (groups,).
        share: The largest share, above 0, at most 1.
        others: What is left besides, under no such limit.

    Raises:
        ConfigError: The share is out of range, or so few groups cannot all be below it.
    """
    if not 0 < share <= 1:
        raise ConfigError(f"share is {share}", where="cap", cure="give a number above 0, at most 1")
    ordered = np.sort(amounts)[::-1]
    left = others + np.append(np.cumsum(ordered[::-1])[::-1], 0.0)
    k = np.arange(min(len(ordered), int(1 / share)) + 1)
    k = k[share * k < 1]
    limits = share * left[k] / (1 - share * k)
    fits = np.append(ordered, 0.0)[k] <= limits * (1 + 1e-12)
    if fits.any() and (limits[fits][0] > 0 or not len(ordered)):
        return float(limits[fits][0])
    raise ConfigError(
        f"{counted(len(ordered), 'group')} cannot each have at most {share:.3g} of what is kept",
        where="cap",
        cure=f"give at least {1 / max(len(ordered), 1):.3g}",
    )
