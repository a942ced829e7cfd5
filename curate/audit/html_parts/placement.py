"""How documents were placed, and how many were not."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from hinterland.core.page import Cell, Value, table_html
from hinterland.core.places import UNKNOWN
from hinterland.curate.audit.audit import Audit
from hinterland.curate.audit.html_parts.words import joined, note, share

if TYPE_CHECKING:
    from markupsafe import Markup

__all__ = ["placement"]


def _two(value: float) -> Cell:
    return Cell(f"{value:.2f}" if math.isfinite(value) else "–", value)


def placement(audit: Audit) -> Markup:
    """Return the table of the rules that placed documents."""
    documents = sum(row.documents for row in audit.placements) or 1
    tokens = sum(row.tokens for row in audit.placements) or 1
    rows: list[Sequence[Value]] = [
        [
            "not placed" if row.rule == UNKNOWN else row.rule,
            row.documents,
            share(row.documents / documents),
            share(row.tokens / tokens),
            _two(row.confidence),
        ]
        for row in audit.placements
    ]
    head = ["Placed by", "Documents", "Share", f"Share of {audit.token_unit}", "Mean confidence"]
    if not any(math.isfinite(row.confidence) for row in audit.placements):
        head, rows = head[:-1], [row[:-1] for row in rows]
    return joined(
        table_html(head, rows, caption="How many documents each rule placed"),
        note(
            "A document is placed by the first rule that knows: given columns, its address, places named in"
            " its text, its author or publisher. The confidence is that rule's own, from 0 to 1. A document"
            " that no rule places stays unknown and is a group of its own below."
        ),
    )
