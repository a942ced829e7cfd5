"""What counts as the same answer: SQuAD's normalisation, carried over to Unicode.

SQuAD (Rajpurkar et al. 2016, https://arxiv.org/abs/1606.05250) lower-cases, deletes ASCII
punctuation, drops the articles a, an, the, and joins what is left by single spaces. For
ASCII text this does the same. Beyond ASCII it goes on in the same spirit, so that spelling
conventions do not decide who is right about Nuku'alofa, São Tomé or Łódź:

- compatibility forms are unified (NFKC) and case is folded;
- accents on Latin, Greek and Cyrillic letters are dropped (U+0300 to U+036F), and letters
  that do not decompose are respelled (ł→l, ø→o, æ→ae …). Vowel signs of other scripts are
  letters in their own right and stay;
- punctuation, symbols, invisible format characters and letters used as apostrophes (ʻ ʼ)
  are deleted.
"""

from __future__ import annotations

import string
import unicodedata

__all__ = ["normalise", "tokens"]

_ARTICLES = frozenset({"a", "an", "the"})
_RESPELLED = {"ł": "l", "ø": "o", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i", "ŧ": "t"}
_APOSTROPHES = frozenset("ʹʻʼʽʾʿˈˊˋꞌ")


class _Folding(dict[int, str]):
    """A translation table that works out each character once."""

    def __missing__(self, code: int) -> str:
        character = chr(code)
        if (
            character in string.punctuation
            or character in _APOSTROPHES
            or 0x300 <= code <= 0x36F
            or unicodedata.category(character)[0] in "PS"
            or unicodedata.category(character) == "Cf"
        ):
            folded = ""
        else:
            folded = _RESPELLED.get(character, character)
        self[code] = folded
        return folded


_FOLDING = _Folding()


def tokens(text: str) -> list[str]:
    """Return the normalised words of ``text``, articles left out."""
    # Twice, because folding case can make a letter with an accent, and NFKD a capital.
    text = unicodedata.normalize("NFKD", text).casefold()
    text = unicodedata.normalize("NFKD", text).casefold()
    text = unicodedata.normalize("NFKC", text.translate(_FOLDING))
    return [word for word in text.split() if word not in _ARTICLES]


def normalise(text: str) -> str:
    """Return ``text`` as it is compared.

    >>> normalise("The  São-Tomé!")
    'saotome'
    """
    return " ".join(tokens(text))
