"""The rows and columns that regressions rest on: computed, chosen, and counted where left out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from hinterland.core.errors import ConfigError, CorpusError, nearest
from hinterland.core.expressions import parse
from hinterland.curate.audit.covariates import Covariates
from hinterland.curate.audit.regression_config import ModelConfig, RegressionConfig
from hinterland.curate.score_columns import Columns, TableColumns

__all__ = ["Prepared", "join_covariates", "prepare"]

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]
_NONE = np.array(None, dtype=object)  # compares with each element
_EMPTY = ("", "na", "n/a", "nan", "null", "none", "-")


def join_covariates(table: pa.Table, covariates: Covariates, *, by: str = "country") -> pa.Table:
    """Return the table with each covariate of the document's country as a column.

    A country without a value, and a document without a country, have null. A covariate whose
    name the table has already is called ``country.NAME``.

    Args:
        table: Documents.
        covariates: Figures about countries.
        by: The column with ISO 3166-1 alpha-3 codes.

    Raises:
        CorpusError: There is no such column.
    """
    if by not in table.column_names:
        raise CorpusError(
            f"no column {by!r} to join covariates by",
            where="regression",
            cure=f"place the documents first; {nearest(by, table.column_names)}",
        )
    encoded = table[by].cast(pa.string()).combine_chunks().dictionary_encode()
    codes = encoded.dictionary.to_pylist()
    for column in covariates.columns:
        values = covariates.values(column)
        figures = pa.array([values.get(code) for code in codes], type=pa.float64())
        name = column if column not in table.column_names else f"country.{column}"
        table = table.append_column(name, figures.take(encoded.indices))
    return table


class _Derived(Columns):
    """The table's columns and the derived ones; texts that are numbers are read where numbers are needed."""

    def __init__(self, table: pa.Table) -> None:
        self._table = TableColumns(table)
        self._made: dict[str, NDArray[Any]] = {}

    @property
    def names(self) -> Sequence[str]:
        return [*self._table.names, *self._made]

    def __len__(self) -> int:
        return len(self._table)

    def chunks(self, name: str) -> Any:
        return self._table.chunks(name)

    def __getitem__(self, name: str) -> NDArray[Any]:
        if name in self._made:
            return self._made[name]
        try:
            return self._table[name]
        except CorpusError as error:  # neither numbers nor strings
            raise CorpusError(error.found, where="regression", cure=error.cure) from error

    def add(self, name: str, values: NDArray[Any]) -> None:
        self._made[name] = values

    def as_numbers(self, name: str, *, where: str) -> Floats:
        """Return a column as numbers and keep it so, with texts read as the numbers they are.

        Raises:
            ConfigError: A text is no number; the first is named with its row.
        """
        values = self[name]
        if values.dtype == object:
            values = _read(values, name, where)
            self.add(name, values)
        return np.asarray(values, dtype=np.float64)


def _read(values: NDArray[Any], name: str, where: str) -> Floats:
    texts = pc.utf8_trim_whitespace(pa.array(values, type=pa.string(), from_pandas=True))
    encoded = texts.dictionary_encode()
    read = np.full(len(encoded.dictionary) + 1, np.nan)
    bad = []
    for number, text in enumerate(encoded.dictionary.to_pylist()):
        if text.lower() in _EMPTY:
            continue
        try:
            read[number] = float(text)
        except ValueError:
            bad.append(number)
    indices = encoded.indices.fill_null(len(encoded.dictionary)).to_numpy(zero_copy_only=False)
    if bad:
        row = int(np.isin(indices, bad).argmax())
        many = int(np.isin(indices, bad).sum())
        raise ConfigError(
            f"column {name!r} has text where numbers are needed: {values[row]!r} in row {row + 1}"
            + (f", and {many - 1} more rows" if many > 1 else ""),
            where=where,
            cure=f"correct the rows, or name it under regression.categorical: {{{name}: null}}",
        )
    return np.asarray(read[indices], dtype=np.float64)


