"""The default rules over the columns of the duplicate search."""

from __future__ import annotations

from hinterland.curate.rule import Rule

__all__ = ["COLUMNS_FORMAT", "DUPLICATE_COLUMNS", "DUPLICATE_RULES", "RULES"]

#: Part of what the search's columns are known by; raised when there are others.
COLUMNS_FORMAT = 2

#: What `find_duplicates` writes beside ``id``.
DUPLICATE_COLUMNS = (
    "exact_dup.cluster",
    "exact_dup.size",
    "exact_dup.first",
    "para_dup.share",
    "para_dup.copies",
    "near_dup.cluster",
    "near_dup.size",
    "near_dup.first",
    "near_dup.jaccard",
)

#: The rule of `exact_duplicates`.
RULES = (Rule("exact_dup.first", "exact_dup.copy", low=1),)

#: The rules of `find_duplicates`. Copied paragraphs have no bound unless a config gives one:
#: a chapter that stands whole inside a longer document is copied, and still the only one.
DUPLICATE_RULES = (
    *RULES,
    Rule("para_dup.share", "para_dup.copied"),
    Rule("near_dup.first", "near_dup.copy", low=1),
)
