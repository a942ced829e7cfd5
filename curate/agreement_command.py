"""``hinterland curate agreement``: one rule, several readings, and where they part."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
from pydantic import Field

from hinterland.core.config import Config
from hinterland.core.corpus import Corpus
from hinterland.core.engine import LocalEngine
from hinterland.core.errors import ConfigError
from hinterland.core.files import write_json
from hinterland.core.progress import track
from hinterland.core.run import Run
from hinterland.curate.agreement import agreement, readings_of
from hinterland.curate.inputs import find_inputs_outside, hash_input
from hinterland.curate.read import ReadConfig, count_rows, read_corpus

__all__ = ["CommandConfig", "plan", "render", "run"]

#: Measured on one core of a small machine; for the estimate of a dry run only.
_BYTES_PER_SECOND = 0.6e6


class CommandConfig(Config):
    """The config of ``hinterland curate agreement``.

    Attributes:
        input: Corpus folders, files, or folders of files.
        out: The run's folder; the result is ``agreement/agreement.json`` in it.
        filters: The filters to compare the readings of.
        read: How to read.
    """

    input: tuple[Path, ...] = ()
    out: Path = Path("agreement")
    filters: tuple[str, ...] = ("gopher_quality", "gopher_repetition", "c4", "fineweb")
    read: ReadConfig = Field(default_factory=ReadConfig)


def _checked(config: CommandConfig) -> list[Path]:
    if not config.input:
        raise ConfigError(
            "nothing to compare on", where="input", cure="give files: hinterland curate agreement FILES"
        )
    for name in config.filters:
        readings_of(name)
    return find_inputs_outside(config.input, config.out)


def plan(config: CommandConfig) -> dict[str, Any]:
    """Return what a run would read and how long it would take; write nothing.

    Raises:
        ConfigError: There is no input.
        CorpusError: An input does not exist.
        RegistryError: A filter is unknown.
    """
    inputs = _checked(config)
    size = sum(path.stat().st_size for path in inputs if path.is_file())
    return {
        "documents": sum(map(count_rows, inputs)),
        "readings": [name for base in config.filters for name in readings_of(base)],
        "estimated_seconds": round(1 + size / _BYTES_PER_SECOND),
        "cost": 0,
    }


def run(config: CommandConfig) -> dict[str, Any]:
    """Read, score with every reading, and compare the decisions.

    Raises:
        ConfigError: There is no input.
        CorpusError: An input does not exist or a corpus is damaged.
        RegistryError: A filter is unknown.
        StorageError: The folder cannot be written.
    """
    inputs = _checked(config)
    run_folder = Run(config.out, command="curate agreement", config=config.model_dump(mode="json"))
    with run_folder.locked():
        sources = {str(path): hash_input(path) for path in inputs}
        read = run_folder.stage(
            "read",
            lambda folder: _read(folder, config, inputs),
            depends={"sources": sources, "read": config.read.model_dump(mode="json")},
        )
        compared = run_folder.stage(
            "agreement",
            lambda folder: _compare(folder, config),
            depends={"read": read.outputs, "filters": config.filters},
        )
        run_folder.finish(counts=read.result["counts"])
    return {"out": str(config.out), "counts": read.result["counts"], **compared.result}


def _read(folder: Path, config: CommandConfig, inputs: list[Path]) -> dict[str, Any]:
    work = config.out / ".work"
    found = read_corpus(inputs, folder, config.read, engine=LocalEngine(), work=work)
    shutil.rmtree(work, ignore_errors=True)
    return {"counts": found.counts}


def _compare(folder: Path, config: CommandConfig) -> dict[str, Any]:
    corpus = Corpus.open(config.out / "read" / "corpus")
    shards = [path for path, _ in corpus.shards()]
    found = {}
    for base in config.filters:
        texts = (
            pq.read_table(path, columns=["text"])["text"] for path in track(shards, f"agreement: {base}")
        )
        found[base] = agreement(texts, readings_of(base)).to_dict()
    write_json(folder / "agreement.json", found)
    return {"filters": found}


def render(result: dict[str, Any]) -> str:
    """Return the table: what each reading keeps, and how far each pair agrees."""
    lines = [f"{result['counts']['read']:,} documents, the same words, each reading's own thresholds", ""]
    for base, found in result["filters"].items():
        lines += [base, f"  {'reading':<30}{'keeps':>9}   drops most by"]
        for name, share in found["kept"].items():
            reasons = sorted(found["reasons"][name].items(), key=lambda item: (-item[1], item[0]))
            most = ", ".join(f"{reason} {number:,}" for reason, number in reasons[:3] if number)
            lines.append(f"  {_reading(name):<30}{_percent(share):>9}   {most}")
        for pair in found["pairs"]:
            one, other = map(_reading, pair["readings"])
            kappa = "–" if pair["kappa"] is None else f"{pair['kappa']:.2f}"
            lines.append(
                f"  {one + ' ~ ' + other:<30}{_percent(pair['agreement']):>9}   kappa {kappa};"
                f" only {one} keeps {pair['only_first_keeps']:,},"
                f" only {other} keeps {pair['only_second_keeps']:,}"
            )
        lines.append("")
    return "\n".join([*lines, f"written: {result['out']}/agreement/agreement.json"])


def _reading(name: str) -> str:
    return name.partition("@")[2] or "paper"


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{share:.1%}"
