"""The view of a document that all filters share: its words and lines, split once."""

from __future__ import annotations

import re
import string
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import overload

__all__ = ["Batch", "Document", "documents"]

_PARAGRAPH_BREAK = re.compile(r"\n\s*\n")


class Document:
    """One text and its parts; each part is split at most once, when first asked for.

    The papers do not say what a word or a line is, so this is the kit's reading of them:
    words are what white space separates, lines are the stripped lines that are not blank.
    (Counting blank lines makes every double-spaced text repetitive.)

    Args:
        text: The document.
    """

    def __init__(self, text: str) -> None:
        self.text = text

    @cached_property
    def words(self) -> list[str]:
        """The words, as they stand, with their punctuation."""
        return self.text.split()

    @cached_property
    def word_counts(self) -> Counter[str]:
        """How often each word occurs."""
        return Counter(self.words)

    @cached_property
    def vocabulary(self) -> set[str]:
        """The distinct words, lower case, without punctuation at their ends."""
        return {word.lower().strip(string.punctuation) for word in self.word_counts}

    @cached_property
    def word_characters(self) -> int:
        """The characters in all words, white space left out."""
        return sum(len(word) * count for word, count in self.word_counts.items())

    @cached_property
    def lines(self) -> list[str]:
        """The lines that are not blank, stripped."""
        return [line for raw in self.text.splitlines() if (line := raw.strip())]

    @cached_property
    def paragraphs(self) -> list[str]:
        """The stretches between blank lines, stripped."""
        return [part for raw in _PARAGRAPH_BREAK.split(self.text) if (part := raw.strip())]


class Batch(Sequence[str]):
    """Texts that remember their split, so that several filters can go over them.

    Args:
        texts: The documents.
    """

    def __init__(self, texts: Sequence[str]) -> None:
        self._texts = texts
        self.documents = [Document(text) for text in texts]

    @overload
    def __getitem__(self, index: int) -> str: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[str]: ...

    def __getitem__(self, index: int | slice) -> str | Sequence[str]:
        return self._texts[index]

    def __len__(self) -> int:
        return len(self._texts)

    def __iter__(self) -> Iterator[str]:
        return iter(self._texts)


def documents(texts: Sequence[str]) -> list[Document]:
    """Return the split view of ``texts``, the shared one if they are a `Batch`."""
    return texts.documents if isinstance(texts, Batch) else [Document(text) for text in texts]
