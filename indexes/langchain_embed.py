"""LangChain's embeddings as an `Embedder`, and an `Embedder` as LangChain's embeddings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from langchain_core.embeddings import Embeddings
from numpy.typing import NDArray

from hinterland.core.errors import ConfigError, IndexBundleError
from hinterland.core.run import fingerprint
from hinterland.indexes.embed import Embedder
from hinterland.indexes.encoder import LANGCHAIN
from hinterland.indexes.unit_vectors import unit_vectors

if TYPE_CHECKING:
    from hinterland.indexes.chunk_types import Tokenizer

__all__ = ["HinterlandEmbeddings", "LangChainEmbedder", "as_embedder", "as_embeddings"]

Vectors = NDArray[np.float32]

#: What every encoder is asked for, to tell one from another.
_PROBE = "The quick brown fox jumps over the lazy dog."
_KEPT = 32  # numbers of each probe's vector in the manifest
#: Two vectors are one encoder's if they differ by less than this share of their length: bfloat16
#: against float32 is 0.004, two models are about 1.4.
_CLOSE = 0.05


class HinterlandEmbeddings(Embeddings):  # type: ignore[misc] # langchain_core is untyped here
    """An `Embedder` as LangChain takes it.

    Args:
        embedder: The encoder.
    """

    def __init__(self, embedder: Embedder) -> None:
        self.embedder = embedder

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """Return the passages' unit vectors."""
        return [[float(number) for number in row] for row in self.embedder.passages(texts)]

    def embed_query(self, text: str) -> list[float]:
        """Return the query's unit vector."""
        return [float(number) for number in self.embedder.queries([text])[0]]


class LangChainEmbedder:
    """LangChain's embeddings as an `Embedder`.

    LangChain gives an embedding no identity, so it is told by what it does: a sentence is
    embedded as passage and as query, and the manifest keeps the first numbers of both vectors.
    An index opened with an embedding that gives others is refused.

    Args:
        embeddings: The embeddings.
        recorded: What the index's manifest says of its encoder, if there is an index.
    """

    def __init__(self, embeddings: Embeddings, *, recorded: Mapping[str, Any] | None = None) -> None:
        self.embeddings, self._recorded = embeddings, recorded or {}

    @cached_property
    def _probe(self) -> Vectors:
        """The probe as passage and as query, shape (2, dimension)."""
        return np.concatenate([self.passages([_PROBE]), self.queries([_PROBE])])

    @property
    def _name(self) -> str:
        kind = type(self.embeddings)
        return f"{LANGCHAIN}{kind.__module__}.{kind.__qualname__}"

    @cached_property
    def space(self) -> str:
        """See `Embedder.space`: the index's, if the probe's vectors are those of the index."""
        probe = self._probe
        made = self._recorded.get("probe")
        if made is not None and self._recorded.get("dimension") == probe.shape[1]:
            before = np.asarray(made, np.float32)
            away = np.linalg.norm(probe[:, :_KEPT] - before, axis=1)
            if (away <= _CLOSE * np.linalg.norm(before, axis=1)).all():
                return str(self._recorded["space"])
        return fingerprint("langchain", probe.shape[1], np.round(probe[:, :_KEPT], 3).tolist())

    @property
    def fingerprint(self) -> str:
        """See `Embedder.fingerprint`."""
        return fingerprint(self.space, self._name)

    @property
    def dimension(self) -> int:
        """See `Embedder.dimension`."""
        return int(self._probe.shape[1])

    @property
    def tokenizer(self) -> Tokenizer:
        """LangChain's embeddings have none.

        Raises:
            ConfigError: Always.
        """
        raise ConfigError(
            "LangChain's embeddings do not say how they cut words, so nothing can be chunked for them",
            where=self._name,
            cure="split documents with a LangChain splitter, or embed with a sentence-transformers model",
        )

    def describe(self) -> dict[str, Any]:
        """See `Embedder.describe`."""
        return {
            "model": self._name,
            "query_prompt": "",
            "passage_prompt": "",
            "max_tokens": None,
            "dtype": "float32",
            "dimension": self.dimension,
            "space": self.space,
            "fingerprint": self.fingerprint,
            "probe": [[round(float(number), 6) for number in row[:_KEPT]] for row in self._probe],
        }

    def passages(self, texts: Sequence[str]) -> Vectors:
        """See `Embedder.passages`."""
        return self._unit(self.embeddings.embed_documents(list(texts)) if texts else [], len(texts))

    def queries(self, texts: Sequence[str]) -> Vectors:
        """See `Embedder.queries`."""
        return self._unit([self.embeddings.embed_query(text) for text in texts], len(texts))

    def _unit(self, rows: list[list[float]], expected: int) -> Vectors:
        if not expected:
            return np.zeros((0, self.dimension), np.float32)
        try:
            vectors = np.asarray(rows, dtype=np.float32)
        except ValueError:  # rows of different lengths
            vectors = np.zeros(0, np.float32)
        if vectors.ndim != 2 or len(vectors) != expected:
            raise IndexBundleError(
                f"the embedding gave {len(rows)} vectors for {expected} texts, or vectors of unequal length",
                where=self._name,
                cure="use another embedding",
            )
        return unit_vectors(vectors)


def as_embedder(embedding: Embeddings | Embedder, *, recorded: Mapping[str, Any] | None = None) -> Embedder:
    """Return an `Embedder` for what a user gives as embedding.

    Args:
        embedding: LangChain's embeddings or an `Embedder`.
        recorded: What the index's manifest says of its encoder, if there is an index.
    """
    if isinstance(embedding, HinterlandEmbeddings):
        return embedding.embedder
    if isinstance(embedding, Embeddings):
        return LangChainEmbedder(embedding, recorded=recorded)
    return embedding


def as_embeddings(embedder: Embedder) -> Embeddings:
    """Return LangChain's view of an `Embedder`."""
    return embedder.embeddings if isinstance(embedder, LangChainEmbedder) else HinterlandEmbeddings(embedder)
