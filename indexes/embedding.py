"""Embed for an index while others may change it.

Embedding takes long and a change does not, so who embeds holds the cache and not the index. Only to
publish is the index held, and then what came meanwhile is looked at: rules of removal, versions.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hinterland.indexes.embed_cache import CACHE, EmbeddingCache
from hinterland.indexes.needed_vectors import needed_by_all, needed_by_served
from hinterland.indexes.removal_finish import writing
from hinterland.indexes.removal_rules import Rule, rules_in_force

__all__ = ["embedding", "keep_vectors", "publishing", "rules_now"]

#: How long who has embedded waits for another writer: an hour's work is not thrown away for a minute's.
_WAIT = 600.0


@contextmanager
def embedding(root: Path, *, wait_seconds: float = 0.0) -> Iterator[EmbeddingCache]:
    """Hold the cache of an index, and yield it; what killed writers left is swept up or finished.

    Raises:
        StorageError: Another process embeds or writes there, or the folder cannot be written.
        IndexBundleError: A removal that was interrupted cannot be finished.
    """
    cache = EmbeddingCache(root / CACHE)
    with cache.embedding(wait_seconds=wait_seconds):
        with writing(root, wait_seconds=wait_seconds):
            cache.sweep()
            cache.settle(lambda: needed_by_served(root))
        yield cache


@contextmanager
def publishing(root: Path) -> Iterator[None]:
    """Hold the index for who has embedded, and wait for others that write.

    Raises:
        StorageError: Another process writes for too long, or the folder cannot be written.
        IndexBundleError: A removal that was interrupted cannot be finished.
    """
    with writing(root, wait_seconds=_WAIT):
        yield


def rules_now(root: Path) -> dict[str, Rule]:
    """Return the rules of removal in force, by their ids, as they are between two writers.

    Raises:
        StorageError: Another process writes for too long, or the file of rules was edited by hand.
    """
    with publishing(root):
        return rules_in_force(root)


def keep_vectors(root: Path, cache: EmbeddingCache, *, prune: bool = False) -> None:
    """Make finished what was embedded. The caller holds the cache and the index, and has published.

    Args:
        root: The index's folder.
        cache: Its cache.
        prune: Delete the vectors that no version on disk needs. It is done in any case, and older
            versions do not count, where passages were forgotten while this was embedded.

    Raises:
        StorageError: The disk is full, or a file cannot be written.
    """
    cache.commit()
    cache.settle(lambda: needed_by_served(root))
    if prune:
        cache.prune(needed_by_all(root))
