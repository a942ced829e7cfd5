"""Promised against measured recall: tune on some queries, measure on others."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from gpu_parts.common import SEED, Row
from numpy.typing import NDArray

from hinterland.core.seeds import generator
from hinterland.core.stats import Interval
from hinterland.indexes.embed import Embedder
from hinterland.indexes.embed_cache import CACHE, EmbeddingCache
from hinterland.indexes.tune import Tuning, tune
from hinterland.indexes.tune_measure import Bench
from hinterland.indexes.tune_open import Measured, open_measured
from hinterland.indexes.tune_queries import Asked, chunk_queries, sentences_of
from hinterland.indexes.tune_recall import recall_interval

__all__ = ["promised"]

K = 10
#: Sentences and chunks searched for, for tuning and again for measuring.
CHUNKS = 2000


def _line(name: str, factory: str, how: str, tuning: Tuning, fresh: NDArray[np.float64]) -> Row:
    found: Interval = recall_interval(fresh, K)
    return {
        "set": name,
        "index": factory,
        "tuned on → measured on": how,
        "setting": ", ".join(f"{key} {value}" for key, value in tuning.parameters.items()),
        "promised": f"{tuning.promise:.2f}",
        "shown kept": "yes" if tuning.met else "no",
        "stated": f"{tuning.recall.estimate:.3f}",
        "fresh queries": len(fresh),
        "measured": f"{found.estimate:.3f} [{found.low:.3f}, {found.high:.3f}]",
        "measured − promised": f"{100 * (found.estimate - tuning.promise):+.1f} points",
        "measured − stated": f"{100 * (found.estimate - tuning.recall.estimate):+.1f} points",
    }


def _unused(opened: Measured, count: int) -> NDArray[np.int64]:
    """Return a sample of live chunks that the tuning on chunks did not search for."""
    used = chunk_queries(opened.vectors, count, SEED).own
    left = np.setdiff1d(np.arange(len(opened.rows)), used)
    random = generator(SEED, "bench", "chunks")
    return np.sort(random.choice(left, min(CHUNKS, len(left)), replace=False))


def promised(
    name: str, root: Path, factory: str, queries: list[str], embedder: Embedder, promise: float
) -> Iterator[Row]:
    """Yield the lines of one index: tuned on queries, on sentences and on chunks, measured on others."""
    opened = open_measured(root, embedder, EmbeddingCache(root / CACHE))
    order = generator(SEED, "bench", "queries").permutation(len(queries))
    first = [queries[place] for place in sorted(order[: len(order) // 2])]
    second = [queries[place] for place in sorted(order[len(order) // 2 :])]
    count = min(CHUNKS, len(opened.rows) // 2)
    rest = _unused(opened, count)
    texts = opened.chunks["text"].to_pylist()
    used = set(sentences_of(texts, count, SEED))
    others = [each for each in sentences_of(texts, count, SEED + 1) if each not in used]
    real = Asked("texts", embedder.queries(queries), None, {})
    fresh = {
        "queries → other queries": Asked("texts", embedder.queries(second), None, {}),
        "sentences → other sentences": Asked("texts", embedder.queries(others), None, {}),
        "sentences → queries": real,
        "chunks → other chunks": Asked("chunks", np.ascontiguousarray(opened.vectors[rest]), rest, {}),
        "chunks → queries": real,
    }
    given: dict[str, dict[str, Any]] = {
        "queries": {"queries": first},
        "sentences": {"sample": count, "seed": SEED},
        "chunks": {"sample": count, "seed": SEED, "stand_in": "chunks"},
    }
    for kind, how in given.items():
        tuning = tune(root, recall=promise, k=K, embedder=embedder, write=False, **how)
        for label, asked in fresh.items():
            if label.startswith(f"{kind} "):
                found = Bench(opened, asked, K).recalls(tuning.parameters)
                yield _line(name, factory, label, tuning, found)
