"""``hinterland adapt``: domain-adaptive pretraining from a config."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import Field

from hinterland.adapt.cost import estimate_seconds, parameter_count
from hinterland.adapt.documents import read_documents
from hinterland.adapt.recipe import held_out_split, run_dapt
from hinterland.adapt.settings import DaptConfig
from hinterland.core.corpus import Corpus
from hinterland.core.models import find_model

__all__ = ["CommandConfig", "plan", "render", "run"]


class CommandConfig(DaptConfig):
    """Config of ``hinterland adapt``.

    Attributes:
        corpus: The corpus to adapt to.
        out: The run folder.
    """

    corpus: Path
    out: Path = Field(default=Path("runs/adapt"))


def plan(config: CommandConfig) -> dict[str, Any]:
    """Say what would be done and how long it takes; nothing is written.

    Raises:
        CorpusError: The corpus is damaged.
        ConfigError: The hold-out names nothing, or nothing is left to train on.
        ModelSourceError: There is no such model.
    """
    documents = read_documents(Corpus.open(config.corpus))
    split = held_out_split(config, documents)
    parameters = parameter_count(find_model(config.model, fetch=False))
    return {
        "documents": len(documents),
        "training_documents": len(split.train),
        "held_out_documents": len(split.held_out),
        "held_out_countries": sorted({item.country for item in split.held_out if item.country}),
        "training_bytes": sum(len(item.text.encode()) for item in split.train),
        "parameters": parameters,
        "steps": config.train.steps,
        "windows": config.train.steps * config.train.windows_per_step,
        "most_training_tokens": config.train.steps * config.train.windows_per_step * config.window,
        "estimated_seconds": estimate_seconds(config, parameters),
        "cost": 0.0,
        "out": str(config.out),
    }


def run(config: CommandConfig) -> dict[str, Any]:
    """Adapt the model; see `recipe.run_dapt` for the errors."""
    settings = DaptConfig.model_validate(config.model_dump(exclude={"corpus", "out"}))
    return run_dapt(settings, Corpus.open(config.corpus), config.out).summary(seed=config.seed)


def render(result: dict[str, Any]) -> str:
    """Return the result for people."""
    training = result["training"]
    lines = [f"{'bits per byte':<16} {'before':>8} {'after':>8} {'change':>9}  95% interval"]
    for name, found in result["bits_per_byte"].items():
        interval = "not known" if found["low"] is None else f"{found['low']:+.4f} to {found['high']:+.4f}"
        lines.append(f"{_row(name, found)}  {interval}")
    if len(result["by_region"]) > 1:
        lines += [_row(f"  {name}", found) for name, found in result["by_region"].items()]
    lines += ["", _verdict(result["bits_per_byte"])]
    steps = f"{training['steps']} of {training['planned_steps']} steps"
    early = " (the time limit ended it early)" if training["stopped_early"] else ""
    lines.append(
        f"{steps}{early}, {training['tokens']} tokens in {training['seconds']:.0f} s "
        f"on {training['device']} in {training['precision']}"
    )
    lines.append(f"model: {result['model']}")
    if result["gguf"]:
        lines.append(f"GGUF:  {result['gguf']}")
    return "\n".join(lines)


def _row(name: str, found: dict[str, Any]) -> str:
    before, after = found["before"], found["after"]
    return f"{name:<16} {before:>8.4f} {after:>8.4f} {after - before:>+9.4f}"


def _verdict(sets: dict[str, Any]) -> str:
    """Say in a sentence what was gained and what was lost, and where it cannot be told."""
    said = []
    for name, better, worse in (
        ("domain", "the model learnt the domain", "the model got worse at the domain"),
        ("general", "general text did not suffer", "the model forgot some general text"),
    ):
        found = sets[name]
        if found["low"] is None or found["low"] <= 0 <= found["high"]:
            said.append(f"no change on {name} text that can be told from chance")
        else:
            said.append(better if found["difference"] < 0 else worse)
    return "; ".join(said)
