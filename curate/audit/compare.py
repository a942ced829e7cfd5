"""Two audits of the same documents side by side: before and after."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hinterland.core.charts import IntervalRow, interval_chart
from hinterland.core.errors import CorpusError
from hinterland.core.files import write_json, write_text
from hinterland.core.page import Cell, Value, figure_html, fill, page, table_html
from hinterland.core.revive import plain
from hinterland.core.stats import Interval
from hinterland.core.svg import number_text
from hinterland.curate.audit.audit import Audit
from hinterland.curate.audit.claims import ALL, headline, shown
from hinterland.curate.audit.render import coverage, limits, markdown_table, name_of, printable, text_table
from hinterland.curate.audit.render_tables import escape_markdown
from hinterland.curate.audit.wording import not_compared

__all__ = ["Addition", "ChangedGroup", "Comparison", "compare"]


@dataclass(frozen=True, slots=True)
class ChangedGroup:
    """One group before and after.

    Attributes:
        group: The label.
        documents: How many there are.
        before: Retention of documents before.
        after: Retention after.
        ratio_before: Against all others, before.
        ratio_after: Against all others, after.
        ranked: Whether the group is large enough to be compared.
    """

    group: str
    documents: int
    before: Interval
    after: Interval
    ratio_before: Interval
    ratio_after: Interval
    ranked: bool


@dataclass(frozen=True, slots=True)
class Addition:
    """A further part of a comparison's Markdown and page, before the groups.

    Attributes:
        anchor: Its place in the page.
        title: Its heading.
        lines: Its Markdown, names in it escaped.
        html: Its HTML, names in it escaped.
    """

    anchor: str
    title: str
    lines: tuple[str, ...]
    html: str


@dataclass(frozen=True)
class Comparison:
    """Two audits by group, under all filters together.

    Attributes:
        before: The first audit.
        after: The second.
        groups: By grouping.
        additions: What the files show besides.
    """

    before: Audit
    after: Audit
    groups: dict[str, tuple[ChangedGroup, ...]]
    additions: tuple[Addition, ...] = ()

    def worst(self, grouping: str) -> tuple[float, float]:
        """Return the worst-kept ranked group's share of the best-kept one's, before and after.

        NaN with fewer than two ranked groups, and where none of them keeps a document.
        """

        def least(values: list[float]) -> float:
            return min(values) / max(values) if len(values) > 1 and max(values) > 0 else math.nan

        ranked = [row for row in self.groups[grouping] if row.ranked]
        return (
            least([row.before.estimate for row in ranked]),
            least([row.after.estimate for row in ranked]),
        )

    def summary(self) -> str:
        """Return the change of the worst disparity ratio, for each grouping, in a sentence."""
        worst = {name: self.worst(name) for name in self.groups}
        parts = [
            f"by {name_of(name)} from {number_text(one)} to {number_text(two)}"
            for name, (one, two) in worst.items()
            if math.isfinite(one) and math.isfinite(two)
        ]
        if not parts:
            return "No grouping has two groups that are large enough to compare."
        return f"The worst disparity ratio (worst-kept over best-kept group) goes {'; '.join(parts)}."

    def _rows(self, grouping: str) -> list[list[str]]:
        return [
            [
                row.group,
                f"{row.documents:,}",
                shown(row.before),
                shown(row.after),
                shown(row.ratio_before, ""),
                shown(row.ratio_after, ""),
                "" if row.ranked else not_compared(row.group),
            ]
            for row in self.groups[grouping]
        ]

    def __str__(self) -> str:
        lines = [f"Before: {headline(self.before)}", f"After: {headline(self.after)}", self.summary()]
        for name in self.groups:
            lines += ["", f"By {name_of(name)}, {ALL} together"]
            lines += [f"  {line}" for line in text_table(_HEAD, self._rows(name))]
        return printable("\n".join(lines))

    def markdown(self) -> str:
        """Return the comparison as Markdown."""
        found = [f"Before: {headline(self.before)}", f"After: {headline(self.after)}", self.summary()]
        lines = [f"# {escape_markdown(self.after.title)}", ""]
        lines += [f"- {escape_markdown(line)}" for line in found]
        for part in self.additions:
            lines += ["", f"## {escape_markdown(part.title)}", "", *part.lines]
        for name in self.groups:
            heading = escape_markdown(f"By {name_of(name)}")
            lines += ["", f"## {heading}", "", *markdown_table(_HEAD, self._rows(name))]
        return "\n".join(lines) + "\n"

    def to_dict(self) -> dict[str, Any]:
        """Return the comparison as JSON-able values."""
        from dataclasses import asdict

        result: dict[str, Any] = plain(
            {
                "kind": "audit comparison",
                "headline_before": headline(self.before),
                "headline_after": headline(self.after),
                "summary": self.summary(),
                "worst": {name: list(self.worst(name)) for name in self.groups},
                "groups": {name: [asdict(row) for row in rows] for name, rows in self.groups.items()},
            }
        )
        return result

    def chart(self, grouping: str, *, standalone: bool = False) -> str:
        """Return retention before and after in one chart."""
        rows = [
            IntervalRow(row.group, row.before, n=row.documents, muted=not row.ranked, after=row.after)
            for row in self.groups[grouping]
        ]
        return interval_chart(
            rows,
            title=f"Share of documents kept before and after, by {name_of(grouping)}",
            standalone=standalone,
        )

    def html(self) -> str:
        """Return the comparison as a page."""
        parts = []
        for name, rows in self.groups.items():
            cells: list[Sequence[Value]] = [
                [
                    row.group,
                    row.documents,
                    Cell(shown(row.before), row.before.estimate),
                    Cell(shown(row.after), row.after.estimate),
                    Cell(shown(row.ratio_before, ""), row.ratio_before.estimate),
                    Cell(shown(row.ratio_after, ""), row.ratio_after.estimate),
                ]
                for row in rows
            ]
            table = table_html(
                [head.capitalize() for head in _HEAD[:-1]],
                cells,
                caption=f"Before and after, by {name_of(name)}",
                muted=[not row.ranked for row in rows],
            )
            parts.append((name, f"By {name_of(name)}", figure_html(self.chart(name)), table))
        body = fill(
            '<p class="lead">{{ summary }}</p><p>{{ coverage }}</p>'
            "<dl><dt>Before</dt><dd>{{ before }}</dd><dt>After</dt><dd>{{ after }}</dd></dl>"
            "{% for part in additions %}"
            '<section id="{{ part.anchor }}"><h2>{{ part.title }}</h2>{{ part.html | safe }}</section>'
            "{% endfor %}"
            "{% for anchor, heading, chart, table in parts %}"
            '<section id="by-{{ anchor }}"><h2>{{ heading }}</h2>{{ chart }}{{ table }}</section>{% endfor %}'
            '<section id="method"><h2>Method and limits</h2>'
            "<ul>{% for line in limits %}<li>{{ line }}</li>{% endfor %}</ul></section>",
            summary=self.summary(),
            coverage=coverage(self.before),
            before=headline(self.before),
            after=headline(self.after),
            additions=self.additions,
            parts=parts,
            limits=limits(self.after),
        )
        nav = [(f"#{part.anchor}", part.title) for part in self.additions]
        nav += [(f"#by-{name}", heading) for name, heading, _, _ in parts]
        return page(self.after.title, body, nav=[*nav, ("#method", "Method and limits")])

    def save(self, folder: Path) -> None:
        """Write compare.json, compare.md and compare.html.

        Raises:
            StorageError: The folder cannot be written.
        """
        write_json(folder / "compare.json", self.to_dict())
        write_text(folder / "compare.md", self.markdown())
        write_text(folder / "compare.html", self.html())


_HEAD = (
    "group",
    "documents",
    "kept before",
    "kept after",
    "against others before",
    "against others after",
    "",
)


def compare(before: Audit, after: Audit) -> Comparison:
    """Put two audits of the same documents side by side.

    Raises:
        CorpusError: They have no grouping in common, or their groups differ.
    """
    common = [name for name in before.results if name in after.results]
    if not common:
        raise CorpusError("the two audits share no grouping", where="compare", cure="audit both alike")
    groups = {}
    for name in common:
        first, second = before.results[name][ALL], after.results[name][ALL]
        if [(r.group, r.documents) for r in first.groups] != [(r.group, r.documents) for r in second.groups]:
            raise CorpusError(
                f"the two audits have different groups by {name_of(name)}",
                where="compare",
                cure="audit the same documents before and after",
            )
        groups[name] = tuple(
            ChangedGroup(a.group, a.documents, a.retention, b.retention, a.vs_rest, b.vs_rest, a.ranked)
            for a, b in zip(first.groups, second.groups, strict=True)
        )
    return Comparison(before, after, groups)
