"""Names that files of an index give, checked before they become part of a path."""

from __future__ import annotations

from pathlib import Path
from typing import TypeGuard

from hinterland.core.errors import IndexBundleError

__all__ = ["is_plain", "plain"]


def is_plain(name: object) -> TypeGuard[str]:
    """Whether ``name`` names a file in a folder, and nothing above, below or beside it.

    >>> [is_plain(name) for name in ("a1-b.json", "..", "", "a/b", "/a", 7)]
    [True, False, False, False, False, False]
    """
    return isinstance(name, str) and name not in ("", ".", "..") and not set("/\\\0") & set(name)


def plain(name: object, what: str, *, where: Path) -> str:
    """Return a name that may become part of a path.

    Args:
        name: What was read.
        what: What it should be the name of, for the message.
        where: The file that it was read from.

    Raises:
        IndexBundleError: It leads elsewhere, or is no name at all: the file was edited by hand.
    """
    if not is_plain(name):
        raise IndexBundleError(
            f"{what} {str(name)[:80]!r} leads out of the index: the file was edited by hand",
            where=str(where),
            cure="put the file back as it was, or build the index again",
        )
    return name
