"""Counts in words: "1 group changes", "2 groups change"."""

from __future__ import annotations

__all__ = ["counted"]


def counted(number: int, one: str, several: str = "") -> str:
    """Return a count with what it counts.

    Args:
        number: How many.
        one: The words for one.
        several: The words for none or several; those for one with an "s" by default.

    >>> counted(1, "sweep"), counted(0, "sweep"), counted(2000, "group changes", "groups change")
    ('1 sweep', '0 sweeps', '2,000 groups change')
    """
    return f"{number:,} {one if number == 1 else several or f'{one}s'}"
