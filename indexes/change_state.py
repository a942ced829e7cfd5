"""What every change starts from: the served version, read whole, under the writer's lock."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from hinterland.indexes.backend import IndexBackend
from hinterland.indexes.bundle import DENSE, Bundle, check_version, read_current
from hinterland.indexes.lexical import LexicalConfig
from hinterland.indexes.version import ROW, dense_rows, publish_version, read_parts

__all__ = ["EVERYTHING", "State", "next_version", "read_version", "state_of"]

#: As ``keep``: no version is pruned.
EVERYTHING = 1_000_000
_WRITTEN_ANEW = ("kind", "format", "files", "chunks", "bm25")


@dataclass(frozen=True, slots=True)
class State:
    """A version as a writer sees it.

    Attributes:
        root: The index's folder.
        bundle: The version.
        chunks: Its live chunks, with the column ``row``.
        backend: A copy of its vectors, free to be changed.
    """

    root: Path
    bundle: Bundle
    chunks: pa.Table
    backend: IndexBackend

    @property
    def dense(self) -> Path:
        """The file of the vectors."""
        return self.bundle.folder / DENSE

    @property
    def rows(self) -> NDArray[np.int64]:
        """Each live chunk's row among the vectors, shape (chunks,)."""
        return dense_rows(self.chunks)

    @property
    def dead(self) -> int:
        """Vectors that no live chunk names."""
        return self.backend.size - int(self.chunks.num_rows)


def read_version(root: Path, version: str) -> State:
    """Check a version and read it.

    Raises:
        IndexBundleError: See `hinterland.indexes.bundle.check_version`.
    """
    return _read(root, check_version(root, version))


def _read(root: Path, bundle: Bundle) -> State:
    chunks, backend = read_parts(bundle)
    if ROW not in chunks.column_names:
        chunks = chunks.append_column(ROW, pa.array(dense_rows(chunks)))
    return State(root, bundle, chunks, backend)


def state_of(root: Path) -> State:
    """Check the served version and read it. Who is to change it holds the writer's lock.

    Raises:
        IndexBundleError: There is no index, or it is damaged or newer.
    """
    return read_current(root, lambda bundle: _read(root, bundle))


def next_version(
    state: State,
    chunks: pa.Table,
    change: Mapping[str, Any],
    *,
    dense: IndexBackend | Path | None = None,
    index: Mapping[str, Any] | None = None,
    keep: int = 2,
) -> Bundle:
    """Publish what a change made of a version.

    Args:
        state: The version it started from.
        chunks: The live chunks by now.
        change: What was done, for the manifest's ``changes``.
        dense: The vectors by now; ``None`` links those of ``state``.
        index: What the manifest says of the vectors, if that changed.
        keep: Versions on disk.

    Raises:
        StorageError: The disk is full, or the folder cannot be written.
    """
    manifest = state.bundle.manifest
    lexical = LexicalConfig.model_validate(manifest["bm25"]) if "bm25" in manifest else None
    told = {name: value for name, value in manifest.items() if name not in _WRITTEN_ANEW}
    told["index"] = {**manifest["index"], **(index or {})}
    told["changes"] = [*manifest.get("changes", []), dict(change)]
    if "tuning" in manifest:
        told["tuning"] = {**manifest["tuning"], "stale": True, "why": _why(told["changes"], manifest)}
    return publish_version(
        state.root,
        state.dense if dense is None else dense,
        chunks,
        told,
        lexical=lexical,
        keep=keep,
    )


def _why(changes: list[dict[str, Any]], manifest: Mapping[str, Any]) -> str:
    """Say how much changed since the tuning."""
    since = changes[int(manifest["tuning"].get("changes", 0)) :]
    added = sum(int(each.get("chunks_added", 0)) for each in since)
    removed = sum(int(each.get("chunks_removed", 0)) for each in since)
    before = max(int(manifest["chunks"]), 1)
    share = 100 * (added + removed) / before
    done = [each for each in (f"{added} chunks added", f"{removed} removed") if not each.startswith("0")]
    rebuilt = ", vectors compacted" if any(each["what"] == "compact" for each in since) else ""
    return f"{', '.join(done) or 'nothing added or removed'} ({share:.1f} % of {before}){rebuilt}"
