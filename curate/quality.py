"""A model-based quality score that costs a sample: measure some documents, learn the rest.

A language model's bits per byte is measured on a random sample, and a cheap regression is
fitted to it that scores every document. Distilling an expensive annotator into a cheap
scorer is what FineWeb-Edu does (Penedo et al. 2024, arXiv:2406.17557, section 4); the
hashed word features are those of GPT-3's quality classifier (Brown et al. 2020,
arXiv:2005.14165, appendix A), with bigrams as in Gururangan et al. (2022,
arXiv:2201.10474).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hinterland.core.record import content_id
from hinterland.core.seeds import integer
from hinterland.curate.filter import Scores
from hinterland.curate.rule import Rule

__all__ = ["PREDICTED", "Distilled", "distil", "quality_rule", "quality_scores", "sample_rows", "spearman"]

Floats = NDArray[np.float64]

PREDICTED = "lm_quality.bits_per_byte"
MEASURED = "lm_quality.measured"
FEATURES = 2**18
FOLDS = 5
RIDGE_ALPHA = 0.3
#: Fewer measured documents than this teach a regression nothing.
MIN_MEASURED = 20


def sample_rows(
    ids: Sequence[str], strata: Sequence[str | None], *, size: int, seed: int
) -> NDArray[np.int64]:
    """Return the rows of a stratified random sample, in proportion to the strata.

    The documents are ordered by stratum, within it at random, and taken at even steps.
    Whether a document is in does not depend on the order they come in.

    Args:
        ids: One unique id per document, shape (n,).
        strata: Each document's stratum (its country); null is a stratum of its own.
        size: Documents wanted; all of them if there are no more.
        seed: The run's seed.

    Returns:
        Row numbers in ascending order, shape (min(size, n),).
    """
    order = sorted(
        range(len(ids)),
        key=lambda row: (strata[row] or "", integer(seed, "lm_quality", "sample", ids[row]), ids[row]),
    )
    if size >= len(order):
        return np.arange(len(order))
    start = integer(seed, "lm_quality", "start") % len(order)
    steps = np.arange(size) * len(order) // size
    return np.sort(np.array([order[(start + step) % len(order)] for step in steps], dtype=np.int64))


@dataclass(frozen=True)
class Distilled:
    """What the regression says.

    Attributes:
        predicted: For every document, shape (n,): out of fold for measured ones.
        card: How well it predicts documents it has not seen.
    """

    predicted: Floats
    card: dict[str, Any]


def _features(texts: Sequence[str]) -> Any:
    """Return hashed counts of lower-case words and bigrams, damped by 1 + log, of unit length."""
    from sklearn.feature_extraction.text import HashingVectorizer, TfidfTransformer
    from sklearn.pipeline import make_pipeline

    hashing = HashingVectorizer(n_features=FEATURES, ngram_range=(1, 2), alternate_sign=False, norm=None)
    return make_pipeline(hashing, TfidfTransformer(use_idf=False, sublinear_tf=True)).fit_transform(texts)


def _folds(texts: Sequence[str], seed: int) -> NDArray[np.int64]:
    """Return a fold for each text; equal texts share one, so that none leaks."""
    keys = {content_id(text): 0 for text in texts}
    for rank, key in enumerate(sorted(keys, key=lambda key: integer(seed, "lm_quality", "fold", key))):
        keys[key] = rank % FOLDS
    return np.array([keys[content_id(text)] for text in texts], dtype=np.int64)


def distil(texts: Sequence[str], measured: Floats, *, seed: int, alpha: float = RIDGE_ALPHA) -> Distilled:
    """Fit a ridge regression on hashed words to the measured documents; predict all.

    Args:
        texts: All documents, shape (n,).
        measured: Their measured values, NaN where not measured, shape (n,).
        seed: The run's seed (it chooses the folds).
        alpha: The ridge penalty.

    Returns:
        Predictions and a card with the out-of-fold Spearman correlation and R². With
        fewer than 20 measured documents the predictions are NaN and the card says so. If
        every document is measured there is nothing to predict, and the measured values
        are returned as they are.
    """
    known = np.flatnonzero(np.isfinite(measured))
    if len(known) == len(texts):
        return Distilled(measured.copy(), {"measured": len(known), "distilled": False})
    if len(known) < MIN_MEASURED:
        card = {"measured": len(known), "distilled": False, "note": f"fewer than {MIN_MEASURED} measured"}
        return Distilled(np.full(len(texts), math.nan), card)
    from sklearn.linear_model import Ridge

    features, target = _features(texts), measured[known]

    def fit(rows: NDArray[np.int64]) -> Any:
        return Ridge(alpha=alpha, solver="sparse_cg", tol=1e-8).fit(features[known[rows]], target[rows])

    folds = _folds([texts[int(row)] for row in known], seed)
    held_out = np.empty(len(known))
    for fold in range(FOLDS):
        inside = folds == fold
        if inside.any():
            held_out[inside] = fit(np.flatnonzero(~inside)).predict(features[known[inside]])
    predicted = np.asarray(fit(np.arange(len(known))).predict(features), dtype=np.float64)
    predicted[known] = held_out
    # A text without a word has no features: the intercept alone is not a score.
    predicted[np.diff(features.indptr) == 0] = math.nan
    spread = float(((target - target.mean()) ** 2).sum())
    r2 = 1 - float(((target - held_out) ** 2).sum()) / spread if spread else math.nan
    card = {
        "measured": len(known),
        "distilled": True,
        "alpha": alpha,
        "features": FEATURES,
        "folds": FOLDS,
        "spearman": _finite(spearman(target, held_out)),
        "r2": _finite(r2),
    }
    return Distilled(np.round(predicted, 6), card)


def spearman(first: Floats, second: Floats) -> float:
    """Return Spearman's rank correlation, ties at their mean rank; NaN if one is constant."""
    a, b = _ranks(first), _ranks(second)
    a, b = a - a.mean(), b - b.mean()
    size = math.sqrt(float((a**2).sum() * (b**2).sum()))
    return float((a * b).sum()) / size if size else math.nan


