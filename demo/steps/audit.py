"""Step 3: what each filter keeps, by region and by thirds of what countries are like."""

from __future__ import annotations

from typing import Any

import numpy as np

from hinterland.core.corpus import Corpus
from hinterland.core.files import write_text
from hinterland.curate.audit.audit import Audit, audit
from hinterland.curate.audit.claims import headline
from hinterland.curate.audit.covariates import Covariates
from hinterland.curate.audit.groups import place_groupings
from hinterland.curate.audit.html import map_of
from hinterland.curate.decide import filter_decisions
from hinterland.curate.rule import Rule
from hinterland.demo.pipeline import Workspace

__all__ = ["GROUPINGS", "audit_corpus", "build"]

#: UN region and subregion, and thirds of income, internet use and size.
GROUPINGS = ("region", "subregion", "gdp_per_head", "internet_share", "population")


def audit_corpus(work: Workspace, corpus: Corpus, *, title: str) -> Audit:
    """Audit a decided corpus: each filter on its own, and what they keep together."""
    table = corpus.read()
    rules = [Rule(**rule) for rule in Corpus.open(work.of("curate") / "corpus").manifest["rules"]]
    decisions = {**filter_decisions(table, rules), "all filters": np.asarray(table["keep"].to_pylist())}
    covariates = Covariates.read(work.of("corpus") / "covariates.csv")
    return audit(
        table,
        decisions=decisions,
        groups=place_groupings(table["country"], GROUPINGS, covariates=covariates),
        rules=rules,
        title=title,
        seed=work.config.seed,
    )


def build(work: Workspace) -> dict[str, Any]:
    """Write the audit and its map."""
    corpus = Corpus.open(work.of("curate") / "corpus")
    found = audit_corpus(work, corpus, title="What the filters keep of the World Factbook")
    found.save(work.folder)
    write_text(work.folder / "map.svg", map_of(found, standalone=True))
    return {
        "headline": headline(found),
        "claims": len(found.claims),
        "supported_claims": sum(claim.supported for claim in found.claims),
    }
