"""dolma 1.2's reading of the Gopher and C4 rules (``gopher_v2``, ``c4_v2``).

docs/variants.md states each score and the published thresholds. Scores are rounded to five
decimals before the thresholds see them, as dolma stores them.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from statistics import median

from hinterland.curate.rule import Rule
from hinterland.curate.variant import Reading, each_document
from hinterland.curate.variants.bounds import NGRAMS, most

__all__ = ["C4", "GOPHER_QUALITY", "GOPHER_REPETITION"]

_STOP_WORDS = frozenset({"the", "be", "to", "of", "and", "that", "have", "with"})
_LINES = re.compile(r"\n+")
_DECIMALS = 5


def _rounded(measures: dict[str, float]) -> dict[str, float]:
    return {key: round(float(value), _DECIMALS) for key, value in measures.items()}


def gopher_quality(text: str) -> dict[str, float]:
    """Return the measures of Gopher's quality rules."""
    words, lines = text.split(), _LINES.split(text)
    number = max(len(words), 1)
    return _rounded(
        {
            "words": len(words),
            "median_word_length": median(map(len, words)) if words else 0,
            "symbols_per_word": sum("#" in word or "…" in word for word in words) / number,
            "bullet_lines": sum(line.startswith(("*", "-")) for line in lines) / len(lines),
            "ellipsis_lines": sum(line.endswith("…") for line in lines) / len(lines),
            "alphabetic_words": sum(any(map(str.isalpha, word)) for word in words) / number,
            "stop_words": sum(word in _STOP_WORDS for word in words),
        }
    )


def _gram_characters(words: Sequence[str], n: int) -> list[tuple[int, int]]:
    """Return each distinct n-gram's count and the characters of its words, in order of occurrence."""
    counts = Counter(zip(*(words[start:] for start in range(n)), strict=False))
    return [(count, sum(map(len, gram))) for gram, count in counts.items()]


def gopher_repetition(text: str) -> dict[str, float]:
    """Return the measures of Gopher's repetition rules; NaN where the text has too few words."""
    words, lines = text.split(), _LINES.split(text)
    characters = max(sum(map(len, words)), 1)
    copies = {line: count for line, count in Counter(lines).items() if count > 1}
    found: dict[str, float] = {
        "duplicate_lines": sum(copies.values()) / len(lines),
        "duplicate_line_characters": sum(len(line) * count for line, count in copies.items()) / characters,
    }
    for n in range(2, 11):
        grams = _gram_characters(words, n)
        if n <= 4:
            count, length = max(grams, key=lambda gram: gram[0], default=(0, 0))
            found[f"top_{n}gram"] = count * length / characters if grams else math.nan
        else:
            total = sum(count * length for count, length in grams)
            repeated = sum(count * length for count, length in grams if count > 1)
            found[f"duplicate_{n}gram"] = repeated / total if total else math.nan
    return _rounded(found)


def c4(text: str) -> dict[str, float]:
    """Return the measures of C4's rules; lines that would be removed are for information."""
    low = text.lower()
    lines = text.split("\n")
    return _rounded(
        {
            "curly_bracket": "{" in low,
            "lorem_ipsum": "lorem ipsum" in low,
            "javascript": "javascript" in low,
            "unpunctuated_lines": sum(not line.strip().endswith((".", "?", "!", '"')) for line in lines)
            / len(lines),
            "lines_of_few_words": sum(len(line.split()) < 3 for line in lines) / len(lines),
        }
    )


GOPHER_QUALITY = Reading(
    each_document(gopher_quality),
    (
        Rule("words", "words", low=50, high=100_000),
        Rule("median_word_length", "median_word_length", low=3, high=10),
        Rule("symbols_per_word", "symbols", high=0.1),
        most("bullet_lines", 0.9),
        most("ellipsis_lines", 0.3),
        Rule("alphabetic_words", "alphabetic_words", low=0.8),
        Rule("stop_words", "stop_words", low=2),
    ),
)
GOPHER_REPETITION = Reading(
    each_document(gopher_repetition),
    (
        most("duplicate_lines", 0.3),
        most("duplicate_line_characters", 0.3),
        *NGRAMS,
    ),
)
C4 = Reading(
    each_document(c4),
    (most("curly_bracket", 0), most("lorem_ipsum", 0), most("javascript", 0)),
)
