"""What ``hinterland debias`` prints: about a screen; the files have all of it."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Sequence

from hinterland.core.svg import number_text
from hinterland.curate.audit.claims import headline, shown
from hinterland.curate.audit.compare import Comparison
from hinterland.curate.audit.groups import readable_name
from hinterland.curate.audit.render import printable
from hinterland.curate.audit.render_tables import WIDTH, text_table
from hinterland.curate.debias.weighted import WeightedCoverage, values_of

__all__ = ["brief", "wrapped"]

_MOST = 9  # groups that are shown, below a heading and above what is left out


def wrapped(text: str) -> str:
    """Return lines that fit; what a line goes on with is indented by two."""
    lines = []
    for line in text.splitlines():
        indent = " " * (len(line) - len(line.lstrip()))
        lines += textwrap.wrap(
            line.strip(),
            WIDTH,
            initial_indent=indent,
            subsequent_indent=f"{indent}  ",
            break_on_hyphens=False,
            break_long_words=False,
        ) or [""]
    return "\n".join(lines)


def brief(both: Comparison, weighted: Sequence[WeightedCoverage] = ()) -> str:
    """Return what changed between two audits: the worst ratios, and the groups that changed most.

    Args:
        both: The audits before and after.
        weighted: Shares of the weights, where these changed.
    """
    before, after = headline(both.before), headline(both.after)
    found = [f"Before and after: {before}"] if before == after else [f"Before: {before}", f"After: {after}"]
    lines = [wrapped(line) for line in found]
    for part in (_ratios(both), _groups(both), _weights(weighted)):
        lines += ["", *part] if part else []
    return printable("\n".join(lines))


def _ratios(both: Comparison) -> list[str]:
    """Return the worst disparity ratio of each grouping before and after."""
    worst = {name: both.worst(name) for name in both.groups}
    rows = [
        [readable_name(name), *(number_text(value) for value in values)]
        for name, values in worst.items()
        if all(map(math.isfinite, values))
    ]
    if not rows:
        return ["No grouping has two groups that are large enough to compare."]
    head = ("worst-kept over best-kept group", "before", "after")
    return ["The worst disparity ratio, by grouping:", *_table(head, rows)]


def _groups(both: Comparison) -> list[str]:
    """Return the groups whose retention changed most, of those that are large enough to compare."""
    changed = [
        (abs(row.after.estimate - row.before.estimate), name, row)
        for name, rows in both.groups.items()
        for row in rows
        if row.ranked and row.after.estimate != row.before.estimate
    ]
    changed.sort(key=lambda each: (-each[0], each[1], each[2].group))
    rows = [
        [_label(row.group, name), f"{row.documents:,}", shown(row.before), shown(row.after)]
        for _, name, row in changed
    ]
    head = ("kept of a group", "documents", "before", "after")
    return _most("The groups of which the share that is kept changed most:", head, rows)


def _weights(weighted: Sequence[WeightedCoverage]) -> list[str]:
    """Return the groups whose share of the weights changed most, by groupings that are no margins."""
    changed = [
        (abs(row.after - row.before), each.grouping, row)
        for each in weighted
        for row in each.rows
        if not each.margin and row.after != row.before and math.isfinite(row.after + row.before)
    ]
    changed.sort(key=lambda each: (-each[0], each[1], each[2].group))
    rows = [
        [_label(row.group, name), *(number_text(value, "%") for value in values_of(row))]
        for _, name, row in changed
    ]
    head = ("share of the weights", "before", "after", "reference")
    return _most("The groups whose share of the weights changed most, by other groupings:", head, rows)


def _label(group: str, grouping: str) -> str:
    """Return a group with its grouping, at most so long that a table of four columns fits."""
    name = f" ({readable_name(grouping)})"
    room = max(50 - len(name), 12)
    line = " ".join(group.split())
    return (line if len(line) <= room else f"{line[: room - 1].rstrip()}…") + name


def _most(title: str, head: Sequence[str], rows: list[list[str]]) -> list[str]:
    if not rows:
        return []
    left = len(rows) - _MOST
    more = [f"  … and {left:,} more (compare.md, compare.html)"] if left > 0 else []
    return [title, *_table(head, rows[:_MOST]), *more]


def _table(head: Sequence[str], rows: list[list[str]]) -> list[str]:
    # The last column of such a table is set left; these are numbers, so an empty one follows.
    return [f"  {line}" for line in text_table([*head, ""], [[*row, ""] for row in rows])]
