"""An audit as text and Markdown; `render_csv` writes the tables in full."""

from __future__ import annotations

from hinterland.core.svg import number_text
from hinterland.curate.audit.claims import ALL, headline, shown
from hinterland.curate.audit.groups import readable_name
from hinterland.curate.audit.render_csv import csv_files, csv_text
from hinterland.curate.audit.render_parts import sections_after, sections_before
from hinterland.curate.audit.render_tables import Section, Table, escape_markdown, markdown_table, text_table
from hinterland.curate.audit.report import Audit
from hinterland.curate.audit.retention import MIN_CLUSTERS, GroupRetention

__all__ = [
    "ROWS",
    "coverage",
    "csv_files",
    "csv_text",
    "limits",
    "mark",
    "markdown",
    "markdown_table",
    "name_of",
    "printable",
    "text",
    "text_table",
]

#: What figures without texts are counted in: a row is a document of one token.
ROWS = "rows"
#: Said where there are shares of the corpus, which have clusters of their own.
_OF_COVERAGE = " Shares of the corpus come from whole sources instead, where documents have several."
#: Control characters in a corpus' names could move a terminal's cursor or colour it.
_CONTROLS = dict.fromkeys((*range(10), *range(11, 32), *range(127, 160)))


def coverage(audit: Audit) -> str:
    """Return the first line of every audit: how much there is, and how much has no place."""
    rows = audit.token_unit == ROWS
    counted = f"{audit.documents:,} document{'' if audit.documents == 1 else 's'}"
    words = f"{audit.documents:,} rows" if rows else f"{counted}, {audit.tokens:,} {audit.token_unit}"
    if not audit.groupings or not audit.documents:
        return f"{words}."
    name, info = next(iter(audit.groupings.items()))
    share = info.unknown_documents / audit.documents
    if rows:
        return f"{words}; {number_text(share, '%')} have no known {name_of(name)}."
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
        " of whole clusters (countries, or sources where the country is unknown, unless others were given),"
        " because documents of one country are not independent. With few clusters they are widened"
        " accordingly." + _OF_COVERAGE * bool(audit.coverage),
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


def _kept(audit: Audit, grouping: str) -> Table:
    """Return what all filters together keep of each group."""
    groups = audit.results[grouping][ALL].groups
    rows = tuple(
        (
            row.group,
            f"{row.documents:,}",
            shown(row.retention),
            shown(row.token_retention),
            shown(row.vs_rest, ""),
            mark(audit, ALL, grouping, row),
        )
        for row in groups
    )
    head = (
        "group", "documents", "documents kept", f"{audit.token_unit} kept", "against others", "finding",
    )  # fmt: skip
    return Table(head, rows, left=(0, 5), first=_first(audit, grouping), later=(3, 1))


def _filters(audit: Audit, grouping: str) -> Table:
    """Return for each group what each filter keeps, "*" where a gap is supported."""
    rows = []
    for number, row in enumerate(audit.results[grouping][ALL].groups):
        cells = [row.group]
        for name in audit.filters:
            measured = audit.results[grouping][name].groups[number]
            star = "*" if audit.supported(name, grouping, row.group) else " "
            cells.append(number_text(measured.retention.estimate, "%") + star)
        rows.append(tuple(cells))
    return Table(("group", *audit.filters), tuple(rows), first=_first(audit, grouping))


def _first(audit: Audit, grouping: str) -> tuple[int, ...]:
    """Return which rows stay where a table is cut: those with a finding, then the largest."""
    groups = audit.results[grouping][ALL].groups
    found = [audit.supported(ALL, grouping, row.group) for row in groups]
    return tuple(sorted(range(len(groups)), key=lambda i: (not found[i], -groups[i].documents)))


def _retention(audit: Audit, grouping: str) -> list[Section]:
    name = name_of(grouping)
    parts = [
        Section(f"By {name}, {ALL} together", "audit.csv", tables=(_kept(audit, grouping),), most_rows=25)
    ]
    if len(audit.filters) > 1:
        title = f"By {name}, each filter on its own (* a supported gap)"
        parts.append(Section(title, "audit.csv", tables=(_filters(audit, grouping),), most_rows=25))
    return parts


def text(audit: Audit) -> str:
    """Return the audit for a terminal of 100 columns; long tables are cut, and say where the rest is."""
    lines = [coverage(audit), headline(audit)]
    sections = sections_before(audit)
    for grouping in audit.results:
        sections += _retention(audit, grouping)
    for section in [*sections, *sections_after(audit)]:
        lines += ["", *section.text()]
    return printable("\n".join([*lines, *(["", *audit.notes] if audit.notes else [])]))


def printable(whole: str) -> str:
    """Return a report without the control characters that names in a corpus may hold."""
    return whole.translate(_CONTROLS)


def markdown(audit: Audit) -> str:
    """Return the audit as Markdown, with everything but the points of the curves."""
    title, finding = escape_markdown(audit.title), escape_markdown(headline(audit))
    lines = [f"# {title}", "", coverage(audit), "", f"**{finding}**"]
    for section in sections_before(audit):
        lines += ["", *section.markdown()]
    for grouping in audit.results:
        info = audit.groupings[grouping]
        lines += [
            "",
            f"## By {name_of(grouping)}",
            "",
            *([escape_markdown(info.note), ""] if info.note else []),
        ]
        lines += _kept(audit, grouping).markdown()
        if len(audit.filters) > 1:
            lines += ["", "Each filter on its own (* a supported gap):", ""]
            lines += _filters(audit, grouping).markdown()
    for section in sections_after(audit):
        lines += ["", *section.markdown()]
    notes = [escape_markdown(line) for line in audit.notes]
    lines += ["", "## Method and limits", "", *(f"- {line}" for line in [*limits(audit), *notes])]
    return "\n".join(lines) + "\n"
