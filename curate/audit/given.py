"""What the library's `audit` is given, in any usual form, as what an audit is made from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence, Sized
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import ArrayLike, NDArray

from hinterland.core.config import Config, parse_config
from hinterland.core.errors import ConfigError, CorpusError
from hinterland.core.places import UNKNOWN
from hinterland.curate.audit.material import Texts
from hinterland.curate.geo.countries import country_codes

if TYPE_CHECKING:
    from hinterland.curate.audit.adapters import Audited

__all__ = [
    "Given",
    "Labels",
    "check_lengths",
    "count_words",
    "decisions_of",
    "judged",
    "numbers_of",
    "size_of",
    "table_of",
    "words_of",
]

Labels: TypeAlias = Sequence[str] | NDArray[np.str_] | pa.Array | pa.ChunkedArray


def table_of(given: Any) -> pa.Table:
    """Return documents as an Arrow table.

    Args:
        given: A table or record batch of Arrow, a data frame of pandas or Polars, or columns by name.

    Raises:
        CorpusError: It is none of these, its columns differ in length, or two have one name.
    """
    try:
        if isinstance(given, pa.Table):
            table = given
        elif isinstance(given, pa.RecordBatch):
            table = pa.Table.from_batches([given])
        elif type(given).__module__.partition(".")[0] == "pandas":
            table = pa.Table.from_pandas(given, preserve_index=False)
        else:
            table = pa.table(given if hasattr(given, "__arrow_c_stream__") else dict(given))
    except (pa.ArrowException, TypeError, ValueError) as error:
        raise CorpusError(
            f"no table of documents: {' '.join(str(error).split())}",
            where="audit",
            cure="give a table of Arrow, pandas or Polars, or columns by name",
        ) from error
    twice = [name for name, number in Counter(table.column_names).items() if number > 1]
    if twice:
        raise CorpusError(f"two columns are called {twice[0]!r}", where="audit", cure="rename one")
    return table


def decisions_of(name: str, values: ArrayLike) -> NDArray[np.bool_]:
    """Return decisions as true and false.

    Raises:
        CorpusError: One is missing, or is neither true nor false, 1 nor 0.
    """
    array = np.asarray(values)
    if array.dtype == bool:
        return array
    known = array.dtype.kind in "iuf" or all(isinstance(each, bool | np.bool_) for each in array.ravel())
    if not known or not np.isin(array, (0, 1)).all():
        raise CorpusError(
            f"a decision of {name!r} is missing, or neither true nor false",
            where="decisions",
            cure="give one of true and false, or 1 and 0, for every document",
        )
    return np.asarray(array == 1, dtype=bool)


def judged(filters: Mapping[str, Any], table: pa.Table | None) -> dict[str, Audited]:
    """Return what filters that are given as functions, expressions, objects or configs keep of a table.

    Raises:
        ConfigError: One cannot be made.
        CorpusError: One judged no document.
    """
    from hinterland.curate.audit.adapters import apply_adapters
    from hinterland.curate.audit.adapters.config import Filters

    if not isinstance(filters, Mapping):
        raise ConfigError("filters without names", where="filters", cure="give {name: filter}")
    if not filters or table is None:
        return {}
    made = {str(name): _configured(each) for name, each in filters.items()}
    read = parse_config(Filters, {"filters": made}, where="filters").filters
    return apply_adapters(read, _identified(table).to_batches(), rows=table.num_rows)


def _configured(given: Any) -> Any:
    """Return what a config would say of a filter."""
    if isinstance(given, str):
        return {"column": given}
    if isinstance(given, Config | Mapping):
        return given
    if callable(getattr(given, "filter", None)):  # datatrove's: they can be called too, as steps
        return {"datatrove": given}
    return {"callable": given} if callable(given) else given


def _identified(table: pa.Table) -> pa.Table:
    """Return the table with an id for every document: its row where it has none."""
    if "id" in table.column_names:
        return table
    return table.append_column(
        "id", pa.array([f"row {row + 1}" for row in range(table.num_rows)], pa.string())
    )


def size_of(
    table: pa.Table | None, kept: Mapping[str, NDArray[np.bool_]], filters: Mapping[str, Any] | None
) -> int:
    """Return the number of documents.

    Raises:
        CorpusError: There is nothing to audit, or the arrays differ in length.
    """
    if filters and table is None:
        raise CorpusError("filters without documents", where="audit", cure="give a table")
    if table is None and not kept:
        raise CorpusError("no decision to audit", where="audit", cure="give at least one filter's decisions")
    size = table.num_rows if table is not None else len(next(iter(kept.values())))
    uneven = [name for name, values in kept.items() if len(values) != size]
    if uneven:
        raise CorpusError(
            f"decisions of {', '.join(uneven)} do not fit the {size} documents",
            where="audit",
            cure="give one decision for every document",
        )
    return size


def check_lengths(size: int, **given: Sized | None) -> None:
    """Raise `CorpusError` if what is given for every document is not one for each."""
    for name, values in given.items():
        if values is not None and len(values) != size:
            raise CorpusError(
                f"{len(values)} values of {name} for {size} documents",
                where="audit",
                cure="give one for every document",
            )


@dataclass(frozen=True)
class Given:
    """What a table of documents gives where nothing else is given."""

    table: pa.Table | None
    size: int

    def placed(self, countries: Labels | None) -> tuple[pa.Table, Counter[str]]:
        """Return the table with a column of alpha-3 codes, and how many values are no country, by why.

        Raises:
            CorpusError: There is not one country for each document.
        """
        table = self.table if self.table is not None else pa.table({"_row": np.arange(self.size)})
        there = "country" in table.column_names
        said: Any = table["country"] if there else pa.nulls(self.size, pa.string())
        if countries is not None:
            known = isinstance(countries, pa.Array | pa.ChunkedArray)
            said = countries if known else pa.array(list(countries), from_pandas=True)
        check_lengths(self.size, countries=said)
        if pa.types.is_nested(said.type):
            raise CorpusError(f"countries are {said.type}", where="country", cure="give words")
        found, unplaced = country_codes(said)
        if there:
            return table.set_column(table.column_names.index("country"), "country", found), unplaced
        return table.append_column("country", found), unplaced

    def texts(self) -> Texts | None:
        """Return what reads some documents' texts, if there are texts."""
        if self.table is None or "text" not in self.table.column_names:
            return None
        column = self.table["text"]
        return lambda rows: [text or "" for text in column.take(pa.array(rows)).to_pylist()]

    def clusters(self, countries: pa.ChunkedArray) -> pa.Array:
        """Return the country, else the source; documents with neither are one cluster.

        Args:
            countries: Codes or null, shape (documents,).

        Raises:
            CorpusError: Sources are no words.
        """
        source = pa.nulls(self.size, pa.string())
        if self.table is not None and "source" in self.table.column_names:
            source = words_of(self.table["source"], "source")
        named = pc.binary_join_element_wise("source", source, ":")
        return pc.fill_null(pc.coalesce(countries.combine_chunks(), named), UNKNOWN)

    def words(self) -> NDArray[np.float64]:
        """Return the words of every document, shape (documents,).

        Raises:
            CorpusError: There is no text, or it is no text.
        """
        if self.table is None or "text" not in self.table.column_names:
            raise CorpusError("no token counts and no text to count", where="audit", cure="give tokens")
        return count_words(words_of(self.table["text"], "text"))


