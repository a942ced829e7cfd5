"""Where two variants of one rule, or two filters, agree."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hinterland.core.charts import IntervalRow, interval_chart
from hinterland.core.page import figure_html, fill, panels_html, table_html
from hinterland.curate.audit.audit import Audit
from hinterland.curate.audit.html_parts.words import GREY, MAX_DRAWN, MAX_ROWS, cell, joined, label, left_out
from hinterland.curate.audit.parts import Agreement
from hinterland.curate.audit.render import name_of

if TYPE_CHECKING:
    from markupsafe import Markup

__all__ = ["agreement"]


def agreement(audit: Audit) -> Markup:
    """Return for each pair a chart and a table by group."""
    intro = fill(
        "<p>{{ words }}</p>",
        words="Two filters agree on a document if both keep it or both drop it. Filters that agree on most"
        " documents can still part over one group.",
    )
    panels = [
        (f"By {name_of(each.grouping)}", f"{each.first} and {each.second}", _one(each))
        for each in audit.agreement
    ]
    return joined(intro, panels_html("Choose a pair", panels))


def _one(each: Agreement) -> Markup:
    rows = each.rows[:MAX_ROWS]
    whole = next((row.agreement.estimate for row in rows if row.group == "all"), None)
    drawn = [row for row in rows if row.group != "all"][:MAX_DRAWN]
    chart = interval_chart(
        [IntervalRow(label(r.group), r.agreement, n=r.documents, muted=not r.ranked) for r in drawn],
        title=f"Share of documents on which {each.first} and {each.second} agree, by"
        f" {name_of(each.grouping)}",
        reference=whole,
        reference_label="all documents" if whole is not None else "",
    )
    table = table_html(
        [
            "Group",
            "Agree",
            "Kept by both",
            f"Only by {each.first}",
            f"Only by {each.second}",
            "Neither",
            "Documents",
        ],
        [
            [
                label(row.group),
                cell(row.agreement),
                row.both,
                row.only_first,
                row.only_second,
                row.neither,
                row.documents,
            ]
            for row in rows
        ],
        caption=f"{each.first} and {each.second}, by {name_of(each.grouping)}. "
        + left_out(len(rows), len(each.rows), "the first"),
        muted=[not row.ranked for row in rows],
    )
    caption = f"Dots are shares of documents, lines their 95% intervals. {GREY}"
    return joined(figure_html(chart, caption), table)
