"""C4's rules: which lines a page keeps, and whether enough sentences are left.

Raffel et al., *Exploring the Limits of Transfer Learning with a Unified Text-to-Text
Transformer* (JMLR 21, 2020), section 2.2, with the numbers of the first version and of
the released code: lines of at least 3 words, pages of at least 5 sentences. (The journal
version exchanges the two.) Lines with words over 1,000 characters and lines with policy
phrases go as in the released code. The list of bad words is left out: it removes text by
and about minorities (Dodge et al. 2021, arXiv:2104.08758).

C4 rewrites pages; here nothing is rewritten. The measures say what C4 would have left.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from hinterland.curate.filter import FILTERS, Scores, measure_each
from hinterland.curate.rule import Rule
from hinterland.curate.words import Document

__all__ = ["C4", "RULES", "C4Lines", "count_sentences", "measure"]

MIN_SENTENCES = 5
END_MARKS = (".", "?", "!", '"', "'")
ELLIPSES = ("...", "…")
POLICY_PHRASES = (
    "terms of use",
    "privacy policy",
    "cookie policy",
    "uses cookies",
    "use of cookies",
    "use cookies",
)

RULES = (
    Rule("c4.sentences", "c4.sentences", low=MIN_SENTENCES),
    Rule("c4.lorem_ipsum", "c4.lorem_ipsum", high=0),
    Rule("c4.curly_bracket", "c4.curly_bracket", high=0),
)

_CITATION = re.compile(r"\[(?:\d*|edit|citation needed)\]")
# A sentence ends at . ? or ! (with closing quotes or brackets) before a space and a new start.
_SENTENCE_BREAK = re.compile(r"[.?!][\"'”’)\]]*\s+(?=[\"'“‘(\[]*[A-Z0-9])")


@dataclass(frozen=True)
class C4Lines:
    """Which lines of a page C4 keeps.

    Args:
        min_words: The fewest words in a line.
        max_word_length: The most characters in a word.
        terminal_punctuation: Whether a line must end in . ? ! or a quotation mark
            (FineWeb's recipe switches this off).
    """

    min_words: int = 3
    max_word_length: int = 1000
    terminal_punctuation: bool = True

    def keeps(self, line: str) -> bool:
        """Whether the line stays on the page."""
        words = line.split()
        if len(words) < self.min_words or any(len(word) > self.max_word_length for word in words):
            return False
        line = _CITATION.sub("", line).rstrip()
        if self.terminal_punctuation and (not line.endswith(END_MARKS) or line.endswith(ELLIPSES)):
            return False
        low = line.lower()
        return "javascript" not in low and not any(phrase in low for phrase in POLICY_PHRASES)


def count_sentences(line: str) -> int:
    """Return the number of sentences in a line that is not blank, at least 1."""
    return len(_SENTENCE_BREAK.findall(line)) + 1


def measure(document: Document, lines: C4Lines | None = None) -> dict[str, float]:
    """Return C4's measures of one document.

    ``kept_characters``, the share of the lines' characters that C4 keeps, has no rule;
    it is NaN for a document without lines.
    """
    lines = lines or C4Lines()
    kept = [line for line in document.lines if lines.keeps(line)]
    characters = sum(map(len, document.lines))
    return {
        "sentences": sum(map(count_sentences, kept)),
        "lorem_ipsum": "lorem ipsum" in document.text.lower(),
        "curly_bracket": "{" in document.text or "}" in document.text,
        "kept_characters": sum(map(len, kept)) / characters if characters else float("nan"),
    }


@FILTERS.register("c4")
@dataclass(frozen=True)
class C4:
    """C4's filter as the paper states it.

    Args:
        lines: Which lines count.
        rules: The rules over its columns; the paper's by default.
    """

    name: ClassVar[str] = "c4"
    variant: ClassVar[str] = "paper"
    lines: C4Lines = field(default_factory=C4Lines)
    rules: tuple[Rule, ...] = field(default=RULES)

    def score(self, texts: Sequence[str]) -> Scores:
        """See `Filter.score`."""
        columns = measure_each(
            texts, self.name, lambda document: measure(document, self.lines), measure(Document(""))
        )
        for flag in ("c4.lorem_ipsum", "c4.curly_bracket"):
            columns[flag] = columns[flag].astype(bool)
        return columns
