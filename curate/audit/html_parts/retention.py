"""What is kept of each group: chart, table, every filter, and a choice of filter."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from hinterland.core.charts import IntervalRow, interval_chart
from hinterland.core.page import Cell, Value, figure_html, fill, json_block, table_html
from hinterland.core.places import UNKNOWN
from hinterland.core.svg import legible, number_text
from hinterland.curate.audit.audit import Audit
from hinterland.curate.audit.claims import ALL, shown
from hinterland.curate.audit.html_parts.words import (
    GREY,
    MAX_DRAWN,
    MAX_ROWS,
    NO_GAP,
    cell,
    ends,
    joined,
    label,
    left_out,
    note,
)
from hinterland.curate.audit.render import mark, name_of
from hinterland.curate.audit.retention import GroupRetention

if TYPE_CHECKING:
    from markupsafe import Markup

__all__ = ["group_chart", "retention_parts"]

_MAX_COLUMNS = 8  # of figures side by side: what a printed page holds
_WHICH = "those kept least and those kept most"


def group_chart(audit: Audit, grouping: str, filter_name: str = ALL, *, standalone: bool = False) -> str:
    """Return the retention of each group under one filter, with intervals."""
    rows = _chosen(audit, grouping, MAX_DRAWN)
    return _chart(audit, grouping, filter_name, rows, standalone=standalone)


def _chart(
    audit: Audit,
    grouping: str,
    name: str,
    rows: Sequence[int],
    *,
    live: bool = False,
    standalone: bool = False,
) -> str:
    measured = audit.results[grouping][name]
    groups = [measured.groups[i] for i in rows]
    return interval_chart(
        [
            IntervalRow(label(row.group), row.retention, n=row.documents, muted=not row.ranked)
            for row in groups
        ],
        title=f"Share of documents kept by {name_of(grouping)}, {name}",
        reference=measured.overall.retention.estimate,
        reference_label="all documents",
        live=live,
        standalone=standalone,
    )


def _chosen(audit: Audit, grouping: str, size: int) -> list[int]:
    """Return which groups are shown: all in their order, or of many the extremes from the least kept up.

    What is unknown is never left out.
    """
    groups = audit.results[grouping][ALL].groups
    if len(groups) <= size:
        return list(range(len(groups)))
    unknown = [i for i, row in enumerate(groups) if row.group == UNKNOWN]
    ranked = [i for i, row in enumerate(groups) if row.ranked]
    ranked.sort(key=lambda i: (groups[i].retention.estimate, i))
    small = [i for i, row in enumerate(groups) if not row.ranked and i not in unknown]
    small.sort(key=lambda i: (-groups[i].documents, i))
    room = size - len(unknown)
    return [*ends(ranked, room), *small[: max(room - len(ranked), 0)], *unknown]


def finding(audit: Audit, name: str, grouping: str, row: GroupRetention) -> str:
    """Return what may be said of a group under a filter, in words that are never empty."""
    if row.ranked and not math.isfinite(row.vs_rest.estimate):
        return "not measured"
    return mark(audit, name, grouping, row) or NO_GAP


def _cells(audit: Audit, name: str, grouping: str, row: GroupRetention) -> list[Cell]:
    """Return the cells of a group that depend on the filter."""
    best = shown(row.vs_best, "") if row.vs_best.estimate != 1 else "1"
    return [
        Cell(finding(audit, name, grouping, row)),
        cell(row.retention),
        cell(row.vs_rest, ""),
        Cell(best, row.vs_best.estimate),
        cell(row.token_retention),
        Cell(number_text(row.design_effect), row.design_effect),
    ]


def retention_parts(audit: Audit) -> Markup:
    """Return chart and tables of every grouping."""
    parts = [
        fill(
            "<p>{{ words }}</p>",
            words="“Kept less” and “kept more” compare a group with all documents outside it, and are said"
            " only"
            f" where the data support it. Everywhere else it says “{NO_GAP}”: an interval that crosses 1 is"
            " none, and that is not evidence that there is no gap.",
        )
    ]
    filters = list(audit.filters)
    for number, (grouping, info) in enumerate(audit.groupings.items()):
        if grouping in audit.results:
            parts.append(_one(audit, grouping, info.note, number, filters))
    return joined(*parts)


def _one(audit: Audit, grouping: str, words: str, number: int, filters: list[str]) -> Markup:
    rows, drawn = _chosen(audit, grouping, MAX_ROWS), _chosen(audit, grouping, MAX_DRAWN)
    groups = audit.results[grouping][ALL].groups
    caption = f"Dots are shares kept, lines their 95% intervals. {GREY}"
    which = left_out(len(drawn), len(groups), _WHICH)
    parts = [
        figure_html(
            _chart(audit, grouping, ALL, drawn, live=len(filters) > 1),
            fill(
                "<strong class=which>Kept by {{ all }}.</strong> {{ words }}",
                all=ALL,
                words=" ".join(filter(None, [caption, which, words])),
            ),
        ),
        _table(audit, grouping, rows),
    ]
    choice = fill("")
    if len(filters) > 1:
        parts.append(_every_filter(audit, grouping, rows, filters))
        choice = json_block(f"kept-{number}", _data(audit, grouping, rows, drawn, filters))
    return fill(
        '<section id="by-{{ grouping }}" data-kept="kept-{{ number }}"><h3>By {{ name }}</h3>'
        "{{ body }}{{ choice }}</section>",
        grouping=grouping,
        number=number,
        name=name_of(grouping),
        body=joined(*parts),
        choice=choice,
    )


def _table(audit: Audit, grouping: str, chosen: Sequence[int]) -> Markup:
    groups = audit.results[grouping][ALL].groups
    rows: list[Sequence[Value]] = []
    for row in (groups[i] for i in chosen):
        found, kept, rest, best, tokens, effect = _cells(audit, ALL, grouping, row)
        rows.append([label(row.group), found, kept, rest, best, row.documents, tokens, row.clusters, effect])
    head = [
        "Group",
        "Finding",
        "Kept",
        "Against others",
        "Against best kept",
        "Documents",
        f"{audit.token_unit.capitalize()} kept",
        "Clusters",
        "Design effect",
    ]
    which = left_out(len(rows), len(groups), _WHICH)
    return table_html(
        head,
        rows,
        caption=f"Kept by {ALL}, by {name_of(grouping)}. {which}".strip(),
        muted=[not groups[i].ranked for i in chosen],
    )


def _data(
    audit: Audit, grouping: str, rows: Sequence[int], drawn: Sequence[int], filters: Sequence[str]
) -> dict[str, Any]:
    """Return what the page's script needs to show another filter: figures, and words made here."""
    by_filter = []
    for name in filters:
        measured = audit.results[grouping][name]
        overall = measured.overall.retention.estimate
        cells = [_cells(audit, name, grouping, measured.groups[i]) for i in rows]
        by_filter.append(
            {
                "all": _plain(overall),
                "allWords": f"all documents: {number_text(overall, '%')}",
                "marks": [
                    [_plain(v) for v in (r.estimate, r.low, r.high)]
                    for r in (measured.groups[i].retention for i in drawn)
                ],
                "words": [shown(measured.groups[i].retention) for i in drawn],
                "cells": [[[c.words, _plain(c.sort)] for c in line] for line in cells],
            }
        )
    return {
        "label": "Kept by",
        "filters": [legible(name) for name in filters],
        "columns": [1, 2, 3, 4, 6, 8],
        "drawn": [label(audit.results[grouping][ALL].groups[i].group) for i in drawn],
        "caption": f"by {name_of(grouping)}",
        "by": by_filter,
    }


