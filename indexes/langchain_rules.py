"""What rules of removal keep out of the LangChain store."""

from __future__ import annotations

from pathlib import Path
from typing import Any

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


def _as_text(value: Any) -> str | None:
    """Return a value as a rule of removal names it, whatever kind its neighbours are of.

    >>> [_as_text(value) for value in (2020, 2020.0, True, "web", None)]
    ['2020', '2020', 'true', 'web', None]
    """
    if isinstance(value, bool | int | float | str):
        return str(pa.scalar(value).cast(pa.string()).as_py())
    return None


def _with_columns(add: pa.Table, rule: Rule) -> pa.Table:
    """Return the chunks with all columns that a rule names, from the metadata where they are not there."""
    listed = [name for name, _ in rule.columns]
    asked = list(listed)
    asked += parse(rule.where, where="where").columns if rule.where else ()
    metadata = metadata_of(add)
    for name in dict.fromkeys(asked):
        if name not in add.column_names:
            values = [each.get(name) for each in metadata]
            if name in listed:
                add = add.append_column(name, pa.array([_as_text(value) for value in values], pa.string()))
                continue
            numbers = all(value is None or isinstance(value, int | float) for value in values)
            kept = (
                [None if value is None else float(value) for value in values]
                if numbers
                else [value if isinstance(value, str) else None for value in values]
            )
            add = add.append_column(name, pa.array(kept, pa.float64() if numbers else pa.string()))
    return add
