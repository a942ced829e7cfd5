"""One config, one method: from a corpus' columns to a result."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

from hinterland.curate.audit.corpus import filter_of
from hinterland.curate.debias.cap import cap
from hinterland.curate.debias.counted import counted
from hinterland.curate.debias.equalize import equalize
from hinterland.curate.debias.pareto import pareto
from hinterland.curate.debias.quota import quota
from hinterland.curate.debias.rake import rake
from hinterland.curate.debias.reading import Documents
from hinterland.curate.debias.result import Outcome
from hinterland.curate.debias.scores import equalize_scores
from hinterland.curate.debias.settings import Method

__all__ = ["apply"]


def apply(documents: Documents) -> Outcome:
    """Run the config's method.

    Raises:
        ConfigError: A setting is out of range or names what is not there.
        CorpusError: A column is missing or holds what it should not.
    """
    methods: dict[Method, Callable[[Documents], Outcome]] = {
        "equalize": _equalize,
        "rake": _rake,
        "quota": _quota,
        "cap": _cap,
        "pareto": _pareto,
    }
    return methods[documents.config.method](documents)


def _equalize(documents: Documents) -> Outcome:
    decided, config = documents.decided, documents.config
    if config.score is not None:
        locked = documents.locked_by_others(config.score)
        result = equalize_scores(
            documents.numbers(config.score),
            documents.grouping(config.group),
            decided.tokens,
            rate=config.rate,
            threshold=config.threshold,
            lower_is_better=config.lower_is_better,
            mode=config.mode,
            disparity=config.disparity,
            max_loss=config.max_loss,
            target=config.target,
            locked_out=locked,
            ids=decided.table["id"],
            seed=config.seed,
            min_documents=config.min_documents,
        )
        return replace(result, notes=(*result.notes, *_score_notes(config.score, int(locked.sum()))))
    harm, known = documents.harm()
    return equalize(
        harm,
        decided.keep,
        documents.grouping(config.group),
        decided.tokens,
        mode=config.mode,
        disparity=config.disparity,
        target=config.target,
        quality=documents.quality(),
        locked_out=documents.locked(known),
        ids=decided.table["id"],
        seed=config.seed,
        max_severity=math.inf if config.max_severity is None else config.max_severity,
        max_loss=config.max_loss,
        min_documents=config.min_documents,
        weight=decided.weight,
    )


def _score_notes(score: str, locked: int) -> list[str]:
    """Say what a score cannot bring back, where other filters decided too."""
    if not locked:
        return []
    out = counted(locked, "document that they drop stays", "documents that they drop stay")
    return [
        f"The score ranks only what the other filters than {filter_of(score)} keep: {out} out. To rank all"
        " documents, use a corpus that was scored and not cut."
    ]


def _rake(documents: Documents) -> Outcome:
    decided, config = documents.decided, documents.config
    groups = {name: documents.grouping(name, "rake.margins") for name in config.rake.margins}
    return rake(
        groups,
        {name: documents.reference(name, given, groups[name]) for name, given in config.rake.margins.items()},
        kept=decided.keep,
        weight=decided.weight,
        tokens=decided.tokens,
        quality=documents.quality(),
        of=config.rake.of,
        min_weight=config.rake.min_weight,
        max_weight=config.rake.max_weight,
        tolerance=config.rake.tolerance,
        max_iterations=config.rake.max_iterations,
        min_documents=config.min_documents,
    )


def _quota(documents: Documents) -> Outcome:
    decided, config = documents.decided, documents.config
    harm, known = documents.harm() if config.quota.readmit else (None, None)
    return quota(
        documents.grouping(config.quota.by, "quota.by"),
        config.quota.wanted,
        shares=config.quota.shares,
        total=config.quota.total,
        of=config.quota.of,
        others=config.quota.others,
        kept=decided.keep,
        weight=decided.weight,
        tokens=decided.tokens,
        quality=documents.quality(),
        severity=harm,
        locked_out=documents.locked(known) if harm is not None else None,
        ids=decided.table["id"],
        seed=config.seed,
        min_documents=config.min_documents,
    )


def _cap(documents: Documents) -> Outcome:
    decided, config = documents.decided, documents.config
    return cap(
        documents.grouping(config.cap.by, "cap.by"),
        config.cap.most,
        share=config.cap.share,
        most_of=config.cap.most_of,
        of=config.cap.of,
        kept=decided.keep,
        weight=decided.weight,
        tokens=decided.tokens,
        quality=documents.quality(),
        ids=decided.table["id"],
        seed=config.seed,
        min_documents=config.min_documents,
    )


def _pareto(documents: Documents) -> Outcome:
    decided, config = documents.decided, documents.config
    return pareto(
        documents.numbers(config.pareto.column),
        documents.grouping(config.group),
        decided.table["id"],
        alpha=config.pareto.alpha,
        seed=config.seed,
        inverse=config.pareto.inverse,
        max_weight=math.inf if config.pareto.max_weight is None else config.pareto.max_weight,
        kept=decided.keep,
        weight=decided.weight,
        tokens=decided.tokens,
        quality=documents.quality(),
        name=config.pareto.column,
        min_documents=config.min_documents,
    )
