"""Gopher's quality rules: length, symbols, bullets, alphabetic words, stop words.

Rae et al., *Scaling Language Models: Methods, Analysis & Insights from Training Gopher*
(2021, arXiv:2112.11446), appendix A.1.1, "Quality Filtering". Means and shares of no words,
and shares of no lines, are NaN.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from hinterland.curate.filter import FILTERS
from hinterland.curate.kernels.quality import quality
from hinterland.curate.rule import Rule
from hinterland.curate.variant import Measures, Reading, VariantFilter
from hinterland.curate.variants import datatrove, dolma
from hinterland.curate.words import Batch

__all__ = ["GopherQuality", "measure"]

MIN_WORDS, MAX_WORDS = 50, 100_000
MIN_MEAN_WORD_LENGTH, MAX_MEAN_WORD_LENGTH = 3, 10
MAX_SYMBOLS_PER_WORD = 0.1
MAX_BULLET_LINES = 0.9
MAX_ELLIPSIS_LINES = 0.3
MIN_ALPHABETIC_WORDS = 0.8
MIN_STOP_WORDS = 2

RULES = (
    Rule("words", "words", low=MIN_WORDS, high=MAX_WORDS),
    Rule("mean_word_length", "mean_word_length", low=MIN_MEAN_WORD_LENGTH, high=MAX_MEAN_WORD_LENGTH),
    Rule("hashes_per_word", "hashes", high=MAX_SYMBOLS_PER_WORD),
    Rule("ellipses_per_word", "ellipses", high=MAX_SYMBOLS_PER_WORD),
    Rule("bullet_lines", "bullet_lines", high=MAX_BULLET_LINES),
    Rule("ellipsis_lines", "ellipsis_lines", high=MAX_ELLIPSIS_LINES),
    Rule("alphabetic_words", "alphabetic_words", low=MIN_ALPHABETIC_WORDS),
    Rule("stop_words", "stop_words", low=MIN_STOP_WORDS),
)


def measure(batch: Batch) -> Measures:
    """Return Gopher's quality measures, each of shape (documents,)."""
    counts, parts = quality(batch.data, batch.split), batch.split
    words, lines = np.diff(parts.word_offsets), np.diff(parts.line_offsets)
    with np.errstate(invalid="ignore"):
        return {
            "words": words.astype(np.float64),
            "mean_word_length": counts.characters / words,
            "hashes_per_word": counts.hashes / words,
            "ellipses_per_word": counts.ellipses / words,
            "bullet_lines": counts.bullets / lines,
            "ellipsis_lines": counts.trailing / lines,
            "alphabetic_words": counts.alphabetic / words,
            "stop_words": counts.stop_words.astype(np.float64),
        }


@FILTERS.register("gopher_quality")
@dataclass(frozen=True)
class GopherQuality(VariantFilter):
    """Gopher's quality filter, as the paper states it or as a tool reads it."""

    base: ClassVar[str] = "gopher_quality"
    readings: ClassVar[Mapping[str, Reading]] = {
        "paper": Reading(measure, RULES),
        "datatrove": datatrove.GOPHER_QUALITY,
        "dolma": dolma.GOPHER_QUALITY,
    }
