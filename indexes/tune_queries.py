"""The queries that recall is measured on: a user's own, or what stands in for them.

A sentence of a chunk stands in for a question: it is as short, is embedded as a query, and lies
between the chunks as questions do. A chunk's own vector does not: it lies where the index is dense,
so that an index tuned on chunks kept 0.75 of 0.95 promised on real questions, and one tuned on sentences
0.95 or more (bench/tuning.py). Chunks remain for an index whose encoder is not at hand. A chunk that
is searched as a query finds itself, so it is left out of what is found and of what is true.

A user's own queries are better if there are a hundred or more.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from hinterland.core.progress import track
from hinterland.core.seeds import generator
from hinterland.indexes.backend import Vectors
from hinterland.indexes.chunk import sentence_spans
from hinterland.indexes.embed import Embedder

__all__ = ["Asked", "StandIn", "chunk_queries", "sentence_queries", "sentences_of"]

#: What is searched for where there are no queries.
StandIn = Literal["sentences", "chunks"]
_STEP = 64  # sentences embedded at a time


@dataclass(frozen=True, slots=True)
class Asked:
    """Queries as vectors.

    Attributes:
        kind: ``file``, ``texts``, ``sentences`` or ``chunks``.
        vectors: Unit vectors, shape (queries, dimension).
        own: For chunks, which live chunk each one is, shape (queries,).
        origin: Where they come from, for the manifest.
    """

    kind: str
    vectors: Vectors
    own: NDArray[np.int64] | None
    origin: dict[str, Any]

    def __len__(self) -> int:
        return len(self.vectors)

    def pick(self, places: NDArray[np.int64]) -> Asked:
        """Return some of the queries."""
        own = None if self.own is None else self.own[places]
        return Asked(self.kind, np.ascontiguousarray(self.vectors[places]), own, self.origin)

    def halves(self, seed: int) -> tuple[Asked, Asked]:
        """Return two halves, drawn by chance under ``seed``."""
        order = generator(seed, "tune", "halves").permutation(len(self))
        middle = (len(self) + 1) // 2
        return self.pick(np.sort(order[:middle])), self.pick(np.sort(order[middle:]))


def sentences_of(texts: Sequence[str], count: int, seed: int) -> list[str]:
    """Return a sentence of each of a sample of texts.

    Args:
        texts: The live chunks' texts.
        count: How many at most.
        seed: For the sample and for the sentence of each text.
    """
    random = generator(seed, "tune", "sentences")
    places = np.sort(random.choice(len(texts), min(count, len(texts)), replace=False))
    found = []
    for place in places.tolist():
        text = texts[place]
        spans = sentence_spans(text) or [(0, len(text))]
        start, end = spans[int(random.integers(len(spans)))]
        found.append(text[start:end])
    return found


def sentence_queries(texts: Sequence[str], embedder: Embedder, count: int, seed: int) -> Asked:
    """Return sentences of a sample of chunks as queries; see `sentences_of`.

    Args:
        texts: The live chunks' texts.
        embedder: Embeds them as it embeds queries.
        count: How many at most.
        seed: For the sample.
    """
    sentences = sentences_of(texts, count, seed)
    parts = []

    def done() -> Iterator[int]:
        for start in range(0, len(sentences), _STEP):
            parts.append(embedder.queries(sentences[start : start + _STEP]))
            yield from range(len(parts[-1]))

    for _ in track(done(), "embed sentences", total=len(sentences)):
        pass
    return Asked("sentences", np.concatenate(parts), None, {"kind": "sentences", "seed": seed})


def chunk_queries(vectors: Vectors, count: int, seed: int) -> Asked:
    """Return a sample of chunks as queries.

    Args:
        vectors: The live chunks' vectors, shape (chunks, dimension).
        count: How many at most.
        seed: For the sample.
    """
    count = min(count, len(vectors))
    places = np.sort(generator(seed, "tune", "chunks").choice(len(vectors), count, replace=False))
    return Asked("chunks", np.ascontiguousarray(vectors[places]), places, {"kind": "chunks", "seed": seed})
