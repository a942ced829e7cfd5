"""Publish an index of given vectors, without an encoder."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from hinterland.indexes.bundle import writer_lock
from hinterland.indexes.faiss_backend import FaissType
from hinterland.indexes.version import publish_version


def publish_vectors(
    root: Path,
    vectors: NDArray[np.float32],
    factory: str,
    *,
    live: NDArray[np.int64] | None = None,
    parameters: dict[str, int] | None = None,
) -> Path:
    """Publish at ``root``; ``live`` are the rows that chunks name, all if it is ``None``."""
    backend = FaissType().build(vectors, factory=factory, seed=0)
    if parameters is not None:
        backend = backend.tuned(parameters)
    rows = np.arange(len(vectors)) if live is None else live
    chunks = pa.table(
        {
            "id": [f"c{row}" for row in rows],
            "document_id": [f"d{row}" for row in rows],
            "text": [f"text {row}" for row in rows],
            "title": [""] * len(rows),
            "row": pa.array(rows, pa.int64()),
        }
    )
    manifest = {
        "embedder": {"model": "none", "dimension": vectors.shape[1], "space": "none"},
        "index": {**backend.describe(), "seed": 0},
    }
    with writer_lock(root):
        publish_version(root, backend, chunks, manifest, lexical=None)
    return root
