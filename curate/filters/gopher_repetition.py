"""Gopher's repetition rules: repeated lines, paragraphs and word n-grams.

Rae et al. (2021, arXiv:2112.11446), appendix A.1.1, "Repetition Removal", table A1.

Where the paper leaves room: a line or paragraph repeats if it stood in the document
before (the first copy is not counted); characters are those of words, lines or
paragraphs, white space between them left out, so that a share of 1 is possible; the
characters in duplicate n-grams are counted over every copy, the first too, and each
character once, however many n-grams overlap there; the most frequent n-gram counts only
if it occurs more than once, and among equally frequent ones the first is taken. Its copies
may overlap ("a a a"), so its share can exceed 1. A document without words has NaN.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from hinterland.curate.filter import FILTERS
from hinterland.curate.kernels.repetition import ngram_shares, repeated
from hinterland.curate.rule import Rule
from hinterland.curate.variant import Measures, Reading, VariantFilter
from hinterland.curate.variants import datatrove, dolma
from hinterland.curate.words import Batch

__all__ = ["DUPLICATE_NGRAMS", "TOP_NGRAMS", "GopherRepetition", "measure"]

MAX_DUPLICATE_LINES = 0.30
MAX_DUPLICATE_PARAGRAPHS = 0.30
MAX_DUPLICATE_LINE_CHARACTERS = 0.20
MAX_DUPLICATE_PARAGRAPH_CHARACTERS = 0.20
#: Largest share of characters in the most frequent n-gram, by n.
TOP_NGRAMS = {2: 0.20, 3: 0.18, 4: 0.16}
#: Largest share of characters in all n-grams that occur more than once, by n.
DUPLICATE_NGRAMS = {5: 0.15, 6: 0.14, 7: 0.13, 8: 0.12, 9: 0.11, 10: 0.10}

_MAXIMA = {
    "duplicate_lines": MAX_DUPLICATE_LINES,
    "duplicate_paragraphs": MAX_DUPLICATE_PARAGRAPHS,
    "duplicate_line_characters": MAX_DUPLICATE_LINE_CHARACTERS,
    "duplicate_paragraph_characters": MAX_DUPLICATE_PARAGRAPH_CHARACTERS,
    **{f"top_{n}gram": share for n, share in TOP_NGRAMS.items()},
    **{f"duplicate_{n}gram": share for n, share in DUPLICATE_NGRAMS.items()},
}
RULES = tuple(Rule(key, key, high=share) for key, share in _MAXIMA.items())


def measure(batch: Batch) -> Measures:
    """Return Gopher's repetition measures, each of shape (documents,)."""
    parts = batch.split
    lines = repeated(parts.line_offsets, parts.line_hash, parts.line_characters)
    paragraphs = repeated(parts.paragraph_offsets, parts.paragraph_hash, parts.paragraph_characters)
    grams = ngram_shares(parts, top=max(TOP_NGRAMS), longest=max(DUPLICATE_NGRAMS))
    return {
        "duplicate_lines": lines[0],
        "duplicate_paragraphs": paragraphs[0],
        "duplicate_line_characters": lines[1],
        "duplicate_paragraph_characters": paragraphs[1],
        **{f"top_{n}gram": grams[n - 2] for n in TOP_NGRAMS},
        **{f"duplicate_{n}gram": grams[n - 2] for n in DUPLICATE_NGRAMS},
    }


@FILTERS.register("gopher_repetition")
@dataclass(frozen=True)
class GopherRepetition(VariantFilter):
    """Gopher's repetition filter, as the paper states it or as a tool reads it."""

    base: ClassVar[str] = "gopher_repetition"
    readings: ClassVar[Mapping[str, Reading]] = {
        "paper": Reading(measure, RULES),
        "datatrove": datatrove.GOPHER_REPETITION,
        "dolma": dolma.GOPHER_REPETITION,
    }
