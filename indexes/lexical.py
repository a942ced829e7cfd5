"""BM25 over passages (Robertson and Zaragoza 2009), computed by bm25s (Lù 2024, arXiv:2407.03618)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import AfterValidator, Field

from hinterland.core.config import Config
from hinterland.core.errors import IndexBundleError
from hinterland.indexes.backend import Mask, Vectors
from hinterland.indexes.words import Vocabulary, Words, check_language

__all__ = ["LexicalConfig", "LexicalIndex", "best_first"]


class LexicalConfig(Config):
    """How words are indexed.

    Attributes:
        k1: How soon a repeated word stops to count.
        b: How much a long passage is held against it, 0 to 1.
        language: Whose stemmer and stop words are used (`words.languages`); ``none`` takes
            words as they are. Chinese, Japanese and Thai are cut into pairs of characters
            whatever the language.
    """

    k1: float = Field(default=0.9, ge=0, allow_inf_nan=False)
    b: float = Field(default=0.4, ge=0, le=1)
    language: Annotated[str, AfterValidator(check_language)] = "english"


class LexicalIndex:
    """Words of passages that can be searched by BM25. Rows are numbered as they were given.

    Args:
        scorer: The bm25s index; ``None`` where no passage has a word.
        size: Passages.
        config: How it was made.
    """

    def __init__(self, scorer: Any, size: int, config: LexicalConfig) -> None:
        self._scorer, self._size, self.config = scorer, size, config
        self._words = Words(config.language)

    @property
    def size(self) -> int:
        """How many passages there are."""
        return self._size

    @classmethod
    def build(cls, passages: Sequence[str], config: LexicalConfig) -> LexicalIndex:
        """Index passages. The same passages give the same bytes."""
        import bm25s

        words, vocabulary = Words(config.language), Vocabulary()
        ids = vocabulary.take(map(words.passage, passages))
        if not vocabulary.numbers:
            return cls(None, len(passages), config)
        scorer = bm25s.BM25(k1=config.k1, b=config.b, method="lucene", backend="numpy")
        scorer.index((ids, vocabulary.numbers), create_empty_token=False, show_progress=False)
        return cls(scorer, len(passages), config)

    def scores(self, query: str) -> Vectors:
        """Return the BM25 score of every passage, shape (size,), 0 where no word is shared."""
        scorer = self._scorer
        known = [] if scorer is None else [w for w in self._words.query(query) if w in scorer.vocab_dict]
        if not known:
            return np.zeros(self._size, np.float32)
        return np.asarray(scorer.get_scores(known), dtype=np.float32)

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
        for number, query in enumerate(queries if k else ()):
            found = self.scores(query)
            best = best_first(found, k, allow)
            scores[number, : len(best)], rows[number, : len(best)] = found[best], best
        return scores, rows

    def save(self, folder: Path) -> None:
        """Write everything into a folder, which is made."""
        folder.mkdir()
        if self._scorer is not None:
            self._scorer.save(folder, show_progress=False)

    @classmethod
    def load(
        cls, folder: Path, *, size: int, config: LexicalConfig, memory_map: bool = False
    ) -> LexicalIndex:
        """Read what `save` wrote.

        Args:
            folder: The folder.
            size: Passages that it must have been made of.
            config: How it was made.
            memory_map: Leave the postings on disk and read what a query needs.

        Raises:
            IndexBundleError: The files cannot be read, or are of another number of passages.
        """
        import bm25s

        cure = "build the index again"
        if not any(folder.glob("*.npy")):
            return cls(None, size, config)
        try:
            scorer = bm25s.BM25.load(folder, allow_pickle=False, mmap=memory_map, show_progress=False)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise IndexBundleError(
                f"bm25s cannot read the words: {error}", where=str(folder), cure=cure
            ) from error
        if scorer.scores["num_docs"] != size:
            raise IndexBundleError(
                f"words of {scorer.scores['num_docs']} passages for {size} chunks",
                where=str(folder),
                cure=cure,
            )
        return cls(scorer, size, config)


def best_first(scores: Vectors, k: int, allow: Mask | None = None) -> NDArray[np.int64]:
    """Return the up to ``k`` allowed rows of greatest score above 0, equal ones in their order."""
    best = np.flatnonzero(scores > 0 if allow is None else (scores > 0) & allow)
    if len(best) > k:
        cut = np.partition(scores[best], len(best) - k)[len(best) - k]
        best = best[scores[best] >= cut]
    return np.asarray(best[np.argsort(-scores[best], kind="stable")][:k], dtype=np.int64)
