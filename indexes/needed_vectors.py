"""Which cached vectors the versions on disk still need."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from hinterland.core.errors import StorageError
from hinterland.core.files import read_json
from hinterland.indexes.bundle import CHUNKS, CURRENT, MANIFEST, current_version
from hinterland.indexes.segments import Keys, keys_of
from hinterland.indexes.version import passages_of

__all__ = ["needed_by_all", "needed_by_served"]

_ROWS = 16_384  # chunks whose texts are in memory at a time


def needed_by_all(root: Path) -> dict[str, Keys]:
    """Return the keys of all versions' passages by encoder, for `EmbeddingCache.prune`."""
    return _needed(sorted((root / "versions").glob(f"[!.]*/{MANIFEST}")))


def needed_by_served(root: Path) -> dict[str, Keys]:
    """Return the keys of the served version's passages by encoder, for `EmbeddingCache.prune`."""
    if not (root / CURRENT).is_file():
        return {}
    return _needed([root / "versions" / current_version(root) / MANIFEST])


def _needed(manifests: list[Path]) -> dict[str, Keys]:
    found: dict[str, list[Keys]] = {}
    for manifest in manifests:
        try:
            made = read_json(manifest).get("embedder", {}).get("fingerprint")
            keys = _keys(manifest.parent / CHUNKS)
        except (StorageError, OSError, pa.ArrowException):  # damaged: it needs nothing
            continue
        if made:
            found.setdefault(str(made), []).extend(keys)
    return {made: np.concatenate([keys_of([]), *keys]) for made, keys in found.items()}


def _keys(chunks: Path) -> list[Keys]:
    batches = pq.ParquetFile(chunks).iter_batches(batch_size=_ROWS, columns=["title", "text"])
    return [keys_of(passages_of(pa.table(batch))) for batch in batches]
