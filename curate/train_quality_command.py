"""``hinterland curate train-quality``: a quality classifier from two piles of texts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import Field

from hinterland.core.files import hash_tree
from hinterland.core.run import Run
from hinterland.curate.textfiles import find_text_files
from hinterland.curate.train_quality import TrainQualityConfig, check, train_quality

__all__ = ["CommandConfig", "plan", "render", "run"]

#: Measured on one core of a small machine; for the estimate of a dry run only.
_BYTES_PER_SECOND = 8e6


class CommandConfig(TrainQualityConfig):
    """The config of ``hinterland curate train-quality``.

    Attributes:
        positive: Files or folders of texts that the score shall be high for.
        negative: Files or folders of texts that it shall be low for.
        out: The run's folder; the classifier and its card are ``model`` in it.
    """

    positive: tuple[Path, ...] = Field(default=())
    negative: tuple[Path, ...] = Field(default=())
    out: Path = Path("quality-classifier")


def plan(config: CommandConfig) -> dict[str, Any]:
    """Return what would be read and how long it would take; write nothing.

    Raises:
        ConfigError: A class has no files, or a path is given for both.
        CorpusError: A path does not exist or holds nothing to read.
    """
    check(config.positive, config.negative)
    found = {"positive": find_text_files(config.positive), "negative": find_text_files(config.negative)}
    sizes = {name: sum(file.stat().st_size for file in files) for name, files in found.items()}
    return {
        "files": {name: len(files) for name, files in found.items()},
        "megabytes": {name: round(size / 1e6, 2) for name, size in sizes.items()},
        "estimated_seconds": round(5 + sum(sizes.values()) / _BYTES_PER_SECOND),
        "cost": 0,
    }


def run(config: CommandConfig) -> dict[str, Any]:
    """Train, test and save; a run with the same files and config is not repeated.

    Raises:
        ConfigError: A class has no files, or a path is given for both.
        CorpusError: There is nothing to read, or too few documents are left of a class.
        StorageError: The folder cannot be written.
    """
    check(config.positive, config.negative)
    files = {"positive": find_text_files(config.positive), "negative": find_text_files(config.negative)}
    run_folder = Run(config.out, command="curate train-quality", config=config.model_dump(mode="json"))
    settings = TrainQualityConfig.model_validate(
        config.model_dump(include={*TrainQualityConfig.model_fields})
    )
    with run_folder.locked():
        sources = {name: {str(path): hash_tree(path) for path in paths} for name, paths in files.items()}
        done = run_folder.stage(
            "model",
            lambda folder: train_quality(config.positive, config.negative, folder, settings),
            depends={"sources": sources, "settings": settings.model_dump(mode="json")},
        )
        run_folder.finish(counts=done.result["used"], sources=sources)
    return {
        "out": str(config.out),
        "model": str(config.out / "model"),
        "card": done.result,
        "reused": [record.name for record in run_folder.records if record.reused],
    }


def render(result: dict[str, Any]) -> str:
    """Return the result as text: what was used, and the test."""
    card = result["card"]
    used, test = card["used"], card["test"]
    left = ", ".join(f"{number:,} {name.replace('_', ' ')}" for name, number in used["left_out"].items())
    lines = [
        f"{used['positive']:,} positive and {used['negative']:,} negative documents (left out: {left})",
        f"test on {used['test']['positive'] + used['test']['negative']:,} documents not trained on:",
    ]
    for name, key in (("F1", "f1"), ("accuracy", "accuracy"), ("AUC", "auc")):
        value = test[key]
        shown = ["–" if value[part] is None else f"{value[part]:.3f}" for part in ("estimate", "low", "high")]
        lines.append(f"  {name:<10}{shown[0]}  ({shown[1]} to {shown[2]})")
    return "\n".join([*lines, "", f"classifier: {result['model']}", f"card: {result['model']}/card.md"])
