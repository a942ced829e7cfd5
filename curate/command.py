"""``hinterland curate``: read, score, decide, write."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
from pydantic import Field

from hinterland.core.corpus import Corpus, write_corpus
from hinterland.core.engine import LocalEngine
from hinterland.core.errors import ConfigError
from hinterland.core.files import atomic_path, hash_tree, read_json, write_json
from hinterland.core.models import find_model
from hinterland.core.run import Run, StageRecord
from hinterland.curate.config import CurateConfig
from hinterland.curate.filter import make_filters
from hinterland.curate.pipeline import Scored, check_thresholds, decide_corpus, score_documents
from hinterland.curate.read import SUFFIXES, count_rows, find_inputs, read_inputs, write_rejects

__all__ = ["CommandConfig", "plan", "render", "run"]

#: Measured on one core of a small machine; for the estimate of a dry run only.
_BYTES_PER_SECOND = 1.5e6
_TOKENS_PER_SECOND = 400
_SCORING = ("filters", "keep_copy", "seed")


class CommandConfig(CurateConfig):
    """The config of ``hinterland curate``.

    Attributes:
        input: Corpus folders, files (.jsonl, .jsonl.gz, .parquet, .txt), or folders of files.
        out: The run's folder; the curated corpus is ``corpus`` in it.
        workers: Processes for the filters; the result does not depend on it.
    """

    input: tuple[Path, ...] = ()
    out: Path = Path("curated")
    workers: int = Field(default=1, ge=1)


def _checked(config: CommandConfig) -> None:
    """Refuse what would fail later, before anything is written.

    Raises:
        ConfigError: There is no input, or a threshold names no rule.
        CorpusError: An input does not exist.
        RegistryError: A filter is unknown.
    """
    if not config.input:
        raise ConfigError(
            "nothing to curate", where="input", cure="give input: [FILE or FOLDER] in the config or by --set"
        )
    check_thresholds(config)
    find_inputs(config.input)


def plan(config: CommandConfig) -> dict[str, Any]:
    """Return what a run would read and how long it would take; write nothing.

    Raises:
        ConfigError: There is no input, or a threshold names no rule.
        CorpusError: An input does not exist.
        RegistryError: A filter is unknown.
    """
    _checked(config)
    inputs = find_inputs(config.input)
    files = [file for path in inputs for file in ([path] if path.is_file() else path.glob("*.parquet"))]
    size = sum(file.stat().st_size for file in files if file.name.endswith(SUFFIXES))
    documents = sum(map(count_rows, inputs))
    measured = min(config.quality.sample, documents) if config.quality.model else 0
    tokens = measured * config.quality.max_tokens
    return {
        "inputs": len(inputs),
        "documents": documents,
        "megabytes": round(size / 1e6, 2),
        "filters": [*(each.name for each in make_filters(config.filters)), "exact_dup"]
        + (["lm_quality"] if config.quality.model else []),
        "quality_tokens": tokens,
        "estimated_seconds": round(2 + size / _BYTES_PER_SECOND + tokens / _TOKENS_PER_SECOND),
        "cost": 0,
    }


def run(config: CommandConfig) -> dict[str, Any]:
    """Curate, in three stages that are done once each: read, score, decide.

    A changed threshold or drop share repeats only the last. The run's folder holds
    ``read/rejects/rejects.jsonl``, ``score/scores.parquet`` and the result, ``corpus``.

    Raises:
        ConfigError: There is no input, or a threshold names no rule.
        CorpusError: An input does not exist or a corpus is damaged.
        ModelSourceError: The quality model cannot be had.
        RegistryError: A filter is unknown.
        StorageError: The folder cannot be written.
    """
    _checked(config)
    run_folder = Run(config.out, command="curate", config=config.model_dump(mode="json"))
    with run_folder.locked():
        sources = {str(path): hash_tree(path) for path in config.input}
        read = run_folder.stage("read", lambda folder: _read(folder, config), depends={"sources": sources})
        score = run_folder.stage(
            "score",
            lambda folder: _score(folder, config),
            depends=_score_depends(config, read),
            keep_partial=True,
        )
        decide = run_folder.stage(
            "corpus",
            lambda folder: _decide(folder, config, rejected=read.result["counts"]["rejected"]),
            depends={"score": score.fingerprint, "config": _decisions(config)},
        )
        run_folder.finish(counts=decide.result["counts"], sources=sources)
    return {
        "out": str(config.out),
        "corpus": str(config.out / "corpus"),
        "rejects": {"file": str(config.out / "read" / "rejects" / "rejects.jsonl"), **read.result["reasons"]},
        **decide.result,
        "reused": [record.name for record in run_folder.records if record.reused],
    }


def _score_depends(config: CommandConfig, read: StageRecord) -> dict[str, Any]:
    """Return what scores depend on: thresholds and the drop share are not among it."""
    quality = config.quality.model_dump(mode="json", exclude={"drop_share"})
    if config.quality.model:
        quality["fingerprint"] = find_model(config.quality.model).fingerprint()
    return {"read": read.outputs, "quality": quality, **config.model_dump(mode="json", include={*_SCORING})}


def _decisions(config: CommandConfig) -> dict[str, Any]:
    return config.model_dump(mode="json", exclude={"workers", "out", "input"})


def _read(folder: Path, config: CommandConfig) -> dict[str, Any]:
    reading = read_inputs(config.input)
    write_rejects(folder / "rejects" / "rejects.jsonl", reading.rejects)
    write_corpus(folder / "corpus", reading.table, manifest={"counts": reading.counts})
    return {"counts": reading.counts, "reasons": reading.reasons}


def _score(folder: Path, config: CommandConfig) -> dict[str, Any]:
    corpus = Corpus.open(config.out / "read" / "corpus")
    work = config.out / ".work"
    scored = score_documents(corpus, config, work=work, engine=LocalEngine(config.workers))
    with atomic_path(folder / "scores.parquet") as temporary:
        pq.write_table(scored.table, temporary, compression="zstd")
    write_json(folder / "cards.json", scored.cards)
    return {"columns": scored.table.column_names[1:]}


def _decide(folder: Path, config: CommandConfig, *, rejected: int) -> dict[str, Any]:
    scores = config.out / "score"
    scored = Scored(pq.read_table(scores / "scores.parquet"), read_json(scores / "cards.json"))
    decisions = CurateConfig.model_validate(_decisions(config))
    curated = decide_corpus(
        Corpus.open(config.out / "read" / "corpus"), scored, decisions, folder, rejected=rejected
    )
    wanted = ("counts", "reasons", "kept_by_filter", "unmeasured", "cards", "rules")
    return {key: curated.manifest[key] for key in wanted}


def render(result: dict[str, Any]) -> str:
    """Return the result as text: counts, what each filter keeps alone, reasons, the fit."""
    counts = result["counts"]
    scored = counts["kept"] + counts["decided_out"]
    lines = [
        f"{counts['in']:,} documents in = {counts['kept']:,} kept + {counts['decided_out']:,} decided out"
        f" + {counts['rejected']:,} rejected",
        "",
        "kept by each filter on its own",
        *(
            f"  {name:<20}{number:>10,}{number / scored:>8.1%}" if scored else f"  {name:<20}{number:>10,}"
            for name, number in result["kept_by_filter"].items()
        ),
        "",
        "reasons (a document can have several)",
        *(f"  {name:<48}{number:>10,}" for name, number in _largest_first(result["reasons"])),
    ]
    card = result["cards"]["lm_quality"]
    if card.get("distilled"):
        lines += [
            "",
            f"quality: {card['measured']} documents measured with {card['model']}; the prediction's rank"
            f" correlation on documents not seen is {card['spearman']}, R² {card['r2']}",
        ]
    elif "note" in card:
        lines += ["", f"quality: no score, {card['note']}"]
    rejects = {key: value for key, value in result["rejects"].items() if key != "file"}
    if rejects:
        listed = ", ".join(f"{name} {number:,}" for name, number in rejects.items())
        lines += ["", f"not read as they are: {listed} (listed in {result['rejects']['file']})"]
    return "\n".join([*lines, "", f"corpus: {result['corpus']}"])


def _largest_first(reasons: dict[str, int]) -> list[tuple[str, int]]:
    return sorted(reasons.items(), key=lambda item: (-item[1], item[0]))
