"""Near-duplicates planted among pages, and how alike pages truly are."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from gpu_parts.common import SEED

from curation_parts.data import Page
from hinterland.core.seeds import generator

__all__ = ["Planted", "jaccard", "plant", "shingles"]

#: Share of words that is changed in a copy, as in a page that was edited.
LEAST, MOST = 0.05, 0.20
#: The words of a page that is copied: a few words changed in a short one leave little.
_WORDS = 100
_PIECES = re.compile(r"\S+|\s+")
_NO_WORD = re.compile(r"[\W_]+")
_MARKS = re.compile(r"[\u0300-\u036f]")
_DIGIT = re.compile(r"\d")
_NUMBER = re.compile(r"\d+(?:[.,]\d+)?")


@dataclass(frozen=True)
class Planted:
    """Pages with copies among them.

    Attributes:
        pages: All pages, the copies in between.
        pairs: Ids of an original and its copy.
    """

    pages: list[Page]
    pairs: list[tuple[str, str]]


def plant(pages: Sequence[Page], total: int, copies: int) -> Planted:
    """Return up to ``total`` pages of which ``copies`` are edited copies of others.

    In each copy 5 to 20% of the words are changed, in one to three places: left out,
    replaced by words of another page, or such words put in.

    Args:
        pages: The originals.
        total: The pages in all.
        copies: The copies among them.
    """
    random = generator(SEED, "planting")
    order = random.permutation(len(pages))[: total - copies]
    originals = [pages[index] for index in order]
    long = [page for page in originals if len(page[1].split()) >= _WORDS]
    chosen = random.choice(len(long), min(copies, len(long)), replace=False)
    made: list[Page] = []
    for number, index in enumerate(chosen):
        key, text = long[index]
        other = long[int(random.integers(len(long)))][1].split()
        made.append((f"copy {number} of {key}", edited(text, other, random)))
    mixed = originals + made
    mixed = [mixed[index] for index in random.permutation(len(mixed))]
    return Planted(mixed, [(long[index][0], copy[0]) for index, copy in zip(chosen, made, strict=True)])


def edited(text: str, other: Sequence[str], random: np.random.Generator) -> str:
    """Return ``text`` with 5 to 20% of its words changed; white space stays as it is."""
    pieces = _PIECES.findall(text)
    at = [place for place, piece in enumerate(pieces) if not piece.isspace()]
    places = int(random.integers(1, 4))
    share = random.uniform(LEAST, MOST)
    size = max(1, round(share * len(at) / places))
    kind = ("left out", "replaced", "put in")[int(random.integers(3))]
    starts = random.choice(len(at) // size, places, replace=False) * size
    for start in sorted(starts, reverse=True):
        begin, end = at[start], at[min(start + size, len(at)) - 1] + 1
        words = [other[int(word)] for word in random.integers(len(other), size=size)]
        if kind == "left out":
            pieces[begin:end] = []
        else:
            pieces[begin : end if kind == "replaced" else begin] = [" ".join(words), " "]
    return "".join(pieces)


def joined_words(text: str) -> list[str]:
    """Return the words as the kit reads them: what white space separates, letters and numbers alone."""
    plain = _MARKS.sub("", unicodedata.normalize("NFD", text.lower()))
    words = (_NO_WORD.sub("", word) for word in plain.split())
    return [_DIGIT.sub("0", word) for word in words if word]


def parted_words(text: str) -> list[str]:
    """Return the words as datatrove reads them, but for spaCy: punctuation parts them, numbers are 0."""
    plain = _MARKS.sub("", unicodedata.normalize("NFD", _NUMBER.sub("0", text.lower())))
    return _NO_WORD.sub(" ", plain).split()


def shingles(words: Sequence[str], size: int = 5) -> frozenset[tuple[str, ...]]:
    """Return the distinct runs of five words; fewer words are one run."""
    length = max(1, min(size, len(words)))
    return frozenset(tuple(words[at : at + length]) for at in range(len(words) - length + 1))


def jaccard(pairs: Iterable[tuple[str, str]], texts: dict[str, str]) -> list[float]:
    """Return how alike the texts of each pair are, in the reading of words that finds more.

    The two tools read words differently, so a pair is only called unlike if it is in both
    readings.
    """
    known: dict[str, list[frozenset[tuple[str, ...]]]] = {}
    values = []
    for pair in pairs:
        for key in pair:
            if key not in known:
                known[key] = [shingles(read(texts[key])) for read in (joined_words, parted_words)]
        both = zip(known[pair[0]], known[pair[1]], strict=True)
        values.append(max(len(first & second) / max(len(first | second), 1) for first, second in both))
    return values
