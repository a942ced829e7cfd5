"""Gopher's repetition rules: repeated lines, paragraphs and word n-grams.

Rae et al. (2021, arXiv:2112.11446), appendix A.1.1, "Repetition Removal", table A1.

Where the paper leaves room: a line or paragraph repeats if it stood in the document
before (the first copy is not counted); characters are those of words, lines or
paragraphs, white space between them left out, so that a share of 1 is possible; the
characters in duplicate n-grams are counted over every copy, the first too, and each
character once, however many n-grams overlap there; the most frequent n-gram counts only
if it occurs more than once, and among equally frequent ones the first is taken.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from hinterland.curate.filter import FILTERS, Scores, measure_each
from hinterland.curate.rule import Rule
from hinterland.curate.words import Document

__all__ = ["DUPLICATE_NGRAMS", "RULES", "TOP_NGRAMS", "GopherRepetition", "measure", "repeated_share"]

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
RULES = tuple(
    Rule(f"gopher_repetition.{key}", f"gopher_repetition.{key}", high=share) for key, share in _MAXIMA.items()
)

Gram = tuple[str, ...]


def repeated_share(parts: Sequence[str]) -> tuple[float, float]:
    """Return the share of parts that occurred before, by number and by characters."""
    if not parts:
        return float("nan"), float("nan")
    seen: set[str] = set()
    copies = characters = 0
    for part in parts:
        if part in seen:
            copies += 1
            characters += len(part)
        seen.add(part)
    return copies / len(parts), characters / sum(map(len, parts))


def _ngrams(words: Sequence[str], n: int) -> list[Gram]:
    return list(zip(*(words[start:] for start in range(n)), strict=False))


def _top_characters(counts: Counter[Gram]) -> int:
    """Return the characters in the most frequent n-gram's copies; 0 if none repeats."""
    gram, count = max(counts.items(), key=lambda item: item[1], default=((), 0))
    return sum(map(len, gram)) * count if count > 1 else 0


def _covered_characters(words: Sequence[str], grams: Sequence[Gram], counts: Counter[Gram], n: int) -> int:
    """Return the characters of the words that lie in an n-gram occurring more than once."""
    characters, covered_to = 0, 0
    for start, gram in enumerate(grams):
        if counts[gram] > 1:
            fresh = max(start, covered_to)
            covered_to = start + n
            characters += sum(map(len, words[fresh:covered_to]))
    return characters


def _ngram_shares(document: Document) -> dict[str, float]:
    """Return the n-gram measures.

    If no n-gram repeats then no longer one does, which is where the loop ends for most
    texts..
    """
    words, total = document.words, document.word_characters
    shares = {key: 0.0 if words else float("nan") for key in _MAXIMA if key.endswith("gram")}
    for n in sorted((*TOP_NGRAMS, *DUPLICATE_NGRAMS)):
        grams = _ngrams(words, n)
        counts = Counter(grams)
        if len(counts) == len(grams):
            break
        if n in TOP_NGRAMS:
            shares[f"top_{n}gram"] = _top_characters(counts) / total
        else:
            shares[f"duplicate_{n}gram"] = _covered_characters(words, grams, counts, n) / total
    return shares


def measure(document: Document) -> dict[str, float]:
    """Return Gopher's repetition measures of one document; NaN where there are no words.

    The most frequent n-gram's copies may overlap ("a a a"), so its share can exceed 1.
    """
    lines, line_characters = repeated_share(document.lines)
    paragraphs, paragraph_characters = repeated_share(document.paragraphs)
    return {
        "duplicate_lines": lines,
        "duplicate_paragraphs": paragraphs,
        "duplicate_line_characters": line_characters,
        "duplicate_paragraph_characters": paragraph_characters,
        **_ngram_shares(document),
    }


@FILTERS.register("gopher_repetition")
@dataclass(frozen=True)
class GopherRepetition:
    """Gopher's repetition filter as the paper states it.

    Args:
        rules: The rules over its columns; the paper's by default.
    """

    name: ClassVar[str] = "gopher_repetition"
    variant: ClassVar[str] = "paper"
    rules: tuple[Rule, ...] = field(default=RULES)

    def score(self, texts: Sequence[str]) -> Scores:
        """See `Filter.score`."""
        return measure_each(texts, self.name, measure, _MAXIMA)
