"""An audit as text, Markdown and CSV."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Sequence

from hinterland.core.stats import Interval
from hinterland.core.svg import number_text
from hinterland.curate.audit.audit import Audit
from hinterland.curate.audit.claims import ALL, headline, shown
from hinterland.curate.audit.groups import readable_name
from hinterland.curate.audit.retention import MIN_CLUSTERS, GroupRetention

__all__ = [
    "coverage",
    "csv_text",
    "limits",
    "mark",
    "markdown",
    "markdown_table",
    "name_of",
    "text",
    "text_table",
]


def coverage(audit: Audit) -> str:
    """Return the first line of every audit: how much there is, and how much has no place."""
    words = f"{audit.documents:,} documents, {audit.tokens:,} {audit.token_unit}"
    if not audit.groupings or not audit.documents:
        return f"{words}."
    name, info = next(iter(audit.groupings.items()))
    share = info.unknown_documents / audit.documents
    tokens = info.unknown_tokens / audit.tokens if audit.tokens else 0.0
    return (
        f"{words}; {number_text(share, '%')} of documents ({number_text(tokens, '%')} of {audit.token_unit})"
        f" have no known {name_of(name)}."
    )


def name_of(grouping: str) -> str:
    """Return a grouping's name for people."""
    return readable_name(grouping)


def mark(audit: Audit, filter_name: str, grouping: str, row: GroupRetention) -> str:
    """Return what may be said of a group: "kept less", "kept more", why it is not ranked, or ""."""
    if not row.ranked:
        return row.why_not
    if not audit.supported(filter_name, grouping, row.group):
        return ""
    return "kept less" if row.vs_rest.estimate < 1 else "kept more"


def limits(audit: Audit) -> list[str]:
    """Return method and limits in plain words."""
    settings = audit.settings
    return [
        f"Brackets are {settings.get('level', 0.95):.0%} intervals from {settings['resamples']:,} resamples"
        " of whole clusters (countries, or sources where the country is unknown), because documents of one"
        " country are not independent. With few clusters they are widened accordingly.",
        "“Against others” divides a group's retention by that of all documents outside it; 1 is no gap."
        " “Kept less” or “kept more” is said only where the interval excludes 1 and the finding survives"
        " false-discovery control (5%) over all groups and filters. Where nothing is said, there is no"
        " evidence of a gap, which is not evidence that there is none.",
        f"Groups with fewer than {settings['min_documents']} documents or fewer than {MIN_CLUSTERS} clusters"
        " are shown and not compared. Documents without a known place are a group of their own and are"
        " never left out.",
        "Retention says who is left out, not why: a filter may drop a group's documents because they are"
        " short, in another language or of another kind.",
    ]


def text_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Return an aligned text table; the first column to the left, the others to the right."""
    wide = [max(len(row[i]) for row in [head, *rows]) for i in range(len(head))]
    last = len(head) - 1

    def line(row: Sequence[str]) -> str:
        cells = [cell.ljust(wide[i]) if i in (0, last) else cell.rjust(wide[i]) for i, cell in enumerate(row)]
        return "  ".join(cells).rstrip()

    return [line(head), *map(line, rows)]


def _main_rows(audit: Audit, grouping: str) -> list[list[str]]:
    return [
        [
            row.group,
            f"{row.documents:,}",
            shown(row.retention),
            shown(row.token_retention),
            shown(row.vs_rest, ""),
            mark(audit, ALL, grouping, row),
        ]
        for row in audit.results[grouping][ALL].groups
    ]


def _filter_rows(audit: Audit, grouping: str) -> list[list[str]]:
    """Return for each group what each filter keeps, "*" where a gap is supported."""
    rows = []
    for number, row in enumerate(audit.results[grouping][ALL].groups):
        cells = [row.group]
        for name in audit.filters:
            measured = audit.results[grouping][name].groups[number]
            star = "*" if audit.supported(name, grouping, row.group) else " "
            cells.append(number_text(measured.retention.estimate, "%") + star)
        rows.append([*cells, ""])
    return rows


def _main_head(audit: Audit) -> list[str]:
    return ["group", "documents", "documents kept", f"{audit.token_unit} kept", "against others", "finding"]


def text(audit: Audit) -> str:
    """Return the audit for a terminal: coverage, headline, a table for each grouping."""
    lines = [coverage(audit), headline(audit)]
    for grouping in audit.results:
        lines += ["", f"By {name_of(grouping)}, {ALL} together"]
        lines += [f"  {line}" for line in text_table(_main_head(audit), _main_rows(audit, grouping))]
        if len(audit.filters) > 1:
            lines += ["", f"By {name_of(grouping)}, each filter on its own (* a supported gap)"]
            head = ["group", *audit.filters, ""]
            lines += [f"  {line}" for line in text_table(head, _filter_rows(audit, grouping))]
    return "\n".join([*lines, *(["", *audit.notes] if audit.notes else [])])


def markdown_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Return a Markdown table."""

    def line(cells: Sequence[str]) -> str:
        return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"

    return [line(head), "|" + " --- |" * len(head), *map(line, rows)]


def markdown(audit: Audit) -> str:
    """Return the audit as Markdown."""
    lines = [f"# {audit.title}", "", coverage(audit), "", f"**{headline(audit)}**"]
    for grouping, info in audit.groupings.items():
        lines += ["", f"## By {name_of(grouping)}", "", *([info.note, ""] if info.note else [])]
        lines += markdown_table(_main_head(audit), _main_rows(audit, grouping))
        if len(audit.filters) > 1:
            lines += ["", "Each filter on its own (* a supported gap):", ""]
            rows = [[cell.strip() for cell in row[:-1]] for row in _filter_rows(audit, grouping)]
            lines += markdown_table(["group", *audit.filters], rows)
    lines += ["", "## Method and limits", "", *(f"- {line}" for line in [*limits(audit), *audit.notes])]
    return "\n".join(lines) + "\n"


_COLUMNS = (
    "grouping", "filter", "group", "documents", "tokens", "kept_documents", "kept_tokens", "clusters",
    "retention", "retention_low", "retention_high",
    "token_retention", "token_retention_low", "token_retention_high", "design_effect",
    "vs_rest", "vs_rest_low", "vs_rest_high", "vs_best", "vs_best_low", "vs_best_high",
    "p_value", "q_value", "supported", "ranked", "why_not",
)  # fmt: skip


def csv_text(audit: Audit) -> str:
    """Return one row for each grouping, filter and group; numbers unrounded, missing ones empty."""
    claims = {(c.grouping, c.filter, c.group): c for c in audit.claims}
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(_COLUMNS)
    for grouping, by_filter in audit.results.items():
        for name, measured in by_filter.items():
            for row in measured.groups:
                claim = claims.get((grouping, name, row.group))
                values: list[object] = [
                    grouping, name, row.group, row.documents, row.tokens, row.kept_documents, row.kept_tokens,
                    row.clusters, *_three(row.retention), *_three(row.token_retention), row.design_effect,
                    *_three(row.vs_rest), *_three(row.vs_best), row.p_value,
                    claim.q_value if claim else math.nan, bool(claim and claim.supported), row.ranked,
                    row.why_not,
                ]  # fmt: skip
                writer.writerow("" if isinstance(v, float) and not math.isfinite(v) else v for v in values)
    return out.getvalue()


def _three(interval: Interval) -> tuple[float, float, float]:
    return interval.estimate, interval.low, interval.high
