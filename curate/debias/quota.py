"""Quotas: so much of each source, filled with its best documents."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Literal

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
    check_lengths,
    place_in_group,
    quality_notes,
    tie_breaks,
)
from hinterland.curate.debias.counted import counted
from hinterland.curate.debias.selection import Selection, Unit, amount_of, fill, selected

__all__ = ["quota"]

Floats = NDArray[np.float64]


def quota(
    group: Groups,
    wanted: Mapping[str, float] | None = None,
    *,
    shares: Mapping[str, float] | None = None,
    total: float | None = None,
    of: Unit = "documents",
    others: Literal["keep", "drop"] = "keep",
    kept: ArrayLike | None = None,
    weight: ArrayLike | None = None,
    tokens: ArrayLike | None = None,
    quality: ArrayLike | None = None,
    severity: ArrayLike | None = None,
    locked_out: ArrayLike | None = None,
    ids: Ids | None = None,
    seed: int = 0,
    min_documents: int = 30,
    exempt: Sequence[str] = (UNKNOWN,),
) -> Selection:
    """Keep a wanted number or share of each group, the best by quality first.

    A quota of documents is met exactly where there are enough; one of tokens to within one
    document, from below. What a group falls short is in ``unmet``.

    Args:
        group: Label of each document (source, language, any other), shape (documents,).
        wanted: Group → how many documents or tokens.
        shares: Group → its share of ``total``, instead; together at most 1.
        total: What the shares are shares of; by default what is kept now of these groups.
        of: "documents" or "tokens".
        others: Whether groups without a quota stay as they are, or go.
        kept: Which documents are kept now; all by default.
        weight: Their weights, 1 by default; a document counts by its weight.
        tokens: Tokens of each document.
        quality: Higher is better; documents without one come last. Without it chance
            decides, by a draw from the ids and the seed.
        severity: How far dropped documents fail. Where given, what is kept fills a quota
            first, and then those that were dropped come back, the least severe first.
        locked_out: Documents that never come back.
        ids: With the seed they decide between equals, shape (documents,); the position does by
            default.
        seed: Another seed decides otherwise between equals.
        min_documents: Smaller groups do not count for the cost's disparity.
        exempt: Groups that do not count for it.

    Raises:
        ConfigError: Neither or both of ``wanted`` and ``shares`` are given, a number is out
            of range, or a group has no document at all.
        CorpusError: The arrays differ in length, or tokens or weights are negative or missing.
    """
    grouping = as_grouping(group)
    size = len(grouping)
    before, token_counts = as_weights(kept, weight, size), as_tokens(tokens, size)
    held = before > 0
    worth, harm = as_optional(quality, size, "qualities"), as_optional(severity, size, "severities")
    locked = np.zeros(size, bool) if locked_out is None else np.asarray(locked_out, dtype=bool)
    check_lengths({"documents": size, "locks": len(locked)})
    amount = amount_of(of, before, token_counts)
    there = np.bincount(grouping.codes[held], weights=amount[held], minlength=len(grouping.labels))
    whole = of == "documents" and bool((amount[held] == 1).all())
    asked = _asked(wanted, shares, total, grouping.labels, there.astype(np.float64), others, whole)
    open_to = held.copy()
    key = best_first(worth, size)
    if harm is not None:
        back = ~held & ~locked & np.isfinite(harm)
        open_to |= back
        key = np.where(held, key, np.where(np.isfinite(harm), harm, math.inf))
    codes = grouping.codes
    place = place_in_group(codes, (~held, key, tie_breaks(ids, size, seed)))
    unasked = np.isnan(asked)
    limits = np.where(unasked, math.inf if others == "keep" else 0.0, asked)
    # Without a quota of its own, a group stays as it is: nothing comes back.
    taken = fill(codes, place, amount, open_to & (held | ~unasked[codes]), limits)
    after = np.where(taken, np.where(held, before, 1.0), 0.0)
    pool = np.bincount(codes[open_to], weights=amount[open_to], minlength=len(grouping.labels))
    number = np.bincount(codes[open_to], minlength=len(grouping.labels))
    unmet = {
        label: f"{counted(round(pool[g]), of[:-1])} of {asked[g]:,.0f} wanted: no more are there"
        + (f" ({counted(int(number[g]), 'document')})" if of == "tokens" else "")
        for g, label in ((int(g), grouping.labels[g]) for g in np.flatnonzero(~unasked))
        if pool[g] < asked[g] * (1 - 1e-9)
    }
    notes: list[str] = []
    if rest := int(unasked[codes][held].sum()):
        stay = ("it stays", "they stay") if others == "keep" else ("it goes", "they go")
        one, several = "kept document is in a group", "kept documents are in groups"
        notes.append(f"{counted(rest, one, several)} without a quota; {stay[rest != 1]}.")
    notes += quality_notes(held, worth)
    return selected(
        "quota",
        grouping,
        before,
        after,
        token_counts,
        of=of,
        wanted=asked,
        quality=worth,
        unmet=unmet,
        notes=notes,
        settings={"others": others, "readmit": harm is not None},
        min_documents=min_documents,
        exempt=exempt,
    )


def _asked(
    wanted: Mapping[str, float] | None,
    shares: Mapping[str, float] | None,
    total: float | None,
    labels: Sequence[str],
    there: Floats,
    others: str,
    whole: bool,
) -> Floats:
    """Return each group's quota, NaN where it has none, shape (groups,); ``whole`` rounds it down."""
    given = wanted if wanted is not None else shares
    if given is None or (wanted is not None and shares is not None):
        raise ConfigError("give either wanted or shares", where="quota", cure="wanted={'web': 1000}")
    if others not in ("keep", "drop"):
        raise ConfigError(f"others is {others!r}", where="quota", cure="use keep or drop")
    if total is not None and (shares is None or not (math.isfinite(total) and total >= 0)):
        raise ConfigError(f"total is {total}", where="quota", cure="give what the shares are shares of")
    bad = {label: number for label, number in given.items() if not (math.isfinite(number) and number >= 0)}
    if bad:
        label, number = next(iter(bad.items()))
        raise ConfigError(f"the quota of {label!r} is {number}", where="quota", cure="give 0 or more")
    position = {label: g for g, label in enumerate(labels)}
    unknown = [label for label in given if label not in position]
    if unknown:
        raise ConfigError(f"no group {unknown[0]!r}", where="quota", cure=nearest(unknown[0], labels))
    if shares is not None and math.fsum(shares.values()) > 1 + 1e-9:
        raise ConfigError(
            f"the shares add up to {math.fsum(shares.values()):.6g}, above 1",
            where="quota",
            cure="correct them",
        )
    asked = np.full(len(labels), math.nan)
    rows = [position[label] for label in given]
    asked[rows] = list(given.values())
    if shares is not None:
        asked *= float(there[rows].sum()) if total is None else total
    return np.floor(asked + 1e-9) if whole else asked
