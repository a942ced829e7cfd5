"""What a debiasing method costs: tokens, quality, repeats, and what the weights are worth."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hinterland.core.places import UNKNOWN
from hinterland.curate.audit.groups import Grouping
from hinterland.curate.debias.kish import design_effect, effective_sample_size

__all__ = ["Cost", "measure_cost", "weighted_disparity"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Cost:
    """What it cost.

    Attributes:
        tokens_before: Tokens kept before.
        tokens_after: Tokens kept after, each document once.
        tokens_added: Tokens of documents that came back.
        tokens_removed: Tokens of documents that were kept before and are dropped now.
        share_lost: ``tokens_removed / tokens_before``.
        documents_readmitted: How many came back.
        documents_removed: How many went.
        quality_before: Mean quality of documents kept before, by weight; NaN without a quality.
        quality_after: The same after.
        worst_disparity_before: Worst-kept over best-kept group's retention, before, each
            document counted by its weight; NaN with fewer than two groups large enough.
        worst_disparity_after: The same after.
        weighted_tokens_before: Tokens by weight, before.
        weighted_tokens_after: The same after: what a pass over the corpus reads.
        largest_repeat: The largest weight after: how often a document is read in a pass.
        repeats: Expected readings of documents beyond their first: Σ max(w − 1, 0).
        effective_sample_size: Kish's (Σw)² / Σw² after.
        design_effect: 1 + CV² of the weights after; NaN where nothing is kept.
    """

    tokens_before: int
    tokens_after: int
    tokens_added: int
    tokens_removed: int
    share_lost: float
    documents_readmitted: int
    documents_removed: int
    quality_before: float
    quality_after: float
    worst_disparity_before: float
    worst_disparity_after: float
    weighted_tokens_before: float
    weighted_tokens_after: float
    largest_repeat: float
    repeats: float
    effective_sample_size: float
    design_effect: float


def measure_cost(
    before: Floats,
    after: Floats,
    tokens: Floats,
    *,
    quality: Floats | None = None,
    group: Grouping | None = None,
    min_documents: int = 30,
    exempt: Sequence[str] = (UNKNOWN,),
) -> Cost:
    """Compare two sets of weights; a document is kept where its weight is above 0.

    Args:
        before: Weights before, shape (documents,).
        after: Weights after.
        tokens: Tokens of each document.
        quality: Higher is better; NaN is unmeasured.
        group: What the disparity is measured by.
        min_documents: Smaller groups do not count for the disparity.
        exempt: Groups that do not count for it.
    """
    held, keep = before > 0, after > 0
    had, lost = float(tokens[held].sum()), float(tokens[held & ~keep].sum())
    worst = [math.nan, math.nan]
    if group is not None:
        worst = [
            weighted_disparity(each, group, min_documents=min_documents, exempt=exempt)
            for each in (before, after)
        ]
    return Cost(
        tokens_before=round(had),
        tokens_after=round(float(tokens[keep].sum())),
        tokens_added=round(float(tokens[keep & ~held].sum())),
        tokens_removed=round(lost),
        share_lost=lost / had if had else 0.0,
        documents_readmitted=int((keep & ~held).sum()),
        documents_removed=int((held & ~keep).sum()),
        quality_before=_mean(quality, before),
        quality_after=_mean(quality, after),
        worst_disparity_before=worst[0],
        worst_disparity_after=worst[1],
        weighted_tokens_before=math.fsum(before * tokens),
        weighted_tokens_after=math.fsum(after * tokens),
        largest_repeat=float(after.max(initial=0.0)),
        repeats=math.fsum(np.maximum(after - 1.0, 0.0)),
        effective_sample_size=effective_sample_size(after),
        design_effect=design_effect(after),
    )


def weighted_disparity(
    weight: Floats,
    group: Grouping,
    *,
    min_documents: int = 30,
    exempt: Sequence[str] = (UNKNOWN,),
) -> float:
    """Return the worst-kept group's retention over the best-kept one's; NaN with fewer than two.

    Retention is the sum of a group's weights over its documents.

    Args:
        weight: Weight of each document, shape (documents,); 0 is not kept.
        group: Group of each document.
        min_documents: Smaller groups do not count.
        exempt: Groups that do not count.
    """
    groups = len(group.labels)
    n = np.bincount(group.codes, minlength=groups)
    sums = np.bincount(group.codes, weights=weight, minlength=groups)
    counted = (n >= max(min_documents, 1)) & ~np.array(
        [label in exempt for label in group.labels], dtype=bool
    )
    rates = sums[counted] / n[counted]
    return float(rates.min() / rates.max()) if rates.size > 1 and rates.max() > 0 else math.nan


def _mean(quality: Floats | None, weight: Floats) -> float:
    """Return the mean quality by weight of the documents that have one."""
    if quality is None:
        return math.nan
    rows = (weight > 0) & np.isfinite(quality)
    # Summed exactly, so that the order of documents does not show in the last digit.
    total = math.fsum(weight[rows])
    return math.fsum(weight[rows] * quality[rows]) / total if total else math.nan
