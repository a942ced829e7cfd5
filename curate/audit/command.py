"""``hinterland audit CORPUS | FILES``: whom a corpus holds, and what each filter keeps, by place."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from pydantic import Field

from hinterland.core.engine import LocalEngine
from hinterland.core.errors import ConfigError
from hinterland.core.files import hash_file
from hinterland.core.revive import plain
from hinterland.core.run import Run, fingerprint
from hinterland.curate.audit.checks import check_out, check_settings
from hinterland.curate.audit.claims import headline
from hinterland.curate.audit.corpus import is_decided, open_decided
from hinterland.curate.audit.decided import audit_decided, audit_rows, groupings_of, read_for_audit
from hinterland.curate.audit.depends import depends, depends_on_settings
from hinterland.curate.audit.places import needs_places, places_stage
from hinterland.curate.audit.regression import as_json
from hinterland.curate.audit.render import coverage
from hinterland.curate.audit.render_brief import brief
from hinterland.curate.audit.report import Audit
from hinterland.curate.audit.settings import AuditSettings
from hinterland.curate.audit.tabular import is_tabular, read_rows
from hinterland.curate.config import CurateConfig
from hinterland.curate.inputs import find_inputs_outside, hash_input
from hinterland.curate.readers import ReadConfig

__all__ = [
    "AuditSettings",
    "CommandConfig",
    "audit_decided",
    "depends",
    "groupings_of",
    "plan",
    "render",
    "run",
]

#: Measured on two cores: reading a document and counting its words, placing it, the resampling.
_SECONDS_PER_DOCUMENT, _SECONDS_TO_PLACE, _SECONDS = 20e-6, 300e-6, 4.0


class CommandConfig(AuditSettings):
    """The command's config.

    Attributes:
        input: A curated corpus, the folder of a curate run, or files that `curate` reads. Files
            whose rows have no text (schools, results) are audited as rows.
        out: The folder to write.
        title: The page's title.
        read: How to read files.
        curate: How to score and decide documents that are not decided yet; by default as
            `hinterland curate` does, or by `filters` alone where there are any.
        workers: Processes; as many as there are CPUs if not given. The result is the same.
    """

    input: tuple[Path, ...] = ()
    out: Path = Path("audit")
    title: str = ""
    read: ReadConfig = Field(default_factory=ReadConfig)
    curate: CurateConfig | None = None
    workers: int | None = Field(default=None, ge=1)

    def curation(self) -> CurateConfig:
        """Return how undecided documents are decided."""
        if self.curate is not None:
            return self.curate
        return CurateConfig(filters=(), duplicates=None) if self.filters else CurateConfig()


def _kind(config: CommandConfig) -> str:
    """Return what the input is: "decided", "rows" or "documents".

    Raises:
        ConfigError: There is no input, it lies in ``out``, a decided corpus is one of several
            inputs, or a setting names what is not there.
        CorpusError: It does not exist, or a corpus is damaged.
    """
    if not config.input:
        raise ConfigError(
            "nothing to audit", where="input", cure="name a corpus or files: hinterland audit FILES"
        )
    check_settings(config)
    if len(config.input) == 1 and is_decided(config.input[0]):
        check_out(config.out, open_decided(config.input[0]).path)
        return "decided"
    decided = [path for path in config.input if is_decided(path)]
    if decided:
        raise ConfigError(
            f"{decided[0]} is decided already and not the only input: its decisions would be lost",
            where="input",
            cure="audit one curated corpus at a time, or the files that it was made of",
        )
    return "rows" if is_tabular(_inputs(config), config.read) else "documents"


def _inputs(config: CommandConfig) -> list[Path]:
    return find_inputs_outside(config.input, config.out)


def _curation(config: CommandConfig) -> Any:
    """Return the config of the curation that undecided documents go through first."""
    from hinterland.curate import command

    values = config.curation().model_dump(mode="json")
    if config.curate is None or "locate" not in config.curate.model_fields_set:
        values["locate"] = config.locate.model_dump(mode="json") if config.locate else None
    return command.CommandConfig.model_validate(
        {
            **values,
            "input": [str(path) for path in config.input],
            "out": str(config.out / "curated"),
            "read": config.read.model_dump(mode="json"),
            "workers": config.workers,
        }
    )


def plan(config: CommandConfig) -> dict[str, Any]:
    """Return what a run would read and how long it would take; write nothing.

    Raises:
        ConfigError: There is no input, or a setting names what is not there.
        CorpusError: It cannot be read.
    """
    kind, place = _kind(config), config.locate is not None
    first: dict[str, Any] = {}
    if kind == "rows":
        documents = read_rows(_inputs(config), config.read).table.num_rows
    elif kind == "documents":
        from hinterland.curate import command

        first = command.plan(_curation(config))
        documents = first["documents"]
    else:
        corpus = open_decided(config.input[0])
        documents, place = len(corpus), place and needs_places(corpus)
    seconds = _SECONDS + documents * (_SECONDS_PER_DOCUMENT + _SECONDS_TO_PLACE * place)
    return {
        "input": [str(path) for path in config.input],
        "kind": kind,
        "rows" if kind == "rows" else "documents": documents,
        "to_be_placed": place,
        "filters": [*first.get("filters", ()), *config.filters],
        "writes": str(config.out / "audit"),
        "estimated_seconds": round(seconds + first.get("estimated_seconds", 0)),
        "cost": 0,
    }


def run(config: CommandConfig) -> dict[str, Any]:
    """Audit a corpus or files; the page and its tables go to ``out/audit``.

    Documents that are not decided are curated first, into ``out/curated``; where documents
    of a curated corpus are from goes to ``out/places``.

    Raises:
        ConfigError: There is no input, or a setting names what is not there.
        CorpusError: The corpus is damaged, or a column is missing.
        StorageError: The folder cannot be written.
    """
    kind = _kind(config)
    folder = Run(config.out, command="audit", config=config.model_dump(mode="json"))
    with folder.locked():
        if kind == "rows":
            parents: dict[str, Any] = {str(path): hash_input(path) for path in _inputs(config)}
            stage = folder.stage(
                "audit",
                lambda out: _audit_rows(out, config),
                depends={"sources": parents, **depends_on_settings(config)},
            )
        else:
            path = _decided(config) if kind == "documents" else config.input[0]
            corpus, engine = open_decided(path), LocalEngine(config.workers or os.cpu_count() or 1)
            places = places_stage(folder, corpus, config.locate, engine)
            needs = {**depends(corpus.manifest, config), "places": [hash_file(each) for each in places]}
            stage = folder.stage("audit", lambda out: _audit_corpus(out, config, path, places), depends=needs)
            parents = {"corpus": fingerprint(corpus.manifest["shards"])}
        folder.finish(parents=parents, counts={"documents": stage.result["documents"]})
    return {"out": str(config.out), "page": str(config.out / "audit" / "audit.html"), **stage.result}


def _decided(config: CommandConfig) -> Path:
    """Curate what is not decided yet; return the curation's folder."""
    from hinterland.curate import command

    command.run(_curation(config))
    return config.out / "curated"


def _audit_rows(folder: Path, config: CommandConfig) -> dict[str, Any]:
    paths = _inputs(config)
    more = f" and {len(paths) - 1} more" if len(paths) > 1 else ""
    title = config.title or f"Audit of {paths[0].name}{more}"
    return _saved(folder, audit_rows(read_rows(paths, config.read), config, title=title))


def _audit_corpus(folder: Path, config: CommandConfig, path: Path, places: Sequence[Path]) -> dict[str, Any]:
    decided = read_for_audit(path, config, places=places)
    name = decided.name if is_decided(config.input[0]) else config.input[0].name
    return _saved(folder, audit_decided(decided, config, title=config.title or f"Audit of {name}"))


def _saved(folder: Path, found: Audit) -> dict[str, Any]:
    found.save(folder)
    return {
        "documents": found.documents,
        "coverage": coverage(found),
        "headline": headline(found),
        "supported": [plain(asdict(claim)) for claim in found.claims if claim.supported],
        "regression": [as_json(model) for model in found.regression],
        "summary": brief(found),
        "text": str(found),
    }


def render(result: dict[str, Any]) -> str:
    """Return the findings, and where the page with everything is."""
    return f"{result['summary']}\n\nThe page: {result['page']}"
