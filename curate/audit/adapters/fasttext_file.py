"""Whether a file is a whole fastText model, looked at before the C++ library reads it.

That library takes sizes from the file and does not check them, so that a cut or made-up file ends
the process or reads memory that is not its own. Here each part is walked through by its sizes, and
rows that others point at are looked for.

The layout (facebookresearch/fastText, version 12): magic and version; 12 int32 and a float64 of
settings; a dictionary (sizes, then words with a zero byte, a count of int64 and a kind of one byte,
then pairs of int32 for pruned models); the input matrix and the output matrix, dense or quantised.
"""

from __future__ import annotations

import mmap
import struct
from pathlib import Path

from hinterland.core.errors import ModelSourceError

__all__ = ["fasttext_labels"]

_MAGIC, _NEWEST = 793_712_314, 12
_SUPERVISED = 3
_CENTROIDS = 256
#: Sizes beyond these are not of a model.
_MOST = 1 << 40


class _BrokenError(Exception):
    """What is wrong with the file."""


class _Walk:
    def __init__(self, data: mmap.mmap) -> None:
        self.data, self.at = data, 0

    def take(self, layout: str) -> tuple[int, ...]:
        size = struct.calcsize(f"<{layout}")
        if self.at + size > len(self.data):
            raise _BrokenError("it is cut off")
        values = struct.unpack_from(f"<{layout}", self.data, self.at)
        self.at += size
        return values

    def skip(self, size: int) -> None:
        if not 0 <= size <= _MOST:
            raise _BrokenError("a size in it makes no sense")
        if self.at + size > len(self.data):
            raise _BrokenError("it is cut off")
        self.at += size


def fasttext_labels(path: Path, *, where: str = "") -> list[str]:
    """Return a classifier's labels, after a look at the whole of its file.

    Args:
        path: A supervised model, ``.bin`` or ``.ftz``.
        where: Its place in the config, for errors.

    Raises:
        ModelSourceError: There is no such file, or it is not a whole supervised fastText model.
    """
    place = f"{where}: {path}" if where else str(path)
    try:
        with path.open("rb") as handle, mmap.mmap(handle.fileno(), 0, access=mmap.ACCESS_READ) as data:
            return _labels(_Walk(data))
    except (OSError, ValueError) as error:  # an empty file cannot be mapped
        said = "it is empty" if isinstance(error, ValueError) else error.strerror
        raise ModelSourceError(
            f"the fastText model cannot be read: {said}", where=place, cure="check the path"
        ) from error
    except _BrokenError as error:
        raise ModelSourceError(
            f"not a fastText classifier: {error}", where=place, cure="give a supervised model, .bin or .ftz"
        ) from error


def _labels(walk: _Walk) -> list[str]:
    magic, version = walk.take("ii")
    if magic != _MAGIC:
        raise _BrokenError("its first bytes are not fastText's")
    if not 11 <= version <= _NEWEST:
        raise _BrokenError(f"its format is {version}, known are 11 and 12")
    dim, _, _, _, _, ngrams, loss, kind, bucket, shortest, longest, _ = walk.take("12i")
    walk.take("d")
    if kind != _SUPERVISED:
        raise _BrokenError("it is a model of words, without labels")
    if not (0 < dim <= 1 << 16 and bucket >= 0 and 1 <= loss <= 4 and 0 <= ngrams <= 64):
        raise _BrokenError("a setting in it makes no sense")
    if not (0 <= shortest <= 64 and 0 <= longest <= 64):
        raise _BrokenError("a setting in it makes no sense")
    words, labels, highest = _dictionary(walk, bucket)
    quantised = bool(walk.take("B")[0])
    rows = _matrix(walk, dim, quantised)
    if rows < words + highest:
        raise _BrokenError("it has fewer vectors than words")
    if _matrix(walk, dim, bool(walk.take("B")[0]) and quantised) != len(labels):
        raise _BrokenError("it has not one vector for each label")
    return labels


def _dictionary(walk: _Walk, bucket: int) -> tuple[int, list[str], int]:
    """Return the number of words, the labels, and how many rows the n-grams need."""
    size, words, count, _, pruned = walk.take("iiiqq")
    if not (0 <= words <= size and 0 < count <= size and words + count == size):
        raise _BrokenError("its dictionary makes no sense")
    labels = []
    for number in range(size):
        end = walk.data.find(b"\0", walk.at)
        if end < 0:
            raise _BrokenError("it is cut off")
        text = walk.data[walk.at : end]
        walk.at = end + 1
        _, kind = walk.take("qb")
        if kind != (0 if number < words else 1):
            raise _BrokenError("its dictionary makes no sense")
        if kind == 1:
            try:
                labels.append(text.decode())
            except UnicodeDecodeError:
                raise _BrokenError("a label is not UTF-8") from None
    if pruned < 0:
        return words, labels, bucket
    highest = 0
    for _ in range(min(pruned, _MOST)):
        _, index = walk.take("ii")
        if index < 0:
            raise _BrokenError("its dictionary makes no sense")
        highest = max(highest, index + 1)
    return words, labels, highest


def _matrix(walk: _Walk, dim: int, quantised: bool) -> int:
    """Walk through a matrix and return its rows."""
    if not quantised:
        rows, columns = walk.take("qq")
        if columns != dim or not 0 <= rows <= _MOST:
            raise _BrokenError("the vectors' length is not that of its settings")
        walk.skip(rows * columns * 4)
        return rows
    (with_norms,) = walk.take("B")
    rows, columns, codes = walk.take("qqi")
    if columns != dim or not 0 <= rows <= _MOST:
        raise _BrokenError("the vectors' length is not that of its settings")
    walk.skip(codes)
    parts = _quantiser(walk, dim)
    if codes != rows * parts:
        raise _BrokenError("its codes are not one for each part of a vector")
    if with_norms:
        walk.skip(rows)
        _quantiser(walk, 1)
    return rows


def _quantiser(walk: _Walk, dim: int) -> int:
    """Walk through a product quantiser and return how many parts it cuts a vector into."""
    given, parts, part, last = walk.take("4i")
    if given != dim or part <= 0 or parts != -(-dim // part) or last != (dim % part or part):
        raise _BrokenError("its quantiser makes no sense")
    walk.skip(dim * _CENTROIDS * 4)
    return parts
