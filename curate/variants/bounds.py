"""Bounds that the tools have in common."""

from __future__ import annotations

from hinterland.curate.rule import Rule

__all__ = ["NGRAMS", "most"]

_TOP = {2: 0.20, 3: 0.18, 4: 0.16}
_DUPLICATE = {5: 0.15, 6: 0.14, 7: 0.13, 8: 0.12, 9: 0.11, 10: 0.10}


def most(column: str, high: float) -> Rule:
    """Return the rule that a measure is at most ``high``; its reason is the measure's name."""
    return Rule(column, column, high=high)


#: Gopher's bounds on characters in repeated n-grams (table A1).
NGRAMS = (
    *(most(f"top_{n}gram", high) for n, high in _TOP.items()),
    *(most(f"duplicate_{n}gram", high) for n, high in _DUPLICATE.items()),
)
