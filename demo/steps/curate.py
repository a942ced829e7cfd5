"""Step 2: every filter's scores, a model-based quality score, and decisions over them."""

from __future__ import annotations

from typing import Any

from hinterland.core.corpus import Corpus
from hinterland.core.engine import LocalEngine
from hinterland.curate.config import CurateConfig, QualityConfig
from hinterland.curate.pipeline import decide_corpus, score_documents
from hinterland.demo.pipeline import Workspace, limit_threads

__all__ = ["build"]


def build(work: Workspace) -> dict[str, Any]:
    """Write the scored and decided corpus to ``corpus/``."""
    config = work.config
    limit_threads(config)
    settings = CurateConfig(
        quality=QualityConfig(
            model=config.model,
            sample=config.quality.sample,
            max_tokens=config.quality.prefix_tokens,
            drop_share=config.quality.drop_share,
        ),
        seed=config.seed,
    )
    corpus = Corpus.open(work.of("corpus") / "corpus")
    scored = score_documents(
        corpus, settings, out=work.folder / "scores", work=work.folder / ".work", engine=LocalEngine()
    )
    curated = decide_corpus(corpus, scored, settings, work.folder / "corpus")
    keys = ("counts", "reasons", "kept_by_filter", "unmeasured", "rules", "cards")
    return {key: curated.manifest[key] for key in keys}
