"""Rows of a FAISS index: give vectors back, take rows out, and say where that can be done.

FAISS numbers what is left after a removal in two ways: flat storage moves up, inverted lists
keep their old numbers with gaps. Here rows are always numbered from 0 without gaps.
"""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hinterland.indexes.backend import Vectors
from hinterland.indexes.faiss_build import one_thread_for_graphs

__all__ = [
    "add_rows",
    "can_remove",
    "forget_places",
    "keeps_exact",
    "mend",
    "reconstruct_rows",
    "remove_rows",
]

Rows = NDArray[np.int64]


def _inverted(faiss: ModuleType, index: Any) -> bool:
    return isinstance(index, faiss.IndexIVF)


def keeps_exact(faiss: ModuleType, index: Any) -> bool:
    """Whether the index holds the float32 vectors it was given, unchanged."""
    index = faiss.downcast_index(index)
    if isinstance(index, faiss.IndexRefine):
        return keeps_exact(faiss, index.refine_index)
    if isinstance(index, faiss.IndexHNSW):
        return keeps_exact(faiss, index.storage)
    return isinstance(index, faiss.IndexFlat | faiss.IndexIVFFlat)


def add_rows(faiss: ModuleType, index: Any, vectors: Vectors) -> None:
    """Add vectors."""
    with one_thread_for_graphs(faiss, index):
        index.add(vectors)


def can_remove(faiss: ModuleType, index: Any) -> bool:
    """Whether rows can be taken out: not of a graph, nor of lists on disk or in packed blocks."""
    index = faiss.downcast_index(index)
    if isinstance(index, faiss.IndexPreTransform):
        return can_remove(faiss, index.index)
    if isinstance(index, faiss.IndexRefine):
        return can_remove(faiss, index.base_index) and can_remove(faiss, index.refine_index)
    if _inverted(faiss, index):
        lists = faiss.downcast_InvertedLists(index.invlists)
        return isinstance(lists, faiss.ArrayInvertedLists)
    return isinstance(index, faiss.IndexFlatCodes | faiss.IndexFastScan)


def remove_rows(faiss: ModuleType, index: Any, rows: Rows) -> None:
    """Take ``rows`` out; those that stay keep their order and are numbered from 0."""
    index = faiss.downcast_index(index)
    if isinstance(index, faiss.IndexPreTransform):
        remove_rows(faiss, index.index, rows)
        index.ntotal = index.index.ntotal
    elif isinstance(index, faiss.IndexRefine):
        remove_rows(faiss, index.base_index, rows)
        remove_rows(faiss, index.refine_index, rows)
        index.ntotal = index.base_index.ntotal
    else:
        before = index.ntotal
        index.remove_ids(rows)
        if _inverted(faiss, index):
            _close_gaps(faiss, index, rows, before)


def _close_gaps(faiss: ModuleType, index: Any, removed: Rows, before: int) -> None:
    stays = np.ones(before, dtype=np.bool_)
    stays[removed] = False
    number = np.cumsum(stays) - 1
    lists = index.invlists
    for each in range(index.nlist):
        size = lists.list_size(each)
        if size:
            ids = faiss.rev_swig_ptr(lists.get_ids(each), size)
            ids[:] = number[ids]


def reconstruct_rows(faiss: ModuleType, index: Any, rows: Rows) -> Vectors:
    """Return what the index holds of ``rows``, shape (rows, dimension), as it would decode it.

    Raises:
        RuntimeError: FAISS cannot decode this class.
    """
    index = faiss.downcast_index(index)
    if isinstance(index, faiss.IndexRefine):  # the refining copy is the better one
        return reconstruct_rows(faiss, index.refine_index, rows)
    if isinstance(index, faiss.IndexPreTransform):
        inner = reconstruct_rows(faiss, index.index, rows)
        chain = [faiss.downcast_VectorTransform(index.chain.at(n)) for n in range(index.chain.size())]
        for transform in reversed(chain):
            inner = transform.reverse_transform(inner)
        return inner
    if _inverted(faiss, index) and index.direct_map.type == faiss.DirectMap.NoMap:
        index.make_direct_map(True)
    return np.asarray(index.reconstruct_batch(rows), dtype=np.float32)


def forget_places(faiss: ModuleType, index: Any) -> None:
    """Drop the table of where each row lies, which `reconstruct_rows` makes for inverted lists."""
    inner = faiss.try_extract_index_ivf(index)
    if inner is not None and inner.direct_map.type != faiss.DirectMap.NoMap:
        inner.make_direct_map(False)


def mend(faiss: ModuleType, index: Any) -> None:
    """Set what reading an index back leaves out.

    FAISS 1.15 reads packed lists without the pointer to the codebook that decodes them, and then
    crashes when a vector is asked for.
    """
    inner = faiss.try_extract_index_ivf(index)
    inner = None if inner is None else faiss.downcast_index(inner)
    if isinstance(inner, faiss.IndexIVFPQFastScan) and inner.fine_quantizer is None:
        inner.fine_quantizer = inner.pq
    elif isinstance(inner, faiss.IndexIVFAdditiveQuantizerFastScan) and inner.fine_quantizer is None:
        inner.fine_quantizer = inner.aq