def _ranks(values: Floats) -> Floats:
    _, where, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    return np.asarray((last - (counts - 1) / 2)[where], dtype=np.float64)


def _finite(value: float) -> float | None:
    return round(value, 4) if math.isfinite(value) else None


def quality_scores(
    ids: Sequence[str],
    texts: Sequence[str],
    strata: Sequence[str | None],
    measure: Callable[[Sequence[str]], Floats],
    *,
    sample: int,
    seed: int,
) -> tuple[Scores, dict[str, Any]]:
    """Measure a sample, distil, and return the columns and the card.

    Args:
        ids: One unique id per document.
        texts: The documents.
        strata: What the sample is stratified by.
        measure: Returns the bits per byte of the texts it is given.
        sample: Documents to measure.
        seed: The run's seed.
    """
    filled = [row for row, text in enumerate(texts) if text.strip()]
    chosen = sample_rows(
        [ids[row] for row in filled], [strata[row] for row in filled], size=sample, seed=seed
    )
    rows = np.array(filled, dtype=np.int64)[chosen]
    measured = np.full(len(texts), math.nan)
    measured[rows] = measure([texts[row] for row in rows])
    distilled = distil(texts, measured, seed=seed)
    return {PREDICTED: distilled.predicted, MEASURED: measured}, {"sample": len(rows), **distilled.card}


def quality_rule(predicted: Floats, *, drop_share: float) -> Rule:
    """Return the rule that drops the worst ``drop_share`` (the highest bits per byte).

    The bound is the quantile among the documents that have a value; with none there is
    no bound.
    """
    finite = predicted[np.isfinite(predicted)]
    high = float(np.quantile(finite, 1 - drop_share, method="lower")) if finite.size and drop_share else None
    return Rule(PREDICTED, "lm_quality.worst", high=high)
