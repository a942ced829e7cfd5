"""Who is retrieved and cited, and how a model does, by group."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from hinterland.core.charts import IntervalRow, interval_chart
from hinterland.core.page import figure_html, fill, panels_html, table_html
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
from hinterland.curate.audit.parts import Exposure, Measure
from hinterland.curate.audit.render import name_of
from hinterland.curate.audit.wording import OVER, UNDER, finding, not_compared

if TYPE_CHECKING:
    from markupsafe import Markup

__all__ = ["exposures", "measures"]


def exposures(audit: Audit) -> Markup:
    """Return what each group gets of the places in results."""
    intro = fill(
        "<p>{{ words }}</p>",
        words="A group's share of the first results over its share of the corpus, or of the relevant"
        " documents: 1"
        f" is proportional. Where an interval holds 1, there is {NO_GAP}.",
    )
    panels = [
        ("", f"By {name_of(each.grouping)}, first {each.k}", _exposure(each)) for each in audit.exposure
    ]
    return joined(intro, panels_html("Choose a grouping", panels))


def _exposure(each: Exposure) -> Markup:
    rows = each.rows[:MAX_ROWS]
    judged = any(math.isfinite(row.relevant) for row in rows)
    drawn = [row for row in rows if math.isfinite(row.against_corpus.estimate)][:MAX_DRAWN]
    against = "relevant documents" if judged else "the corpus"
    chart = interval_chart(
        [
            IntervalRow(label(row.group), row.against_relevant if judged else row.against_corpus)
            for row in drawn
        ],
        title=f"Share of the first {each.k} results over share of {against}, by {name_of(each.grouping)}",
        reference=1.0,
        reference_label="proportional",
        unit="",
        log=True,
    )
    table = table_html(
        [
            "Group",
            "Share of corpus",
            "Retrieved",
            "Cited",
            "Relevant",
            "Retrieved over corpus",
            "Retrieved over relevant",
            f"Finding, against {against}",
        ],
        [
            [
                label(row.group),
                share(row.corpus),
                cell(row.retrieved),
                cell(row.cited),
                share(row.relevant),
                cell(row.against_corpus, ""),
                cell(row.against_relevant, ""),
                finding(
                    row.against_relevant if judged else row.against_corpus,
                    1.0,
                    UNDER,
                    OVER,
                ),
            ]
            for row in rows
        ],
        caption=f"{each.queries:,} queries, first {each.k} results, by {name_of(each.grouping)}. "
        + left_out(len(rows), len(each.rows), "the first"),
    )
    return joined(
        figure_html(chart, "Logarithmic axis; lines are 95% intervals over queries."), table, note(each.note)
    )


def measures(audit: Audit) -> Markup:
    """Return each measure by group."""
    intro = fill(
        "<p>{{ words }}</p>",
        words="Each group's mean, and its difference from the mean of all others. Where the interval of the"
        f" difference holds 0, there is {NO_GAP}.",
    )
    panels = [(f"By {name_of(each.grouping)}", each.column, _measure(each)) for each in audit.measures]
    return joined(intro, panels_html("Choose a measure", panels))


def _measure(each: Measure) -> Markup:
    rows = each.rows[:MAX_ROWS]
    whole = next((row.mean.estimate for row in rows if row.group == "all"), None)
    drawn = [row for row in rows if row.group != "all"][:MAX_DRAWN]
    chart = interval_chart(
        [IntervalRow(label(r.group), r.mean, n=r.documents, muted=not r.ranked) for r in drawn],
        title=f"{each.column} by {name_of(each.grouping)}",
        reference=whole,
        reference_label="all documents" if whole is not None else "",
        unit="",
    )
    table = table_html(
        ["Group", "Mean", "Less all others", "Finding", "Documents", "Clusters"],
        [
            [
                label(row.group),
                cell(row.mean, ""),
                cell(row.difference, ""),
                "–"
                if row.group == "all"
                else finding(row.difference, 0.0, "lower", "higher")
                if row.ranked
                else not_compared(row.group),
                row.documents,
                row.clusters,
            ]
            for row in rows
        ],
        caption=f"{each.column}, by {name_of(each.grouping)}. "
        + left_out(len(rows), len(each.rows), "the first"),
        muted=[not row.ranked for row in rows],
    )
    lost = f"{each.unmeasured:,} documents have no such figure." if each.unmeasured else ""
    return joined(figure_html(chart, "Dots are means, lines their 95% intervals."), table, note(lost))
