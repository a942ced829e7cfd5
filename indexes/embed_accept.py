"""Whether a faster form of an encoder (ONNX, OpenVINO, int8) is good enough to stand in for it.

On a sample, nDCG@10 of the candidate is held against that of the plain encoder (torch, float32). Where
there are no relevance judgements, the plain encoder's own first ten are taken for relevant, so
that what is measured is how far the two agree. More than half a point less is refused.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hinterland.core.errors import ModelSourceError
from hinterland.core.ranking_metrics import ndcg
from hinterland.core.seeds import generator
from hinterland.indexes.chunk import sentence_spans
from hinterland.indexes.embed import Embedder, SentenceEmbedder

__all__ = ["MOST_LOST", "Acceptance", "accept_backend", "check_backend"]

#: nDCG@10 that may be lost: half a point.
MOST_LOST = 0.005
_K = 10
_PASSAGES, _QUERIES = 1000, 100  # of a build's own sample


@dataclass(frozen=True, slots=True)
class Acceptance:
    """What was measured.

    Attributes:
        ndcg: nDCG@10 of the candidate.
        reference_ndcg: nDCG@10 of the plain encoder; 1 without judgements.
        queries: Queries that have a relevant passage.
        judged: Whether there were judgements.
    """

    ndcg: float
    reference_ndcg: float
    queries: int
    judged: bool

    @property
    def accepted(self) -> bool:
        """Whether less than half a point is lost."""
        return self.reference_ndcg - self.ndcg < MOST_LOST


def _top(embedder: Embedder, queries: Sequence[str], passages: Sequence[str]) -> NDArray[np.int64]:
    """Return each query's best rows, shape (queries, at most 10); equal scores in the order of rows."""
    scores = embedder.queries(queries) @ embedder.passages(passages).T
    return np.argsort(-scores, axis=1, kind="stable")[:, :_K]


def accept_backend(
    candidate: Embedder,
    reference: Embedder,
    passages: Sequence[str],
    queries: Sequence[str],
    qrels: Sequence[Mapping[int, float]] | None = None,
) -> Acceptance:
    """Measure a candidate against the plain encoder.

    Args:
        candidate: The faster form.
        reference: The plain encoder, torch in float32.
        passages: The sample, different texts.
        queries: What is asked.
        qrels: For each query its relevant passages by row, with their relevance above 0; ``None``
            takes the reference's own first ten.

    Raises:
        ValueError: No query has a relevant passage.
    """
    best = _top(reference, queries, passages)
    judged = qrels is not None
    relevant = qrels if qrels is not None else [dict.fromkeys(row.tolist(), 1.0) for row in best]
    asked = [row for row, each in enumerate(relevant) if any(value > 0 for value in each.values())]
    if not asked:
        raise ValueError("no query has a relevant passage")
    found = _top(candidate, queries, passages)
    values = [[ndcg(rows[row].tolist(), relevant[row], _K) for row in asked] for rows in (found, best)]
    return Acceptance(float(np.mean(values[0])), float(np.mean(values[1])), len(asked), judged)


def check_backend(embedder: Embedder, passages: Sequence[str], *, seed: int) -> dict[str, Any]:
    """Refuse an encoder that does not run on torch if it loses too much on a sample of passages.

    First sentences of sampled passages ask for passages like them.

    Returns:
        What the manifest says of it; nothing for torch.

    Raises:
        ModelSourceError: It loses half a point of nDCG@10 or more.
    """
    if not isinstance(embedder, SentenceEmbedder) or embedder.config.backend == "torch":
        return {}
    plain = {"backend": "torch", "backend_file": None, "dtype": "float32"}
    reference = SentenceEmbedder(embedder.config.model_copy(update=plain))
    unique = sorted(set(passages))
    random = generator(seed, "accept")
    size = min(_PASSAGES, len(unique))
    sample = [unique[row] for row in sorted(random.choice(len(unique), size, replace=False).tolist())]
    asked = random.choice(size, min(_QUERIES, size), replace=False).tolist()
    queries = [_first_sentence(sample[row]) for row in asked]
    measured = accept_backend(embedder, reference, sample, queries)
    if not measured.accepted:
        raise ModelSourceError(
            f"backend {embedder.config.backend} has nDCG@10 {measured.ndcg:.4f}, torch in float32 has "
            f"{measured.reference_ndcg:.4f}: more than {MOST_LOST} is lost",
            where=embedder.config.model,
            cure="write embed.backend: torch, or name another file of the model in embed.backend_file",
        )
    told = asdict(measured)
    return {"accepted": {**told, **{name: round(told[name], 5) for name in ("ndcg", "reference_ndcg")}}}


def _first_sentence(passage: str) -> str:
    text = passage.partition("\n")[2] or passage  # below the title path
    spans = sentence_spans(text)
    return text[spans[0][0] : spans[0][1]] if spans else text
