"""What a corpus holds, beside a reference: shares, representation ratios and divergences.

Which clusters are resampled says what an interval means. A corpus is a sample of sources, and
the world's places are not a sample of places: give sources. Countries as clusters say how much
a region's share rests on a few of its countries. The reference is taken as it is, without error.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import ArrayLike, NDArray

from hinterland.core.errors import CorpusError
from hinterland.core.seeds import generator
from hinterland.core.stats import Interval
from hinterland.curate.audit.groups import Grouping
from hinterland.curate.audit.parts import NONE, Coverage, CoverageRow
from hinterland.curate.audit.references import Reference
from hinterland.curate.audit.retention import MIN_CLUSTERS, Design
from hinterland.curate.audit.shares import ratio, scaled, share_interval

__all__ = ["coverage_of", "divergences"]

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]
#: So many names stand in a note.
_SHOWN = 10


def divergences(corpus: ArrayLike, reference: ArrayLike) -> tuple[float, float]:
    """Return the Kullback-Leibler divergence of the corpus from the reference, and Jensen-Shannon's.

    Both are in bits. A group without a document adds nothing to the first, Σ p log₂(p/q), and
    so it is finite; the second (Lin 1991) lies between 0 and 1. NaN where either sums to 0.

    Args:
        corpus: Amounts by group, shape (groups,).
        reference: Amounts by group, above 0 wherever the corpus is, shape (groups,).
    """
    p, q = np.asarray(corpus, dtype=np.float64), np.asarray(reference, dtype=np.float64)
    if not (p.sum() > 0 and q.sum() > 0):
        return math.nan, math.nan
    p, q = p / p.sum(), q / q.sum()
    mean = (p + q) / 2
    return _relative(p, q), min((_relative(p, mean) + _relative(q, mean)) / 2, 1.0)


def _relative(p: Floats, q: Floats) -> float:
    there = p > 0
    return max(float(np.sum(p[there] * np.log2(p[there] / q[there]))), 0.0)


def coverage_of(
    grouping: Grouping,
    tokens: ArrayLike,
    clusters: Codes,
    n_clusters: int,
    *,
    reference: Reference | None = None,
    seed: int = 0,
    resamples: int = 2000,
    min_documents: int = 30,
) -> Coverage:
    """Return the groups' shares of documents and tokens, compared with a reference.

    A group's representation is its share among the groups that the reference has a share of,
    over that share. A group is compared if it has ``min_documents``, or would have them at the
    reference's share: that nobody is there is a finding. Where every cluster is a group and
    every group a cluster, clusters tell nothing of the spread: then documents are resampled,
    the note says that this is too sure, and no group is compared.

    Args:
        grouping: Of every document.
        tokens: Of every document, shape (documents,).
        clusters: Cluster of each document, best its source, shape (documents,).
        n_clusters: How many clusters there are.
        reference: What to compare with.
        seed: For the resamples.
        resamples: How many.
        min_documents: Smaller groups are shown and not compared.

    Raises:
        CorpusError: The arrays differ in length, or a token count is negative.
    """
    counts = np.asarray(tokens, dtype=np.float64)
    if not len(grouping) == len(counts) == len(clusters):
        raise CorpusError(
            f"{len(grouping)} group labels, {len(counts)} token counts, {len(clusters)} clusters",
            where="audit coverage",
            cure="give one of each for every document",
        )
    amounts = _shares_of(reference, grouping)
    labels, of_code = _labels(grouping, list(amounts))
    codes = of_code[grouping.codes]
    known = codes >= 0
    design = Design(
        codes[known], labels, clusters[known], n_clusters, counts[known],
        seed=seed, resamples=resamples, min_documents=min_documents,
    )  # fmt: skip
    measured = _Measured(design, np.array([amounts.get(label, math.nan) for label in labels], dtype=float))
    both = measured.both
    kl, js = divergences(measured.documents[both], measured.reference[both])
    return Coverage(
        grouping.name,
        reference.name if reference else "",
        " ".join([*([reference.note] if reference and reference.note else []), *measured.notes()]),
        tuple(measured.row(g) for g in range(len(labels))),
        int((~known).sum()),
        int(counts[~known].sum()),
        kl,
        js,
    )


def _shares_of(reference: Reference | None, grouping: Grouping) -> dict[str, float]:
    """Return the reference's shares, those of the small groups shown together added up."""
    if reference is None:
        return {}
    found = dict(reference.shares)
    found.pop(grouping.unknown, None)
    if grouping.others is None:
        return found
    names = list(found)
    small = pc.is_in(pa.array(names, type=pa.string()), value_set=grouping.others).to_pylist()
    moved = [found.pop(name) for name, folded in zip(names, small, strict=True) if folded]
    if moved:
        found[_known(grouping)[-1]] = math.fsum(moved)
    return found


