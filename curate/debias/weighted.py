"""Whom weights stand for: each group's share of the weights before and after, beside a reference."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hinterland.core.page import Cell, table_html
from hinterland.core.places import UNKNOWN
from hinterland.core.svg import number_text
from hinterland.curate.audit.compare import Addition
from hinterland.curate.audit.groups import Grouping, readable_name
from hinterland.curate.audit.render_tables import markdown_table

__all__ = ["WeightedCoverage", "WeightedRow", "of_margins", "section", "values_of", "weighted_coverage"]

Floats = NDArray[np.float64]
_TITLE = "Shares of the weights"
_HEAD = ("group", "documents kept", "before", "after", "reference")


@dataclass(frozen=True, slots=True)
class WeightedRow:
    """One group's share of the weights.

    Attributes:
        group: The label.
        documents: Kept documents after.
        before: Its share before, of what is in a known group; NaN for the unknown.
        after: The same after.
        reference: Its share of the reference; NaN without one.
    """

    group: str
    documents: int
    before: float
    after: float
    reference: float = math.nan


@dataclass(frozen=True, slots=True)
class WeightedCoverage:
    """The shares of the weights by one grouping.

    Attributes:
        grouping: Its name.
        of: "documents": a document counts by its weight; "tokens": by its weight times its tokens.
        margin: Whether it was raked to; its report has these shares, too.
        rows: In the grouping's order.
    """

    grouping: str
    of: str
    margin: bool
    rows: tuple[WeightedRow, ...]


def weighted_coverage(
    grouping: Grouping,
    before: Floats,
    after: Floats,
    *,
    tokens: Floats | None = None,
    reference: Mapping[str, float] | None = None,
) -> WeightedCoverage:
    """Return each group's share of the weights before and after.

    Args:
        grouping: Group of each document.
        before: Weights before, 0 where it is not kept, shape (documents,).
        after: Weights after.
        tokens: Tokens of each document, to count these.
        reference: Group → share.
    """
    groups = len(grouping.labels)
    amount = np.ones(len(grouping)) if tokens is None else tokens
    known = np.array([label != UNKNOWN for label in grouping.labels], dtype=bool)
    kept = np.bincount(grouping.codes[after > 0], minlength=groups)
    shares = []
    for weight in (before, after):
        sums = np.bincount(grouping.codes, weights=weight * amount, minlength=groups).astype(np.float64)
        total = sums[known].sum()
        shares.append(np.where(known & (total > 0), sums / (total or 1.0), math.nan))
    rows = tuple(
        WeightedRow(label, int(kept[g]), float(shares[0][g]), float(shares[1][g]),
                    float((reference or {}).get(label, math.nan)))
        for g, label in enumerate(grouping.labels)
    )  # fmt: skip
    return WeightedCoverage(grouping.name, "documents" if tokens is None else "tokens", False, rows)


def of_margins(result: Mapping[str, Any]) -> list[WeightedCoverage]:
    """Return the margins of a raking's `Outcome.to_dict` in the same form."""

    def number(value: float | None) -> float:
        return math.nan if value is None else value

    def row_of(row: Mapping[str, Any]) -> WeightedRow:
        shares = (number(row[key]) for key in ("before", "after", "reference"))
        return WeightedRow(row["group"], row["documents"], *shares)

    return [
        WeightedCoverage(name, result["of"], True, tuple(map(row_of, rows)))
        for name, rows in result.get("margins", {}).items()
    ]


def section(found: Sequence[WeightedCoverage]) -> Addition:
    """Return the part of a comparison that shows them."""
    note = (
        "The method changes how much documents weigh. Below, a group's share is that of the weights; in the"
        " parts after this one each document counts once, whatever its weight."
    )
    lines, page = [note], [f"<p>{note}</p>"]
    for each in found:
        caption = f"By {readable_name(each.grouping)}, shares of {each.of} by weight"
        words = [(row, [number_text(value, "%") for value in values_of(row)]) for row in each.rows]
        lines += ["", f"{caption}:", ""]
        lines += markdown_table(_HEAD, [[row.group, f"{row.documents:,}", *cells] for row, cells in words])
        page.append(
            table_html(
                [head.capitalize() for head in _HEAD],
                [
                    [row.group, row.documents, *map(_cell, values_of(row), cells)]
                    for row, cells in words
                ],
                caption=caption,
            )
        )  # fmt: skip
    return Addition("weights", _TITLE, tuple(lines), "".join(page))


def values_of(row: WeightedRow) -> tuple[float, float, float]:
    """Return a group's share before, after, and of the reference."""
    return row.before, row.after, row.reference


def _cell(value: float, words: str) -> Cell | None:
    return Cell(words, value) if math.isfinite(value) else None
