"""The config of adapting a retriever."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from hinterland.core.config import Config
from hinterland.indexes.embed import EmbedConfig

__all__ = [
    "AdaptSettings",
    "GateSettings",
    "GeneratedSettings",
    "Kind",
    "NegativeSettings",
    "PairSettings",
    "ReplugSettings",
    "TrainSettings",
]

#: Where a pair of a query and a passage comes from.
Kind = Literal["title", "cloze", "neighbour", "generated"]


class GeneratedSettings(Config):
    """Queries that a language model writes for passages.

    Attributes:
        passages: How many passages a query is asked for.
        round_trip: A query is kept only if BM25 finds its passage among so many for it
            (Dai et al. 2022, arXiv:2209.11755, filter with the retriever being trained);
            ``null`` keeps all.
    """

    passages: int = Field(default=200, ge=1)
    round_trip: int | None = Field(default=20, ge=1)


class PairSettings(Config):
    """Which pairs are made.

    Attributes:
        kinds: ``title``: a document's title finds its passages, shown without the title.
            ``cloze``: a sentence finds the rest of its passage (inverse cloze task, Lee et
            al. 2019, arXiv:1906.00300). ``neighbour``: a passage finds the next one of its
            document. ``generated``: a query of a language model finds its passage.
        keep_sentence: How often a cloze sentence stays in its passage; 0.1 in the paper.
        passage_tokens: Tokens to a passage where a corpus is cut; also what is read in training.
        most: The most pairs of a kind; ``null`` uses what the steps can use.
        generated: How queries are generated.
    """

    kinds: tuple[Kind, ...] = ("title", "cloze", "neighbour")
    keep_sentence: float = Field(default=0.1, ge=0, le=1)
    passage_tokens: int = Field(default=128, ge=16)
    most: int | None = Field(default=None, ge=1)
    generated: GeneratedSettings = Field(default_factory=GeneratedSettings)


class NegativeSettings(Config):
    """Passages that look right and are not.

    Attributes:
        per_query: Hard negatives to a pair; 0 trains on in-batch negatives alone.
        depth: How far down BM25's list they are looked for.
        margin: A passage that the base encoder scores above so much of the positive's score may
            be an unlabelled positive, and is left out (the share is NV-Retriever's, Moreira et
            al. 2024, arXiv:2407.15831); ``null`` leaves none out.
    """

    per_query: int = Field(default=1, ge=0, le=8)
    depth: int = Field(default=30, ge=1)
    margin: float | None = Field(default=0.95, gt=0)


class TrainSettings(Config):
    """How the encoder is trained.

    Attributes:
        steps: Updates of the weights. Fixed, so that results do not depend on the clock.
        batch: Pairs to a step; each one's passages are the others' negatives.
        mini_batch: Computes a batch in pieces of so many pairs with the same gradient, for
            batches that do not fit in memory (GradCache, Gao et al. 2021, arXiv:2101.06983).
        learning_rate: The highest, after the warm-up.
        warmup: Share of steps in which it rises.
        schedule: How it falls after that.
        scale: What cosines are multiplied by before the softmax (1 / temperature).
        top_layers: Share of the transformer's layers, from the output down, that learn. With
            less than 1 the token embeddings stay too, and a step is faster.
        precision: ``auto`` is bf16 where the hardware computes in it, else fp32.
        checkpoint_every: Steps between two checkpoints.
    """

    steps: int = Field(default=200, ge=1)
    batch: int = Field(default=16, ge=2)
    mini_batch: int | None = Field(default=None, ge=1)
    learning_rate: float = Field(default=2e-5, gt=0)
    warmup: float = Field(default=0.1, ge=0, lt=1)
    schedule: Literal["linear", "cosine", "constant"] = "linear"
    scale: float = Field(default=20.0, gt=0)
    top_layers: float = Field(default=1.0, gt=0, le=1)
    precision: Literal["auto", "fp32", "bf16"] = "auto"
    checkpoint_every: int = Field(default=50, ge=1)


class ReplugSettings(Config):
    """Learn from a language model which passages help it (REPLUG, Shi et al. 2023, arXiv:2301.12652).

    Attributes:
        contexts: Passages whose continuation the model is asked about.
        passages: Passages retrieved to each; 20 in the paper.
        gamma: Temperature of the retriever's softmax; 0.1 in the paper.
        beta: Temperature of the language model's; 0.1 in the paper.
        steps: Updates of the weights.
        batch: Contexts to a step.
        learning_rate: The highest; 2e-5 in the paper.
        words: Words of the continuation that are scored; 128 tokens in the paper.
    """

    contexts: int = Field(default=64, ge=2)
    passages: int = Field(default=8, ge=2)
    gamma: float = Field(default=0.1, gt=0)
    beta: float = Field(default=0.1, gt=0)
    steps: int = Field(default=32, ge=1)
    batch: int = Field(default=4, ge=1)
    learning_rate: float = Field(default=2e-5, gt=0)
    words: int = Field(default=48, ge=1)


class GateSettings(Config):
    """When the adapted encoder may replace the base.

    Attributes:
        hold_out: Share of documents kept out of training; without your own queries the gate's
            queries are made of them.
        queries: The most such queries, one to a document.
        passages: The most passages searched, held-out ones included; ``null`` searches all.
        k: Depth of nDCG.
        alpha: The p-value must be below this.
        made_up: What questions made of held-out documents may do where you give none of your own.
            ``inform``: they are asked and told, and the base is kept. ``decide``: the encoder is let
            through if each kind of them gains. They are a poor proxy; see docs/decisions.md.
        resamples: Drawn sign patterns of the randomisation test.
    """

    hold_out: float = Field(default=0.1, gt=0, lt=1)
    queries: int = Field(default=200, ge=6)
    passages: int | None = Field(default=5000, ge=10)
    k: int = Field(default=10, ge=1)
    alpha: float = Field(default=0.05, gt=0, lt=1)
    made_up: Literal["inform", "decide"] = "inform"
    resamples: int = Field(default=9999, ge=99)


class AdaptSettings(Config):
    """How a retriever is adapted.

    Attributes:
        embed: The base encoder.
        pairs: Which pairs are made.
        negatives: Which passages a pair is told from.
        train: Steps, batch, learning rate.
        replug: Learn from a language model as well; ``null`` does not.
        gate: When the result may be used.
        language_model: Settings for the language model that writes queries and gives
            log-probabilities, as its provider takes them.
        seed: Chooses what is held out, orders the data.
        threads: CPU threads; ``null`` leaves PyTorch's choice.
    """

    embed: EmbedConfig = Field(default_factory=EmbedConfig)
    pairs: PairSettings = Field(default_factory=PairSettings)
    negatives: NegativeSettings = Field(default_factory=NegativeSettings)
    train: TrainSettings = Field(default_factory=TrainSettings)
    replug: ReplugSettings | None = None
    gate: GateSettings = Field(default_factory=GateSettings)
    language_model: dict[str, Any] | None = None
    seed: int = 0
    threads: int | None = Field(default=None, ge=1)


class QuerySet(Config):
    """Queries with judgements, as BEIR has them.

    Attributes:
        queries: A JSONL file of ``_id`` and ``text``.
        qrels: A TSV file of ``query-id``, ``corpus-id`` and ``score``.
        corpus: A corpus folder; ``null`` means the one adapted to.
    """

    queries: Path
    qrels: Path
    corpus: Path | None = None
