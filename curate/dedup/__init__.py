"""Duplicates in a corpus: equal documents, equal paragraphs, and near-duplicates."""

from hinterland.curate.dedup.exact import (
    TextHashes,
    exact_duplicates,
    exact_hashes,
    normalised_hash,
    paragraph_hashes,
    text_hashes,
)
from hinterland.curate.dedup.find import find_duplicates
from hinterland.curate.dedup.policy import POLICIES, Policy
from hinterland.curate.dedup.rules import DUPLICATE_RULES, RULES
from hinterland.curate.dedup.settings import NearDuplicates

__all__ = [
    "DUPLICATE_RULES",
    "POLICIES",
    "RULES",
    "NearDuplicates",
    "Policy",
    "TextHashes",
    "exact_duplicates",
    "exact_hashes",
    "find_duplicates",
    "normalised_hash",
    "paragraph_hashes",
    "text_hashes",
]
