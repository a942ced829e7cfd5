"""Columns of the corpus with a condition: ``quality >= 0.5``."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from hinterland.core.errors import ConfigError
from hinterland.core.expressions import parse
from hinterland.curate.audit.adapters.base import Bound, Judged
from hinterland.curate.audit.adapters.config import ColumnFilter
from hinterland.curate.score_columns import TableColumns

__all__ = ["ColumnAdapter"]


class ColumnAdapter:
    """A condition over columns; where it is one threshold on one column, that column is the score.

    Args:
        name: The filter's name.
        config: The condition.

    Raises:
        ConfigError: It is no expression, or names no column.
    """

    may_have: tuple[str, ...] = ()

    def __init__(self, name: str, config: ColumnFilter) -> None:
        self._expression = parse(config.column, where=f"filters.{name}")
        if not self._expression.columns:
            raise ConfigError(
                f"{config.column!r} names no column", where=f"filters.{name}", cure="write quality >= 0.5"
            )
        self._threshold = self._expression.threshold()
        self._unknown = 0

    @property
    def columns(self) -> tuple[str, ...]:
        """See `Adapter.columns`."""
        return self._expression.columns

    @property
    def bound(self) -> Bound | None:
        """See `Adapter.bound`."""
        return Bound(self._threshold[1], self._threshold[2]) if self._threshold else None

    def judge(self, batch: pa.RecordBatch) -> Judged:
        """See `Adapter.judge`.

        Raises:
            ConfigError: A number is compared with a string.
            CorpusError: A column holds neither numbers nor strings.
        """
        columns = TableColumns(pa.Table.from_batches([batch]))
        yes, unknown = self._expression.holds(columns)
        self._unknown += int(unknown.sum())
        score = columns[self._threshold[0]] if self._threshold else None
        return Judged(yes | unknown, score)

    def finish(self) -> dict[str, Any]:
        """See `Adapter.finish`."""
        return {"unmeasured": self._unknown} if self._unknown else {}
