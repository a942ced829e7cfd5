"""The encoder that was adapted to a collection, measured through the kit's index."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from gpu_parts.common import SEED

from hinterland.core.stats import paired_difference
from hinterland.indexes.adapt_retriever.gate import sign_flip
from hinterland.indexes.adapt_retriever.trained import TrainedRun, trained_encoder
from hinterland.indexes.embed import EmbedConfig, SentenceEmbedder
from hinterland.indexes.search_config import SearchConfig
from retrieval_parts.data import Collection
from retrieval_parts.indexing import whole_index
from retrieval_parts.methods import Scores, measure

__all__ = ["AdaptedEncoder", "adapted_encoder", "adapted_less_dense", "adapted_scores"]

_SIGN_PATTERNS = 9999


@dataclass(frozen=True)
class AdaptedEncoder:
    """An encoder, and what is said of it."""

    embed: EmbedConfig
    note: str
    gate: dict[str, Any] | None = None


def adapted_encoder(folder: Path, work: Path) -> AdaptedEncoder:
    """Return the encoder in ``folder``: a run of `index adapt-retriever`, or an encoder as it is.

    One that the gate refused is measured, too; it is written to ``work``.
    """
    if (folder / "modules.json").is_file():
        return AdaptedEncoder(EmbedConfig(model=str(folder)), "")
    run = trained_encoder(folder, work / f"{folder.name}-adapted-encoder")
    return AdaptedEncoder(run.embed, _said(run), run.gate)


def _said(run: TrainedRun) -> str:
    """Return what became of a run's encoder."""
    if run.let_through:
        return "let through by the gate"
    better = "better on made-up queries, which do not decide"
    return f"{better if run.gate['better'] else 'refused by the gate'}: the base is kept"


def adapted_scores(collection: Collection, encoder: AdaptedEncoder, work: Path) -> Scores:
    """Return the scores of vectors by the adapted encoder."""
    index = whole_index(collection, work, SentenceEmbedder(encoder.embed))
    return measure(index, collection, SearchConfig())


def adapted_less_dense(dense: Scores, adapted: Scores) -> dict[str, float]:
    """Return the paired difference in nDCG@10 with its interval, and the randomisation test's p."""
    found = asdict(paired_difference(dense.ndcg, adapted.ndcg, seed=SEED))
    return {**found, "p": sign_flip(adapted.ndcg - dense.ndcg, resamples=_SIGN_PATTERNS, seed=SEED)}
