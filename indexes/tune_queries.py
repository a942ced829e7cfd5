"""The queries that recall is measured on: a user's own, or chunks of the index.

A chunk that is searched as a query finds itself, so it is left out of what is found and of what
is true. Chunks are longer than questions and lie where the index is dense; recall on them is not
recall on questions, and a user's own queries are better if there are a hundred or more.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hinterland.core.errors import ConfigError
from hinterland.core.seeds import generator
from hinterland.indexes.backend import Vectors

__all__ = ["Asked", "chunk_queries", "read_queries"]

_KEYS = ("text", "query", "question")


@dataclass(frozen=True, slots=True)
class Asked:
    """Queries as vectors.

    Attributes:
        kind: ``file`` or ``chunks``.
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


def _query(line: str, number: int, path: Path) -> str:
    """Return a JSON line's query.

    Raises:
        ConfigError: There is none.
    """
    try:
        value = json.loads(line)
    except ValueError:
        value = None
    if isinstance(value, str):
        return value
    if isinstance(value, dict):
        found = next((value[key] for key in _KEYS if isinstance(value.get(key), str)), None)
        if found is not None:
            return str(found)
    raise ConfigError(
        f"line {number} holds no query",
        where=str(path),
        cure='write {"text": "…"} on each line, or give a .txt file with a query a line',
    )


def read_queries(path: Path) -> list[str]:
    """Return the queries of a file, each once, in its order.

    Args:
        path: Plain text, one query a line; JSON lines with ``text``, ``query`` or
            ``question``; or a folder in BEIR's layout, which holds ``queries.jsonl``.

    Raises:
        ConfigError: There is no such file, or no query in it.
    """
    file = path / "queries.jsonl" if path.is_dir() else path
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"queries cannot be read: {error}", where=str(file), cure="give a text file, one query a line"
        ) from error
    asked = [(number, line.strip()) for number, line in enumerate(lines, 1) if line.strip()]
    if file.suffix in (".jsonl", ".json", ".ndjson"):
        found = [_query(line, number, file).strip() for number, line in asked]
    else:
        found = [line for _, line in asked]
    queries = list(dict.fromkeys(query for query in found if query))
    if not queries:
        raise ConfigError("no query in the file", where=str(file), cure="write one query a line")
    return queries


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
