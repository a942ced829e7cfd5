"""BM25 over passages (Robertson and Zaragoza 2009), computed by bm25s (Lù 2024, arXiv:2407.03618)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from hinterland.core.config import Config
from hinterland.core.errors import IndexBundleError
from hinterland.indexes.backend import Mask, Vectors

__all__ = ["LexicalConfig", "LexicalIndex"]


class LexicalConfig(Config):
    """How words are indexed.

    Attributes:
        k1: How soon a repeated word stops to count.
        b: How much a long passage is held against it, 0 to 1.
        language: Whose stemmer and stop words are used; ``none`` takes words as they are.
    """

    k1: float = Field(default=0.9, ge=0)
    b: float = Field(default=0.4, ge=0, le=1)
    language: str = "english"


class LexicalIndex:
    """Words of passages that can be searched by BM25. Rows are numbered as they were given.

    Args:
        scorer: The bm25s index; ``None`` where no passage has a word.
        size: Passages.
        config: How it was made.
    """

    def __init__(self, scorer: Any, size: int, config: LexicalConfig) -> None:
        self._scorer, self._size, self.config = scorer, size, config

    @property
    def size(self) -> int:
        """How many passages there are."""
        return self._size

    @classmethod
    def build(cls, passages: Sequence[str], config: LexicalConfig) -> LexicalIndex:
        """Index passages."""
        import bm25s

        words = _tokenize(passages, config)
        if not any(words):
            return cls(None, len(passages), config)
        scorer = bm25s.BM25(k1=config.k1, b=config.b, method="lucene")
        scorer.index(words, show_progress=False)
        return cls(scorer, len(passages), config)

    def search(
        self, queries: Sequence[str], k: int, allow: Mask | None = None
    ) -> tuple[Vectors, NDArray[np.int64]]:
        """Return the scores and rows of the best passages.

        Args:
            queries: Texts.
            k: How many to return.
            allow: Which rows may be returned, shape (size,); applied before ranking.

        Returns:
            Scores and rows, both of shape (queries, min(k, rows allowed)), best first; equal
            scores in the order of rows. A row of -1, with score 0, was not found: no further
            passage shares a word with the query.
        """
        allowed = self._size if allow is None else int(allow.sum())
        k = min(k, allowed)
        scores = np.zeros((len(queries), k), np.float32)
        rows = np.full((len(queries), k), -1, np.int64)
        if self._scorer is None or not k:
            return scores, rows
        for number, words in enumerate(_tokenize(queries, self.config)):
            known = [word for word in words if word in self._scorer.vocab_dict]
            if not known:
                continue
            found = self._scorer.get_scores(known)
            if allow is not None:
                found[~allow] = 0
            best = np.flatnonzero(found > 0)
            if len(best) > k:
                cut = np.partition(found[best], len(best) - k)[len(best) - k]
                best = best[found[best] >= cut]
            best = best[np.argsort(-found[best], kind="stable")][:k]
            scores[number, : len(best)], rows[number, : len(best)] = found[best], best
        return scores, rows

    def save(self, folder: Path) -> None:
        """Write everything into a folder, which is made."""
        folder.mkdir()
        if self._scorer is not None:
            self._scorer.save(folder, show_progress=False)

    @classmethod
    def load(cls, folder: Path, *, size: int, config: LexicalConfig) -> LexicalIndex:
        """Read what `save` wrote.

        Raises:
            IndexBundleError: The files cannot be read.
        """
        import bm25s

        if not any(folder.glob("*.npy")):
            return cls(None, size, config)
        try:
            scorer = bm25s.BM25.load(folder, allow_pickle=False)
        except (OSError, ValueError, KeyError) as error:
            raise IndexBundleError(
                f"bm25s cannot read the words: {error}", where=str(folder), cure="build the index again"
            ) from error
        return cls(scorer, size, config)


def _tokenize(texts: Sequence[str], config: LexicalConfig) -> list[list[str]]:
    """Return each text's words: lower case, stop words left out, stemmed."""
    import bm25s
    import Stemmer

    plain = config.language == "none"
    words: list[list[str]] = bm25s.tokenize(
        list(texts),
        stopwords=None if plain else config.language,
        stemmer=None if plain else Stemmer.Stemmer(config.language),
        return_ids=False,
        show_progress=False,
    )
    return words
