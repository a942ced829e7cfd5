"""What a reader must know of the filters and figures that an audit was given."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hinterland.curate.audit.adapters.base import Audited
from hinterland.curate.audit.covariates import Covariates

__all__ = [
    "notes_of_filters",
    "notes_on_covariates",
    "notes_on_places",
    "notes_on_rejects",
    "notes_on_weights",
]

_WHY = {
    "dissolved": "a state that is gone and has no single successor",
    "body": "a body or a group of countries",
    "unknown": "no country that is known",
}
_SHOWN = 5


def notes_on_covariates(covariates: Covariates | None) -> list[str]:
    """Return what was left out of the user's covariates."""
    if covariates is None:
        return []
    notes = []
    if covariates.skipped:
        named = ", ".join(covariates.skipped[:10]) + (" …" if len(covariates.skipped) > 10 else "")
        notes.append(
            f"What is no country of ISO 3166-1 was left out of {covariates.source}"
            f" ({len(covariates.skipped)}): {named}."
        )
    if covariates.ignored:
        notes.append(f"Columns of {covariates.source} without a number: {', '.join(covariates.ignored)}.")
    return notes


def notes_of_filters(audited: Mapping[str, Audited]) -> list[str]:
    """Return which documents a filter given beside the corpus could not judge."""
    notes = []
    for name, each in audited.items():
        failed = each.info.get("failed", 0)
        if failed:
            first = each.info["first_failure"]
            notes.append(
                f"The filter {name} failed on {failed:,} documents, which count as kept; the first is"
                f" {first['id']}: {first['error']}."
            )
        for key, words in (("unmeasured", "has no score for"), ("missing", "says nothing of")):
            if each.info.get(key):
                notes.append(f"The filter {name} {words} {each.info[key]:,} documents, which count as kept.")
    return notes


def notes_on_places(card: Mapping[str, Any]) -> list[str]:
    """Return what country columns said that is no country, and how often.

    Args:
        card: `Located` as JSON-able values: ``not_placed`` and ``unrecognised``.
    """
    counts = sorted((card.get("not_placed") or {}).items(), key=lambda each: (-each[1], each[0]))
    reasons = [f"{number:,} name {_WHY.get(why, why)}" for why, number in counts]
    if not reasons:
        return []
    values = card.get("unrecognised") or ()
    named = ", ".join(f"{value} ({number:,})" for value, number in values[:_SHOWN])
    more = " …" if len(values) > _SHOWN else ""
    return [
        f"Of documents whose country column names no country, {'; '.join(reasons)}"
        + (f": {named}{more}." if named else ".")
    ]


def notes_on_rejects(counts: Mapping[str, Any]) -> list[str]:
    """Return how many documents a curation could not use; they are in no figure of the audit.

    Args:
        counts: The ``counts`` of the corpus' manifest.
    """
    lost = counts.get("rejected") or 0
    if not lost:
        return []
    return [
        f"Of {counts.get('in', 0):,} documents read, {lost:,} could not be used (unreadable, or without a"
        " text): they are in no figure here."
    ]


def notes_on_weights(weight: NDArray[np.float64] | None, keep: NDArray[np.bool_]) -> list[str]:
    """Return that documents count more than once, where they do."""
    if weight is None or not keep.any():
        return []
    largest = float(weight[keep].max())
    if not largest > 1:
        return []
    return [
        f"Documents are weighted, the heaviest {largest:.3g}: one counts as often as its weight,"
        " so more than 100% of a group can be kept."
    ]
