"""What a curation is told: which filters, which bounds, which model, under which seed."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, field_validator

from hinterland.core.config import Config
from hinterland.curate.decisions_config import DecisionsConfig
from hinterland.curate.dedup.settings import NearDuplicates
from hinterland.curate.geo.locate import LocateSettings
from hinterland.curate.rule import Bounds

__all__ = ["CurateConfig", "QualityConfig"]


class QualityConfig(Config):
    """The model-based quality score.

    Attributes:
        model: The language model that measures: a hub id, a folder, a GGUF file or
            ``pypi:PACKAGE``; null, the default, leaves the score out.
        sample: Documents the model reads; the rest are predicted.
        drop_share: The share of documents with the worst score that is decided out.
        max_tokens: Tokens read of each document in the sample.
    """

    model: str | None = None
    sample: int = Field(default=400, ge=0)
    drop_share: float = Field(default=0.2, ge=0, lt=1)
    max_tokens: int = Field(default=64, ge=2)


class CurateConfig(Config):
    """How to score and decide.

    Attributes:
        filters: Names of filters; ``c4@dolma`` is the variant ``dolma`` of ``c4``.
        options: Options of filters, by name: ``contamination: {sets: [test.jsonl]}``.
        thresholds: New bounds by rule name, ``gopher_quality.words: {low: 20}``.
        duplicates: How duplicates are found, and which copy stays; null does not look for them.
        quality: The model-based quality score.
        locate: How to find where each document is from; null, the default, leaves the country as given.
        decide: What decides beside the rules: expressions, caps, shares, weights.
        mask: Personal data to replace in the curated text, by kind; the text that was
            read stays as it is in the run's folder.
        seed: Chooses the quality sample and whatever is drawn.
    """

    filters: tuple[str, ...] = ("gopher_quality", "gopher_repetition", "c4", "fineweb")
    options: dict[str, dict[str, Any]] = Field(default_factory=dict)
    thresholds: dict[str, Bounds] = Field(default_factory=dict)
    duplicates: NearDuplicates | None = Field(default_factory=NearDuplicates)
    quality: QualityConfig = Field(default_factory=QualityConfig)
    locate: LocateSettings | None = None
    decide: DecisionsConfig = Field(default_factory=DecisionsConfig)
    mask: tuple[Literal["email", "phone", "ip", "card"], ...] = ()
    seed: int = 0

    @field_validator("thresholds", mode="before")
    @classmethod
    def _joined_names(cls, given: Any) -> Any:
        """Take ``{c4: {sentences: {low: 3}}}``, which ``--set thresholds.c4.sentences=…`` makes."""
        if not isinstance(given, dict):
            return given
        found: dict[str, Any] = {}
        for name, value in given.items():
            nested = isinstance(value, dict) and value and not {*value} & {"low", "high"}
            if nested and all(isinstance(inner, dict) for inner in value.values()):
                found |= {f"{name}.{measure}": bounds for measure, bounds in value.items()}
            else:
                found[name] = value
        return found
