"""``hinterland debias CORPUS``: even out what is kept, and audit before and after."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pydantic import Field

from hinterland.core.corpus import Corpus, write_corpus
from hinterland.core.errors import CorpusError, nearest
from hinterland.core.files import read_json
from hinterland.core.run import Run, fingerprint
from hinterland.curate.audit.claims import ALL, headline
from hinterland.curate.audit.command import AuditSettings, audit_decided, depends, groupings_of
from hinterland.curate.audit.compare import compare
from hinterland.curate.audit.corpus import DEBIAS, Decided, filter_of, open_decided, read_decided
from hinterland.curate.debias.equalize import Mode, equalize
from hinterland.curate.debias.result import Result, describe
from hinterland.curate.decide import severity
from hinterland.curate.rule import Rule

__all__ = ["CommandConfig", "plan", "render", "run"]

Floats = NDArray[np.float64]
_SECONDS_PER_DOCUMENT, _SECONDS = 120e-6, 5.0
#: The distilled score that `hinterland curate` writes; fewer bits are better.
_BITS = "lm_quality.bits_per_byte"


class CommandConfig(AuditSettings):
    """The command's config.

    Attributes:
        corpus: A decided corpus, or the folder of a curate run.
        out: The folder to write.
        group: The grouping that is evened out: region, subregion or a covariate's column.
        mode: "readmit" drops nothing; "budget" keeps the number of tokens.
        disparity: The least share of the best-kept group's retention.
        target: Readmit up to this retention instead.
        max_severity: The worst violation that may come back.
        severity: A column with severities (0 passes); from the rules in the manifest by default.
        quality: A column, higher is better, that decides what "budget" drops first. By
            default the bits per byte that `hinterland curate` wrote, lower is better.
        lower_is_better: Turn the quality column round.
        locked_filters: Documents that these drop never come back.
    """

    corpus: Path
    out: Path = Path("debiased")
    group: str = "region"
    mode: Mode = "readmit"
    disparity: float = Field(default=0.95, gt=0, le=1)
    target: float | None = Field(default=None, ge=0, le=1)
    max_severity: float | None = Field(default=None, ge=0)
    severity: str | None = None
    quality: str | None = None
    lower_is_better: bool = False
    locked_filters: tuple[str, ...] = ("exact_dup", "near_dup", "empty")


def plan(config: CommandConfig) -> dict[str, Any]:
    """Return what a run would do and how long it would take; write nothing.

    Raises:
        CorpusError: There is no corpus, or it has neither rules nor a severity.
    """
    corpus = open_decided(config.corpus)
    rules = [] if config.severity else _rules(corpus, config)
    return {
        "corpus": str(corpus.path),
        "documents": len(corpus),
        "rules": len(rules),
        "writes": [str(config.out / "corpus"), str(config.out / "audit")],
        "estimated_seconds": round(_SECONDS + _SECONDS_PER_DOCUMENT * len(corpus)),
        "cost": 0,
    }


def run(config: CommandConfig) -> dict[str, Any]:
    """Write the evened-out corpus to ``out/corpus``, and the audits to ``out/audit``.

    Raises:
        ConfigError: A setting is out of range.
        CorpusError: The corpus is damaged or not decided, or has neither rules nor a severity.
        StorageError: The folder cannot be written.
    """
    corpus = open_decided(config.corpus)
    needs = depends(corpus.manifest, config)
    folder = Run(config.out, command="debias", config=config.model_dump(mode="json"))
    with folder.locked():
        done = folder.stage("corpus", lambda out: _debias(out, config), depends=needs)
        told = folder.stage(
            "audit", lambda out: _audit(out, config), depends={**needs, "corpus": done.outputs}
        )
        folder.finish(parents={"corpus": fingerprint(corpus.manifest["shards"])}, counts=done.result["cost"])
    return {
        "out": str(config.out),
        "corpus": str(config.out / "corpus"),
        "page": str(config.out / "audit" / "compare.html"),
        **done.result,
        **told.result,
    }


def _rules(corpus: Corpus, config: CommandConfig) -> list[Rule]:
    """Return the rules that may be relaxed, from the corpus's manifest.

    Raises:
        CorpusError: There are none, or they are not rules.
    """
    try:
        rules = [Rule(**rule) for rule in corpus.manifest.get("rules") or []]
    except TypeError as error:
        raise CorpusError(
            f"the manifest's rules cannot be read: {error}", where=str(corpus.path), cure="curate it again"
        ) from error
    loose = [rule for rule in rules if rule.filter not in config.locked_filters]
    if not loose:
        raise CorpusError(
            "nothing says how far a document fails: the manifest has no rules that may be relaxed",
            where=str(corpus.path),
            cure="curate the corpus with `hinterland curate`, or name a column with --set severity=COLUMN",
        )
    return loose


def _numbers(decided: Decided, column: str) -> Floats:
    """Return a numeric column, null as NaN, shape (documents,).

    Raises:
        CorpusError: There is no such column, or it holds no numbers.
    """
    if column not in decided.table.column_names:
        cure = nearest(column, decided.table.column_names)
        raise CorpusError(f"no column {column!r}", where=str(decided.corpus.path), cure=cure)
    try:
        values = decided.table[column].cast(pa.float64()).fill_null(math.nan)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise CorpusError(
            f"column {column!r} holds no numbers", where=str(decided.corpus.path), cure="name another"
        ) from error
    return np.asarray(values.to_numpy(), dtype=np.float64)


def _quality(decided: Decided, config: CommandConfig) -> Floats | None:
    if config.quality is None:
        return -_numbers(decided, _BITS) if _BITS in decided.table.column_names else None
    values = _numbers(decided, config.quality)
    return -values if config.lower_is_better else values


def _locked(decided: Decided, config: CommandConfig, known: set[str] | None) -> NDArray[np.bool_]:
    """Return the dropped documents that a rule which may not be relaxed drops too.

    Args:
        decided: The corpus.
        config: Names the filters that lock.
        known: Reasons of the rules that may be relaxed; ``None`` is all reasons.
    """
    locked = np.zeros(len(decided.keep), dtype=bool)
    if "reasons" not in decided.table.column_names:
        return locked
    reasons = decided.table["reasons"].to_pylist()
    for row in np.flatnonzero(~decided.keep):
        locked[row] = any(
            filter_of(reason) in config.locked_filters or (known is not None and reason not in known)
            for reason in reasons[row] or ()
            if filter_of(reason) != DEBIAS
        )
    return locked


def _equalize(decided: Decided, config: CommandConfig) -> Result:
    if config.severity:
        harm, known = _numbers(decided, config.severity), None
    else:
        rules = _rules(decided.corpus, config)
        harm, known = severity(decided.table, rules), {rule.reason for rule in rules}
    locked = _locked(decided, config, known)
    settings = config.model_copy(update={"groups": (config.group,)})
    return equalize(
        harm,
        decided.keep,
        groupings_of(decided, settings)[config.group],
        decided.tokens,
        mode=config.mode,
        disparity=config.disparity,
        target=config.target,
        quality=_quality(decided, config),
        locked_out=locked,
        ids=np.asarray(decided.table["id"].to_pylist()),
        max_severity=math.inf if config.max_severity is None else config.max_severity,
        min_documents=config.min_documents,
    )


def _debias(folder: Path, config: CommandConfig) -> dict[str, Any]:
    decided = read_decided(config.corpus, tokens=config.tokens)
    result = _equalize(decided, config)
    manifest = decided.corpus.manifest
    write_corpus(
        folder,
        _table(decided, result),
        manifest={
            "counts": {"documents": len(result.keep), "kept": int(result.keep.sum())},
            **{key: manifest[key] for key in ("rules", "cards") if key in manifest},
            "debias": result.to_dict(),
            "parents": {"corpus": fingerprint(manifest["shards"])},
        },
    )
    return result.to_dict()


def _table(decided: Decided, result: Result) -> pa.Table:
    """Return the corpus with the new decision; ``debias`` says what changed for a document.

    Reasons stay, so that a document that came back still shows what it failed.
    """
    table, before = decided.table, decided.keep
    change = np.where(result.keep & ~before, "readmitted", np.where(before & ~result.keep, "removed", ""))
    columns = {
        "keep": pa.array(result.keep),
        "weight": pa.array(result.weight),
        DEBIAS: pa.array([value or None for value in change.tolist()], type=pa.string()),
    }
    if "reasons" in table.column_names:
        reasons = table["reasons"].to_pylist()
        for row in np.flatnonzero(before & ~result.keep):
            reasons[row] = [*(reasons[row] or ()), f"{DEBIAS}.removed"]
        columns["reasons"] = pa.array(reasons, type=pa.list_(pa.string()))
    for name, values in columns.items():
        if name in table.column_names:
            table = table.set_column(table.column_names.index(name), name, values)
        else:
            table = table.append_column(name, values)
    return table


def _audit(folder: Path, config: CommandConfig) -> dict[str, Any]:
    wanted = [config.clusters] if config.clusters else []
    before = read_decided(config.corpus, columns=wanted, tokens=config.tokens)
    after = read_decided(config.out / "corpus", columns=wanted, tokens=config.tokens)
    # Each filter on its own is as it was; what changed is what they keep together.
    after = replace(after, decisions={**before.decisions, ALL: after.keep})
    settings = config.model_copy(update={"groups": tuple(dict.fromkeys([config.group, *config.groups]))})
    groupings = groupings_of(before, settings)
    name = before.name
    first = audit_decided(before, settings, title=f"Audit of {name}, before", groupings=groupings)
    second = audit_decided(after, settings, title=f"Audit of {name}, after", groupings=groupings)
    first.save(folder / "before")
    second.save(folder / "after")
    both = compare(first, second)
    both.save(folder)
    return {
        "headline_before": headline(first),
        "headline_after": headline(second),
        "summary": both.summary(),
        "worst": read_json(folder / "compare.json")["worst"],
        "text": str(both),
    }


def render(result: dict[str, Any]) -> str:
    """Return what was done, its cost, and the audit before and after."""
    places = f"The corpus: {result['corpus']}\nThe page: {result['page']}"
    return f"{describe(result)}\n\n{result['text']}\n\n{places}"
