"""Change a published index: add, replace, remove, compact. Each change is one new version.

Readers go on with the version they opened. Whoever opens the index next gets the new one.
"""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

from hinterland.core.files import read_json
from hinterland.indexes.bundle import writer_lock
from hinterland.indexes.change_add import add_documents, upsert
from hinterland.indexes.change_compact import compact_state, publish_compacted
from hinterland.indexes.change_state import state_of
from hinterland.indexes.removal import Rule, lift_rule, plan_removal, remove, withhold
from hinterland.indexes.removal_finish import PENDING, recover

__all__ = [
    "Rule",
    "add_documents",
    "compact",
    "compact_in_background",
    "lift_rule",
    "plan_removal",
    "remove",
    "upsert",
    "withhold",
]


def compact(root: Path, *, keep: int = 2, wait_seconds: float = 0.0) -> dict[str, Any]:
    """Drop the vectors that no chunk names any more, and publish; end a removal that is open.

    Args:
        root: The index's folder.
        keep: Versions that stay on disk; after a removal only the new one does.
        wait_seconds: How long to wait for another writer.

    Returns:
        The version, and counts, all JSON-able.

    Raises:
        IndexBundleError: The index is missing or damaged, or a removed vector would stay.
        StorageError: Another process writes, or the disk is full.
    """
    with writer_lock(root, wait_seconds=wait_seconds):
        pending = read_json(root / PENDING) if (root / PENDING).is_file() else {}
        open_before = state_of(root).dead if pending else 0
        recover(root)  # drops the vectors of a removal that was left open
        state = state_of(root)
        if not state.dead:
            how = "removed" if open_before else "nothing"
            return _told(root, state.bundle.version, open_before, how, state.chunks.num_rows)
        made = compact_state(state)
        bundle = publish_compacted(state, made, keep=keep)
        return _told(root, bundle.version, made.dropped, made.how, made.chunks.num_rows)


def _told(root: Path, version: str, dropped: int, how: str, chunks: int) -> dict[str, Any]:
    return {"index": str(root), "version": version, "vectors_dropped": dropped, "how": how, "chunks": chunks}


def compact_in_background(root: Path, *, wait_seconds: float = 600.0) -> Future[dict[str, Any]]:
    """Compact in a thread beside readers, and return at once.

    Returns:
        What `compact` will return or raise.
    """
    pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="compact")
    future = pool.submit(compact, root, wait_seconds=wait_seconds)
    pool.shutdown(wait=False)
    return future
