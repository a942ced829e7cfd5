"""Attributes that dolma wrote, joined by id, with a condition: ``gopher_v1__word_count >= 50``."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pyarrow as pa

from hinterland.core.errors import ConfigError, CorpusError
from hinterland.core.expressions import parse
from hinterland.curate.audit.adapters.base import Bound, Judged
from hinterland.curate.audit.adapters.config import DolmaFilter
from hinterland.curate.audit.adapters.dolma_attributes import read_attributes
from hinterland.curate.score_columns import TableColumns

__all__ = ["DolmaAdapter"]


class DolmaAdapter:
    """See the module. A document without attributes, or for which the condition is unknown, is kept.

    Args:
        name: The filter's name.
        config: The attributes and the condition.

    Raises:
        ConfigError: The condition is no expression, or names what is not there.
        CorpusError: The files are not there, or one breaks off.
    """

    columns = ("id",)
    may_have: tuple[str, ...] = ()

    def __init__(self, name: str, config: DolmaFilter) -> None:
        self._name = name
        where = f"filters.{name}"
        expression = parse(config.keep, where=where)
        if not expression.columns:
            raise ConfigError(f"{config.keep!r} names no attribute", where=where, cure="name one")
        found = read_attributes(config.dolma, expression.columns, where=where)
        self._rows, self._info = found.rows, found.info
        yes, unknown = expression.holds(TableColumns(pa.table(found.values)))
        # one row more, for documents that have none
        self._keep = np.append(yes | unknown, True)
        self._unknown = np.append(unknown, False)
        self._threshold = expression.threshold()
        self._score = np.append(found.values[self._threshold[0]], math.nan) if self._threshold else None
        self._documents = self._missing = self._unmeasured = 0
        self._first_missing = ""

    @property
    def bound(self) -> Bound | None:
        """See `Adapter.bound`."""
        return Bound(self._threshold[1], self._threshold[2]) if self._threshold else None

    def judge(self, batch: pa.RecordBatch) -> Judged:
        """See `Adapter.judge`."""
        none = len(self._rows)
        ids = batch.column("id").to_pylist()
        at = np.fromiter((self._rows.get(str(each), none) for each in ids), dtype=np.int64, count=len(ids))
        missing = at == none
        if missing.any() and not self._missing:
            self._first_missing = str(ids[int(missing.argmax())])
        self._documents += len(ids)
        self._missing += int(missing.sum())
        self._unmeasured += int(self._unknown[at].sum())
        return Judged(self._keep[at], None if self._score is None else self._score[at])

    def finish(self) -> dict[str, Any]:
        """See `Adapter.finish`.

        Raises:
            CorpusError: No document has attributes.
        """
        if self._documents and self._missing == self._documents:
            theirs = next(iter(self._rows), "")
            raise CorpusError(
                f"none of the {self._documents} documents has attributes: an id of the corpus is"
                f" {self._first_missing!r}, one of the attributes {theirs!r}",
                where=f"filters.{self._name}",
                cure="give the attributes of these documents, or read the corpus with their ids",
            )
        found: dict[str, Any] = dict(self._info)
        if self._missing:
            found |= {"missing": self._missing, "first_missing": self._first_missing}
        if self._unmeasured:
            found["unmeasured"] = self._unmeasured
        return found
