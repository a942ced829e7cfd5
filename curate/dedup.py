"""Exact duplicates of whole documents."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Literal, get_args

import numpy as np

from hinterland.core.errors import ConfigError, nearest
from hinterland.curate.filter import Scores
from hinterland.curate.rule import Rule

__all__ = ["POLICIES", "RULES", "Policy", "exact_duplicates", "normalised_hash"]

#: Which copy of a cluster is kept: the one with the smallest id, or the longest text.
Policy = Literal["first", "longest"]
POLICIES: tuple[Policy, ...] = get_args(Policy)

RULES = (Rule("exact_dup.first", "exact_dup.copy", low=1),)


def normalised_hash(text: str) -> str:
    """Return a hash of the text that case and white space do not change (16 bytes, hex)."""
    plain = " ".join(text.casefold().split())
    return hashlib.sha256(plain.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def exact_duplicates(ids: Sequence[str], texts: Sequence[str], *, policy: Policy = "first") -> Scores:
    """Return the clusters of documents that are equal but for case and white space.

    The result for a document does not depend on the documents' order.

    Args:
        ids: One unique id per document.
        texts: The documents.
        policy: Which copy is kept. Ties of ``longest`` go to the smallest id.

    Returns:
        ``exact_dup.cluster`` (the shared hash, also for a document without a copy),
        ``exact_dup.size`` (documents in the cluster) and ``exact_dup.first`` (whether
        this is the copy that is kept), each of shape (documents,).

    Raises:
        ConfigError: The policy is unknown.
    """
    ranks: dict[str, Callable[[int], tuple[int, str]]] = {
        "first": lambda row: (0, ids[row]),
        "longest": lambda row: (-len(texts[row]), ids[row]),
    }
    if policy not in ranks:
        raise ConfigError(f"unknown duplicate policy {policy!r}", cure=nearest(policy, ranks))
    hashes = [normalised_hash(text) for text in texts]
    rows: dict[str, list[int]] = defaultdict(list)
    for row, digest in enumerate(hashes):
        rows[digest].append(row)
    kept = {min(members, key=ranks[policy]) for members in rows.values()}
    return {
        "exact_dup.cluster": np.array(hashes, dtype=object),
        "exact_dup.size": np.array([len(rows[digest]) for digest in hashes], dtype=np.int64),
        "exact_dup.first": np.array([row in kept for row in range(len(hashes))], dtype=bool),
    }
