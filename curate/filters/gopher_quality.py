"""Gopher's quality rules: length, symbols, bullets, alphabetic words, stop words.

Rae et al., *Scaling Language Models: Methods, Analysis & Insights from Training Gopher*
(2021, arXiv:2112.11446), appendix A.1.1, "Quality Filtering".
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from hinterland.curate.filter import FILTERS, Scores, measure_each
from hinterland.curate.rule import Rule
from hinterland.curate.words import Document

__all__ = ["RULES", "STOP_WORDS", "GopherQuality", "measure"]

MIN_WORDS, MAX_WORDS = 50, 100_000
MIN_MEAN_WORD_LENGTH, MAX_MEAN_WORD_LENGTH = 3, 10
MAX_SYMBOLS_PER_WORD = 0.1
MAX_BULLET_LINES = 0.9
MAX_ELLIPSIS_LINES = 0.3
MIN_ALPHABETIC_WORDS = 0.8
MIN_STOP_WORDS = 2
STOP_WORDS = frozenset({"the", "be", "to", "of", "and", "that", "have", "with"})

RULES = (
    Rule("gopher_quality.words", "gopher_quality.words", low=MIN_WORDS, high=MAX_WORDS),
    Rule(
        "gopher_quality.mean_word_length",
        "gopher_quality.mean_word_length",
        low=MIN_MEAN_WORD_LENGTH,
        high=MAX_MEAN_WORD_LENGTH,
    ),
    Rule("gopher_quality.hashes_per_word", "gopher_quality.hashes", high=MAX_SYMBOLS_PER_WORD),
    Rule("gopher_quality.ellipses_per_word", "gopher_quality.ellipses", high=MAX_SYMBOLS_PER_WORD),
    Rule("gopher_quality.bullet_lines", "gopher_quality.bullet_lines", high=MAX_BULLET_LINES),
    Rule("gopher_quality.ellipsis_lines", "gopher_quality.ellipsis_lines", high=MAX_ELLIPSIS_LINES),
    Rule("gopher_quality.alphabetic_words", "gopher_quality.alphabetic_words", low=MIN_ALPHABETIC_WORDS),
    Rule("gopher_quality.stop_words", "gopher_quality.stop_words", low=MIN_STOP_WORDS),
)

_ELLIPSES = ("...", "…")
# A dash or star is a bullet only before a space: "-5 °C" and "*emphasis*" are not lists.
_BULLET = re.compile(r"[•‣◦●○▪■]|[-–*]\s")


def measure(document: Document) -> dict[str, float]:
    """Return Gopher's quality measures of one document.

    Means and shares of no words, and shares of no lines, are NaN.
    """
    nan = float("nan")
    words, lines, text = len(document.words), document.lines, document.text
    alphabetic = sum(
        count for word, count in document.word_counts.items() if word.isalpha() or any(map(str.isalpha, word))
    )
    ellipses = sum(text.count(mark) for mark in _ELLIPSES)
    return {
        "words": words,
        "mean_word_length": document.word_characters / words if words else nan,
        "hashes_per_word": text.count("#") / words if words else nan,
        "ellipses_per_word": ellipses / words if words else nan,
        "bullet_lines": sum(_BULLET.match(line) is not None for line in lines) / len(lines) if lines else nan,
        "ellipsis_lines": sum(line.endswith(_ELLIPSES) for line in lines) / len(lines) if lines else nan,
        "alphabetic_words": alphabetic / words if words else nan,
        "stop_words": len(STOP_WORDS & document.vocabulary),
    }


@FILTERS.register("gopher_quality")
@dataclass(frozen=True)
class GopherQuality:
    """Gopher's quality filter as the paper states it.

    Args:
        rules: The rules over its columns; the paper's by default.
    """

    name: ClassVar[str] = "gopher_quality"
    variant: ClassVar[str] = "paper"
    rules: tuple[Rule, ...] = field(default=RULES)

    def score(self, texts: Sequence[str]) -> Scores:
        """See `Filter.score`."""
        return measure_each(texts, self.name, measure, measure(Document("")))
