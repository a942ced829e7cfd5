"""Which filters make a gap, independent of their order."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from hinterland.core.charts import IntervalRow, interval_chart
from hinterland.core.page import Cell, Value, figure_html, fill, panels_html, table_html
from hinterland.curate.audit.audit import Audit
from hinterland.curate.audit.html_parts.words import joined, label, left_out, note
from hinterland.curate.audit.parts import Attribution
from hinterland.curate.audit.render import name_of
from hinterland.curate.audit.wording import finding, gap_sentence, point, points

if TYPE_CHECKING:
    from markupsafe import Markup

__all__ = ["attribution"]

_DRAWN, _LISTED = 12, 40
#: Gaps that the page holds: every supported one up to so many, then the widest others.
_GAPS, _OTHERS = 36, 12


def attribution(audit: Audit) -> Markup:
    """Return for each gap a chart and a table of the filters' shares."""
    intro = fill(
        "<p>{{ words }}</p>",
        words="A gap is the share kept of all other documents less the share kept of the group, in percentage"
        " points. A filter's share of it is its part on average over all orders in which the filters could"
        " run (Shapley value); the shares sum to the gap. Positive: the filter drops more of the group"
        " than of the others; negative: less.",
    )
    chosen = _chosen(audit.attribution)
    panels = [(f"By {name_of(each.grouping)}", label(each.group), _one(each)) for each in chosen]
    which = left_out(len(chosen), len(audit.attribution), "the widest supported gaps first")
    return joined(intro, panels_html("Choose a group", panels), note(which))


def _chosen(attribution: Sequence[Attribution]) -> list[Attribution]:
    """Return the gaps that the page shows, the supported ones first, the widest first."""

    def size(each: Attribution) -> float:
        return -abs(each.gap.estimate) if math.isfinite(each.gap.estimate) else 0.0

    supported = sorted((each for each in attribution if each.supported), key=size)[:_GAPS]
    others = sorted((each for each in attribution if not each.supported), key=size)
    ordered = sorted(supported, key=lambda each: -each.gap.estimate)  # those kept less before those kept more
    return [*ordered, *others[: min(_OTHERS, _GAPS - len(supported))]]


def _summary(each: Attribution) -> str:
    words = gap_sentence(each)
    if not each.supported:
        return words
    top = next((f for f in each.filters if f.shapley.estimate * each.gap.estimate > 0), None)
    if top is not None and top.shapley.excludes(0.0):
        words += f" The largest share is that of {top.filter}: {points(top.shapley)}."
    elif top is not None:
        words += " No single filter's share is certain: the largest has an interval that holds 0."
    return words


def _one(each: Attribution) -> Markup:
    ordered = sorted(each.filters, key=lambda f: -abs(f.shapley.estimate))
    drawn = ordered[:_DRAWN]
    chart = interval_chart(
        [IntervalRow(f.filter, f.shapley) for f in drawn],
        title=f"Share of the gap of {label(each.group)} by filter, in percentage points",
        reference=0.0,
        reference_label="no part in it",
        unit="points",
    )
    which = left_out(len(drawn), len(each.filters), "the largest shares")
    rows: list[Sequence[Value]] = [
        [
            f.filter,
            Cell(points(f.shapley), f.shapley.estimate),
            Cell(point(f.first), f.first),
            Cell(point(f.last), f.last),
            "the order matters" if f.order_matters else "the order changes little",
            finding(
                f.shapley, 0.0, "drops less of the group", "drops more of the group", "no evidence of a part"
            ),
        ]
        for f in ordered[:_LISTED]
    ]
    listed = left_out(len(rows), len(each.filters), "the largest shares")
    table = table_html(
        ["Filter", "Share of the gap", "If it ran first", "If it ran last", "Order", "Finding"],
        rows,
        caption=f"Percentage points. Worked out {_method(each.method)}. {listed}".strip(),
    )
    return joined(
        fill("<p>{{ words }}</p>", words=_summary(each)),
        figure_html(chart, f"Dots are shares of the gap, lines their 95% intervals. {which}".strip()),
        table,
    )


def _method(method: str) -> str:
    return "exactly" if method == "exact" else f"over {method}"
