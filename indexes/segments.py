"""Files of keyed vectors: written whole, read through the page cache, never changed.

    <name>.vectors    two NumPy arrays, one after the other:
                      keys, shape (rows, 2), uint64, in ascending order, and
                      vectors, shape (rows, dimension), float32

A key is the first 16 bytes of a passage's SHA-256. A file is named by what it holds, so equal
content has one name, and a damaged file is known by it.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hinterland.core.files import hash_file

__all__ = [
    "SUFFIX",
    "Keys",
    "Segment",
    "gather",
    "key_of",
    "keys_of",
    "open_segment",
    "write_block",
    "write_segment",
]

Keys = NDArray[np.uint64]
Vectors = NDArray[np.float32]

SUFFIX = ".vectors"
_ROWS = 16_384  # rows copied at a time


def key_of(passage: str) -> bytes:
    """Return the key of a passage, 16 bytes."""
    return hashlib.sha256(passage.encode("utf-8", "surrogatepass")).digest()[:16]


def keys_of(passages: Iterable[str | bytes]) -> Keys:
    """Return the keys of passages, or of keys as `key_of` gives them, shape (passages, 2).

    Raises:
        ValueError: A key is not 16 bytes long.
    """
    found = [each if isinstance(each, bytes) else key_of(each) for each in passages]
    if any(len(key) != 16 for key in found):
        raise ValueError("a key is 16 bytes long")
    return np.frombuffer(b"".join(found), dtype=">u8").astype(np.uint64).reshape(-1, 2)


@dataclass(frozen=True, slots=True)
class Segment:
    """An open file of vectors.

    Attributes:
        path: The file.
        keys: Shape (rows, 2), ascending.
        vectors: Shape (rows, dimension), mapped from the file.
    """

    path: Path
    keys: Keys
    vectors: Vectors

    def rows_of(self, wanted: Keys) -> NDArray[np.int64]:
        """Return each key's row here, or -1; shape (keys,)."""
        if not len(self.keys) or not len(wanted):
            return np.full(len(wanted), -1, dtype=np.int64)
        # Two of 2^32 keys that share their first half may hide each other: one is embedded again.
        found = np.searchsorted(self.keys[:, 0], wanted[:, 0])
        found = np.minimum(found, len(self.keys) - 1)
        return np.where((self.keys[found] == wanted).all(axis=1), found, -1).astype(np.int64)


def open_segment(path: Path, dimension: int | None = None, *, verify: bool = False) -> Segment | None:
    """Open a file of vectors; ``None`` where it is damaged or of another dimension.

    Args:
        path: The file.
        dimension: Numbers in a vector; any when ``None``.
        verify: Whether its content must be what its name says; for files of `write_segment`.
    """
    try:
        if verify and hash_file(path)[:32] != path.name.removesuffix(SUFFIX):
            return None
        with path.open("rb") as file:
            keys = np.load(file, allow_pickle=False)
            np.lib.format.read_magic(file)
            (rows, numbers), _, dtype = np.lib.format.read_array_header_1_0(file)
            offset = file.tell()
        whole = path.stat().st_size == offset + 4 * rows * numbers and dtype == np.float32
        if (
            not whole
            or keys.dtype != np.uint64
            or keys.shape != (rows, 2)
            or dimension not in (None, numbers)
        ):
            return None
        vectors = np.memmap(path, dtype=np.float32, mode="r", offset=offset, shape=(rows, numbers))
    except (OSError, ValueError, EOFError):
        return None
    return Segment(path, keys, vectors)


def _write(path: Path, keys: Keys, dimension: int, parts: Iterable[Vectors]) -> None:
    with path.open("wb") as file:
        np.save(file, np.ascontiguousarray(keys), allow_pickle=False)
        header = {"descr": "<f4", "fortran_order": False, "shape": (len(keys), dimension)}
        np.lib.format.write_array_header_1_0(file, header)
        for part in parts:
            file.write(np.ascontiguousarray(part, dtype="<f4").data)


def write_block(path: Path, passages: Sequence[str], vectors: Vectors) -> None:
    """Write vectors of different passages to ``path``, in the order of their keys."""
    keys = keys_of(passages)
    order = np.lexsort((keys[:, 1], keys[:, 0]))
    _write(path, keys[order], vectors.shape[1], [vectors[order]])


def write_segment(folder: Path, sources: Sequence[Segment], keep: Sequence[NDArray[np.bool_]]) -> Path | None:
    """Write the rows kept of several segments into one, and return its path; ``None`` if none is kept.

    Args:
        folder: Where to; the name follows from the content.
        sources: The segments, all of one dimension.
        keep: Which rows of each are kept.
    """
    rows = [np.flatnonzero(mask) for mask in keep]
    keys = np.concatenate([source.keys[each] for source, each in zip(sources, rows, strict=True)])
    if not len(keys):
        return None
    number = np.repeat(np.arange(len(sources)), [len(each) for each in rows])
    row = np.concatenate(rows)
    order = np.lexsort((keys[:, 1], keys[:, 0]))
    keys, number, row = keys[order], number[order], row[order]
    first = np.ones(len(keys), dtype=np.bool_)
    first[1:] = (keys[1:] != keys[:-1]).any(axis=1)  # of equal keys one vector is enough
    keys, number, row = keys[first], number[first], row[first]
    dimension = sources[0].vectors.shape[1]

    def parts() -> Iterator[Vectors]:
        for start in range(0, len(keys), _ROWS):
            yield gather(sources, number[start : start + _ROWS], row[start : start + _ROWS], dimension)

    # The name is known only when all is written, and no other file ends like this one.
    temporary = folder / f".new.{os.getpid()}.tmp"
    try:
        _write(temporary, keys, dimension, parts())
        with temporary.open("rb+") as handle:
            os.fsync(handle.fileno())
        target = folder / f"{hash_file(temporary)[:32]}{SUFFIX}"
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)
    return target


def gather(
    sources: Sequence[Segment], number: NDArray[np.int64], row: NDArray[np.int64], dimension: int
) -> Vectors:
    """Return the vectors at ``row`` of the segments ``number``, shape (rows, dimension)."""
    out = np.empty((len(row), dimension), dtype=np.float32)
    for each in np.unique(number).tolist():
        here = number == each
        out[here] = sources[each].vectors[row[here]]
    return out
