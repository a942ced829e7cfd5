"""Step 7: short domain-adaptive pretraining of the open model, held-out places left out."""

from __future__ import annotations

import json
from typing import Any

from hinterland.adapt.lora import LoraSettings
from hinterland.adapt.recipe import run_dapt
from hinterland.adapt.settings import DaptConfig, HoldOut, Measure
from hinterland.adapt.train import TrainSettings
from hinterland.core.corpus import Corpus
from hinterland.demo.pipeline import Workspace

__all__ = ["build", "recipe"]


def recipe(work: Workspace) -> DaptConfig:
    """Return the recipe: the demo's settings, and the countries that questions are about."""
    settings = work.config.adapt
    held_out = json.loads((work.of("corpus") / "held_out.json").read_text(encoding="utf-8"))
    return DaptConfig(
        model=work.config.model,
        lora=LoraSettings(rank=settings.rank, alpha=2 * settings.rank, top_layers=settings.top_layers),
        train=TrainSettings(
            steps=settings.steps,
            batch=settings.batch,
            learning_rate=settings.learning_rate,
            max_seconds=settings.max_seconds,
            checkpoint_every=5,
        ),
        window=settings.window,
        hold_out=HoldOut(countries=tuple(held_out)),
        measure=Measure(
            documents=settings.held_out_documents,
            general=settings.general_documents,
            max_chars=settings.max_chars,
        ),
        gguf="q8_0",
        seed=work.config.seed,
        threads=work.config.threads,
    )


def build(work: Workspace) -> dict[str, Any]:
    """Adapt on the debiased corpus; the adapted model is at ``dapt/model/model.gguf``."""
    corpus = Corpus.open(work.of("debias") / "corpus")
    result = run_dapt(recipe(work), corpus, work.folder / "dapt").summary(seed=work.config.seed)
    volatile = ("seconds", "resumed_from")
    # Paths and seconds differ between machines and runs; the result must not.
    return {
        "bits_per_byte": result["bits_per_byte"],
        "by_region": result["by_region"],
        "counts": result["counts"],
        "training": {key: value for key, value in result["training"].items() if key not in volatile},
        "held_out_countries": len(result["held_out_countries"]),
    }