def words_of(column: pa.ChunkedArray, name: str) -> pa.Array:
    """Return a column as strings.

    Raises:
        CorpusError: It holds lists or other values that are no words.
    """
    try:
        return column.combine_chunks().cast(pa.string())
    except pa.ArrowException as error:
        raise CorpusError(
            f"column {name!r} holds {column.type} and no words", where="audit", cure="write words"
        ) from error


def numbers_of(column: pa.ChunkedArray, name: str, where: str) -> NDArray[np.float64]:
    """Return a column's values as floats, null as NaN.

    Raises:
        CorpusError: They are no numbers.
    """
    kind = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
    number = pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)
    if not (number or pa.types.is_boolean(kind) or pa.types.is_null(kind)):
        raise CorpusError(f"column {name!r} holds {kind} and no numbers", where=where, cure="write numbers")
    return np.asarray(column.cast(kind).cast(pa.float64()).fill_null(np.nan).to_numpy(), dtype=np.float64)


def count_words(texts: pa.ChunkedArray | pa.Array) -> NDArray[np.float64]:
    """Return the number of runs of non-space characters in each text, shape (documents,)."""
    from hinterland.curate.kernels.runs import count_runs
    from hinterland.curate.words import batches

    chunked = texts if isinstance(texts, pa.ChunkedArray) else pa.chunked_array([texts])
    counts = [count_runs(batch.data, batch.offsets) for batch in batches(pc.fill_null(chunked, ""))]
    return np.concatenate([np.empty(0), *counts]).astype(np.float64)