@dataclass(frozen=True)
class Prepared:
    """Columns for all models, over all rows of the table.

    Attributes:
        numbers: Outcomes and numeric terms, shape (rows,); NaN where missing.
        names: Categorical terms and clusters, shape (rows,); ``None`` where missing.
        counts: Which rows count by ``where``, shape (rows,).
        where: What it says.
        shared: Which rows have all columns of all models, shape (rows,); all if models need not
            share their rows.
    """

    numbers: dict[str, Floats]
    names: dict[str, NDArray[Any]]
    counts: Bools
    where: str
    shared: Bools

    def has(self, column: str) -> Bools:
        """Return which rows have a usable value of a column."""
        if column in self.numbers:
            return np.asarray(np.isfinite(self.numbers[column]))
        return np.asarray(self.names[column] != _NONE, dtype=np.bool_)

    def rows(self, model: ModelConfig) -> tuple[Bools, dict[str, int], str]:
        """Return the rows that a model rests on, why others are left out, and a note on that.

        Each row is counted once, under the first reason that applies; the note counts missing
        values by column.
        """
        left, dropped, missing = self.counts.copy(), {}, []
        if self.where:
            dropped[f"not: {self.where}"] = int((~left).sum())
        has = np.ones(len(left), dtype=bool)
        infinite = np.zeros(len(left), dtype=bool)
        for column in _columns(model):
            there = self.has(column)
            if column in self.numbers:
                infinite |= np.isinf(self.numbers[column])
                absent = int((left & np.isnan(self.numbers[column])).sum())
            else:
                absent = int((left & ~there).sum())
            if absent:
                missing.append(f"{column} {absent}")
            has &= there
        for why, bad in (
            ("infinite values", infinite),
            ("missing values", ~has),
            ("missing in another model", ~self.shared),
        ):
            count = int((left & bad).sum())
            if count:
                dropped[why] = count
            left &= ~bad
        note = f"Rows without a value: {', '.join(missing)}." if missing else ""
        return left, dropped, note


def _columns(model: ModelConfig) -> list[str]:
    return list(dict.fromkeys([model.outcome, *model.terms, *model.cluster]))


def prepare(table: pa.Table, config: RegressionConfig, models: Sequence[ModelConfig]) -> Prepared:
    """Compute and check the columns of all models.

    Args:
        table: Rows and their columns.
        config: What to derive and which rows count.
        models: Models as `RegressionConfig.resolved` gives them.

    Raises:
        ConfigError: A column is not there, an expression is wrong, or text stands where a number
            is needed.
    """
    columns = _Derived(table)
    for name, text in config.derive.items():
        place = f"regression.derive.{name}"
        if name in columns.names:
            raise ConfigError(f"there is a column {name!r} already", where=place, cure="choose another name")
        expression = parse(text, where=place)
        expression.check(columns.names)
        for used in expression.numeric_columns:
            columns.as_numbers(used, where=place)
        columns.add(name, expression.numbers(columns))
    counts = np.ones(len(columns), dtype=bool)
    if config.where is not None:
        condition = parse(config.where, where="regression.where")
        condition.check(columns.names)
        for used in condition.numeric_columns:
            columns.as_numbers(used, where="regression.where")
        counts = condition.holds(columns)[0]
    numbers, names = _gather(columns, config.categorical, models)
    prepared = Prepared(numbers, names, counts, config.where or "", np.ones(len(columns), dtype=bool))
    if not config.same_rows:
        return prepared
    shared = np.ones(len(columns), dtype=bool)
    for column in {each for model in models for each in _columns(model)}:
        shared &= prepared.has(column)
    return Prepared(numbers, names, counts, prepared.where, shared)


def _gather(
    columns: _Derived, categorical: Mapping[str, str | None], models: Sequence[ModelConfig]
) -> tuple[dict[str, Floats], dict[str, NDArray[Any]]]:
    """Return the columns of all models by kind."""
    numbers: dict[str, Floats] = {}
    names: dict[str, NDArray[Any]] = {}
    for name in categorical:
        if name not in columns.names:
            raise ConfigError(
                f"there is no column {name!r}",
                where="regression.categorical",
                cure=nearest(name, columns.names),
            )
    for model in models:
        place = f"regression.models, {model.name}"
        for name in _columns(model):
            if name not in columns.names:
                raise ConfigError(
                    f"there is no column {name!r}", where=place, cure=nearest(name, columns.names)
                )
            if name == model.outcome and name in categorical:
                raise ConfigError(
                    f"the outcome {name!r} is categorical",
                    where=place,
                    cure=f"derive a number, such as is_x: {name} == 'x'",
                )
            if name in categorical or name in model.cluster:
                names.setdefault(name, _as_names(columns[name]))
            if name not in categorical and (name == model.outcome or name in model.terms):
                numbers[name] = columns.as_numbers(name, where=place)
    return numbers, names


def _as_names(values: NDArray[Any]) -> NDArray[Any]:
    """Return names as objects, ``None`` where missing or empty; whole numbers without a point."""
    if values.dtype == object:
        return np.where(values == "", _NONE, values)
    distinct, codes = np.unique(values, return_inverse=True)
    words = [None if np.isnan(each) else str(each).removesuffix(".0") for each in distinct.tolist()]
    return np.array([*words, None], dtype=object)[codes]
