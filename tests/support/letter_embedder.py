"""A small true encoder: vectors of letter pairs. It needs no model, and travels to workers."""

from __future__ import annotations

import re
import zlib
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["LetterEmbedder", "WordTokenizer"]


class WordTokenizer:
    """Words and single other characters are tokens; two special ones surround a passage."""

    overhead = 2

    def __init__(self, max_tokens: int = 64) -> None:
        self.max_tokens = max_tokens

    def token_spans(self, texts: Sequence[str]) -> list[NDArray[np.int64]]:
        """See `hinterland.indexes.chunk_types.Tokenizer`."""
        spans = [[match.span() for match in re.finditer(r"\w+|[^\w\s]", text)] for text in texts]
        return [np.asarray(each, dtype=np.int64).reshape(-1, 2) for each in spans]


class LetterEmbedder:
    """How often each pair of neighbouring characters occurs, hashed to ``dimension`` numbers.

    Args:
        dimension: Numbers in a vector.
        limit: Passages until a `KeyboardInterrupt`, as a kill has it.
        max_tokens: Tokens that are read.
    """

    def __init__(self, dimension: int = 32, *, limit: int = 10**9, max_tokens: int = 64) -> None:
        self.dimension, self.left, self.seen = dimension, limit, 0
        self.tokenizer = WordTokenizer(max_tokens)
        self.fingerprint = self.space = f"letters-{dimension}"

    def describe(self) -> dict[str, Any]:
        """See `hinterland.indexes.embed.Embedder`."""
        return {
            "model": "letters",
            "dimension": self.dimension,
            "space": self.space,
            "fingerprint": self.fingerprint,
        }

    def passages(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """See `hinterland.indexes.embed.Embedder`."""
        self.seen += len(texts)
        self.left -= len(texts)
        if self.left < 0:
            raise KeyboardInterrupt
        return self.queries(texts)

    def queries(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """See `hinterland.indexes.embed.Embedder`."""
        out = np.full((len(texts), self.dimension), 1e-3, dtype=np.float32)
        for row, text in enumerate(texts):
            data = text.lower().encode("utf-8", "surrogatepass")
            for place in range(len(data)):
                out[row, zlib.crc32(data[place : place + 2]) % self.dimension] += 1
        return np.asarray(out / np.linalg.norm(out, axis=1, keepdims=True), dtype=np.float32)
