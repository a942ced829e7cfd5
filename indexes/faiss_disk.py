"""Indexes whose inverted lists lie in a file of their own and are read as they are needed.

    dense.faiss     all but the lists, and the name of their file
    dense.lists     the lists, mapped into memory

A reader that has mapped the lists keeps them when the version is pruned, as with any open file.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from types import ModuleType
from typing import Any

import numpy as np

__all__ = ["LISTS", "into_memory", "link", "link_lists", "load_index", "merge_on_disk", "save_index"]

#: The lists' file, beside ``dense.faiss``.
LISTS = "dense.lists"
_STDOUT = Lock()


def _on_disk(faiss: ModuleType, index: Any) -> Any:
    """Return the lists if they are on disk."""
    index = faiss.downcast_index(index)
    if not isinstance(index, faiss.IndexIVF):
        return None
    lists = faiss.downcast_InvertedLists(index.invlists)
    return lists if isinstance(lists, faiss.OnDiskInvertedLists) else None


@contextmanager
def _silent() -> Iterator[None]:
    """Drop what FAISS prints to stdout, from C, where only results belong."""
    with _STDOUT:
        sys.stdout.flush()
        kept, nowhere = os.dup(1), os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 1)
        try:
            yield
        finally:
            _flush()
            os.dup2(kept, 1)
            os.close(kept)
            os.close(nowhere)


def _flush() -> None:
    """Flush C's own buffers."""
    ctypes.CDLL(None).fflush(None)


def link_lists(dense: Path, folder: Path) -> None:
    """Put the lists that belong to a file of vectors, if there are any, into another folder."""
    source = dense.with_name(LISTS)
    if source.is_file():
        link(source, folder / LISTS)


def link(source: Path, target: Path) -> None:
    """Make ``target`` the same file as ``source``, or a copy where the file system has no links."""
    try:
        os.link(source, target)
    except OSError:  # another file system, or one without links
        shutil.copyfile(source, target)


def save_index(faiss: ModuleType, index: Any, path: Path) -> None:
    """Write an index to ``path``, and its lists beside it if they are on disk.

    The bytes do not depend on where the lists were made.
    """
    lists = _on_disk(faiss, index)
    if lists is None:
        with path.open("wb") as file:  # not in memory first, and whatever the path's characters
            faiss.write_index(index, faiss.PyCallbackIOWriter(file.write))
        return
    where = str(lists.filename)
    link(Path(where), path.with_name(LISTS))
    lists.filename = LISTS
    try:
        faiss.write_index(index, str(path))
    finally:
        lists.filename = where


def load_index(faiss: ModuleType, path: Path) -> Any:
    """Read an index; lists on disk are mapped and cannot be written through the map.

    Raises:
        RuntimeError: The file is no index.
        OSError: It cannot be read.
    """
    if not path.with_name(LISTS).is_file():
        with path.open("rb") as file:
            index = faiss.read_index(faiss.PyCallbackIOReader(file.read), faiss.IO_FLAG_READ_ONLY)
        inner = faiss.try_extract_index_ivf(index)
        if inner is not None and _on_disk(faiss, inner) is not None:  # any file could be named there
            raise RuntimeError(f"Error: the lists are in another file than {LISTS}")
        return index
    # Lists on disk are mapped without IO_FLAG_MMAP; with it, FAISS 1.15 crashes in the first search.
    with _silent():
        return faiss.read_index(str(path), faiss.IO_FLAG_ONDISK_SAME_DIR | faiss.IO_FLAG_READ_ONLY)


def into_memory(faiss: ModuleType, index: Any) -> None:
    """Read lists that are on disk into memory, so that rows can be added and removed."""
    if _on_disk(faiss, index) is None:
        return
    index = faiss.downcast_index(index)
    lists = faiss.ArrayInvertedLists(index.nlist, index.code_size)
    whole = faiss.InvertedLists.SUBSET_TYPE_ID_RANGE
    index.invlists.copy_subset_to(lists, whole, 0, np.iinfo(np.int64).max)
    index.replace_invlists(lists, True)
    lists.this.disown()


def merge_on_disk(faiss: ModuleType, trained: Any, shards: list[Path], path: Path) -> Any:
    """Merge shards of a trained, empty index into lists on disk, and return the index.

    The shards' rows are numbered through; they are mapped, never read into memory whole.

    Args:
        faiss: The module.
        trained: The empty index; it is filled.
        shards: Files of indexes that were made from it.
        path: The lists' file to be written.
    """
    parts = [faiss.read_index(str(shard), faiss.IO_FLAG_MMAP) for shard in shards]
    inner = [faiss.downcast_index(part) for part in parts]
    pointers = faiss.InvertedListsPtrVector()
    for part in inner:
        pointers.push_back(part.invlists)
    index = faiss.downcast_index(trained)
    lists = faiss.OnDiskInvertedLists(index.nlist, index.code_size, str(path))
    with _silent():
        index.ntotal = lists.merge_from_multiple(pointers.data(), pointers.size())
    index.replace_invlists(lists, True)
    lists.this.disown()
    return trained
