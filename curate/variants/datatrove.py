"""datatrove 0.10's reading of the Gopher, C4 and FineWeb rules, on words split at white space.

docs/variants.md states each rule. datatrove stops at the first rule that fails; here all are
measured, and a page is out under the same conditions.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence

from hinterland.curate.rule import Rule
from hinterland.curate.variant import Reading, each_document
from hinterland.curate.variants.bounds import NGRAMS, most
from hinterland.curate.variants.sentences import count_sentences
from hinterland.curate.variants.symbols import SYMBOLS, TERMINAL_PUNCTUATION

__all__ = ["C4", "FINEWEB", "GOPHER_QUALITY", "GOPHER_REPETITION"]

_NAN = math.nan
_STOP_WORDS = frozenset({"the", "be", "to", "of", "and", "that", "have", "with"})
_PARAGRAPHS = re.compile(r"\n{2,}")
_LINES = re.compile(r"\n+")
_CITATION = re.compile(r"\[\d*\]|\[edit\]|\[citation needed\]")
_POLICIES = (
    "terms of use",
    "privacy policy",
    "cookie policy",
    "uses cookies",
    "use of cookies",
    "use cookies",
)


def _share(part: float, whole: float) -> float:
    return part / whole if whole else _NAN


def gopher_quality(text: str) -> dict[str, float]:
    """Return the measures of Gopher's quality rules."""
    words, lines = text.split(), text.splitlines()
    plain = [word for word in words if not SYMBOLS.issuperset(word)]
    return {
        "words": len(plain),
        "mean_word_length": _share(sum(map(len, plain)), len(plain)),
        "hashes_per_word": _share(text.count("#"), len(words)),
        "ellipses_per_word": _share(text.count("...") + text.count("…"), len(words)),
        "bullet_lines": _share(sum(line.lstrip().startswith(("•", "-")) for line in lines), len(lines)),
        "ellipsis_lines": _share(sum(line.rstrip().endswith(("...", "…")) for line in lines), len(lines)),
        "alphabetic_words": _share(sum(any(map(str.isalpha, word)) for word in words), len(words)),
        "stop_words": len(_STOP_WORDS.intersection(words)),
    }


def _copies(parts: Sequence[str]) -> tuple[int, int]:
    """Return how many parts stood there before, and their characters."""
    seen: set[str] = set()
    number = characters = 0
    for part in parts:
        if part in seen:
            number += 1
            characters += len(part)
        seen.add(part)
    return number, characters


def _top(words: Sequence[str], n: int) -> int:
    """Return the characters of the most frequent n-gram's copies, with the spaces inside."""
    grams = Counter(zip(*(words[start:] for start in range(n)), strict=False))
    if not grams:
        return 0
    gram, count = max(grams.items(), key=lambda item: item[1])
    return (sum(map(len, gram)) + n - 1) * count


def _duplicate(words: Sequence[str], n: int) -> int:
    """Return the characters of n-grams seen before, from left to right, without overlap."""
    seen: set[str] = set()
    characters = at = 0
    while at < len(words) - n + 1:
        gram = "".join(words[at : at + n])
        if gram in seen:
            characters += len(gram)
            at += n
        else:
            seen.add(gram)
            at += 1
    return characters


def gopher_repetition(text: str) -> dict[str, float]:
    """Return the measures of Gopher's repetition rules; ``empty`` is 1 for an empty text."""
    words, length = text.split(), len(text)
    paragraphs, lines = _PARAGRAPHS.split(text.strip()), _LINES.split(text)
    paragraph_copies, paragraph_characters = _copies(paragraphs)
    line_copies, line_characters = _copies(lines)
    return {
        "empty": not text,
        "duplicate_paragraphs": paragraph_copies / len(paragraphs),
        "duplicate_paragraph_characters": _share(paragraph_characters, length),
        "duplicate_lines": line_copies / len(lines),
        "duplicate_line_characters": _share(line_characters, length),
        **{f"top_{n}gram": _share(_top(words, n), length) for n in (2, 3, 4)},
        **{f"duplicate_{n}gram": _share(_duplicate(words, n), length) for n in range(5, 11)},
    }


def c4(text: str) -> dict[str, float]:
    """Return the measures of C4's rules: a flag counts only on a line that gets that far."""
    sentences = kept = 0
    for raw in text.splitlines():
        line = raw.strip()
        words = line.split()
        if any(len(word) > 1000 for word in words):
            continue
        line = _CITATION.sub("", line)
        if not line.endswith((".", "?", "!", '"', "'")) or line.endswith("...") or len(words) < 3:
            continue
        low = line.lower()
        if "lorem ipsum" in low:
            return {"sentences": sentences, "lorem_ipsum": 1, "curly_bracket": 0, "kept_characters": kept}
        if "javascript" in low:
            continue
        if "{" in line:
            return {"sentences": sentences, "lorem_ipsum": 0, "curly_bracket": 1, "kept_characters": kept}
        if any(phrase in low for phrase in _POLICIES):
            continue
        sentences += count_sentences(line)
        kept += len(line)
    return {"sentences": sentences, "lorem_ipsum": 0, "curly_bracket": 0, "kept_characters": kept}


def fineweb(text: str) -> dict[str, float]:
    """Return the measures of FineWeb's rules; ``lines`` is their number."""
    lines, words = [line for line in text.split("\n") if line.strip()], len(text.split())
    number = len(lines)
    return {
        "lines": number,
        "punctuated_lines": _share(sum(line[-1] in TERMINAL_PUNCTUATION for line in lines), number),
        "short_lines": _share(sum(len(line) <= 30 for line in lines), number),
        "duplicate_line_characters": _share(_copies(lines)[1], len(text.replace("\n", ""))),
        "newlines_per_word": _share(text.count("\n"), words),
    }


GOPHER_QUALITY = Reading(
    each_document(gopher_quality),
    (
        Rule("words", "words", low=50, high=100_000),
        Rule("mean_word_length", "mean_word_length", low=3, high=10),
        Rule("hashes_per_word", "hashes", high=0.1),
        Rule("ellipses_per_word", "ellipses", high=0.1),
        most("bullet_lines", 0.9),
        most("ellipsis_lines", 0.3),
        Rule("alphabetic_words", "alphabetic_words", low=0.8),
        Rule("stop_words", "stop_words", low=2),
    ),
)
GOPHER_REPETITION = Reading(
    each_document(gopher_repetition),
    (
        most("empty", 0),
        most("duplicate_paragraphs", 0.3),
        most("duplicate_paragraph_characters", 0.2),
        most("duplicate_lines", 0.3),
        most("duplicate_line_characters", 0.2),
        *NGRAMS,
    ),
)
C4 = Reading(
    each_document(c4),
    (Rule("sentences", "sentences", low=5), most("lorem_ipsum", 0), most("curly_bracket", 0)),
)
FINEWEB = Reading(
    each_document(fineweb),
    (
        Rule("lines", "empty", low=1),
        Rule("punctuated_lines", "punctuated_lines", low=0.12),
        most("short_lines", 0.67),
        most("duplicate_line_characters", 0.01),
        most("newlines_per_word", 0.3),
    ),
)
