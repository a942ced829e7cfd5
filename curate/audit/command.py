"""``hinterland audit CORPUS``: what each filter keeps, by place."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import Field

from hinterland.core.config import Config
from hinterland.core.errors import CorpusError, nearest
from hinterland.core.files import hash_file
from hinterland.core.run import Run, fingerprint
from hinterland.curate.audit.audit import Audit, audit
from hinterland.curate.audit.claims import headline
from hinterland.curate.audit.corpus import Decided, open_decided, read_decided
from hinterland.curate.audit.covariates import Covariates
from hinterland.curate.audit.groups import Grouping, place_groupings
from hinterland.curate.audit.render import coverage

__all__ = ["AuditSettings", "CommandConfig", "audit_decided", "plan", "render", "run"]

#: Measured on two cores: reading a document and counting its words, and the resampling.
_SECONDS_PER_DOCUMENT, _SECONDS = 40e-6, 3.0


class AuditSettings(Config):
    """What an audit groups and resamples by.

    Attributes:
        groups: "region", "subregion", or a covariate's column.
        covariates: CSV or Parquet with iso3 and numeric columns; each becomes a grouping in thirds.
        clusters: The column that is resampled; country, else source, by default.
        tokens: The column with token counts; words are counted without one.
        min_documents: Smaller groups are shown and not compared.
        resamples: How many bootstrap resamples.
        seed: For the resamples.
    """

    groups: tuple[str, ...] = ("region", "subregion")
    covariates: Path | None = None
    clusters: str | None = None
    tokens: str | None = None
    min_documents: int = Field(default=30, ge=1)
    resamples: int = Field(default=2000, ge=100, le=100_000)
    seed: int = 0


class CommandConfig(AuditSettings):
    """The command's config.

    Attributes:
        corpus: A decided corpus, or the folder of a curate run.
        out: The folder to write.
        title: The page's title.
    """

    corpus: Path
    out: Path = Path("audit")
    title: str = ""


def plan(config: CommandConfig) -> dict[str, Any]:
    """Return what a run would read and how long it would take; write nothing.

    Raises:
        CorpusError: There is no corpus, or the covariates cannot be read.
    """
    corpus = open_decided(config.corpus)
    covariates = Covariates.read(config.covariates) if config.covariates else None
    return {
        "corpus": str(corpus.path),
        "documents": len(corpus),
        "groups": [*config.groups, *(covariates.columns if covariates else ())],
        "writes": str(config.out / "audit"),
        "estimated_seconds": round(_SECONDS + _SECONDS_PER_DOCUMENT * len(corpus)),
        "cost": 0,
    }


def run(config: CommandConfig) -> dict[str, Any]:
    """Audit a corpus; the page and its tables go to ``out/audit``.

    Raises:
        CorpusError: The corpus is damaged or not decided, or a column is missing.
        StorageError: The folder cannot be written.
    """
    corpus = open_decided(config.corpus)
    folder = Run(config.out, command="audit", config=config.model_dump(mode="json"))
    with folder.locked():
        shards = fingerprint(corpus.manifest["shards"])
        stage = folder.stage(
            "audit", lambda out: _audit(out, config), depends=depends(corpus.manifest, config)
        )
        folder.finish(parents={"corpus": shards}, counts={"documents": len(corpus)})
    return {"out": str(config.out), "page": str(config.out / "audit" / "audit.html"), **stage.result}


def depends(manifest: dict[str, Any], config: AuditSettings) -> dict[str, Any]:
    """Return all that an audit's result depends on."""
    given = config.model_dump(mode="json", exclude={"out", "corpus", "covariates"})
    figures = hash_file(config.covariates) if config.covariates and config.covariates.is_file() else None
    return {
        "shards": manifest["shards"],
        "rules": manifest.get("rules"),
        "config": given,
        "covariates": figures,
    }


def _audit(folder: Path, config: CommandConfig) -> dict[str, Any]:
    decided = read_decided(
        config.corpus, columns=[config.clusters] if config.clusters else [], tokens=config.tokens
    )
    found = audit_decided(decided, config, title=config.title or f"Audit of {decided.name}")
    found.save(folder)
    supported = [claim for claim in found.to_dict()["claims"] if claim["supported"]]
    return {
        "documents": found.documents,
        "coverage": coverage(found),
        "headline": headline(found),
        "supported": supported,
        "text": str(found),
    }


def audit_decided(
    decided: Decided, settings: AuditSettings, *, title: str, groupings: dict[str, Grouping] | None = None
) -> Audit:
    """Audit what was read from a corpus.

    Raises:
        CorpusError: A grouping is unknown or the covariates cannot be read.
    """
    groupings = groupings_of(decided, settings) if groupings is None else groupings
    return audit(
        decided.table,
        decisions=decided.decisions,
        groups=groupings,
        clusters=decided.table[settings.clusters].cast("string") if settings.clusters else None,
        tokens=decided.tokens,
        token_unit=decided.token_unit,
        weight=decided.weight,
        title=title,
        seed=settings.seed,
        resamples=settings.resamples,
        min_documents=settings.min_documents,
        notes=_notes(settings),
    )


def groupings_of(decided: Decided, settings: AuditSettings) -> dict[str, Grouping]:
    """Return the groupings that the settings ask for.

    Raises:
        CorpusError: A grouping is unknown or the covariates cannot be read.
    """
    covariates = Covariates.read(settings.covariates) if settings.covariates else None
    names = list(dict.fromkeys([*settings.groups, *(covariates.columns if covariates else ())]))
    if not names:
        raise CorpusError(
            "no grouping to audit by", where="groups", cure=nearest("region", ["region", "subregion"])
        )
    return place_groupings(decided.table["country"], names, covariates=covariates)


def _notes(settings: AuditSettings) -> list[str]:
    """Return what was left out of the covariates."""
    if settings.covariates is None:
        return []
    covariates = Covariates.read(settings.covariates)
    notes = []
    if covariates.skipped:
        named = ", ".join(covariates.skipped[:10]) + (" …" if len(covariates.skipped) > 10 else "")
        notes.append(
            f"{len(covariates.skipped)} codes of {covariates.source} are no ISO 3166-1 alpha-3 codes and were"
            f" left out: {named}."
        )
    if covariates.ignored:
        notes.append(f"Columns of {covariates.source} without a number: {', '.join(covariates.ignored)}.")
    return notes


def render(result: dict[str, Any]) -> str:
    """Return the audit as text, and where its page is."""
    return f"{result['text']}\n\nThe page: {result['page']}"
