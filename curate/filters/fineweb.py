"""FineWeb's own rules: punctuated lines, short lines, repeated lines, lists.

Penedo et al., *The FineWeb Datasets: Decanting the Web for the Finest Text Data at Scale*
(2024, arXiv:2406.17557), section 3.6. The paper drops pages with a share of characters in
duplicated lines of 0.1 or more; the code released with it has 0.01. The rule on newlines
per word is in that code alone. Shares of no lines or words are NaN.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from hinterland.curate.filter import FILTERS
from hinterland.curate.kernels.lines import line_counts
from hinterland.curate.kernels.repetition import repeated
from hinterland.curate.rule import Rule, above, below
from hinterland.curate.variant import Measures, Reading, VariantFilter
from hinterland.curate.variants import datatrove
from hinterland.curate.words import Batch

__all__ = ["FineWeb", "measure"]

SHORT_LINE = 30  # characters; the paper says shorter than, the released code counts 30 too
PUNCTUATED_LINES = 0.12  # out at or below
SHORT_LINES = 0.67  # out at or above
DUPLICATE_LINE_CHARACTERS = 0.1  # out at or above
MAX_NEWLINES_PER_WORD = 0.3

RULES = (
    Rule("punctuated_lines", "punctuated_lines", low=above(PUNCTUATED_LINES)),
    Rule("short_lines", "short_lines", high=below(SHORT_LINES)),
    Rule("duplicate_line_characters", "duplicate_line_characters", high=below(DUPLICATE_LINE_CHARACTERS)),
    Rule("newlines_per_word", "newlines_per_word", high=MAX_NEWLINES_PER_WORD),
)


def measure(batch: Batch, short_line: int = SHORT_LINE) -> Measures:
    """Return FineWeb's measures, each of shape (documents,).

    Args:
        batch: The documents.
        short_line: A line of fewer characters is short.
    """
    parts = batch.split
    counts = line_counts(batch.data, parts, short=short_line)
    words, lines = np.diff(parts.word_offsets), np.diff(parts.line_offsets)
    with np.errstate(invalid="ignore"):
        return {
            "punctuated_lines": counts.punctuated / lines,
            "short_lines": counts.short / lines,
            "duplicate_line_characters": repeated(parts.line_offsets, parts.line_hash, parts.line_characters)[
                1
            ],
            "newlines_per_word": parts.newlines / words,
        }


@FILTERS.register("fineweb")
@dataclass(frozen=True)
class FineWeb(VariantFilter):
    """FineWeb's filter, as the paper states it or as a tool reads it.

    Args:
        variant: Whose reading.
        short_line: A line of fewer characters is short, in the paper's reading.
    """

    short_line: int = SHORT_LINE

    base: ClassVar[str] = "fineweb"
    readings: ClassVar[Mapping[str, Reading]] = {
        "paper": Reading(measure, RULES),
        "datatrove": datatrove.FINEWEB,
    }

    def measure(self, batch: Batch) -> Measures:
        """See `VariantFilter.measure`."""
        return measure(batch, self.short_line) if self.variant == "paper" else super().measure(batch)
