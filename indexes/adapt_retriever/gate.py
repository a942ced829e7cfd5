"""May the adapted encoder replace the base? Both rank the same passages for the same queries.

nDCG@k by query, compared by Fisher's randomisation test, paired
(Smucker, Allan and Carterette 2007, https://doi.org/10.1145/1321440.1321528).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hinterland.core.ranking_metrics import ndcg
from hinterland.core.seeds import integer
from hinterland.core.stats import bootstrap_mean, paired_difference
from hinterland.indexes.adapt_retriever.settings import GateSettings
from hinterland.indexes.adapt_retriever.vectors import Known, passage_vectors
from hinterland.indexes.embed import Embedder

__all__ = ["Exam", "Verdict", "compare", "may_decide", "scores", "sign_flip"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Exam:
    """What retrievers are measured on.

    Attributes:
        passages: What is searched.
        documents: Each passage's document; a document ranks where its best passage does.
        queries: Texts.
        relevant: Relevance by document, to each query.
        source: Where the queries come from, in words.
        kinds: What kind each query is of, where they are made up; empty where they are real.
    """

    passages: tuple[str, ...]
    documents: tuple[str, ...]
    queries: tuple[str, ...]
    relevant: tuple[Mapping[str, float], ...]
    source: str
    kinds: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the comparison came to.

    Attributes:
        better: Whether the adapted encoder is better, and not by chance.
        base: Mean nDCG@k of the base.
        adapted: The same of the adapted encoder.
        difference: Mean of adapted − base.
        low: Lower end of its 95 % interval (paired bootstrap).
        high: Upper end.
        p: Two-sided p-value of the randomisation test.
        queries: How many were asked.
        k: Depth of nDCG.
        source: Where the queries come from.
        by_kind: Queries, difference and p-value of each kind of made-up query.
    """

    better: bool
    base: float
    adapted: float
    difference: float
    low: float
    high: float
    p: float
    queries: int
    k: int
    source: str
    by_kind: dict[str, dict[str, float]] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """Return it as a mapping."""
        return asdict(self)


def scores(
    embedder: Embedder, exam: Exam, *, k: int, label: str = "embed", known: Known | None = None
) -> Floats:
    """Return nDCG@k of each query by exact search, shape (queries,)."""
    table = passage_vectors(exam.passages, embedder, label=label, known=known)
    names = sorted(set(exam.documents))
    place = {name: number for number, name in enumerate(names)}
    owner = np.array([place[name] for name in exam.documents])
    found = np.empty(len(exam.queries))
    for row, vector in enumerate(embedder.queries(list(exam.queries))):
        best = np.full(len(names), -np.inf)
        np.maximum.at(best, owner, table @ vector)
        # Equal scores in the order of names, so that no run differs from another.
        ranking = [names[number] for number in np.argsort(-best, kind="stable")[:k].tolist()]
        found[row] = ndcg(ranking, exam.relevant[row], k)
    return found


def sign_flip(differences: ArrayLike, *, resamples: int, seed: int) -> float:
    """Return the two-sided p-value of paired differences with mean zero.

    With few differences all sign patterns are gone through, else ``resamples`` drawn ones.
    """
    from scipy.stats import permutation_test  # type: ignore[import-untyped]

    found = np.asarray(differences, dtype=np.float64)
    found = found[np.isfinite(found) & (found != 0)]
    if found.size < 2:  # one query cannot tell two systems apart
        return 1.0
    result = permutation_test(
        (found,),
        lambda sample, axis: sample.mean(axis=axis),
        permutation_type="samples",
        n_resamples=resamples,
        vectorized=True,
        batch=256,
        rng=np.random.default_rng(integer(seed, "retriever", "sign-flip")),
    )
    return float(result.pvalue)


def compare(base: ArrayLike, adapted: ArrayLike, exam: Exam, settings: GateSettings, *, seed: int) -> Verdict:
    """Compare two encoders' scores of the same queries.

    Better means a higher mean and ``p < settings.alpha``. Made-up queries stand for real ones
    only in part, and what is learnt of one kind may be no more than its form: the adapted
    encoder has to be better on each kind of them (intersection–union test, Berger 1982,
    https://doi.org/10.1080/00401706.1982.10487790: each at ``alpha``, without correction).
    """
    first, second = np.asarray(base, dtype=np.float64), np.asarray(adapted, dtype=np.float64)
    p = sign_flip(second - first, resamples=settings.resamples, seed=seed)
    interval = paired_difference(first, second, seed=seed)
    by_kind = {kind: _one_kind(second - first, exam.kinds, kind, settings, seed) for kind in set(exam.kinds)}
    passed = [found["difference"] > 0 and found["p"] < settings.alpha for found in by_kind.values()]
    return Verdict(
        better=interval.estimate > 0 and p < settings.alpha and all(passed),
        base=bootstrap_mean(first, seed=seed).estimate,
        adapted=bootstrap_mean(second, seed=seed).estimate,
        difference=interval.estimate,
        low=interval.low,
        high=interval.high,
        p=p,
        queries=int(np.isfinite(second - first).sum()),
        k=settings.k,
        source=exam.source,
        by_kind=dict(sorted(by_kind.items())),
    )


def may_decide(verdict: Verdict, settings: GateSettings) -> bool:
    """Whether these queries may let an encoder through: the user's own, or made-up ones if so set."""
    return not verdict.by_kind or settings.made_up == "decide"


def _one_kind(
    differences: Floats, kinds: Sequence[str], kind: str, settings: GateSettings, seed: int
) -> dict[str, float]:
    """Return what the queries of one kind say."""
    found = differences[[each == kind for each in kinds]]
    p = sign_flip(found, resamples=settings.resamples, seed=seed)
    return {"queries": len(found), "difference": float(np.nanmean(found)), "p": p}
