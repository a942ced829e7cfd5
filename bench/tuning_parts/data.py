"""Test collections in BEIR's layout, cut small and indexed by the kit itself."""

from __future__ import annotations

import gzip
import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from hinterland.core.corpus import Corpus, write_corpus
from hinterland.indexes.build import build_index
from hinterland.indexes.embed import Embedder, SentenceEmbedder
from hinterland.indexes.queries import query_texts

__all__ = ["SETS", "Remembering", "corpus_of", "factories", "indexed", "queries_of"]

SETS = ("scifact", "cranfield", "medline")
#: Small, so that a small collection gives many vectors.
CHUNK_TOKENS = 64

Vectors = NDArray[np.float32]


class Remembering:
    """An embedder that embeds a query once, however often it is asked for."""

    def __init__(self, embedder: SentenceEmbedder) -> None:
        self._inner, self._known = embedder, dict[str, Vectors]()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def queries(self, texts: Sequence[str]) -> Vectors:
        """Return unit vectors of queries, shape (texts, dimension), float32."""
        new = [text for text in dict.fromkeys(texts) if text not in self._known]
        if new:
            self._known.update(zip(new, self._inner.queries(new), strict=True))
        return np.stack([self._known[text] for text in texts])


def corpus_of(folder: Path, place: Path) -> Corpus:
    """Return a collection's documents as a corpus at ``place``, written if it is not there."""
    if (place / "manifest.json").is_file():
        return Corpus.open(place)
    with gzip.open(folder / "corpus.jsonl.gz", "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    table = pa.table(
        {
            "id": [str(row["_id"]) for row in rows],
            "text": [row["text"] for row in rows],
            "meta": [json.dumps({"title": row.get("title", "")}) for row in rows],
        }
    )
    return write_corpus(place, table)


def queries_of(folder: Path) -> list[str]:
    """Return a collection's queries."""
    return query_texts(folder)


def factories(chunks: int) -> list[str]:
    """Return the index kinds measured, with lists for so many vectors."""
    lists = 2 ** round(math.log2(4 * math.sqrt(chunks)))
    return ["HNSW32", f"IVF{lists},SQ8", f"IVF{lists},PQ48x4fs,RFlat"]


def indexed(corpus: Corpus, root: Path, embedder: Embedder, factory: str) -> int:
    """Build an index at ``root`` and return how many chunks it has; vectors are embedded once."""
    built = build_index(corpus, root, embedder, chunk_tokens=CHUNK_TOKENS, factory=factory, seed=0)
    return int(built["chunks"])
