"""Cut text into the words that BM25 counts, in any script.

A word is a run of letters, digits and the marks that belong to them (the vowel signs of
Hindi or Thai). Chinese, Japanese, Korean, Thai, Lao, Khmer and Burmese are cut into overlapping pairs of
characters, as Lucene's CJK analyser does, because most of them put no spaces between words. Passages also
count the single characters, so that a query of one character finds something.
"""

from __future__ import annotations

import re
import sys
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from itertools import pairwise

from hinterland.core.errors import nearest

__all__ = ["Vocabulary", "Words", "check_language", "languages"]

#: Languages without a stemmer: their words are taken as they are, less stop words.
_UNSTEMMED = ("chinese", "japanese", "korean", "none", "thai")

#: Scripts that are cut into pairs of characters: Thai and Lao, Burmese, Khmer, Hangul Jamo, kana, Han with
#: its extensions and compatibility forms, Hangul.
_DENSE = (
    "\u0e01-\u0e4e\u0e80-\u0ecd\u0edc-\u0edf\u1000-\u103f\u1050-\u109d\u1100-\u11ff\u1780-\u17d3"
    "\u3005-\u3007\u3041-\u3096\u3099-\u309f\u30a1-\u30fa\u30fc-\u30ff\u3130-\u318f"
    "\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3\uf900-\ufaff\U00020000-\U000323af"
)


def languages() -> tuple[str, ...]:
    """Return the languages whose words can be indexed, sorted: Snowball's, and those without a stemmer."""
    import Stemmer

    return tuple(sorted({*Stemmer.algorithms(), *_UNSTEMMED}))


def check_language(name: str) -> str:
    """Return ``name`` if it is a known language.

    Raises:
        ValueError: It is not; the nearest and all known ones are named.
    """
    known = languages()
    if name not in known:
        raise ValueError(f"there is no language {name!r} ({nearest(name, known)}; all: {', '.join(known)})")
    return name


_ASCII_WORD = re.compile(r"\w+", re.ASCII)


@cache
def _patterns() -> tuple[re.Pattern[str], re.Pattern[str]]:
    """Match a word with its marks (vowel signs are not letters to `re`); a run of dense script or none."""
    marks = [point for point in range(sys.maxunicode + 1) if unicodedata.category(chr(point))[0] == "M"]
    classes, start = [], marks[0]
    for here, after in zip(marks, [*marks[1:], 0], strict=True):
        if after != here + 1:
            classes.append(f"{chr(start)}-{chr(here)}")
            start = after
    return re.compile(rf"[\w{''.join(classes)}]+"), re.compile(rf"([{_DENSE}]+)|[^{_DENSE}]+")


@cache
def _stop_words(language: str) -> frozenset[str]:
    from bm25s import stopwords

    name = "EN" if language in ("english", "porter") else language.removesuffix("_porter").upper()
    return frozenset(getattr(stopwords, f"STOPWORDS_{name}", ()))


def _clean(text: str) -> str:
    """Return the text in lower case, in the usual form of each character (NFKC)."""
    whole = text.encode("utf-8", "replace").decode()  # half a character becomes "?"
    return unicodedata.normalize("NFKC", whole).lower()


class Words:
    """Cuts texts into words. What a word becomes is remembered, so a word is stemmed once.

    Args:
        language: Whose stemmer and stop words are used; one of `languages`.
    """

    def __init__(self, language: str) -> None:
        import Stemmer

        self._stem: Callable[[str], str] = (
            str if language in _UNSTEMMED else Stemmer.Stemmer(language, 0).stemWord
        )
        self._known: dict[str, str] = dict.fromkeys(_stop_words(language), "")

    def passage(self, text: str) -> list[str]:
        """Return the words of a passage; of dense scripts the characters and their pairs."""
        return list(self._cut(text, passage=True))

    def query(self, text: str) -> list[str]:
        """Return the words of a query; of dense scripts the pairs, or a character that stands alone."""
        return list(self._cut(text, passage=False))

    def _cut(self, text: str, *, passage: bool) -> Iterator[str]:
        if text.isascii():
            yield from self._stems(_ASCII_WORD.findall(text.lower()))
            return
        word, pieces = _patterns()
        for run in word.findall(_clean(text)):
            for match in pieces.finditer(run):
                piece = match.group()
                if not match.group(1):
                    yield from self._stems([piece])
                    continue
                if passage or len(piece) == 1:
                    yield from piece
                yield from map("".join, pairwise(piece))

    def _stems(self, words: Iterable[str]) -> Iterator[str]:
        known = self._known
        for word in words:
            stem = known.get(word)
            if stem is None:
                stem = known[word] = self._stem(word)
            if stem:
                yield stem


class Vocabulary:
    """Words by number, in the order they were met: the same texts give the same numbers."""

    def __init__(self) -> None:
        self.numbers: dict[str, int] = {}

    def take(self, texts: Iterable[Sequence[str]]) -> list[list[int]]:
        """Return the words of each text as numbers, new words added."""
        numbers = self.numbers
        return [[numbers.setdefault(word, len(numbers)) for word in text] for text in texts]
