"""How the page's parts speak: labels, findings that never overclaim, cells and captions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, TypeVar

from hinterland.core.page import Cell, fill
from hinterland.core.places import UNKNOWN
from hinterland.core.stats import Interval
from hinterland.core.svg import legible, number_text
from hinterland.curate.audit.claims import shown

if TYPE_CHECKING:
    from markupsafe import Markup

__all__ = [
    "GREY",
    "MAX_DRAWN",
    "MAX_ROWS",
    "NO_GAP",
    "cell",
    "ends",
    "joined",
    "label",
    "left_out",
    "note",
    "share",
]

T = TypeVar("T")

#: Rows that a table on the page holds, and that a chart draws; audit.csv and audit.json hold all.
MAX_ROWS, MAX_DRAWN = 60, 30
NO_GAP = "no evidence of a gap"
GREY = "Grey groups are not compared: too small, or unknown."


def label(group: str) -> str:
    """Return a group's name for people."""
    return "unknown" if group == UNKNOWN else legible(group)


def cell(interval: Interval, unit: str = "%") -> Cell:
    """Return an interval as a cell that sorts by its estimate."""
    return Cell(shown(interval, unit), interval.estimate)


def share(value: float) -> Cell:
    """Return a share as a cell."""
    return Cell(number_text(value, "%"), value)


def ends(rows: Sequence[T], size: int) -> list[T]:
    """Return the first and the last rows of a sorted sequence, ``size`` in all."""
    if len(rows) <= size:
        return list(rows)
    return [*rows[: size - size // 2], *rows[len(rows) - size // 2 :]]


def left_out(shown_rows: int, rows: int, which: str) -> str:
    """Say that a table does not hold all rows; "" where it does."""
    if shown_rows >= rows:
        return ""
    return f"{shown_rows} of {rows:,} are shown: {which}; audit.json holds all."


def note(words: str) -> Markup:
    """Return a small paragraph, or nothing where there are no words."""
    return fill("{% if words %}<p class=note>{{ words }}</p>{% endif %}", words=words)


def joined(*parts: Markup) -> Markup:
    """Return parts one after the other."""
    from markupsafe import Markup

    return Markup("").join(parts)
