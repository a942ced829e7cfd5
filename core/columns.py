"""Columns as NumPy arrays: what conditions are evaluated on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from hinterland.core.errors import CorpusError

__all__ = ["NamedColumns", "TableValues", "column_values", "is_text"]


class NamedColumns(Protocol):
    """Columns of equal length, each an array: float64 with NaN, or objects with ``None``."""

    @property
    def names(self) -> Sequence[str]:
        """The columns there are."""
        ...

    def __len__(self) -> int:
        """Return the number of rows."""
        ...

    def __getitem__(self, name: str) -> NDArray[Any]:
        """Return a column that is there, shape (rows,)."""
        ...


class TableValues:
    """The columns of a table in memory; those that hold neither numbers nor strings are not there.

    Args:
        table: The table.
    """

    def __init__(self, table: pa.Table) -> None:
        self._table = table

    @property
    def names(self) -> Sequence[str]:
        """See `NamedColumns.names`."""
        return [field.name for field in self._table.schema if is_text(field.type) or _is_number(field.type)]

    def __len__(self) -> int:
        return int(self._table.num_rows)

    def __getitem__(self, name: str) -> NDArray[Any]:
        """See `NamedColumns.__getitem__`."""
        pieces = [column_values(chunk, name) for chunk in self._table[name].chunks]
        return np.concatenate(pieces) if pieces else np.empty(0)


def is_text(kind: pa.DataType) -> bool:
    """Whether a column of this type holds strings, as they are or as a dictionary."""
    inner = kind.value_type if pa.types.is_dictionary(kind) else kind
    return bool(pa.types.is_string(inner) or pa.types.is_large_string(inner))


def _is_number(kind: pa.DataType) -> bool:
    number = pa.types.is_floating(kind) or pa.types.is_integer(kind) or pa.types.is_decimal(kind)
    return bool(number or pa.types.is_boolean(kind) or pa.types.is_null(kind))


def column_values(chunk: pa.Array, name: str) -> NDArray[Any]:
    """Return a piece of a column as floats (null is NaN) or objects (null is ``None``).

    Raises:
        CorpusError: It holds neither numbers nor strings.
    """
    if is_text(chunk.type):
        encoded = chunk if pa.types.is_dictionary(chunk.type) else chunk.dictionary_encode()
        words = np.array([*encoded.dictionary.to_pylist(), None], dtype=object)
        indices = encoded.indices.cast(pa.int64()).fill_null(len(words) - 1)
        return np.asarray(words[indices.to_numpy(zero_copy_only=False)])
    if not _is_number(chunk.type):
        raise CorpusError(
            f"column {name!r} is {chunk.type}: neither numbers nor strings", cure="name another column"
        )
    return np.asarray(chunk.cast(pa.float64()).fill_null(np.nan).to_numpy(zero_copy_only=False))
