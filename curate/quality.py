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
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hinterland.core.record import content_id
from hinterland.core.seeds import integer
from hinterland.curate.rule import Rule

__all__ = ["MEASURED", "PREDICTED", "Distilled", "distil", "quality_rule", "sample_rows", "spearman"]

Floats = NDArray[np.float64]

PREDICTED = "lm_quality.bits_per_byte"
MEASURED = "lm_quality.measured"
FEATURES = 2**18
DECIMALS = 6
FOLDS = 5
RIDGE_ALPHA = 0.3
#: Fewer measured documents than this teach a regression nothing.
MIN_MEASURED = 20


def sample_rows(
    draws: NDArray[np.uint64], strata: NDArray[np.int64], *, size: int, seed: int
) -> NDArray[np.int64]:
    """Return the rows of a stratified random sample, in proportion to the strata.

    The documents are ordered by stratum, within it at random, and taken at even steps.
    Whether a document is in does not depend on the order they come in.

    Args:
        draws: Random bits of each document that depend on its id, shape (n,).
        strata: The number of each document's stratum (its country), shape (n,).
        size: Documents wanted; all of them if there are no more.
        seed: The run's seed.

    Returns:
        Row numbers in ascending order, shape (min(size, n),).
    """
    order = np.lexsort((draws, strata))
    if size >= len(order):
        return np.arange(len(order))
    start = integer(seed, "lm_quality", "start") % len(order)
    steps = np.arange(size) * len(order) // size
    return np.sort(order[(start + steps) % len(order)])


@dataclass(frozen=True)
class Distilled:
    """A regression on hashed words that stands in for the language model.

    Attributes:
        held_out: What it says of each measured document when that was left out of the
            fit, shape (measured,).
        coefficients: Shape (features,).
        intercept: The value of a text whose words say nothing.
        card: How well it predicts documents it has not seen.
    """

    held_out: Floats
    coefficients: Floats
    intercept: float
    card: dict[str, Any]

    def predict(self, texts: Sequence[str]) -> Floats:
        """Return the predicted values, shape (texts,); NaN for a text without a word."""
        if not texts:
            return np.empty(0)
        features = _features(texts)
        predicted = np.asarray(features @ self.coefficients, dtype=np.float64) + self.intercept
        predicted[np.diff(features.indptr) == 0] = math.nan
        return np.round(predicted, DECIMALS)


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


def distil(
    texts: Sequence[str], measured: Floats, *, seed: int, alpha: float = RIDGE_ALPHA
) -> Distilled | None:
    """Fit a ridge regression on hashed words to measured documents.

    Args:
        texts: The measured documents, shape (n,).
        measured: Their values, all finite, shape (n,).
        seed: The run's seed (it chooses the folds).
        alpha: The ridge penalty.

    Returns:
        The regression, with a card that holds the out-of-fold Spearman correlation and
        R²; ``None`` with fewer than 20 documents, which teach it nothing.
    """
    if len(texts) < MIN_MEASURED:
        return None
    from sklearn.linear_model import Ridge

    features = _features(texts)

    def fit(rows: NDArray[np.int64]) -> Any:
        return Ridge(alpha=alpha, solver="sparse_cg", tol=1e-8).fit(features[rows], measured[rows])

    folds = _folds(texts, seed)
    held_out = np.empty(len(texts))
    for fold in range(FOLDS):
        inside = folds == fold
        if inside.any():
            held_out[inside] = fit(np.flatnonzero(~inside)).predict(features[inside])
    spread = float(((measured - measured.mean()) ** 2).sum())
    r2 = 1 - float(((measured - held_out) ** 2).sum()) / spread if spread else math.nan
    whole = fit(np.arange(len(texts)))
    card = {
        "distilled": True,
        "alpha": alpha,
        "features": FEATURES,
        "folds": FOLDS,
        "spearman": _finite(spearman(measured, held_out)),
        "r2": _finite(r2),
    }
    coefficients = np.asarray(whole.coef_, dtype=np.float64)
    return Distilled(np.round(held_out, DECIMALS), coefficients, float(whole.intercept_), card)


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


def quality_rule(predicted: Floats, *, drop_share: float) -> Rule:
    """Return the rule that drops the worst ``drop_share`` (the highest bits per byte).

    The bound is the quantile among the documents that have a value; with none there is
    no bound.
    """
    finite = predicted[np.isfinite(predicted)]
    high = float(np.quantile(finite, 1 - drop_share, method="lower")) if finite.size and drop_share else None
    return Rule(PREDICTED, "lm_quality.worst", high=high)
