"""What the corpus holds, by grouping and beside references, and how few sources it rests on."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from hinterland.core.charts import IntervalRow, interval_chart
from hinterland.core.page import Cell, Value, figure_html, fill, table_html
from hinterland.core.svg import number_text
from hinterland.curate.audit.audit import Audit
from hinterland.curate.audit.html_parts.words import (
    MAX_DRAWN,
    MAX_ROWS,
    NO_GAP,
    cell,
    joined,
    label,
    left_out,
    note,
    share,
)
from hinterland.curate.audit.parts import Concentration, Coverage, CoverageRow
from hinterland.curate.audit.render import name_of
from hinterland.curate.audit.wording import OVER, UNDER, divergence_sentence, finding

if TYPE_CHECKING:
    from markupsafe import Markup

__all__ = ["concentration", "coverage_parts"]


def coverage_parts(audit: Audit) -> Markup:
    """Return a chart and a table for each grouping and reference."""
    parts = [
        fill(
            "<p>{{ words }}</p>",
            words="A representation ratio is a group's share of the corpus over its share of the"
            " reference: 1 is"
            " proportional, 0.5 half as much as its due. A reference is a choice, not a verdict. Where an"
            f" interval holds 1, there is {NO_GAP}.",
        )
    ]
    for each in audit.coverage:
        heading = f"By {name_of(each.grouping)}" + (
            f", beside {name_of(each.reference)}" if each.reference else ""
        )
        parts.append(fill("<h3>{{ heading }}</h3>", heading=heading))
        parts += [
            _chart(each),
            _table(audit, each),
            note(" ".join(filter(None, [each.note, divergence_sentence(each) if each.reference else ""]))),
        ]
    return joined(*parts)


def _largest(rows: Sequence[CoverageRow], size: int) -> list[CoverageRow]:
    """Return the rows that matter most, in their own order."""
    weight = {id(row): max(row.documents, 0) for row in rows}
    top = sorted(rows, key=lambda row: (not math.isfinite(row.reference), -weight[id(row)]))[:size]
    chosen = {id(row) for row in top}
    return [row for row in rows if id(row) in chosen]


def _chart(each: Coverage) -> Markup:
    if len(each.rows) > MAX_DRAWN and not any(row.ranked for row in each.rows):
        return joined()  # a long chart of what is not compared says nothing that the table does not
    rows = _largest(each.rows, MAX_DRAWN)
    which = left_out(len(rows), len(each.rows), "those with most documents")
    name = name_of(each.grouping)
    if each.reference:
        drawn = [
            IntervalRow(label(row.group), row.representation, n=row.documents, muted=not row.ranked)
            for row in rows
            if math.isfinite(row.representation.estimate)
        ]
        svg = interval_chart(
            drawn,
            title=f"Share of the corpus over share of {name_of(each.reference)}, by {name}",
            reference=1.0,
            reference_label="proportional",
            unit="",
            log=True,
        )
        caption = (
            "Dots are representation ratios on a logarithmic axis, lines their 95% intervals; an arrow"
            " points to"
            " what lies off the axis. Grey groups are not compared."
        )
    else:
        drawn = [
            IntervalRow(label(row.group), row.share, n=row.documents, muted=not row.ranked) for row in rows
        ]
        svg = interval_chart(drawn, title=f"Share of documents, by {name}")
        caption = "Dots are shares of the documents in a known group, lines their 95% intervals."
    return figure_html(svg, f"{caption} {which}".strip()) if drawn else joined()


def _table(audit: Audit, each: Coverage) -> Markup:
    rows = _largest(each.rows, MAX_ROWS)
    lines: list[Sequence[Value]] = []
    for row in rows:
        line: list[Value] = [
            label(row.group),
            row.documents,
            row.clusters,
            cell(row.share),
            share(row.token_share),
        ]
        if each.reference:
            line += [
                share(row.reference),
                cell(row.representation, ""),
                Cell(number_text(row.token_representation), row.token_representation),
                _finding(row),
            ]
        lines.append(line)
    if each.unknown_documents:
        empty = [None] * (4 if each.reference else 0)
        lines.append(
            ["unknown", each.unknown_documents, None, None, None, *empty][: 9 if each.reference else 5]
        )
        if each.reference:
            lines[-1] = [*lines[-1][:-1], "not compared"]
    head = ["Group", "Documents", "Clusters", "Share of documents", f"Share of {audit.token_unit}"]
    if each.reference:
        head += ["Reference", "Representation", f"Representation, {audit.token_unit}", "Finding"]
    which = left_out(len(rows), len(each.rows), "those with most documents")
    beside = f", beside {name_of(each.reference)}" if each.reference else ""
    return table_html(
        head,
        lines,
        caption=f"The corpus by {name_of(each.grouping)}{beside}. {which}".strip(),
        muted=[not row.ranked for row in rows],
    )


def _finding(row: CoverageRow) -> str:
    if not row.ranked:
        return row.why_not or "not compared"
    if not math.isfinite(row.reference):
        return "no reference"
    return finding(row.representation, 1.0, UNDER, OVER)


def concentration(audit: Audit) -> Markup:
    """Return how the corpus is spread over sources."""
    return joined(*(_spread(each, audit.token_unit) for each in audit.concentration))


def _spread(each: Concentration, token_unit: str) -> Markup:
    h0, h1, h2 = each.hill
    rows: list[Sequence[Value]] = [
        ["Sources (Hill number of order 0)", Cell(f"{each.sources:,}", h0), "how many there are"],
        [
            "Effective number, order 1",
            Cell(number_text(h1), h1),
            "as many equal sources have the same entropy",
        ],
        [
            "Effective number, order 2",
            Cell(number_text(h2), h2),
            "as many equal sources make it as likely that two documents share one",
        ],
        ["Gini coefficient", Cell(number_text(each.gini), each.gini), "0 all alike, 1 all from one source"],
        [
            f"Documents from the largest 1% ({each.top_sources:,})",
            share(each.top_share),
            f"and {number_text(each.top_token_share, '%')} of {token_unit}",
        ],
        ["Documents without a source", each.unknown_documents, "not counted above"],
    ]
    tables = [
        table_html(
            ["Measure", "Value", "What it says"],
            rows,
            caption=f"How {name_of(each.column)}s share the corpus",
            sortable=False,
        )
    ]
    if each.largest:
        largest: list[Sequence[Value]] = [[name or "–", number] for name, number in each.largest]
        tables.append(
            table_html([name_of(each.column).capitalize(), "Documents"], largest, caption="The largest")
        )
    return joined(*tables)
