"""The default rules over the columns of the duplicate search."""

from __future__ import annotations

from hinterland.curate.rule import Rule

__all__ = ["DUPLICATE_COLUMNS", "DUPLICATE_RULES", "RULES"]

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

#: The rules of `find_duplicates`. A document is out for its paragraphs only if more than
#: four fifths of it stand elsewhere: a lower bound takes out documents with a long notice
#: or menu in common, and those that are quoted at length by one that is kept before them.
DUPLICATE_RULES = (
    *RULES,
    Rule("para_dup.share", "para_dup.copied", high=0.8),
    Rule("near_dup.first", "near_dup.copy", low=1),
)
