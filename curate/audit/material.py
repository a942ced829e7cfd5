"""What an audit is made from: every document's groups, decisions, source and length."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from hinterland.curate.audit.covariates import Covariates
from hinterland.curate.audit.groups import Grouping
from hinterland.curate.rule import Rule
from hinterland.curate.score_columns import Columns

if TYPE_CHECKING:
    from hinterland.curate.audit.adapters import Audited

__all__ = ["Material", "Texts"]

#: Rows → the texts of these documents.
Texts = Callable[[NDArray[np.int64]], list[str]]


@dataclass(frozen=True)
class Material:
    """Arrays over the same documents, in the same order.

    Attributes:
        table: id, country, source and what else is asked for by name.
        groupings: By name.
        decisions: For each filter which documents it keeps on its own, shape (documents,),
            and `claims.ALL`; none where nothing was decided.
        clusters: What is resampled, shape (documents,).
        n_clusters: How many clusters there are.
        tokens: Shape (documents,).
        weight: Of kept documents, shape (documents,).
        columns: All score columns, read one at a time.
        rules: The rules that decided.
        covariates: Figures about countries.
        texts: Reads texts for the examples.
        audited: Filters given beside the corpus, with their scores and thresholds.
    """

    table: pa.Table
    groupings: dict[str, Grouping]
    decisions: dict[str, NDArray[np.bool_]]
    clusters: NDArray[np.int64]
    n_clusters: int
    tokens: NDArray[np.float64]
    covariates: Covariates
    weight: NDArray[np.float64] | None = None
    columns: Columns | None = None
    rules: Sequence[Rule] = ()
    texts: Texts | None = None
    audited: Mapping[str, Audited] = field(default_factory=dict)

    def column(self, name: str) -> pa.ChunkedArray | None:
        """Return a column of the table, if it is there."""
        return self.table[name] if name in self.table.column_names else None
