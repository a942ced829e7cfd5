"""On which groups two filters decide differently: variants of one rule, above all."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import combinations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hinterland.core.errors import CorpusError, nearest
from hinterland.curate.audit.claims import ALL
from hinterland.curate.audit.groups import Grouping
from hinterland.curate.audit.parts import Agreement, AgreementRow
from hinterland.curate.audit.retention import Codes, Design, GroupRetention

__all__ = ["agreement_of", "agreements", "variant_pairs"]

Bools = NDArray[np.bool_]


def variant_pairs(names: Iterable[str]) -> tuple[tuple[str, str], ...]:
    """Return the pairs of filters that are readings of one rule: the same name before "@".

    >>> variant_pairs(["c4", "c4@dolma", "fineweb", "c4@datatrove"])
    (('c4', 'c4@datatrove'), ('c4', 'c4@dolma'), ('c4@datatrove', 'c4@dolma'))
    """
    ordered = sorted(set(names) - {ALL})
    return tuple(
        (one, other)
        for one, other in combinations(ordered, 2)
        if one.partition("@")[0] == other.partition("@")[0]
    )


def agreement_of(
    first: ArrayLike,
    second: ArrayLike,
    grouping: Grouping,
    clusters: Codes,
    n_clusters: int,
    *,
    names: tuple[str, str] = ("first", "second"),
    seed: int = 0,
    resamples: int = 2000,
    min_documents: int = 30,
) -> Agreement:
    """Return on how many documents of each group two filters agree.

    Intervals come from resampling whole clusters, as for retention.

    Args:
        first: Which documents a filter keeps, shape (documents,).
        second: Which ones another keeps, shape (documents,).
        grouping: The groups.
        clusters: Cluster of each document, shape (documents,).
        n_clusters: How many clusters there are.
        names: The filters' names.
        seed: For the resamples.
        resamples: How many.
        min_documents: Smaller groups are shown and not ranked.

    Raises:
        CorpusError: The arrays differ in length.
    """
    keeps = np.asarray(first, dtype=bool), np.asarray(second, dtype=bool)
    design = _design(grouping, clusters, n_clusters, seed, resamples, min_documents)
    return _measure(design, keeps, grouping, names)


def agreements(
    decisions: Mapping[str, ArrayLike],
    groupings: Mapping[str, Grouping],
    clusters: Codes,
    n_clusters: int,
    *,
    pairs: Iterable[tuple[str, str]] | None = None,
    seed: int = 0,
    resamples: int = 2000,
    min_documents: int = 30,
) -> tuple[Agreement, ...]:
    """Return the agreement of pairs of filters over every grouping.

    Args:
        decisions: For each filter which documents it keeps on its own, shape (documents,).
        groupings: By name.
        clusters: Cluster of each document, shape (documents,).
        n_clusters: How many clusters there are.
        pairs: Which filters to compare; variants of one rule by default.
        seed: For the resamples.
        resamples: How many.
        min_documents: Smaller groups are shown and not ranked.

    Raises:
        CorpusError: A pair names no filter, or the arrays differ in length.
    """
    wanted = variant_pairs(decisions) if pairs is None else tuple(pairs)
    for name in (name for pair in wanted for name in pair if name not in decisions):
        raise CorpusError(f"no filter {name!r} to compare", where="audit", cure=nearest(name, decisions))
    if not wanted:
        return ()
    kept = {name: np.asarray(decisions[name], dtype=bool) for pair in wanted for name in pair}
    found = []
    for grouping in groupings.values():
        design = _design(grouping, clusters, n_clusters, seed, resamples, min_documents)
        found += [_measure(design, (kept[one], kept[other]), grouping, (one, other)) for one, other in wanted]
    return tuple(found)


def _design(
    grouping: Grouping, clusters: Codes, n_clusters: int, seed: int, resamples: int, min_documents: int
) -> Design:
    return Design(
        grouping.codes, grouping.labels, clusters, n_clusters, np.zeros(len(grouping)),
        seed=seed, resamples=resamples, min_documents=min_documents,
    )  # fmt: skip


def _measure(
    design: Design, keeps: tuple[Bools, Bools], grouping: Grouping, names: tuple[str, str]
) -> Agreement:
    """Measure agreement as if it were what a filter keeps.

    Raises:
        CorpusError: The decisions do not fit the documents.
    """
    one, other = keeps
    if one.shape != other.shape:
        raise CorpusError(
            f"{len(one)} decisions of {names[0]}, {len(other)} of {names[1]}",
            where="audit",
            cure="decide again",
        )
    measured = design.measure(one == other)
    # Kept by the second counts 1, by the first 2.
    cells = (other + 2 * one.astype(np.int64)) * max(len(grouping.labels), 1) + grouping.codes
    shape = (4, max(len(grouping.labels), 1))
    counts = np.bincount(cells, minlength=shape[0] * shape[1]).reshape(shape)
    rows = [
        _row(measured.overall, counts.sum(axis=1)),
        *(_row(group, counts[:, g]) for g, group in enumerate(measured.groups)),
    ]
    return Agreement(*names, grouping.name, tuple(rows))


def _row(group: GroupRetention, counts: NDArray[np.int64]) -> AgreementRow:
    neither, only_second, only_first, both = (int(number) for number in counts)
    return AgreementRow(
        group.group, group.documents, both, only_first, only_second, neither, group.retention, group.ranked
    )
