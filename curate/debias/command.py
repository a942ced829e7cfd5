"""``hinterland debias CORPUS``: even out what is kept, and audit before and after."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.compute as pc
from numpy.typing import NDArray

from hinterland.core.engine import LocalEngine
from hinterland.core.files import hash_file, read_json, write_json, write_text
from hinterland.core.revive import plain
from hinterland.core.run import Run, fingerprint
from hinterland.curate.audit.checks import check_out, check_settings
from hinterland.curate.audit.claims import ALL, headline
from hinterland.curate.audit.command import audit_decided, depends, groupings_of
from hinterland.curate.audit.compare import compare
from hinterland.curate.audit.corpus import (
    DEBIAS,
    Decided,
    column_names,
    manifest_part,
    open_decided,
    rules_of,
)
from hinterland.curate.audit.groups import Grouping
from hinterland.curate.audit.places import needs_places, places_stage
from hinterland.curate.audit.render import printable
from hinterland.curate.audit.report import Audit
from hinterland.curate.debias.apply import apply
from hinterland.curate.debias.arrays import as_weights
from hinterland.curate.debias.brief import brief, wrapped
from hinterland.curate.debias.describe import describe
from hinterland.curate.debias.reading import Documents, loose_rules, read_documents
from hinterland.curate.debias.settings import CommandConfig
from hinterland.curate.debias.weighted import WeightedCoverage, of_margins, section, weighted_coverage
from hinterland.curate.debias.write import write_debiased

__all__ = ["CommandConfig", "plan", "render", "run"]

#: Measured on two cores: reading, deciding, writing and two audits of a document, and placing it.
_SECONDS_PER_DOCUMENT, _SECONDS_TO_PLACE, _SECONDS = 45e-6, 300e-6, 5.0


def plan(config: CommandConfig) -> dict[str, Any]:
    """Return what a run would do and how long it would take; write nothing.

    Raises:
        CorpusError: There is no corpus, or it has neither rules nor a severity or score.
    """
    corpus = open_decided(config.corpus)
    check_out(config.out, corpus.path)
    check_settings(config)
    by_rules = config.method == "equalize" and not (config.severity or config.score)
    rules = loose_rules(rules_of(corpus), config, str(corpus.path)) if by_rules else []
    place = config.locate is not None and needs_places(corpus)
    seconds = _SECONDS + len(corpus) * (_SECONDS_PER_DOCUMENT + _SECONDS_TO_PLACE * place)
    return {
        "corpus": str(corpus.path),
        "documents": len(corpus),
        "to_be_placed": place,
        "method": config.method,
        "rules": len(rules),
        "decided": "keep" in column_names(corpus),
        "writes": [str(config.out / "corpus"), str(config.out / "audit")],
        "estimated_seconds": round(seconds),
        "cost": 0,
    }


def run(config: CommandConfig) -> dict[str, Any]:
    """Write the evened-out corpus to ``out/corpus``, and the audits to ``out/audit``.

    Raises:
        ConfigError: A setting is out of range or names what is not there.
        CorpusError: The corpus is damaged, or has not what the method needs.
        StorageError: The folder cannot be written.
    """
    corpus = open_decided(config.corpus)
    check_out(config.out, corpus.path)
    check_settings(config)
    files = [
        given for given in config.rake.margins.values() if isinstance(given, str) and Path(given).is_file()
    ]
    needs = {**depends(corpus.manifest, config), "references": [hash_file(Path(each)) for each in files]}
    folder = Run(config.out, command="debias", config=config.model_dump(mode="json"))
    with folder.locked():
        places = places_stage(folder, corpus, config.locate, LocalEngine(os.cpu_count() or 1))
        needs["places"] = [hash_file(each) for each in places]
        done = folder.stage("corpus", lambda out: _debias(out, config, places), depends=needs)
        told = folder.stage(
            "audit",
            lambda out: _audit(out, config, places, done.result),
            depends={**needs, "corpus": done.outputs},
        )
        folder.finish(parents={"corpus": fingerprint(corpus.manifest["shards"])}, counts=done.result["cost"])
    return {
        "out": str(config.out),
        "corpus": str(config.out / "corpus"),
        "page": str(config.out / "audit" / "compare.html"),
        **done.result,
        **told.result,
    }


def _debias(folder: Path, config: CommandConfig, places: Sequence[Path]) -> dict[str, Any]:
    decided = read_documents(config.corpus, config, places)
    result = apply(Documents(decided, config))
    manifest = decided.corpus.manifest
    write_debiased(
        folder,
        decided.corpus,
        decided.keep,
        result,
        manifest={
            "counts": {"documents": len(result.keep), "kept": int(result.keep.sum())},
            **({"rules": manifest["rules"]} if "rules" in manifest else {}),
            # That documents were placed stands here, so that nobody places them again.
            "cards": {
                **manifest_part(decided.corpus, "cards"),
                **({"places": {"by": "debias"}} if places else {}),
            },
            "debias": result.to_dict(),
            "parents": {"corpus": fingerprint(manifest["shards"])},
        },
        places=places,
    )
    return result.to_dict()


def _audit(
    folder: Path, config: CommandConfig, places: Sequence[Path], done: dict[str, Any]
) -> dict[str, Any]:
    """Write the audits before and after, both side by side, and what the method did."""
    before = read_documents(config.corpus, config, places)
    after = read_documents(config.out / "corpus", config)
    # Each filter on its own is as it was; what changed is what they keep together.
    before = replace(before, decisions={**before.decisions, ALL: _kept_before(after)})
    after = replace(after, decisions={**before.decisions, ALL: after.keep})
    weights = [as_weights(each.keep, each.weight, len(each.keep)) for each in (before, after)]
    if any((each > 1).any() for each in weights):
        # Documents that are repeated would be "kept" more than once: here each counts once.
        before, after = _unweighted(before), _unweighted(after)
    settings = config.model_copy(update={"groups": tuple(dict.fromkeys([config.group, *config.groups]))})
    groupings = groupings_of(before, settings)
    name = before.name
    first = audit_decided(before, settings, title=f"Audit of {name}, before", groupings=groupings)
    second = audit_decided(after, settings, title=f"Audit of {name}, after", groupings=groupings)
    first.save(folder / "before")
    second.save(folder / "after")
    both, shares = compare(first, second), []
    if any((each[each > 0] != 1).any() for each in weights):
        shares = _shares(done, first, groupings, weights, before.tokens)
        both = replace(both, additions=(section(shares),))
        done = {**done, "shares_of_weights": plain([asdict(each) for each in shares])}
    both.save(folder)
    write_json(folder / "debias.json", done)
    write_text(folder / "debias.txt", f"{describe(done)}\n")
    return {
        "headline_before": headline(first),
        "headline_after": headline(second),
        "summary": both.summary(),
        "worst": read_json(folder / "compare.json")["worst"],
        "text": brief(both, shares),
    }


def _shares(
    done: dict[str, Any],
    audit: Audit,
    groupings: Mapping[str, Grouping],
    weights: Sequence[NDArray[np.float64]],
    tokens: NDArray[np.float64],
) -> list[WeightedCoverage]:
    """Return the shares of the weights by margin, and by every other grouping that was audited."""
    found = of_margins(done)
    references = {
        each.grouping: {row.group: row.reference for row in each.rows}
        for each in audit.coverage
        if each.reference
    }
    counted = tokens if done.get("of") == "tokens" else None
    return found + [
        weighted_coverage(grouping, *weights, tokens=counted, reference=references.get(name))
        for name, grouping in groupings.items()
        if name not in {each.grouping for each in found}
    ]


def _unweighted(decided: Decided) -> Decided:
    names = [name for name in decided.table.column_names if name != "weight"]
    return replace(decided, table=decided.table.select(names))


def _kept_before(after: Decided) -> NDArray[np.bool_]:
    """Return which documents were kept before, from what the corpus says of its change."""
    change = after.corpus.read([DEBIAS])[DEBIAS]
    back, gone = (
        pc.fill_null(pc.equal(change, word), False).to_numpy() for word in ("readmitted", "removed")
    )
    return np.asarray((after.keep & ~back) | gone)


def render(result: dict[str, Any]) -> str:
    """Return what was done, its cost, and what changed between the audits, 100 columns wide."""
    once = ""
    if result["cost"]["largest_repeat"] > 1:
        once = "The audits before and after count documents, each once, whatever its weight.\n"
    places = f"The corpus: {result['corpus']}\nThe page: {result['page']}"
    own = printable(wrapped(describe(result)))
    return f"{own}\n\n{once}{result['text']}\n\n{places}"
