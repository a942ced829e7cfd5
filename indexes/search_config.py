"""How a search ranks, as it stands in a config and in an index's manifest."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from hinterland.core.config import Config

__all__ = ["DecayConfig", "FusionConfig", "MmrConfig", "RerankConfig", "RuleConfig", "SearchConfig"]


class FusionConfig(Config):
    """How the rankings of vectors and of words become one.

    Attributes:
        method: ``rrf``: reciprocal ranks (Cormack et al. 2009); ``convex``: scores brought to
            0–1 within a query and mixed (Bruch et al. 2023, arXiv:2210.11934).
        dense: The weight of vectors, 0 to 1; words have the rest.
        normalise: How ``convex`` brings scores to 0–1; the best of the query's candidates gets 1.
            0 is, for ``theoretical``, the least score that can be (cosine −1, BM25 0: "TM2C2" in
            the paper); for ``min-max`` the worst candidate's; for ``background`` what a passage
            picked at random scores.
        k: The constant of ``rrf``.
    """

    method: Literal["rrf", "convex"] = "rrf"
    dense: float = Field(default=0.5, ge=0, le=1)
    normalise: Literal["theoretical", "min-max", "background"] = "background"
    k: int = Field(default=60, ge=1)


class RerankConfig(Config):
    """A cross-encoder that reads query and passage together.

    Attributes:
        model: A hub id or a folder.
        depth: Passages it reads for a query.
        batch_size: Pairs to a batch.
        device: ``auto``: the GPU if there is one.
    """

    model: str
    depth: int = Field(default=50, ge=1)
    batch_size: int = Field(default=32, ge=1)
    device: str = "auto"


class MmrConfig(Config):
    """Maximal marginal relevance (Carbonell and Goldstein 1998).

    Attributes:
        relevance: λ, 0 to 1: 1 ranks by relevance alone.
        depth: Passages it chooses from.
    """

    relevance: float = Field(default=0.7, ge=0, le=1)
    depth: int = Field(default=50, ge=1)


class DecayConfig(Config):
    """What age takes from a passage: its relevance halves every ``half_life_years``.

    Attributes:
        half_life_years: Years after which half is left.
        floor: What is left at least, 0 to 1.
        now: The date that ages are counted to (ISO 8601); ``null``: the newest in the index.
        unknown: What is left where no date is known.
    """

    half_life_years: float = Field(gt=0, allow_inf_nan=False)
    floor: float = Field(default=0.0, ge=0, le=1)
    now: str | None = None
    unknown: float = Field(default=1.0, ge=0, le=1)


class RuleConfig(Config):
    """What holds for passages that fit a condition.

    Attributes:
        when: A condition over the index's columns (`core.expressions`); empty fits all.
        weight: What their relevance is multiplied by; 0 leaves them out.
        decay: What age takes from them.
        most: How many of each source are returned at most.
    """

    when: str = ""
    weight: float = Field(default=1.0, ge=0, allow_inf_nan=False)
    decay: DecayConfig | None = None
    most: int | None = Field(default=None, ge=1)


class SearchConfig(Config):
    """How a search ranks. The steps follow each other in this order.

    Attributes:
        mode: ``dense`` (vectors), ``bm25`` (words) or ``hybrid`` (both).
        depth: Passages that each ranking hands to the next step.
        fusion: How ``hybrid`` joins the two.
        rules: Weights, decay and caps by source; every rule that fits applies.
        rerank: A cross-encoder, if any.
        mmr: Diversity, if any.
        where: A condition that passages must fit; applied before the search.
    """

    mode: Literal["dense", "bm25", "hybrid"] = "dense"
    depth: int = Field(default=100, ge=1)
    fusion: FusionConfig = Field(default_factory=FusionConfig)
    rules: tuple[RuleConfig, ...] = ()
    rerank: RerankConfig | None = None
    mmr: MmrConfig | None = None
    where: str = ""
