"""Progress on stderr, with the time left. Results go to stdout and are never mixed in."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator, Sized
from typing import TypeVar

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

__all__ = ["console", "track"]

T = TypeVar("T")


def console() -> Console:
    """Return the console for messages to people (stderr)."""
    return Console(file=sys.stderr, highlight=False, soft_wrap=True)


def track(items: Iterable[T], label: str, *, total: int | None = None) -> Iterator[T]:
    """Yield ``items`` while a bar on stderr shows how many are done and the time left.

    Where stderr is not a terminal, one line is printed at the end instead.

    Args:
        items: What to go through.
        label: What is being done, in a word or two.
        total: How many there are, if ``items`` has no length.
    """
    if total is None and isinstance(items, Sized):
        total = len(items)
    out = console()
    if not out.is_terminal:
        start, done = time.perf_counter(), 0
        for done, item in enumerate(items, 1):  # noqa: B007 - counted for the line below
            yield item
        if done:
            out.print(f"  {label}: {done} in {time.perf_counter() - start:.1f} s", markup=False)
        return
    bar = Progress(
        TextColumn("  {task.description}", markup=False),  # a label may hold square brackets
        BarColumn(bar_width=30),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        console=out,
        transient=True,
    )
    with bar:
        yield from bar.track(items, total=total, description=label)
