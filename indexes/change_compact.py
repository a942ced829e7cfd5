"""Drop dead vectors: make the dense index of the live chunks alone, and prove that it is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from hinterland.core.errors import IndexBundleError
from hinterland.indexes.backend import IndexBackend, Vectors
from hinterland.indexes.bundle import MANIFEST, Bundle
from hinterland.indexes.change_faiss import centroids_of, compacted, emptied, vectors_of
from hinterland.indexes.change_state import State, next_version
from hinterland.indexes.embed_cache import CACHE, EmbeddingCache
from hinterland.indexes.names import plain
from hinterland.indexes.segments import keys_of
from hinterland.indexes.unit_vectors import unit_vectors
from hinterland.indexes.version import ROW, passages_of

__all__ = ["Compacted", "compact_state", "publish_compacted"]

#: Above this cosine two vectors are the same.
_SAME = 0.9999
_BLOCK = 16_384
_CELLS = 1 << 24  # cosines held at a time
_MOST = 4_000_000_000  # pairs of vectors compared by cosine; beyond, dead ones are sampled


@dataclass(frozen=True, slots=True)
class Compacted:
    """Vectors of the live chunks alone.

    Attributes:
        backend: The vectors, one for each live chunk.
        chunks: The live chunks in the order of their rows.
        dropped: Vectors that went.
        how: ``removed``, ``rebuilt``, ``rebuilt from codes`` or ``emptied``.
        compared: Dead vectors that every vector left was compared with.
        near: Vectors left that were as near to a dead one before: chunks of nearly the same text.
    """

    backend: IndexBackend
    chunks: pa.Table
    dropped: int
    how: str
    compared: int
    near: int


def compact_state(state: State) -> Compacted:
    """Return a version's vectors without the dead ones. Those of ``state`` are used up.

    Where a centre of an inverted file is a dead vector, the file is trained afresh.

    Raises:
        IndexBundleError: A dead vector is still there, or the backend cannot be changed.
    """
    order = np.argsort(state.rows, kind="stable")
    rows = state.rows[order]
    chunks = state.chunks.take(pa.array(order)).drop_columns([ROW])
    dropped = state.backend.size - len(rows)
    if not len(rows):
        return Compacted(emptied(state.backend), chunks, dropped, "emptied", dropped, 0)
    alive = np.zeros(state.backend.size, np.bool_)
    alive[rows] = True
    dead = unit_vectors(vectors_of(state.backend, np.flatnonzero(~alive)))
    own = vectors_of(state.backend, rows)
    if len(dead) * len(rows) > _MOST:
        dead = dead[:: -(-len(dead) * len(rows) // _MOST)]
    seed = int(state.bundle.manifest["index"].get("seed", 0))
    afresh = bool(len(_like(centroids_of(state.backend), dead)))
    exact = _cached(state, chunks) if afresh or not state.backend.can_remove else None
    backend, how = compacted(state.backend, rows, seed=seed, afresh=afresh, vectors=exact)
    near = _check(backend, own, dead, state)
    return Compacted(backend, chunks, dropped, how, len(dead), near)


def publish_compacted(state: State, made: Compacted, *, keep: int) -> Bundle:
    """Publish what `compact_state` made of a version.

    Raises:
        StorageError: The disk is full, or the folder cannot be written.
    """
    return next_version(
        state,
        made.chunks,
        {"what": "compact", "vectors_dropped": made.dropped, "how": made.how},
        dense=made.backend,
        index=made.backend.describe(),
        keep=keep,
    )


def _cached(state: State, chunks: pa.Table) -> Vectors | None:
    """Return the chunks' exact vectors if the cache has them all.

    Raises:
        IndexBundleError: The encoder's fingerprint is a path.
    """
    made = state.bundle.manifest["embedder"]
    folder = state.root / CACHE
    given, manifest = str(made.get("fingerprint")), state.bundle.folder / MANIFEST
    fingerprint = plain(given, "the encoder's fingerprint", where=manifest)
    if not (folder / fingerprint).is_dir():
        return None
    store = EmbeddingCache(folder).store(fingerprint, int(made["dimension"]))
    keys = keys_of(passages_of(chunks))
    number, _ = store.find(keys)
    if (number < 0).any():
        return None
    out = np.empty((len(keys), int(made["dimension"])), np.float32)
    store.read(keys, out)
    return out


def _step(dead: Vectors) -> int:
    """Return how many vectors are compared with all dead ones at a time."""
    return max(min(_BLOCK, _CELLS // max(len(dead), 1)), 1)


def _like(vectors: Vectors, dead: Vectors) -> NDArray[np.int64]:
    """Return the numbers of vectors that are the same as a dead one."""
    if not len(dead) or not len(vectors):
        return np.zeros(0, np.int64)
    step = _step(dead)
    found = [
        start + np.flatnonzero((unit_vectors(vectors[start : start + step]) @ dead.T).max(axis=1) > _SAME)
        for start in range(0, len(vectors), step)
    ]
    return np.concatenate(found)


def _check(backend: IndexBackend, own: Vectors, dead: Vectors, state: State) -> int:
    """Return how many vectors are as near to a dead one as they were before.

    Args:
        backend: The vectors that are left.
        own: What they were before, in the same order.
        dead: What must not be there.
        state: Where it all was.

    Raises:
        IndexBundleError: One is nearer to a dead one than to what it was, or there are too many.
    """
    cure = "build the index again"
    if backend.size != len(own):
        raise IndexBundleError(
            f"{backend.size} vectors are left for {len(own)} chunks", where=str(state.dense), cure=cure
        )
    near, step = 0, _step(dead)
    for start in range(0, backend.size if len(dead) else 0, step):
        rows = np.arange(start, min(start + step, backend.size), dtype=np.int64)
        left = unit_vectors(vectors_of(backend, rows))
        to_dead = (left @ dead.T).max(axis=1)
        to_own = (left * unit_vectors(own[rows])).sum(axis=1)
        if ((to_dead > _SAME) & (to_dead > to_own + 1e-5)).any():
            raise IndexBundleError("a removed vector is still there", where=str(state.dense), cure=cure)
        near += int((to_dead > _SAME).sum())
    if len(_like(centroids_of(backend), dead)) and not near:
        raise IndexBundleError("a list's centre is a removed vector", where=str(state.dense), cure=cure)
    return near
