"""Learn from a language model which passages help it (REPLUG LSR, Shi et al. 2023, arXiv:2301.12652, §4)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from hinterland.core.progress import track
from hinterland.core.seeds import generator
from hinterland.indexes.adapt_retriever.documents import Passage
from hinterland.indexes.adapt_retriever.language_model import LogProb
from hinterland.indexes.adapt_retriever.pairs import neighbour_pairs
from hinterland.indexes.adapt_retriever.settings import ReplugSettings
from hinterland.indexes.adapt_retriever.vectors import Known, passage_vectors
from hinterland.indexes.chunk import sentence_spans
from hinterland.indexes.embed import Embedder

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["Context", "contexts", "kl_divergence", "language_model_softmax", "replug_columns", "replug_loss"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Context:
    """A text and how it goes on.

    Attributes:
        document: Its document, which is not retrieved for it.
        text: The context, which is the query.
        continuation: What the language model should expect.
    """

    document: str
    text: str
    continuation: str


def contexts(passages: Sequence[Passage], settings: ReplugSettings, *, seed: int) -> list[Context]:
    """Return contexts with their continuations.

    A passage is continued by the next one of its document; where no document has two, a
    passage's second half of sentences continues its first.
    """
    found = [
        Context(passages[pair.passage].document, pair.query, _first_words(pair.positive, settings.words))
        for pair in neighbour_pairs(passages)
    ]
    if not found:
        for passage in passages:
            spans = sentence_spans(passage.text)
            if len(spans) >= 2:
                cut = spans[len(spans) // 2][0]
                rest = _first_words(passage.text[cut:], settings.words)
                found.append(Context(passage.document, passage.text[:cut].strip(), rest))
    order = generator(seed, "retriever", "replug").permutation(len(found))[: settings.contexts]
    return [found[number] for number in order.tolist()]


def _first_words(text: str, count: int) -> str:
    return " ".join(text.split()[:count])


def language_model_softmax(log_probabilities: Floats, beta: float) -> Floats:
    """Return Q(d | x, y), eq. 4: the softmax of the likelihoods over the temperature.

    A likelihood here is that of a token of the continuation, exp of the mean log-probability:
    the product over a whole continuation, which the equation names, is next to 0 for every
    passage, so that its softmax would be flat.

    Args:
        log_probabilities: Mean log-probabilities, shape (contexts, passages).
        beta: The temperature.
    """
    likelihood = np.exp(np.asarray(log_probabilities, dtype=np.float64)) / beta
    weights = np.exp(likelihood - likelihood.max(axis=-1, keepdims=True))
    return np.asarray(weights / weights.sum(axis=-1, keepdims=True))


def kl_divergence(scores: Tensor, target: Tensor, gamma: float) -> Tensor:
    """Return the mean over contexts of KL(P_R ‖ Q), eq. 3 and 5.

    Args:
        scores: Cosines of contexts and passages, shape (contexts, passages).
        target: Q, the same shape.
        gamma: Temperature of P_R, the softmax of the scores.
    """
    log_p = (scores / gamma).log_softmax(dim=-1)
    return (log_p.exp() * (log_p - target.clamp_min(1e-12).log())).sum(dim=-1).mean()


def replug_loss(model: Any, gamma: float) -> Any:
    """Return eq. 5 as a sentence-transformers loss over (anchor, passage_0 … passage_k, label)."""
    import torch

    class ReplugLoss(torch.nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def forward(self, features: Sequence[dict[str, Tensor]], labels: Tensor) -> Tensor:
            """Return the loss of a batch."""
            vectors = [self.model(feature)["sentence_embedding"] for feature in features]
            unit = [torch.nn.functional.normalize(each.float(), dim=-1) for each in vectors]
            scores = torch.stack([(unit[0] * passage).sum(dim=-1) for passage in unit[1:]], dim=1)
            return kl_divergence(scores, labels.to(scores), gamma)

    return ReplugLoss()


def replug_columns(
    found: Sequence[Context],
    passages: Sequence[Passage],
    embedder: Embedder,
    log_probability: LogProb,
    settings: ReplugSettings,
    *,
    known: Known | None = None,
) -> dict[str, list[Any]]:
    """Retrieve passages to each context, ask the language model how they help, return columns.

    A passage is put before the context, as in the paper (§3.2). Passages of the context's own
    document are not retrieved. The retriever's index is that of ``embedder`` throughout; the
    paper embeds it anew every 3,000 steps, more than are done here.

    Args:
        found: Contexts.
        passages: What is retrieved.
        embedder: The retriever as it is.
        log_probability: The language model.
        settings: How many passages, and the model's temperature.
        known: Vectors of ``embedder`` from before.
    """
    owners = np.array([passage.document for passage in passages])
    table = passage_vectors(
        [passage.shown for passage in passages], embedder, label="replug: passages", known=known
    )
    queries = embedder.queries([context.text for context in found])
    columns: dict[str, list[Any]] = {"anchor": []}
    columns |= {f"passage_{number}": [] for number in range(settings.passages)} | {"label": []}
    ask: Callable[[str, str], float] = log_probability
    for context, query in track(list(zip(found, queries, strict=True)), "replug: language model"):
        similar = np.where(owners == context.document, -np.inf, table @ query)
        rows = np.argsort(-similar, kind="stable")[: settings.passages]
        if len(rows) < settings.passages or not np.isfinite(similar[rows]).all():
            continue
        shown = [passages[row].shown for row in rows.tolist()]
        logs = np.array([ask(f"{text}\n\n{context.text} ", context.continuation) for text in shown])
        columns["anchor"].append(context.text)
        for number, text in enumerate(shown):
            columns[f"passage_{number}"].append(text)
        columns["label"].append(language_model_softmax(logs, settings.beta).tolist())
    return columns