def _known(grouping: Grouping) -> list[str]:
    return [label for label in grouping.labels if label != grouping.unknown]


def _labels(grouping: Grouping, referred: Sequence[str]) -> tuple[tuple[str, ...], Codes]:
    """Return the rows' labels, and the row of each code of the grouping (−1: unknown)."""
    known = _known(grouping)
    more = [label for label in referred if label not in set(known)]
    labels = [*known, *more]
    if set(labels) <= set(grouping.order):
        labels.sort(key=grouping.order.index)
    elif known == sorted(known):  # an alphabet stays one with the groups that no document is in
        labels.sort()
    position = {label: number for number, label in enumerate(labels)}
    rows = [position.get(label, -1) for label in grouping.labels]
    return tuple(labels), np.array(rows or [-1], dtype=np.int64)


class _Measured:
    """The shares of a design in the data and in the resamples.

    Args:
        design: Documents in a known group.
        reference: The reference's share of each group, NaN where it has none, shape (groups,).
    """

    def __init__(self, design: Design, reference: Floats) -> None:
        self.design, self.reference = design, reference
        self.both = reference > 0
        totals = design.documents
        self.documents, self.tokens = totals.sum(axis=0), design.token_totals.sum(axis=0)
        self.total = float(self.documents.sum())
        self.alone = self._alone()
        drawn = self._documents_drawn() if self.alone else design.draws @ totals
        self.share, self.token_share = self._shares(self.documents), self._shares(self.tokens)
        self.drawn = self._shares(drawn)
        # Against the reference, a group's share is taken among the groups that are in both.
        self.compared, self.compared_tokens = (
            self._shares(each * self.both) for each in (self.documents, self.tokens)
        )
        self.compared_drawn = self._shares(drawn * self.both)

    @staticmethod
    def _shares(values: Floats) -> Floats:
        return ratio(values, values.sum(axis=-1, keepdims=True))

    def _alone(self) -> bool:
        """Whether every group is one cluster, and every cluster lies in one group."""
        clusters = self.design.clusters
        groups = int((clusters > 0).sum())
        return groups > 1 and groups == self.design.n_clusters and int(clusters.max()) == 1

    def _documents_drawn(self) -> Floats:
        """Return documents by group in resamples of single documents, shape (resamples, groups)."""
        draw = generator(self.design.seed, "audit", "coverage")
        chances = self.documents / self.total
        return draw.multinomial(int(self.total), chances, size=self.design.resamples).astype(np.float64)

    def row(self, g: int) -> CoverageRow:
        """Return one group's row."""
        reference, against = float(self.reference[g]), bool(self.both[g])
        why_not = self._why_not(g)
        return CoverageRow(
            self.design.labels[g],
            int(self.documents[g]),
            int(self.tokens[g]),
            int(self.design.clusters[g]),
            self._interval(self.share, self.drawn, g),
            float(self.token_share[g]),
            reference,
            scaled(self._interval(self.compared, self.compared_drawn, g), reference) if against else NONE,
            float(self.compared_tokens[g]) / reference if against else math.nan,
            not why_not,
            why_not,
        )

    def _interval(self, share: Floats, drawn: Floats, g: int) -> Interval:
        if self.alone:
            return share_interval(float(share[g]), drawn[:, g], int(self.documents[g]), int(self.total))
        clusters, outside = int(self.design.clusters[g]), int(self.design.outside[g])
        return share_interval(float(share[g]), drawn[:, g], clusters, self.design.n_clusters, outside)

    def _why_not(self, g: int) -> str:
        fewest = self.design.min_documents
        due = float(self.reference[g]) * float(self.documents[self.both].sum()) if self.both[g] else 0.0
        if self.alone:
            return "one cluster"
        if self.design.n_clusters < MIN_CLUSTERS:
            return f"fewer than {MIN_CLUSTERS} clusters in all"
        if self.documents[g] >= fewest or due >= fewest:
            return ""
        return f"fewer than {fewest} documents" + (", also at its share" if self.both[g] else "")

    def notes(self) -> list[str]:
        """Return what the reader must know of the comparison and its intervals."""
        made = []
        left_out = [g for g in np.flatnonzero(~self.both).tolist() if self.documents[g] > 0]
        if self.both.any() and left_out:
            names = ", ".join(self.design.labels[g] for g in left_out[:_SHOWN])
            names += f" and {len(left_out) - _SHOWN} more" if len(left_out) > _SHOWN else ""
            documents = int(self.documents[left_out].sum())
            made.append(
                f"Left out of the comparison, for want of a reference: {names} ({documents:,} documents)."
            )
        if self.alone:
            made.append(
                "Each group is one cluster here, so the intervals take documents as independent:"
                " they are too narrow, and no group is compared."
            )
        return made
