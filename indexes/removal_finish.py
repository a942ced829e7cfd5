"""Carry a removal to its end, also after a kill.

A removal happens when the version without the chunks becomes the one served. What it
needs after that stands in ``<root>/.removal.json`` before: the rule, hashes and counts, no
text. Whoever writes next looks there: a removal that was never served is dropped, one that was
is finished first. The version before stays until its texts were looked for everywhere.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from hinterland.core.errors import ConfigError, StorageError
from hinterland.core.files import read_json, write_json
from hinterland.indexes.bundle import CHUNKS, CURRENT, MANIFEST, drop_version, sweep, writer_lock
from hinterland.indexes.change_compact import compact_state, publish_compacted
from hinterland.indexes.change_state import EVERYTHING, State, state_of
from hinterland.indexes.embed_cache import CACHE, EmbeddingCache
from hinterland.indexes.needed_vectors import needed_by_served
from hinterland.indexes.removal_ledger import settle
from hinterland.indexes.removal_look import PENDING, look, other_folders, read_pending, traces_left, traces_of
from hinterland.indexes.removal_receipt import write_receipt
from hinterland.indexes.removal_rules import Rule, lay_down, matching_chunks
from hinterland.indexes.residue_traces import Traces
from hinterland.indexes.segments import keys_of
from hinterland.indexes.version import passages_of

__all__ = [
    "PENDING",
    "drop_others",
    "drop_versions",
    "finish",
    "holding",
    "matching_chunks",
    "recover",
    "writing",
]

_OLD_CACHE = ".blocks"  # of version 0.1.0


@contextmanager
def writing(root: Path, *, wait_seconds: float = 0.0) -> Iterator[None]:
    """Hold ``root`` for a writer, with all that a killed writer left swept up or finished.

    Raises:
        StorageError: Another writer holds it, or the folder cannot be written.
        IndexBundleError: A removal cannot be finished: something of it is left in a file.
    """
    with writer_lock(root, wait_seconds=wait_seconds):
        recover(root)
        yield


def recover(root: Path) -> None:
    """Sweep up after killed writers, and finish a removal that was served but not ended.

    Raises:
        IndexBundleError: See `finish`.
    """
    cache = EmbeddingCache(root / CACHE)
    with cache.alone() as alone:
        sweep(root, spare=None if alone else cache.folder)
    settle(root)
    if (root / PENDING).is_file():
        pending = read_pending(root)
        if _was_served(root, pending):
            finish(root, compact=True)
        else:
            (root / PENDING).unlink()
    cache.settle(lambda: needed_by_served(root))


def _was_served(root: Path, pending: dict[str, Any]) -> bool:
    if not (root / CURRENT).is_file():
        return False
    version = (root / CURRENT).read_text(encoding="utf-8").strip()
    manifest = read_json(root / "versions" / version / MANIFEST)
    return any(each.get("removal") == pending["removal"] for each in manifest.get("changes", []))


def drop_others(root: Path, version: str) -> int:
    """Delete all versions but one, and return how many.

    Raises:
        StorageError: A file of one cannot be deleted.
    """
    others = other_folders(root, version)
    for folder in others:
        drop_version(root, folder.name)
    left = other_folders(root, version)
    if left:
        raise StorageError(
            "a version cannot be deleted", where=str(left[0]), cure="delete it, and run this again"
        )
    return len(others)


def holding(root: Path, version: str, rule: Rule) -> list[str]:
    """Return the versions but one that hold what a rule matches, or cannot be read."""
    return [folder.name for folder in other_folders(root, version) if _holds(folder, rule)]


def _holds(folder: Path, rule: Rule) -> bool:
    try:
        return bool(rule.matches(pq.read_table(folder / CHUNKS)).any())
    except ConfigError:  # it has no such column
        return False
    except (OSError, pa.ArrowException):
        return True


def drop_versions(state: State, names: Sequence[str]) -> None:
    """Delete older versions, and the cached vectors of all but the live chunks."""
    for name in names:
        drop_version(state.root, name)
    if names:
        _forget(state)


def finish(root: Path, *, compact: bool) -> dict[str, Any]:
    """End the removal that ``.removal.json`` describes, and return its receipt.

    Texts are looked for in every file but the older versions; these are deleted then, and the
    dead vectors dropped. The caller holds the writer's lock.

    Args:
        root: The index's folder.
        compact: Drop the dead vectors now; else the removal stays open until `compact`.

    Raises:
        IndexBundleError: Something removed is left in a file. The removal stays open.
        StorageError: The disk is full, or the folder cannot be written.
    """
    pending = read_pending(root)
    rule = Rule.from_dict(pending["rule"])
    lay_down(root, rule)
    state = state_of(root)
    before = root / "versions" / pending["version_before"]
    traces: Traces | None = None
    if pending["stage"] == "served":
        pending["cached_vectors"] = pending.get("cached_vectors", 0) + _forget(state)
        if before.is_dir():
            traces = traces_of(root, state, rule, before.name)
            look(root, state, traces, pending)
        else:
            pending["residue"] = {"clean": None, "why": "the version before was deleted by hand"}
        pending["stage"] = "checked"
        write_json(root / PENDING, pending)
    elif before.is_dir():
        traces = traces_of(root, state, rule, before.name)
    if traces is None:
        traces = traces_left(state, pending)
    if not pending["keep_versions"]:
        pending["versions_deleted"] = pending.get("versions_deleted", 0) + drop_others(
            root, state.bundle.version
        )
    if state.dead and compact:
        made = compact_state(state)
        pending["vectors"] = {
            "dropped": made.dropped,
            "how": made.how,
            "compared": made.compared,
            "near_before": made.near,
        }
        write_json(root / PENDING, pending)
        publish_compacted(state, made, keep=EVERYTHING if pending["keep_versions"] else 1)
        state = state_of(root)
    if not pending["keep_versions"]:
        drop_others(root, state.bundle.version)
    look(root, state, traces, pending)
    return _receipt(root, state, pending)


def _forget(state: State) -> int:
    """Delete the cached vectors of all but the live chunks, and return how many."""
    made = str(state.bundle.manifest["embedder"].get("fingerprint", ""))
    shutil.rmtree(state.root / _OLD_CACHE, ignore_errors=True)
    return EmbeddingCache(state.root / CACHE).prune({made: keys_of(passages_of(state.chunks))})


def _receipt(root: Path, state: State, pending: dict[str, Any]) -> dict[str, Any]:
    told = {name: value for name, value in pending.items() if name not in ("stage", "name")}
    told["complete"] = not state.dead
    told["dead_vectors"] = state.dead
    path = write_receipt(root, pending["name"], state.bundle, told)
    if not state.dead:
        (root / PENDING).unlink()
    return {**read_json(path), "receipt": str(path)}
