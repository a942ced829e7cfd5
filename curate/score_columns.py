"""Score columns of a whole corpus, one at a time: what deciding reads instead of the text."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from hinterland.core.columns import column_values, is_text
from hinterland.core.errors import CorpusError, nearest
from hinterland.core.parquet import parquet_errors
from hinterland.core.seeds import integer

__all__ = ["EMPTY_COLUMN", "Columns", "ShardColumns", "TableColumns"]

#: The internal score column that says whether a document has no word.
EMPTY_COLUMN = "_empty"
_WORDS = re.compile(r"gopher_quality(@\w+)?\.words")


class Columns(ABC):
    """The columns of a corpus; only those asked for are read, and none is kept.

    Memory: 8 bytes a document for a column of numbers; a column of strings holds each
    distinct string once for every shard, and 8 bytes a document.
    """

    @property
    @abstractmethod
    def names(self) -> Sequence[str]:
        """The columns there are."""

    @abstractmethod
    def __len__(self) -> int:
        """Return the number of documents."""

    @abstractmethod
    def chunks(self, name: str) -> Iterator[pa.Array]:
        """Yield a column that is there in pieces, in the documents' order."""

    def __getitem__(self, name: str) -> NDArray[Any]:
        """Return a column of shape (documents,).

        Numbers and booleans come as float64 with NaN for null, strings as objects with
        ``None`` for null; a column of nulls alone comes as NaN.

        Raises:
            CorpusError: There is no such column, or it holds neither numbers nor strings.
        """
        out: NDArray[Any] = np.full(len(self), np.nan)
        at, kind = 0, ""
        for chunk in self._pieces(name):
            if chunk.null_count < len(chunk):  # else of any type: some writers have none for nulls
                found = "strings" if is_text(chunk.type) else "numbers"
                if kind not in {"", found}:
                    raise CorpusError(f"column {name!r} holds numbers and strings", cure="score again")
                if not kind and found == "strings":
                    out = np.full(len(self), None, dtype=object)
                kind = found
                out[at : at + len(chunk)] = column_values(chunk, name)
            at += len(chunk)
        return out

    def codes(self, name: str) -> tuple[NDArray[np.int64], list[str]]:
        """Return each document's group by a column, and the groups' names in order.

        Null is a group of its own, named ``null``. Numbers are named as Python writes them.

        Returns:
            Positions in the list, shape (documents,), and the list, sorted.

        Raises:
            CorpusError: There is no such column, or it holds neither numbers nor strings.
        """
        found: dict[str, int] = {}
        codes = np.empty(len(self), dtype=np.int64)
        at = 0
        for chunk in self._pieces(name):
            if not (is_text(chunk.type) or pa.types.is_null(chunk.type)):
                column_values(chunk, name)  # refuses what is neither a number nor a string
            encoded = chunk if pa.types.is_dictionary(chunk.type) else chunk.dictionary_encode()
            words = ["null" if word is None else str(word) for word in encoded.dictionary.to_pylist()]
            renumber = np.array([found.setdefault(word, len(found)) for word in [*words, "null"]])
            indices = encoded.indices.cast(pa.int64()).fill_null(len(words))
            codes[at : at + len(chunk)] = renumber[indices.to_numpy(zero_copy_only=False)]
            at += len(chunk)
        used = np.bincount(codes, minlength=len(found)) > 0
        order = sorted(name for name, code in found.items() if used[code])
        place = np.zeros(len(found), dtype=np.int64)
        place[[found[word] for word in order]] = np.arange(len(order))
        return place[codes], order

    def draws(self, seed: int, *names: str) -> NDArray[np.uint64]:
        """Return 64 random bits for each document, shape (documents,).

        They depend on its id, the seed and the names, and not on the other documents.

        Raises:
            CorpusError: There is no column ``id``.
        """
        from hinterland.curate.kernels.draws import draw
        from hinterland.curate.words import Batch

        stream = integer(seed, *names)
        out = np.empty(len(self), dtype=np.uint64)
        at = 0
        for chunk in self._pieces("id"):
            batch = Batch.from_arrow(chunk)
            out[at : at + len(chunk)] = draw(batch.data, batch.offsets, stream)
            at += len(chunk)
        return out

    def empty(self) -> NDArray[np.bool_]:
        """Return which documents have no word, shape (documents,).

        Taken from the first of these that is there: the internal column ``_empty``, the
        text, the number of words of the Gopher filter.

        Raises:
            CorpusError: None of these columns is there.
        """
        if EMPTY_COLUMN in self.names:
            return np.asarray(self[EMPTY_COLUMN] == 1)
        if "text" in self.names:
            bare = [
                pc.equal(pc.utf8_length(pc.utf8_trim_whitespace(chunk.cast(pa.string()))), 0).to_numpy(
                    zero_copy_only=False
                )
                for chunk in self._pieces("text")
            ]
            return np.concatenate([np.empty(0, dtype=bool), *bare]).astype(bool)
        words = next((name for name in self.names if _WORDS.fullmatch(name)), None)
        if words is not None:
            return np.asarray(self[words] == 0)
        raise CorpusError(
            "no column says which documents are empty",
            where="deciding",
            cure=f"score the corpus again, for {EMPTY_COLUMN!r}, or with the filter gopher_quality",
        )

    def _pieces(self, name: str) -> Iterator[pa.Array]:
        if name not in self.names:
            raise CorpusError(
                f"no score column {name!r}",
                where="deciding",
                cure=f"score the corpus with that filter first; {nearest(name, self.names)}",
            )
        return self.chunks(name)


