"""Change the vectors of an index: add rows, read them back, drop rows and close the gaps.

Flat storage and inverted lists drop rows and keep the others bit for bit. A graph, packed
blocks and lists on disk have no removal: they are built again over the vectors that stay.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hinterland.core.imports import require_faiss
from hinterland.indexes.backend import BACKENDS, IndexBackend, Vectors
from hinterland.indexes.faiss_backend import FaissBackend
from hinterland.indexes.unit_vectors import unit_vectors

__all__ = ["append", "centroids_of", "compacted", "emptied", "vectors_of"]


def append(backend: IndexBackend, vectors: Vectors) -> None:
    """Add vectors as the last rows.

    Args:
        backend: What is changed.
        vectors: Shape (rows, dimension).
    """
    backend.add(vectors)


def vectors_of(backend: IndexBackend, rows: NDArray[np.int64]) -> Vectors:
    """Return the vectors of rows as the index holds them, shape (rows, dimension).

    An index that keeps codes gives what its codes stand for.

    Raises:
        IndexBundleError: The backend gives no vectors back.
    """
    return backend.reconstruct(np.asarray(rows, np.int64))


def centroids_of(backend: IndexBackend) -> Vectors:
    """Return the centres of an inverted file's lists, as unit vectors; none for another index.

    A list that was trained on one vector alone has that vector as its centre.
    """
    if not isinstance(backend, FaissBackend):
        return np.zeros((0, backend.dimension), np.float32)
    faiss = require_faiss()
    ivf = faiss.try_extract_index_ivf(backend._index)
    if ivf is None or not ivf.nlist or ivf.d != backend.dimension:
        return np.zeros((0, backend.dimension), np.float32)
    return unit_vectors(faiss.downcast_index(ivf.quantizer).reconstruct_n(0, ivf.nlist))


def compacted(
    backend: IndexBackend,
    rows: NDArray[np.int64],
    *,
    seed: int,
    afresh: bool,
    vectors: Vectors | None = None,
) -> tuple[IndexBackend, str]:
    """Return an index of some rows alone, in their order, and how it was made.

    Args:
        backend: What they are taken from; it is used up.
        rows: Ascending.
        seed: For training afresh.
        afresh: Train and fill a new index, even where the other rows could be dropped.
        vectors: The vectors of ``rows`` if they are at hand; else they are read back.

    Returns:
        The index, and ``removed``, ``rebuilt`` (from exact vectors) or ``rebuilt from codes``.

    Raises:
        IndexBundleError: The backend gives no vectors back.
    """
    if backend.can_remove and not afresh:
        gone = np.ones(backend.size, np.bool_)
        gone[rows] = False
        backend.remove(np.flatnonzero(gone))
        return backend, "removed"
    described = backend.describe()
    exact = backend.exact or vectors is not None
    if vectors is None:
        vectors = vectors_of(backend, rows)
    factory = str(described.get("factory") or "auto")
    ivf = require_faiss().try_extract_index_ivf(backend._index) if isinstance(backend, FaissBackend) else None
    if ivf is not None and len(rows) < ivf.nlist:
        factory = "auto"  # too few are left to train as many lists
    made = BACKENDS.get(str(described["backend"])).build(vectors, factory=factory, seed=seed)
    if factory != "auto":
        made = made.tuned(described.get("parameters", {}))
    return made, "rebuilt" if exact else "rebuilt from codes"


def emptied(backend: IndexBackend) -> IndexBackend:
    """Return an index without rows, and without anything that was learnt from them."""
    faiss = require_faiss()
    return FaissBackend(
        faiss.index_factory(backend.dimension, "Flat", faiss.METRIC_INNER_PRODUCT), "Flat", {}
    )
