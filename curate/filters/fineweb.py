"""FineWeb's own rules: punctuated lines, short lines, repeated lines, lists.

Penedo et al., *The FineWeb Datasets: Decanting the Web for the Finest Text Data at Scale*
(2024, arXiv:2406.17557), section 3.6. The paper drops pages with a share of characters in
duplicated lines of 0.1 or more; the code released with it has 0.01. The rule on newlines
per word is in that code alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from hinterland.curate.filter import FILTERS, Scores, measure_each
from hinterland.curate.filters.gopher_repetition import repeated_share
from hinterland.curate.rule import Rule, above, below
from hinterland.curate.words import Document

__all__ = ["RULES", "FineWeb", "measure"]

END_MARKS = (".", "?", "!", '"', "'")
SHORT_LINE = 30  # characters; the paper says shorter than, the released code counts 30 too
PUNCTUATED_LINES = 0.12  # out at or below
SHORT_LINES = 0.67  # out at or above
DUPLICATE_LINE_CHARACTERS = 0.1  # out at or above
MAX_NEWLINES_PER_WORD = 0.3

RULES = (
    Rule("fineweb.punctuated_lines", "fineweb.punctuated_lines", low=above(PUNCTUATED_LINES)),
    Rule("fineweb.short_lines", "fineweb.short_lines", high=below(SHORT_LINES)),
    Rule(
        "fineweb.duplicate_line_characters",
        "fineweb.duplicate_line_characters",
        high=below(DUPLICATE_LINE_CHARACTERS),
    ),
    Rule("fineweb.newlines_per_word", "fineweb.newlines_per_word", high=MAX_NEWLINES_PER_WORD),
)


def measure(document: Document, short_line: int = SHORT_LINE) -> dict[str, float]:
    """Return FineWeb's measures of one document; shares of no lines or words are NaN.

    Args:
        document: The document.
        short_line: A line of fewer characters is short.
    """
    nan = float("nan")
    lines, words = document.lines, len(document.words)
    return {
        "punctuated_lines": sum(line.endswith(END_MARKS) for line in lines) / len(lines) if lines else nan,
        "short_lines": sum(len(line) < short_line for line in lines) / len(lines) if lines else nan,
        "duplicate_line_characters": repeated_share(lines)[1],
        "newlines_per_word": document.text.strip().count("\n") / words if words else nan,
    }


@FILTERS.register("fineweb")
@dataclass(frozen=True)
class FineWeb:
    """FineWeb's filter as the paper states it.

    Args:
        short_line: A line of fewer characters is short.
        rules: The rules over its columns; the paper's by default.
    """

    name: ClassVar[str] = "fineweb"
    variant: ClassVar[str] = "paper"
    short_line: int = SHORT_LINE
    rules: tuple[Rule, ...] = field(default=RULES)

    def score(self, texts: Sequence[str]) -> Scores:
        """See `Filter.score`."""
        return measure_each(
            texts, self.name, lambda document: measure(document, self.short_line), measure(Document(""))
        )
