"""Locks on files that end with the process, however it ends."""

from __future__ import annotations

import fcntl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hinterland.core.errors import StorageError
from hinterland.core.files import storage_errors

__all__ = ["hold", "hold_if_free"]

_POLL = 0.1  # seconds between two tries


@contextmanager
def hold_if_free(path: Path) -> Iterator[bool]:
    """Hold the lock on ``path`` if nobody does, and yield whether it is held now.

    The file is made if it is missing; its folder must be there.

    Raises:
        StorageError: The file cannot be written.
    """
    with storage_errors(path):
        handle = path.open("w")
    with handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True


@contextmanager
def hold(path: Path, found: str, *, cure: str, wait_seconds: float = 0.0) -> Iterator[None]:
    """Hold the lock on ``path``, in a folder that is made if it is missing.

    Args:
        path: The file; it has no content.
        found: What the error says if somebody else holds it.
        cure: What to do then.
        wait_seconds: How long to wait before giving up.

    Raises:
        StorageError: Somebody else holds it, or the folder cannot be written.
    """
    with storage_errors(path.parent):
        path.parent.mkdir(parents=True, exist_ok=True)
    deadline = time.monotonic() + wait_seconds
    while True:
        with hold_if_free(path) as held:
            if held:
                yield
                return
        left = deadline - time.monotonic()
        if left <= 0:
            waited = f" (waited {wait_seconds:g} s)" if wait_seconds else ""
            raise StorageError(found + waited, where=str(path.parent), cure=cure)
        time.sleep(min(_POLL, left))
