"""What a version holds, written in one place: chunks, vectors, words.

``chunks.parquet`` has the live chunks in order. Its column ``row`` says which row of the
dense index each one is; rows that no chunk names are dead: they stay out of every search
until the index is compacted. BM25 is over the live chunks alone, in their order.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

import hinterland.indexes.faiss_backend  # noqa: F401 - files itself in BACKENDS
from hinterland.core.errors import IndexBundleError
from hinterland.indexes.backend import BACKENDS, IndexBackend
from hinterland.indexes.bundle import CHUNKS, DENSE, Bundle, publish
from hinterland.indexes.chunk_types import with_title
from hinterland.indexes.faiss_disk import link, link_lists
from hinterland.indexes.lexical import LexicalConfig, LexicalIndex

__all__ = ["LEXICAL", "ROW", "dense_rows", "passages_of", "publish_version", "read_parts", "republish"]

LEXICAL, ROW = "bm25", "row"
_WRITTEN = ("kind", "format", "files")  # by `publish`


def dense_rows(chunks: pa.Table) -> NDArray[np.int64]:
    """Return each live chunk's row in the dense index, shape (chunks,)."""
    if ROW not in chunks.column_names:  # format 1: no row was ever dead
        return np.arange(chunks.num_rows, dtype=np.int64)
    return np.asarray(chunks[ROW].to_numpy(), dtype=np.int64)


def read_parts(bundle: Bundle) -> tuple[pa.Table, IndexBackend]:
    """Return the live chunks and the vectors of a version that was checked.

    Raises:
        IndexBundleError: They are not of each other, or of the encoder that the manifest names.
    """
    settings = bundle.manifest["index"]
    backend = BACKENDS.get(settings["backend"]).load(bundle.folder / DENSE, settings=settings)
    chunks = pq.read_table(bundle.folder / CHUNKS)
    rows = dense_rows(chunks)
    outside = len(rows) and (rows.min() < 0 or rows.max() >= backend.size)
    dimension = bundle.manifest["embedder"]["dimension"]
    if outside or len(np.unique(rows)) < len(rows) or backend.dimension != dimension:
        raise IndexBundleError(
            f"{backend.size} vectors of {backend.dimension} numbers for {chunks.num_rows} chunks",
            where=str(bundle.folder),
            cure="build the index again",
        )
    return chunks, backend


def passages_of(chunks: pa.Table) -> list[str]:
    """Return what is embedded and searched of each chunk: its title path and its text."""
    pairs = zip(chunks["title"].to_pylist(), chunks["text"].to_pylist(), strict=True)
    return [with_title(title, text) for title, text in pairs]


def publish_version(
    root: Path,
    dense: IndexBackend | Path,
    chunks: pa.Table,
    manifest: Mapping[str, Any],
    *,
    lexical: LexicalConfig | None,
    keep: int = 2,
) -> Bundle:
    """Write a version of chunks, vectors and words, and make it the one served.

    The caller holds `writer_lock`.

    Args:
        root: The index's folder.
        dense: The vectors, or the file of a published version that already holds them; it
            is linked where the file system allows it.
        chunks: The live chunks; without a column ``row``, chunk i is row i of ``dense``.
        manifest: What else the manifest says.
        lexical: How words are indexed; ``None`` leaves BM25 out.
        keep: How many versions stay on disk.

    Raises:
        StorageError: The disk is full, or the folder cannot be written.
    """
    if ROW not in chunks.column_names:
        chunks = chunks.append_column(ROW, pa.array(np.arange(chunks.num_rows, dtype=np.int64)))

    def fill(folder: Path) -> None:
        pq.write_table(chunks, folder / CHUNKS, compression="zstd")
        if isinstance(dense, Path):
            link(dense, folder / DENSE)
            link_lists(dense, folder)
        else:
            dense.save(folder / DENSE)
        if lexical is not None:
            LexicalIndex.build(passages_of(chunks), lexical).save(folder / LEXICAL)

    described = {**manifest, "chunks": chunks.num_rows}
    if lexical is not None:
        described["bm25"] = lexical.model_dump(mode="json")
    return publish(root, fill, described, keep=keep)


def republish(root: Path, bundle: Bundle, changed: Mapping[str, Any], *, keep: int = 2) -> Bundle:
    """Publish a version's files again under a manifest that says something else.

    The files are linked where the file system allows it; nothing is indexed anew. The caller
    holds `writer_lock`.

    Args:
        root: The index's folder.
        bundle: The version.
        changed: Keys of the manifest that are new or different.
        keep: How many versions stay on disk.

    Raises:
        StorageError: The disk is full, or the folder cannot be written.
    """

    def fill(folder: Path) -> None:
        for name in bundle.manifest["files"]:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            link(bundle.folder / name, folder / name)

    told = {name: value for name, value in bundle.manifest.items() if name not in _WRITTEN}
    return publish(root, fill, {**told, **changed}, keep=keep)
