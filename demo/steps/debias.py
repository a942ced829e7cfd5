"""Step 4: decisions that even out retention at the same number of tokens, and what that costs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from hinterland.core.corpus import Corpus, write_corpus
from hinterland.core.revive import plain
from hinterland.curate.audit.audit import Audit, count_words
from hinterland.curate.audit.claims import headline
from hinterland.curate.audit.compare import compare
from hinterland.curate.audit.covariates import Covariates
from hinterland.curate.audit.groups import place_groupings
from hinterland.curate.debias.equalize import equalize
from hinterland.curate.decide import severity
from hinterland.curate.rule import Rule
from hinterland.demo.pipeline import Workspace
from hinterland.demo.steps.audit import audit_corpus

__all__ = ["build"]

#: Rules that no threshold loosens: a second copy stays out wherever it is from.
_FINAL = ("exact_dup.", "near_dup.")
_QUALITY = "lm_quality.bits_per_byte"


def build(work: Workspace) -> dict[str, Any]:
    """Write the corpus with new decisions, and the audit before and after."""
    config = work.config
    corpus = Corpus.open(work.of("curate") / "corpus")
    table = corpus.read()
    rules = [Rule(**rule) for rule in corpus.manifest["rules"]]
    reasons = table["reasons"].to_pylist()
    covariates = Covariates.read(work.of("corpus") / "covariates.csv")
    result = equalize(
        severity(table, rules),
        np.asarray(table["keep"].to_pylist()),
        place_groupings(table["country"], (config.debias_by,), covariates=covariates)[config.debias_by],
        count_words(table["text"]),
        mode="budget",
        disparity=config.disparity,
        quality=-np.asarray(table[_QUALITY].to_pylist(), dtype=float)
        if _QUALITY in table.column_names
        else None,
        locked_out=[any(reason.startswith(_FINAL) for reason in each) for each in reasons],
        ids=table["id"].to_pylist(),
        seed=config.seed,
    )
    for name, values in (("keep", result.keep), ("weight", result.weight)):
        column = table.column_names.index(name)
        table = table.set_column(column, table.schema.field(name), pa.array(values))
    kept = int(result.keep.sum())
    counts = {"in": len(corpus), "kept": kept, "decided_out": len(corpus) - kept, "rejected": 0}
    debiased = write_corpus(
        work.folder / "corpus",
        table,
        manifest={"counts": counts, "rules": corpus.manifest["rules"], "debias": result.to_dict()},
    )
    before = Audit.load(work.of("audit"))
    after = audit_corpus(work, debiased, title="What is kept after debiasing")
    compared = compare(before, after)
    compared.save(work.folder)
    after.save(work.folder / "after")
    found = {
        "by": config.debias_by,
        "before": headline(before),
        "after": headline(after),
        "worst_disparity": {name: list(compared.worst(name)) for name in compared.groups},
        "counts": counts,
        "cost": result.to_dict()["cost"],
        "unmet": result.unmet,
        "summary": compared.summary(),
    }
    # A ratio of groups that are too small to compare is not a number: null.
    return dict(plain(found))
