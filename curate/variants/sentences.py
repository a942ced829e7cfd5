"""Sentences of a line, by its marks and capitals."""

from __future__ import annotations

import re

__all__ = ["count_sentences"]

# A sentence ends at . ? or ! (with closing quotes or brackets) before a space and a new start.
_BREAK = re.compile(r"[.?!][\"'”’)\]]*\s+(?=[\"'“‘(\[]*[A-Z0-9])")


def count_sentences(line: str) -> int:
    """Return the number of sentences in a line that is not blank, at least 1."""
    return len(_BREAK.findall(line)) + 1
