"""What deciding leaves: for every document whether it is kept, why not, and its weight."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from hinterland.core.record import DECISION_FIELDS

__all__ = ["Decisions"]


@dataclass
class Decisions:
    """Decisions over a corpus, in its order.

    Attributes:
        keep: Documents without a reason, shape (documents,).
        weight: 0 for those that are out, shape (documents,). Its sum is the expected number
            of documents; above 1 is a document that is repeated.
        reasons: For each reason, in the rules' order, whom it applies to, shape (documents,).
        kept_by_filter: How many documents each filter keeps on its own.
        unmeasured: For each rule and expression, how many documents it could not measure,
            which pass.
        reports: Counts before and after for ``pareto``, each cap, ``toxicity``, ``mixing``.
    """

    keep: NDArray[np.bool_]
    weight: NDArray[np.float64]
    reasons: dict[str, NDArray[np.bool_]]
    kept_by_filter: dict[str, int] = field(default_factory=dict)
    unmeasured: dict[str, int] = field(default_factory=dict)
    reports: dict[str, Any] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.keep)

    def counts(self) -> dict[str, int]:
        """Return how many documents each reason applies to, leaving out those without any."""
        found = {reason: int(rows.sum()) for reason, rows in self.reasons.items()}
        return {reason: number for reason, number in found.items() if number}

    def table(self, start: int = 0, stop: int | None = None) -> pa.Table:
        """Return the columns ``keep``, ``reasons`` and ``weight`` of some documents.

        Args:
            start: The first document.
            stop: The one after the last; all that follow if not given.
        """
        part = slice(start, stop)
        keep = self.keep[part]
        applies = [rows[part] for rows in self.reasons.values()]
        matrix = np.array(applies, dtype=bool).reshape(len(applies), len(keep)).T
        which = np.nonzero(matrix)[1]
        ends = np.concatenate([[0], np.cumsum(matrix.sum(axis=1, dtype=np.int64))])
        names = pa.array(list(self.reasons), type=pa.string())
        reasons = pa.ListArray.from_arrays(pa.array(ends, type=pa.int32()), names.take(pa.array(which)))
        columns = [pa.array(keep), reasons, pa.array(self.weight[part], type=pa.float64())]
        return pa.Table.from_arrays(columns, schema=pa.schema(DECISION_FIELDS))
