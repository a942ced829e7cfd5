"""Which copy of each cluster is kept, once it is known what all other rules drop."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from hinterland.core.errors import CorpusError
from hinterland.curate.rule import Rule
from hinterland.curate.score_columns import Columns

__all__ = ["CLUSTER_COLUMNS", "ORDER_COLUMN", "apply_to_left", "first_left", "goes_last"]

Bools = NDArray[np.bool_]
Whole = NDArray[np.int64]

#: The internal columns of the duplicate search: a document's place in the policy's order,
#: and that of its cluster's first document, by the column with what is kept of all.
ORDER_COLUMN = "_order"
CLUSTER_COLUMNS = {"exact_dup.first": "_exact_cluster", "near_dup.first": "_near_cluster"}


def goes_last(rule: Rule, names: Sequence[str]) -> bool:
    """Whether a rule is about copies, and the columns are there to apply it after all others."""
    cluster = CLUSTER_COLUMNS.get(rule.column)
    return cluster is not None and cluster in names and ORDER_COLUMN in names


def apply_to_left(rule: Rule, columns: Columns, dropped: Bools) -> Bools:
    """Return what a rule about copies drops if each cluster keeps the first that is left.

    Args:
        rule: One that `goes_last`.
        columns: The corpus.
        dropped: What other rules drop, shape (documents,).

    Raises:
        CorpusError: A column of clusters has gaps.
    """
    cluster, order = (_whole(columns, name) for name in (CLUSTER_COLUMNS[rule.column], ORDER_COLUMN))
    return ~rule.passes(first_left(cluster, order, dropped))


def first_left(cluster: Whole, order: Whole, dropped: Bools) -> Bools:
    """Return one document of each cluster: the first that is not dropped, else the first.

    Memory: four numbers a document.

    Args:
        cluster: The clusters' numbers, from 0, shape (documents,).
        order: Places in the policy's order, from 0, no two alike, shape (documents,).
        dropped: Which documents other rules drop, shape (documents,).

    >>> first_left(np.array([0, 0, 0, 3]), np.array([0, 2, 1, 3]), np.array([True, False, False, True]))
    array([False, False,  True,  True])
    """
    if not len(cluster):
        return np.zeros(0, dtype=bool)
    if cluster.max() >= len(cluster):  # a part of a corpus
        cluster = np.unique(cluster, return_inverse=True)[1]
    place = np.where(dropped, order + order.max() + 1, order)
    best = np.full(len(cluster), np.iinfo(np.int64).max)
    np.minimum.at(best, cluster, place)
    return np.asarray(place == best[cluster])


def _whole(columns: Columns, name: str) -> Whole:
    values = columns[name]
    if values.dtype == object or not (values >= 0).all():
        raise CorpusError(
            f"column {name!r} does not number all documents", where="deciding", cure="score the corpus again"
        )
    return values.astype(np.int64)
