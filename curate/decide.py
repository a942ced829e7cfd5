"""Deciding: rules over score columns. Cheap, separate from scoring, and never a deletion."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from hinterland.core.errors import CorpusError, nearest
from hinterland.core.record import DECISION_FIELDS
from hinterland.curate.rule import Rule

__all__ = ["EMPTY", "column_values", "decide", "filter_decisions", "is_empty", "severity", "unmeasured"]

#: The reason of documents without a word; it comes before all rules.
EMPTY = "empty"


def column_values(table: pa.Table, column: str) -> NDArray[np.float64]:
    """Return a score column as floats, null as NaN, shape (documents,).

    Raises:
        CorpusError: The table has no such column.
    """
    if column not in table.column_names:
        raise CorpusError(
            f"no score column {column!r}",
            where="deciding",
            cure=f"score the corpus with that filter first; {nearest(column, table.column_names)}",
        )
    values = table[column].combine_chunks().cast(pa.float64()).fill_null(math.nan)
    return np.asarray(values.to_numpy(zero_copy_only=False), dtype=np.float64)


def is_empty(table: pa.Table) -> NDArray[np.bool_]:
    """Return which documents have no word, shape (documents,)."""
    bare = pc.equal(pc.utf8_length(pc.utf8_trim_whitespace(table["text"])), 0)
    return np.asarray(bare.combine_chunks().to_numpy(zero_copy_only=False), dtype=bool)


def _violations(table: pa.Table, rules: Sequence[Rule]) -> NDArray[np.float64]:
    """Return every rule's violations, shape (rules, documents)."""
    rows = [rule.violation(column_values(table, rule.column)) for rule in rules]
    return np.array(rows).reshape(len(rules), table.num_rows)


def decide(table: pa.Table, rules: Sequence[Rule]) -> pa.Table:
    """Return ``table`` with ``keep``, ``reasons`` (all that apply) and ``weight`` (1 or 0).

    Columns of these names that are already there are replaced. A document without a word
    has the reason ``empty`` before those of the rules.

    Args:
        table: Documents with ``text`` and the rules' score columns.
        rules: The rules; a document is kept if all of them pass.

    Raises:
        CorpusError: A score column is missing.
    """
    out, empty = _violations(table, rules) > 0, is_empty(table)
    names = [rule.reason for rule in rules]
    reasons = [
        [EMPTY] * bool(empty[row]) + [names[rule] for rule in np.flatnonzero(out[:, row])]
        for row in range(table.num_rows)
    ]
    keep = ~(empty | out.any(axis=0))
    columns = {"keep": keep, "reasons": reasons, "weight": keep.astype(np.float64)}
    names_there = [field.name for field in DECISION_FIELDS if field.name in table.column_names]
    result = table.drop_columns(names_there) if names_there else table
    for field in DECISION_FIELDS:
        result = result.append_column(field, pa.array(columns[field.name], type=field.type))
    return result


def filter_decisions(table: pa.Table, rules: Sequence[Rule]) -> dict[str, NDArray[np.bool_]]:
    """Return for each filter on its own what it would keep, each of shape (documents,).

    A filter is the first part of a rule's column. What an audit of single filters needs:
    nothing is hidden behind a filter that came first.

    Raises:
        CorpusError: A score column is missing.
    """
    decisions: dict[str, NDArray[np.bool_]] = {}
    for rule in rules:
        passes = rule.passes(column_values(table, rule.column))
        decisions[rule.filter] = decisions[rule.filter] & passes if rule.filter in decisions else passes
    return decisions


def severity(table: pa.Table, rules: Sequence[Rule]) -> NDArray[np.float64]:
    """Return each document's largest violation over all rules, shape (documents,).

    0 is kept; see `Rule.violation` for the scale. A document without a word is infinite,
    so that no relaxed threshold lets it in.

    Raises:
        CorpusError: A score column is missing.
    """
    worst = _violations(table, rules).max(axis=0, initial=0.0)
    return np.where(is_empty(table), math.inf, worst)


def unmeasured(table: pa.Table, rules: Sequence[Rule]) -> dict[str, int]:
    """Return for each rule how many documents passed because they have no value.

    Raises:
        CorpusError: A score column is missing.
    """
    return {rule.column: int(np.isnan(column_values(table, rule.column)).sum()) for rule in rules}
