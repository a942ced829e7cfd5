"""The paper's readings in plain Python, to check the compiled ones against."""

from __future__ import annotations

import math
import re
import string
from collections import Counter
from collections.abc import Sequence

from hinterland.curate.filters.gopher_repetition import DUPLICATE_NGRAMS, TOP_NGRAMS
from hinterland.curate.variants.sentences import count_sentences

ELLIPSES = ("...", "…")
END_MARKS = (".", "?", "!", '"', "'")
STOP_WORDS = {"the", "be", "to", "of", "and", "that", "have", "with"}
BULLET = re.compile(r"[•‣◦●○▪■]|[-–*]\s")
CITATIONS = re.compile(r"(?:\s*\[(?:\d*|edit|citation needed)\])+\s*$", re.ASCII)
POLICIES = (
    "terms of use", "privacy policy", "cookie policy", "uses cookies", "use of cookies", "use cookies",
)  # fmt: skip


def lines_of(text: str) -> list[str]:
    return [line for raw in text.splitlines() if (line := raw.strip())]


def paragraphs_of(text: str) -> list[str]:
    return [part for raw in re.split(r"\n\s*\n", text) if (part := raw.strip())]


def share(part: float, whole: float) -> float:
    return part / whole if whole else math.nan


def lower(text: str) -> str:
    return "".join(c.lower() if c.isascii() else c for c in text)


def quality(text: str) -> dict[str, float]:
    words, lines = text.split(), lines_of(text)
    vocabulary = {lower(word).strip(string.punctuation) for word in words}
    return {
        "words": len(words),
        "mean_word_length": share(sum(map(len, words)), len(words)),
        "hashes_per_word": share(text.count("#"), len(words)),
        "ellipses_per_word": share(sum(text.count(mark) for mark in ELLIPSES), len(words)),
        "bullet_lines": share(sum(BULLET.match(line) is not None for line in lines), len(lines)),
        "ellipsis_lines": share(sum(line.endswith(ELLIPSES) for line in lines), len(lines)),
        "alphabetic_words": share(sum(any(map(str.isalpha, word)) for word in words), len(words)),
        "stop_words": len(STOP_WORDS & vocabulary),
    }


def repeated_share(parts: Sequence[str]) -> tuple[float, float]:
    seen: set[str] = set()
    copies = characters = 0
    for part in parts:
        if part in seen:
            copies += 1
            characters += len(part)
        seen.add(part)
    return share(copies, len(parts)), share(characters, sum(map(len, parts)))


def repetition(text: str) -> dict[str, float]:
    words = text.split()
    lines, line_characters = repeated_share(lines_of(text))
    paragraphs, paragraph_characters = repeated_share(paragraphs_of(text))
    found = {
        "duplicate_lines": lines,
        "duplicate_paragraphs": paragraphs,
        "duplicate_line_characters": line_characters,
        "duplicate_paragraph_characters": paragraph_characters,
    }
    total = sum(map(len, words))
    for n in (*TOP_NGRAMS, *DUPLICATE_NGRAMS):
        grams = [tuple(words[i : i + n]) for i in range(len(words) - n + 1)]
        counts = Counter(grams)
        if n in TOP_NGRAMS:
            gram, count = counts.most_common(1)[0] if counts else ((), 0)
            part = sum(map(len, gram)) * count if count > 1 else 0
        else:
            marked = {i + j for i, gram in enumerate(grams) if counts[gram] > 1 for j in range(n)}
            part = sum(len(words[i]) for i in marked)
        found[f"{'top' if n in TOP_NGRAMS else 'duplicate'}_{n}gram"] = share(part, total)
    return found


def keeps(line: str, *, terminal_punctuation: bool = True) -> bool:
    words = line.split()
    if len(words) < 3 or max(map(len, words)) > 1000:
        return False
    bare = CITATIONS.sub("", line)
    if terminal_punctuation and (not bare.endswith(END_MARKS) or bare.endswith(ELLIPSES)):
        return False
    return not any(phrase in lower(line) for phrase in ("javascript", *POLICIES))


def c4(text: str) -> dict[str, float]:
    lines = lines_of(text)
    kept = [line for line in lines if keeps(line)]
    return {
        "sentences": sum(map(count_sentences, kept)),
        "lorem_ipsum": "lorem ipsum" in lower(text),
        "curly_bracket": "{" in text or "}" in text,
        "kept_characters": share(sum(map(len, kept)), sum(map(len, lines))),
    }


def fineweb(text: str) -> dict[str, float]:
    lines, words = lines_of(text), text.split()
    return {
        "punctuated_lines": share(sum(line.endswith(END_MARKS) for line in lines), len(lines)),
        "short_lines": share(sum(len(line) < 30 for line in lines), len(lines)),
        "duplicate_line_characters": repeated_share(lines)[1],
        "newlines_per_word": share(text.strip().count("\n"), len(words)),
    }
