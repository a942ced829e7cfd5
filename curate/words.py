"""The view of a batch that all filters share: its bytes, and its words and lines, split once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import overload

import numpy as np
import pyarrow as pa

from hinterland.curate.kernels.tokens import Bytes, Integers, Split, split

__all__ = ["Batch", "batches"]

#: Bytes of text in a micro-batch: what a core's cache holds with the split beside it.
BATCH_BYTES = 1 << 20


class Batch(Sequence[str]):
    """Texts that remember their split, so that several filters can go over them.

    The papers do not say what a word or a line is, so this is the kit's reading of them:
    words are what white space separates, lines are the stripped lines that are not blank.
    (Counting blank lines makes every double-spaced text repetitive.)

    Args:
        texts: The documents. A lone surrogate, which UTF-8 does not have, counts as "?".

    Attributes:
        data: The documents' UTF-8, one after the other, uint8.
        offsets: Where each begins and the last ends, shape (documents + 1,).
    """

    data: Bytes
    offsets: Integers

    def __init__(self, texts: Sequence[str]) -> None:
        self._texts: Sequence[str] | pa.Array = texts
        parts = [text.encode("utf-8", "replace") for text in texts]
        self.data = np.frombuffer(b"".join(parts), dtype=np.uint8)
        self.offsets = np.cumsum([0, *map(len, parts)], dtype=np.int64)

    @classmethod
    def from_arrow(cls, array: pa.Array | pa.ChunkedArray) -> Batch:
        """Return the batch of a string column without nulls; its bytes are not copied."""
        if isinstance(array, pa.ChunkedArray):
            array = array.combine_chunks()
        array = array.cast(pa.large_string())
        batch = cls([])
        batch._texts = array
        _, offsets, data = array.buffers()
        at = np.frombuffer(offsets, dtype=np.int64, count=len(array) + 1, offset=8 * array.offset)
        whole = np.frombuffer(data, dtype=np.uint8) if data is not None else np.empty(0, np.uint8)
        batch.data, batch.offsets = whole[at[0] : at[-1]], at - at[0]
        batch.data.setflags(write=False)  # one kind of array: kernels are compiled for each
        return batch

    @cached_property
    def split(self) -> Split:
        """The words, lines and paragraphs."""
        return split(self.data, self.offsets)

    @cached_property
    def _strings(self) -> Sequence[str]:
        """The texts; an Arrow column becomes strings when a filter first asks for one."""
        return list(self._texts.to_pylist()) if isinstance(self._texts, pa.Array) else self._texts

    @overload
    def __getitem__(self, index: int) -> str: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[str]: ...

    def __getitem__(self, index: int | slice) -> str | Sequence[str]:
        return self._strings[index]

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __iter__(self) -> Iterator[str]:
        return iter(self._strings)

    @classmethod
    def of(cls, texts: Sequence[str]) -> Batch:
        """Return ``texts`` if they are a batch, else a batch of them."""
        return texts if isinstance(texts, Batch) else cls(texts)


def batches(texts: pa.ChunkedArray, *, size: int = BATCH_BYTES) -> Iterator[Batch]:
    """Yield a string column in batches of about ``size`` bytes, each of one document at least."""
    for chunk in texts.chunks:
        array = chunk.cast(pa.large_string())
        at = np.frombuffer(array.buffers()[1], dtype=np.int64, count=len(array) + 1, offset=8 * array.offset)
        start = 0
        while start < len(array):
            stop = max(start + 1, int(np.searchsorted(at, at[start] + size, side="right")) - 1)
            yield Batch.from_arrow(array.slice(start, stop - start))
            start = stop
