"""``hinterland curate``: read, score, decide, write."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from hinterland.core.corpus import Corpus
from hinterland.core.engine import ENGINES, Engine, LocalEngine
from hinterland.core.errors import ConfigError
from hinterland.core.models import find_model
from hinterland.core.run import Run, StageRecord
from hinterland.curate.config import CurateConfig
from hinterland.curate.deciding import check_columns
from hinterland.curate.dedup.rules import COLUMNS_FORMAT
from hinterland.curate.filter import content_of, make_filters
from hinterland.curate.geo.locate_shards import VERSION as PLACES_VERSION
from hinterland.curate.inputs import find_inputs_outside, hash_input, is_corpus
from hinterland.curate.pipeline import (
    DUPLICATES,
    FILTERS,
    PLACES,
    Scored,
    check_thresholds,
    decide_corpus,
    kinds_of,
    score_filters,
    score_kind,
)
from hinterland.curate.read import ReadConfig, count_rows, read_corpus
from hinterland.curate.render import render
from hinterland.curate.scoring import VERSION

__all__ = ["CommandConfig", "plan", "render", "run"]

#: Measured on one core of a small machine; for the estimate of a dry run only.
_BYTES_PER_SECOND = 5e6
_TOKENS_PER_SECOND = 400


class CommandConfig(CurateConfig):
    """The config of ``hinterland curate``.

    Attributes:
        input: Corpus folders, files of any known kind, folders of them, patterns, or data
            sets as ``hf:NAME``.
        out: The run's folder; the curated corpus is ``corpus`` in it.
        read: How to read: columns, encoding, sizes, strictness.
        engine: ``local`` (processes of this machine) or ``ray`` (a cluster).
        workers: Processes, or tasks of a cluster; as many as there are CPUs if not given.
            The result does not depend on it.
        address: The Ray cluster's address; null starts one on this machine, or takes
            ``RAY_ADDRESS``.
    """

    input: tuple[Path, ...] = ()
    out: Path = Path("curated")
    read: ReadConfig = Field(default_factory=ReadConfig)
    engine: Literal["local", "ray"] = "local"
    workers: int | None = Field(default=None, ge=1)
    address: str | None = None

    def curation(self) -> CurateConfig:
        """Return what the curated corpus depends on, apart from the input."""
        own = {"input", "out", "read", "engine", "workers", "address"}
        return CurateConfig.model_validate(self.model_dump(mode="json", exclude=own))


def _engine(config: CommandConfig) -> Engine:
    if config.engine == "local":
        return LocalEngine(config.workers or os.cpu_count() or 1)
    make: Any = ENGINES.get(config.engine)
    made: Engine = make(workers=config.workers, address=config.address)
    return made


def _checked(config: CommandConfig) -> None:
    """Refuse what would fail later, before anything is written.

    Raises:
        ConfigError: There is no input, it lies in ``out``, or a threshold names no rule.
        CorpusError: An input does not exist.
        RegistryError: A filter is unknown.
    """
    if not config.input:
        raise ConfigError(
            "nothing to curate",
            where="input",
            cure="name files (hinterland curate FILES), or give input: [FILE or FOLDER] in the config",
        )
    check_thresholds(config)
    check_columns(config, _columns_there(config))
    _inputs(config)


def _columns_there(config: CommandConfig) -> list[str]:
    """Return the columns that the input has, if it is corpora alone: those pass through."""
    if not all(is_corpus(path) for path in config.input):
        return []
    return [name for path in config.input for name in Corpus.open(path).manifest.get("columns", {})]


def plan(config: CommandConfig) -> dict[str, Any]:
    """Return what a run would read and how long it would take; write nothing.

    Raises:
        ConfigError: There is no input, or a threshold names no rule.
        CorpusError: An input does not exist.
        RegistryError: A filter is unknown.
    """
    _checked(config)
    inputs = _inputs(config)
    size = sum(_size(path) for path in inputs)
    documents = sum(map(count_rows, inputs))
    measured = min(config.quality.sample, documents) if config.quality.model else 0
    tokens = measured * config.quality.max_tokens
    names = [each.name for each in make_filters(config.filters, config.options)]
    return {
        "inputs": len(inputs),
        "documents": documents,
        "megabytes": round(size / 1e6, 2),
        "filters": [
            *names,
            *(("exact_dup", "para_dup", "near_dup") if config.duplicates is not None else ()),
            *(("lm_quality",) if config.quality.model else ()),
        ],
        "quality_tokens": tokens,
        "estimated_seconds": round(
            5
            + size / _BYTES_PER_SECOND / (config.workers or os.cpu_count() or 1)
            + tokens / _TOKENS_PER_SECOND
        ),
        "cost": 0,
    }


def _size(path: Path) -> int:
    """Return the bytes of a file or of a folder's Parquet files; 0 for what cannot be seen."""
    try:
        files = path.glob("*.parquet") if path.is_dir() else [path]
        return sum(file.stat().st_size for file in files)
    except OSError:
        return 0


