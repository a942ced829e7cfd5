"""What rules of removal keep out of the LangChain store."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa

from hinterland.core.errors import IndexBundleError
from hinterland.core.expressions import parse
from hinterland.indexes.langchain_rows import metadata_of
from hinterland.indexes.removal_rules import Rule, rules_in_force

__all__ = ["refuse_removed"]


def refuse_removed(root: Path, add: pa.Table) -> None:
    """Refuse documents that a rule of removal in force keeps out of the index.

    A rule's columns are looked for among the metadata too.

    Args:
        root: The index's folder. The caller holds the writer's lock.
        add: Chunks (`langchain_rows.chunk_rows`).

    Raises:
        IndexBundleError: A document fits a rule.
        StorageError: The file of the rules was edited by hand.
    """
    for name, rule in rules_in_force(root).items():
        fits = rule.matches(_with_columns(add, rule))
        if fits.any():
            raise IndexBundleError(
                f"{int(fits.sum())} of {add.num_rows} documents fit rule {name}, which removed others",
                where=f"document {add['id'][int(np.argmax(fits))].as_py()!r}",
                cure="leave them out, or lift the rule",
            )


def _with_columns(add: pa.Table, rule: Rule) -> pa.Table:
    """Return the chunks with all columns that a rule names, from the metadata where they are not there."""
    asked = [name for name, _ in rule.columns]
    asked += parse(rule.where, where="where").columns if rule.where else ()
    metadata = metadata_of(add)
    for name in dict.fromkeys(asked):
        if name not in add.column_names:
            values = [each.get(name) for each in metadata]
            numbers = all(value is None or isinstance(value, int | float) for value in values)
            kept = (
                [None if value is None else float(value) for value in values]
                if numbers
                else [value if isinstance(value, str) else None for value in values]
            )
            add = add.append_column(name, pa.array(kept, pa.float64() if numbers else pa.string()))
    return add