def _plain(value: float | str | None) -> float | None:
    return round(value, 5) if isinstance(value, int | float) and math.isfinite(value) else None


def _every_filter(audit: Audit, grouping: str, rows: Sequence[int], filters: Sequence[str]) -> Markup:
    """Return every filter by every group, in tables of a few columns each."""
    groups = [audit.results[grouping][ALL].groups[i] for i in rows]
    wide = len(groups) <= len(filters) or len(filters) > MAX_ROWS

    def each(filter_name: str, i: int) -> Cell:
        row = audit.results[grouping][filter_name].groups[i]
        star = " *" if audit.supported(filter_name, grouping, row.group) else ""
        return Cell(shown(row.retention) + star, row.retention.estimate)

    tables: list[Markup] = []
    parts = _dealt(list(rows) if wide else list(filters))
    for number, part in enumerate(parts, start=1):
        lines: list[Sequence[Value]]
        if wide:
            head = ["Filter", *(label(audit.results[grouping][ALL].groups[i].group) for i in part)]
            lines = [[name, *(each(name, i) for i in part)] for name in filters]
            muted = [False] * len(lines)
        else:
            head = ["Group", *part]
            lines = [[label(groups[k].group), *(each(name, i) for name in part)] for k, i in enumerate(rows)]
            muted = [not row.ranked for row in groups]
        more = f", {number} of {len(parts)}" if len(parts) > 1 else ""
        caption = f"Kept by each filter on its own, by {name_of(grouping)}{more}. * marks a supported gap."
        tables.append(table_html(head, lines, caption=caption, muted=muted))
    return fill(
        "<details><summary>Every filter on its own, by {{ name }}</summary>{{ tables }}{{ note }}</details>",
        name=name_of(grouping),
        tables=joined(*tables),
        note=note(f"Without a star there is {NO_GAP} between the group and all others."),
    )


def _dealt(columns: Sequence[Any]) -> list[Sequence[Any]]:
    """Deal columns into as few, and as even, tables as hold them."""
    tables = max(1, -(-len(columns) // _MAX_COLUMNS))
    each = max(1, -(-len(columns) // tables))
    return [columns[i : i + each] for i in range(0, len(columns), each)]