def run(config: CommandConfig) -> dict[str, Any]:
    """Curate, in stages that are done once each: read, filters, duplicates, quality, decide.

    A changed threshold repeats only the last, as do expressions, caps and weights; another
    policy for duplicates repeats the search and no filter. The run's folder holds
    ``read/rejects/rejects.jsonl``, a folder for each kind of scores, and the result, ``corpus``.

    Raises:
        ConfigError: There is no input, or a threshold names no rule.
        CorpusError: An input does not exist or a corpus is damaged.
        ModelSourceError: The quality model cannot be had.
        RegistryError: A filter is unknown.
        StorageError: The folder cannot be written.
    """
    _checked(config)
    run_folder = Run(config.out, command="curate", config=config.model_dump(mode="json"))
    work, engine = config.out / ".work", _engine(config)
    with run_folder.locked(), engine.started():
        sources = {str(path): hash_input(path) for path in _inputs(config)}
        read = run_folder.stage(
            "read",
            lambda folder: _read(folder, config, engine, work / "read"),
            depends={"sources": sources, "read": config.read.model_dump(mode="json")},
        )
        scores = _score(run_folder, config, engine, read, work / "score")
        found = {record.name: record.result["card"] for record in scores}
        scored = Scored.of(config.out, config.curation(), found.pop(FILTERS), found)
        decide = run_folder.stage(
            "corpus",
            lambda folder: _decide(folder, config, scored, engine, work, read.result["counts"]["rejected"]),
            depends={
                "scores": [record.fingerprint for record in scores],
                "config": config.curation().model_dump(mode="json"),
            },
        )
        run_folder.finish(counts=decide.result["counts"], sources=sources)
    shutil.rmtree(work, ignore_errors=True)
    return {
        "out": str(config.out),
        "corpus": str(config.out / "corpus"),
        "rejects": {"file": str(config.out / "read" / "rejects" / "rejects.jsonl"), **read.result["reasons"]},
        **decide.result,
        "reused": [record.name for record in run_folder.records if record.reused],
    }


def _inputs(config: CommandConfig) -> list[Path]:
    """Return what there is to read, without what an earlier run wrote into a folder that is read."""
    return find_inputs_outside(config.input, config.out)


def _read(folder: Path, config: CommandConfig, engine: Engine, work: Path) -> dict[str, Any]:
    found = read_corpus(_inputs(config), folder, config.read, engine=engine, work=work)
    return {"counts": found.counts, "reasons": found.reasons, "text_bytes": found.text_bytes}


def _score(
    run_folder: Run, config: CommandConfig, engine: Engine, read: StageRecord, work: Path
) -> list[StageRecord]:
    """Score in a stage for each kind, so that another policy for duplicates repeats no filter."""
    curation, filters = config.curation(), config.out / FILTERS
    corpus = Corpus.open(config.out / "read" / "corpus")
    minhash = config.duplicates and config.duplicates.minhash
    depends: dict[str, Any] = {
        "read": read.outputs,
        "filters": content_of(make_filters(config.filters, config.options)),
        "minhash": repr(minhash),
        "version": VERSION,
    }
    records = [
        run_folder.stage(
            FILTERS,
            lambda folder: {"card": score_filters(corpus, curation, folder, engine=engine)},
            depends=depends,
            keep_partial=True,
        )
    ]
    for kind in kinds_of(curation)[1:]:
        if kind == DUPLICATES:
            depends = {
                "filters": records[0].fingerprint,
                "duplicates": config.model_dump(mode="json")["duplicates"],
                "format": COLUMNS_FORMAT,
            }
        elif kind == PLACES:
            assert curation.locate is not None  # noqa: S101 else there is no such kind
            settings = curation.locate.model_dump(mode="json", exclude={"workers"})
            depends = {"read": read.outputs, "locate": settings, "version": PLACES_VERSION}
        else:
            depends = {
                "read": read.outputs,
                "quality": curation.quality.model_dump(mode="json", exclude={"drop_share"}),
                "model": find_model(curation.quality.model or "").fingerprint(),
                "seed": curation.seed,
            }
        make = partial(score_kind, kind, corpus, curation, filters=filters, engine=engine, work=work)
        record = run_folder.stage(kind, partial(_carded, make), depends=depends, keep_partial=True)
        records.append(record)
    return records


def _carded(make: Callable[[Path], dict[str, Any]], folder: Path) -> dict[str, Any]:
    return {"card": make(folder)}


def _decide(
    folder: Path, config: CommandConfig, scored: Scored, engine: Engine, work: Path, rejected: int
) -> dict[str, Any]:
    curated = decide_corpus(
        Corpus.open(config.out / "read" / "corpus"),
        scored,
        config.curation(),
        folder,
        rejected=rejected,
        engine=engine,
        work=work / "write",
    )
    wanted = ["counts", "expected_documents", "reasons", "kept_by_filter", "unmeasured", "decisions"]
    wanted += ["cards", "rules"]
    return {key: curated.manifest[key] for key in wanted}
