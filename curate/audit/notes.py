"""What a reader must know of the filters and figures that an audit was given."""

from __future__ import annotations

from collections.abc import Mapping

from hinterland.curate.audit.adapters.base import Audited
from hinterland.curate.audit.covariates import Covariates

__all__ = ["notes_of_filters", "notes_on_covariates"]


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