class TableColumns(Columns):
    """The columns of a table in memory.

    Args:
        table: Scores, with ``id`` for what is drawn.
    """

    def __init__(self, table: pa.Table) -> None:
        self._table = table

    @property
    def names(self) -> Sequence[str]:
        """See `Columns.names`."""
        return list(self._table.column_names)

    def __len__(self) -> int:
        return int(self._table.num_rows)

    def chunks(self, name: str) -> Iterator[pa.Array]:
        """See `Columns.chunks`."""
        yield from self._table[name].chunks


class ShardColumns(Columns):
    """The columns of Parquet shards that stand side by side, one after the other.

    Several lists of shards can be given, as long as they have the same rows: the scores and
    what the search for duplicates found. A column is taken from the first that has it.

    Args:
        lists: Lists of Parquet files, each of the same documents in the same order.

    Raises:
        CorpusError: A file is missing or unreadable, or the lists differ in their rows.
    """

    def __init__(self, *lists: Sequence[Path]) -> None:
        self._lists = [list(paths) for paths in lists]
        rows = [[_metadata(path).num_rows for path in paths] for paths in self._lists]
        for paths, counts in zip(self._lists, rows, strict=True):
            if counts != rows[0]:
                raise CorpusError(
                    f"the shards have {sum(counts)} rows beside {sum(rows[0])}",
                    where=str(paths[0].parent if paths else ""),
                    cure="delete this folder and run again",
                )
        self._rows = sum(rows[0]) if rows else 0
        self._owner: dict[str, list[Path]] = {}
        for paths in self._lists:
            for name in _metadata(paths[0]).schema.to_arrow_schema().names if paths else ():
                self._owner.setdefault(name, paths)

    @property
    def names(self) -> Sequence[str]:
        """See `Columns.names`."""
        return list(self._owner)

    def __len__(self) -> int:
        return self._rows

    def chunks(self, name: str) -> Iterator[pa.Array]:
        """See `Columns.chunks`.

        Raises:
            CorpusError: A shard lacks the column or cannot be read.
        """
        for path in self._owner[name]:
            try:
                yield from pq.read_table(path, columns=[name])[name].chunks
            except (pa.ArrowInvalid, pa.ArrowKeyError, KeyError, OSError) as error:
                raise CorpusError(
                    f"column {name!r} cannot be read: {' '.join(str(error).split())}",
                    where=str(path),
                    cure="delete the file and run again",
                ) from error


def _metadata(path: Path) -> Any:
    with parquet_errors(path, cure="delete the file and run again"):
        return pq.read_metadata(path)
