"""A decided corpus of any size: made-up text, places, sources, scores and decisions, under a seed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
from gpu_parts.common import SEED

from hinterland.core.corpus import Corpus, Shard, conform, publish_corpus, write_shard
from hinterland.core.places import by_iso3
from hinterland.core.progress import track
from hinterland.core.seeds import generator
from hinterland.curate.decide import decide
from hinterland.curate.rule import Rule

__all__ = ["RULES", "write_decided"]

_SHARD = 50_000
_PASSAGES, _WORDS = 4000, 5000
_LANGUAGES = np.array(["en", "fr", "es", "ar", "pt", "sw", "hi", "id"])
RULES = (
    Rule("gopher_quality.words", "gopher_quality.short", low=50),
    Rule("gopher_repetition.duplicate_lines", "gopher_repetition.duplicate_lines", high=0.3),
    Rule("fineweb.short_lines", "fineweb.short_lines", high=0.67),
    Rule("quality.score", "quality.low", low=0.4),
    Rule("perplexity.value", "perplexity.high", high=900.0),
    Rule("toxicity.score", "toxicity.high", high=0.8),
    Rule("langid.score", "langid.unsure", low=0.5),
)


def _passages() -> tuple[pa.Array, np.ndarray]:
    """Return passages of made-up words, and how many words each has (median 120)."""
    random = generator(SEED, "audit bench", "passages")
    letters = np.array(list("abcdefghijklmnopqrstuvwxyz"))
    words = np.array(["".join(random.choice(letters, random.integers(2, 10))) for _ in range(_WORDS)])
    lengths = np.clip(np.exp(random.normal(np.log(120), 0.8, _PASSAGES)), 5, 2000).astype(np.int64)
    return pa.array([" ".join(random.choice(words, length)) for length in lengths]), lengths


def write_decided(folder: Path, documents: int, sources: int) -> Corpus:
    """Write a corpus in which filters keep less of some countries than of others.

    Sources have sizes as uneven as those of the web (a power law), one country each and a
    level of quality of their own; a tenth of the documents have no country.

    Args:
        folder: For the corpus, in ``corpus``.
        documents: How many.
        sources: How many at most; with as many as documents, each has one.
    """
    random = generator(SEED, "audit bench", documents, sources)
    codes = np.array(sorted(by_iso3()))
    size_of_country = random.pareto(0.8, len(codes)) + 0.05
    country_of = random.choice(len(codes), sources, p=size_of_country / size_of_country.sum())
    level = random.normal(0, 0.6, sources) + random.normal(0, 0.4, len(codes))[country_of]
    if sources >= documents:
        source = random.permutation(sources)[:documents]
    else:
        source = np.minimum(random.pareto(0.5, documents) * 20, sources - 1).astype(np.int64)
        loose = random.random(documents) < 0.5
        source[loose] = random.integers(0, sources, int(loose.sum()))
    passages, lengths = _passages()
    (folder / "shards").mkdir(parents=True)
    shards = []
    for number, start in enumerate(track(range(0, documents, _SHARD), f"writing {documents:,} documents")):
        rows = np.arange(start, min(start + _SHARD, documents))
        path = folder / "shards" / f"{number}.parquet"
        shards.append(_shard(path, rows, source[rows], codes[country_of], level, passages, lengths))
    return publish_corpus(
        folder / "corpus",
        shards,
        manifest={
            "rules": [{"column": r.column, "reason": r.reason, "low": r.low, "high": r.high} for r in RULES]
        },
    )


def _shard(
    path: Path,
    rows: np.ndarray,
    source: np.ndarray,
    country_of: np.ndarray,
    level: np.ndarray,
    passages: pa.Array,
    lengths: np.ndarray,
) -> Shard:
    """Write one shard."""
    random, n = generator(SEED, "audit bench", "shard", int(rows[0])), len(rows)
    passage = random.integers(0, len(passages), n)
    host = np.char.add(np.char.add("site-", source.astype(str)), ".example")
    year = random.integers(2005, 2025, n).astype(str)
    good = level[source] + random.normal(0, 1, n)
    unknown = random.random(n) < 0.1
    table = pa.table(
        {
            "id": np.char.add("document-", rows.astype(str)),
            "text": passages.take(pa.array(passage)),
            "source": host,
            "url": np.char.add(np.char.add("https://", host), np.char.add("/", rows.astype(str))),
            "date": np.char.add(year, "-06-01"),
            "lang": _LANGUAGES[np.minimum(random.geometric(0.5, n) - 1, len(_LANGUAGES) - 1)],
            "country": pa.array(country_of[source], mask=unknown),
            "geo_from": pa.array(np.where(random.random(n) < 0.7, "url", "text"), mask=unknown),
            "geo_confidence": np.where(unknown, 0.0, random.uniform(0.5, 1.0, n)),
            "gopher_quality.words": lengths[passage].astype(np.float64),
            "gopher_repetition.duplicate_lines": random.beta(1, 9, n),
            "fineweb.short_lines": random.beta(2, 6, n),
            "quality.score": 1 / (1 + np.exp(-good)),
            "perplexity.value": np.exp(6 - 0.3 * good + random.normal(0, 0.4, n)),
            "toxicity.score": random.beta(1, 12, n),
            "langid.score": random.beta(9, 1, n),
        }
    )
    return write_shard(path, decide(conform(table), RULES))
