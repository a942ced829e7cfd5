"""An audit as one self-contained page: finding, map, groups, filters, method and limits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from hinterland.core.charts import IntervalRow, interval_chart
from hinterland.core.page import Cell, Value, figure_html, fill, page, table_html
from hinterland.core.places import UNKNOWN
from hinterland.core.svg import number_text
from hinterland.core.worldmap import world_map
from hinterland.curate.audit.audit import Audit
from hinterland.curate.audit.claims import ALL, headline, shown
from hinterland.curate.audit.render import coverage, limits, mark, name_of

if TYPE_CHECKING:
    from markupsafe import Markup

__all__ = ["group_chart", "map_of", "page_of", "sections"]


def map_of(audit: Audit, *, standalone: bool = False) -> str:
    """Return the world map of what all filters together keep."""
    kept = sum(held for _, held in audit.countries.values())
    documents = sum(number for number, _ in audit.countries.values())
    return world_map(
        {code: held / number for code, (number, held) in audit.countries.items() if number},
        title="Share of documents kept, by country",
        unit="%",
        low_label="kept less",
        high_label="kept more",
        middle=kept / documents if documents else None,
        middle_label="all countries",
        details={
            code: f"{number_text(held)} of {number:,} documents"
            for code, (number, held) in audit.countries.items()
        },
        standalone=standalone,
    )


def group_chart(audit: Audit, grouping: str, filter_name: str = ALL, *, standalone: bool = False) -> str:
    """Return the retention of each group under one filter, with intervals."""
    measured = audit.results[grouping][filter_name]
    rows = [
        IntervalRow(_label(row.group), row.retention, n=row.documents, muted=not row.ranked)
        for row in measured.groups
    ]
    return interval_chart(
        rows,
        title=f"Share of documents kept by {name_of(grouping)}, {filter_name}",
        reference=measured.overall.retention.estimate,
        reference_label="all documents",
        standalone=standalone,
    )


def _label(group: str) -> str:
    return "unknown place" if group == UNKNOWN else group


def _group_table(audit: Audit, grouping: str) -> Markup:
    rows: list[Sequence[Value]] = [
        [
            _label(row.group),
            mark(audit, ALL, grouping, row),
            Cell(shown(row.retention), row.retention.estimate),
            Cell(shown(row.vs_rest, ""), row.vs_rest.estimate),
            Cell(shown(row.vs_best, "") if row.vs_best.estimate != 1 else "1", row.vs_best.estimate),
            row.documents,
            Cell(shown(row.token_retention), row.token_retention.estimate),
            row.clusters,
            Cell(number_text(row.design_effect), row.design_effect),
        ]
        for row in audit.results[grouping][ALL].groups
    ]
    return table_html(
        [
            "Group",
            "Finding",
            "Kept",
            "Against others",
            "Against best kept",
            "Documents",
            f"{audit.token_unit.capitalize()} kept",
            "Clusters",
            "Design effect",
        ],
        rows,
        caption=f"All filters together, by {name_of(grouping)}",
        muted=[not row.ranked for row in audit.results[grouping][ALL].groups],
    )


def _filter_table(audit: Audit, grouping: str) -> Markup:
    rows: list[Sequence[Value]] = []
    for number, row in enumerate(audit.results[grouping][ALL].groups):
        cells: list[Value] = [_label(row.group)]
        for name in audit.filters:
            measured = audit.results[grouping][name].groups[number]
            star = " *" if audit.supported(name, grouping, row.group) else ""
            cells.append(Cell(shown(measured.retention) + star, measured.retention.estimate))
        rows.append(cells)
    return table_html(
        ["Group", *audit.filters],
        rows,
        caption=f"Documents kept by each filter on its own, by {name_of(grouping)}. * marks a supported gap.",
        muted=[not row.ranked for row in audit.results[grouping][ALL].groups],
    )


def sections(audit: Audit) -> list[tuple[str, str, Markup]]:
    """Return (anchor, heading, HTML) for each part after the finding."""
    from markupsafe import Markup

    caption = (
        "Each country's share of documents kept by all filters together; the colours diverge from the share"
        " of all countries. A country with few documents varies by chance: what is supported is said below,"
        " by group."
    )
    parts = [("map", "Map", figure_html(map_of(audit), caption))] if audit.countries else []
    for grouping, info in audit.groupings.items():
        body = [figure_html(group_chart(audit, grouping), _chart_caption(info.note))]
        body.append(_group_table(audit, grouping))
        if len(audit.filters) > 1:
            body.append(_filter_table(audit, grouping))
        parts.append((f"by-{grouping}", f"By {name_of(grouping)}", Markup("").join(body)))
    method = fill(
        "<ul>{% for line in lines %}<li>{{ line }}</li>{% endfor %}</ul>",
        lines=[*limits(audit), *audit.notes],
    )
    return [*parts, ("method", "Method and limits", method)]


def _chart_caption(note: str) -> str:
    drawn = "Dots are shares kept, lines their 95% intervals; grey groups are too small to compare."
    return f"{drawn} {note}".strip()


def page_of(audit: Audit) -> str:
    """Return the page."""
    parts = sections(audit)
    body = fill(
        '<p class="lead">{{ finding }}</p><p>{{ coverage }}</p>'
        '{% for anchor, heading, html in parts %}<section id="{{ anchor }}"><h2>{{ heading }}</h2>{{ html }}'
        "</section>{% endfor %}",
        finding=headline(audit),
        coverage=coverage(audit),
        parts=parts,
    )
    return page(audit.title, body, nav=[(f"#{anchor}", heading) for anchor, heading, _ in parts])
