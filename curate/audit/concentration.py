"""How concentrated a corpus is on few sources: effective numbers, Gini, the largest hundredth."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hinterland.core.places import UNKNOWN
from hinterland.curate.audit.parts import Concentration

__all__ = ["concentration_of", "gini", "hill"]

_LARGEST = 10


def hill(counts: ArrayLike, order: float) -> float:
    """Return Hill's effective number of kinds, (Σ pᵢ^q)^(1/(1−q)); 0 where there is none.

    Order 0 counts the kinds, order 1 is the exponential of Shannon's entropy, order 2 the
    inverse of Simpson's index (Hill 1973, "Diversity and evenness", equations 1 to 3).

    Args:
        counts: Documents of each kind; kinds of 0 do not count, shape (kinds,).
        order: At least 0.
    """
    sizes = np.asarray(counts, dtype=np.float64)
    sizes = sizes[sizes > 0]
    if not sizes.size:
        return 0.0
    p = sizes / sizes.sum()
    if order == 1:
        return float(np.exp(-np.sum(p * np.log(p))))
    return float(np.sum(p**order) ** (1 / (1 - order)))


def gini(counts: ArrayLike) -> float:
    """Return the Gini coefficient: half the mean difference of any two counts over their mean.

    0 is all alike; n kinds of which one has all reach 1 − 1/n. NaN where there is none.

    Args:
        counts: Documents of each kind; kinds of 0 do not count, shape (kinds,).
    """
    sizes = np.asarray(counts, dtype=np.float64)
    sizes = np.sort(sizes[sizes > 0])
    n = sizes.size
    if not n:
        return math.nan
    ranks = np.arange(1, n + 1)
    return max(float(2 * np.sum(ranks * sizes) / (n * sizes.sum()) - (n + 1) / n), 0.0)


def concentration_of(
    codes: NDArray[np.int64], names: Sequence[str], tokens: ArrayLike, column: str = "source"
) -> Concentration:
    """Return how a corpus is spread over its sources. Sources without a document do not count.

    Args:
        codes: Source of each document as an index into ``names``, shape (documents,).
        names: The sources; `UNKNOWN` is none, and its documents are left out and counted.
        tokens: Tokens of each document, shape (documents,).
        column: What a source is.
    """
    documents = np.bincount(codes, minlength=len(names))
    sums = np.bincount(codes, weights=np.asarray(tokens, dtype=np.float64), minlength=len(names))
    unknown = 0
    if UNKNOWN in names:
        at = names.index(UNKNOWN)
        unknown, documents[at], sums[at] = int(documents[at]), 0, 0.0
    order = np.argsort(-documents, kind="stable")  # ties stand in the order of the names
    order = order[documents[order] > 0]
    top = max(len(order) // 100, 1) if len(order) else 0
    return Concentration(
        column=column,
        sources=len(order),
        unknown_documents=unknown,
        hill=(hill(documents, 0), hill(documents, 1), hill(documents, 2)),
        gini=gini(documents),
        top_sources=top,
        top_share=_share(documents[order], top),
        top_token_share=_share(sums[order], top),
        largest=tuple((names[i], int(documents[i])) for i in order[:_LARGEST].tolist()),
    )


def _share(values: NDArray[np.int64] | NDArray[np.float64], first: int) -> float:
    total = float(values.sum())
    return float(values[:first].sum()) / total if total > 0 else math.nan
