"""Embed passages with a bar that shows the time left; what is known is not embedded again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from hinterland.core.errors import IndexBundleError
from hinterland.core.progress import track
from hinterland.indexes.embed import Embedder

__all__ = ["Known", "Vectors", "passage_vectors"]

Vectors = NDArray[np.float32]
#: Unit vectors of texts, of one encoder.
Known = dict[str, Vectors]

_STEP = 32  # texts between two movements of the bar


def passage_vectors(
    texts: Sequence[str], embedder: Embedder, *, label: str, known: Known | None = None
) -> Vectors:
    """Return unit vectors of passages, shape (texts, dimension).

    Args:
        texts: The passages; equal ones are embedded once.
        embedder: The encoder.
        label: What the bar says.
        known: Vectors of this encoder from before; those made now are added.

    Raises:
        IndexBundleError: The encoder gave a vector that is not finite.
    """
    store: Known = {} if known is None else known
    # Longest first, so that the time left is never promised too low.
    missing = sorted(set(texts) - store.keys(), key=lambda text: (-len(text), text))

    def embed() -> Iterator[str]:
        for start in range(0, len(missing), _STEP):
            part = missing[start : start + _STEP]
            vectors = embedder.passages(part)
            if not np.isfinite(vectors).all():
                raise IndexBundleError(
                    "the encoder gave vectors that are not finite numbers",
                    where=ascii(part[0][:80]),
                    cure="set embed.dtype: float32, or lower train.learning_rate",
                )
            store.update(zip(part, vectors, strict=True))
            yield from part

    for _ in track(embed(), label, total=len(missing)):
        pass
    if not len(texts):
        return np.zeros((0, embedder.dimension), np.float32)
    return np.stack([store[text] for text in texts])
