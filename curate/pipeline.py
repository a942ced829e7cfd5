"""Curation from a corpus to a corpus: score everything, then decide over the scores."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from hinterland.core.corpus import Corpus, write_corpus
from hinterland.core.engine import Engine, LocalEngine
from hinterland.core.errors import CorpusError
from hinterland.core.files import atomic_path
from hinterland.core.models import find_model
from hinterland.core.run import fingerprint
from hinterland.curate.config import CurateConfig
from hinterland.curate.decide import EMPTY, column_values, decide, filter_decisions, unmeasured
from hinterland.curate.dedup import RULES as DUPLICATE_RULES
from hinterland.curate.dedup import exact_duplicates
from hinterland.curate.filter import Scores, make_filters
from hinterland.curate.perplexity import bits_per_byte, load_causal_lm
from hinterland.curate.quality import PREDICTED, quality_rule, quality_scores
from hinterland.curate.rule import Rule, override_rules
from hinterland.curate.words import Batch

__all__ = [
    "Scored",
    "check_thresholds",
    "decide_corpus",
    "resolve_rules",
    "score_corpus",
    "score_documents",
    "score_shard",
]

#: Documents in a working shard: small enough that every worker has some.
ROWS_PER_SHARD = 500


def score_shard(table: pa.Table, filters: tuple[str, ...]) -> pa.Table:
    """Return ``id`` and every filter's columns for one shard; words are split once."""
    batch = Batch(table["text"].to_pylist())
    columns: Scores = {}
    for each in make_filters(filters):
        columns |= each.score(batch)
    return pa.table({"id": table["id"], **columns})


@dataclass(frozen=True)
class Scored:
    """A corpus' scores, apart from its text.

    Attributes:
        table: ``id`` and the score columns, in the corpus' order.
        cards: What there is to say about scores: the quality model's fit.
    """

    table: pa.Table
    cards: dict[str, Any]


def score_documents(corpus: Corpus, config: CurateConfig, *, work: Path, engine: Engine) -> Scored:
    """Run all filters, the duplicate search and the quality score over a corpus.

    Args:
        corpus: The documents.
        config: What to run.
        work: A folder for finished shards and measured values; a killed run goes on from
            it. Its contents are tied to the corpus and the config by fingerprint.
        engine: Runs the filters over shards.

    Raises:
        CorpusError: A shard of the corpus is missing or corrupt.
        ModelSourceError: The quality model cannot be had.
        RegistryError: A filter is unknown.
    """
    make_filters(config.filters)
    table = corpus.read(columns=["id", "text", "country", "source"])
    content = fingerprint(corpus.manifest["shards"])
    place = work / fingerprint(content, config.filters, ROWS_PER_SHARD)
    shards = _working_shards(table.select(["id", "text"]), place / "text")
    done = engine.map_shards(
        partial(score_shard, filters=config.filters), shards, place / "scores", label="curate: filters"
    )
    scores = pa.concat_tables(pq.read_table(path) for path in done).combine_chunks()
    if not scores["id"].equals(table["id"]):
        raise CorpusError(
            "the scores are not those of this corpus",
            where=str(place),
            cure="delete this folder and run again",
        )
    ids, texts = table["id"].to_pylist(), table["text"].to_pylist()
    columns = exact_duplicates(ids, texts, policy=config.keep_copy)
    cards: dict[str, Any] = {"lm_quality": {"model": None}}
    if config.quality.model is not None:
        quality, card = _quality(ids, texts, _strata(table), config, work=work)
        columns |= quality
        cards["lm_quality"] = card
    for name, values in columns.items():
        scores = scores.append_column(name, pa.array(values))
    shutil.rmtree(place, ignore_errors=True)  # the measured values stay for another config
    return Scored(scores, cards)


def _working_shards(table: pa.Table, folder: Path) -> list[Path]:
    """Write the texts as shards of even size, unless they are there."""
    paths = []
    for number, start in enumerate(range(0, max(table.num_rows, 1), ROWS_PER_SHARD)):
        path = folder / f"part-{number:05d}.parquet"
        if not path.exists():
            with atomic_path(path) as temporary:
                pq.write_table(table.slice(start, ROWS_PER_SHARD), temporary)
        paths.append(path)
    return paths


def _strata(table: pa.Table) -> list[str | None]:
    """Return what the quality sample is stratified by: places if known, else sources."""
    column = "country" if table["country"].null_count < table.num_rows else "source"
    return list(table[column].to_pylist())


def _quality(
    ids: list[str], texts: list[str], strata: list[str | None], config: CurateConfig, *, work: Path
) -> tuple[Scores, dict[str, Any]]:
    spec = config.quality.model or ""
    source = find_model(spec)
    cache = work / f"lm_quality-{fingerprint(source.fingerprint(), config.quality.max_tokens)}.json"

    def measure(chosen: Sequence[str]) -> Any:
        model, tokenizer = load_causal_lm(spec)
        return bits_per_byte(model, tokenizer, chosen, max_tokens=config.quality.max_tokens, cache=cache)

    scores, card = quality_scores(ids, texts, strata, measure, sample=config.quality.sample, seed=config.seed)
    return scores, {"model": spec, "max_tokens": config.quality.max_tokens, **card}


def check_thresholds(config: CurateConfig) -> None:
    """Refuse thresholds that name no rule, before anything is scored.

    Raises:
        ConfigError: A threshold names no rule, or its bounds are crossed.
        RegistryError: A filter is unknown.
    """
    override_rules(_rules(config, quality_rule(np.empty(0), drop_share=0)), config.thresholds)


def _rules(config: CurateConfig, quality: Rule) -> list[Rule]:
    rules = [rule for each in make_filters(config.filters) for rule in each.rules]
    return [*rules, *DUPLICATE_RULES, *([quality] if config.quality.model is not None else [])]


def resolve_rules(scores: pa.Table, config: CurateConfig) -> tuple[Rule, ...]:
    """Return the rules with the config's bounds; the quality bound is the quantile of ``scores``.

    Raises:
        ConfigError: A threshold names no rule, or its bounds are crossed.
    """
    measured = config.quality.model is not None
    predicted = column_values(scores, PREDICTED) if measured else np.empty(0)
    quality = quality_rule(predicted, drop_share=config.quality.drop_share)
    return override_rules(_rules(config, quality), config.thresholds)


def decide_corpus(
    corpus: Corpus, scored: Scored, config: CurateConfig, out: Path, *, rejected: int = 0
) -> Corpus:
    """Join the scores to their documents, decide, and write the result as a corpus.

    The manifest holds the counts, the rules as applied, what each filter keeps on its own,
    the reasons, how many documents each rule could not measure, and the cards.

    Args:
        corpus: The documents that were scored; columns of these names are replaced.
        scored: Their scores.
        config: The thresholds.
        out: Where to write; an existing folder is replaced.
        rejected: Documents that could not be read, for the count.

    Raises:
        ConfigError: A threshold names no rule.
        CorpusError: The scores are not those of this corpus, or documents went missing.
    """
    table, scores = corpus.read(), scored.table
    if not scores["id"].equals(table["id"]):
        raise CorpusError(
            "the scores are not those of this corpus", where=str(corpus.path), cure="score it again"
        )
    new = [name for name in scores.column_names if name != "id"]
    table = table.select([name for name in table.column_names if name not in new])
    for name in new:
        table = table.append_column(name, scores[name])
    rules = resolve_rules(scores, config)
    decided = decide(table, rules)
    kept = sum(decided["keep"].to_pylist())
    counts = {
        "in": len(corpus) + rejected,
        "kept": kept,
        "decided_out": decided.num_rows - kept,
        "rejected": rejected,
    }
    if counts["in"] != counts["kept"] + counts["decided_out"] + counts["rejected"]:
        raise CorpusError(f"documents went missing: {counts}", where=str(out), cure="report this as a bug")
    reasons = Counter(reason for each in decided["reasons"].to_pylist() for reason in each)
    order = [EMPTY, *(rule.reason for rule in rules)]
    manifest = {
        "counts": counts,
        "reasons": {reason: reasons[reason] for reason in order if reasons[reason]},
        "kept_by_filter": {name: int(keeps.sum()) for name, keeps in filter_decisions(table, rules).items()},
        "unmeasured": {name: number for name, number in unmeasured(table, rules).items() if number},
        "rules": [rule.to_dict() for rule in rules],
        "filters": {each.name: each.variant for each in make_filters(config.filters)},
        "cards": scored.cards,
        "config": config.model_dump(mode="json"),
        "parents": {"corpus": fingerprint(corpus.manifest["shards"])},
    }
    return write_corpus(out, decided, manifest=manifest)


def score_corpus(
    corpus: Corpus,
    out: Path,
    config: CurateConfig | None = None,
    *,
    workers: int = 1,
    rejected: int = 0,
    work: Path | None = None,
) -> Corpus:
    """Score a corpus and decide: `score_documents`, then `decide_corpus`.

    The bytes written are the same for any number of workers, and after a kill.

    Args:
        corpus: The documents.
        out: Where the curated corpus goes; an existing folder is replaced.
        config: Filters, thresholds, quality; the defaults if not given.
        workers: Processes for the filters.
        rejected: Documents that could not be read, for the count.
        work: Where unfinished work is kept for a later run; removed on success.

    Raises:
        ConfigError: A threshold names no rule.
        CorpusError: The corpus is damaged.
        ModelSourceError: The quality model cannot be had.
        RegistryError: A filter is unknown.
    """
    config = config or CurateConfig()
    work = work or out.with_name(f".{out.name}.work")
    scored = score_documents(corpus, config, work=work, engine=LocalEngine(workers))
    curated = decide_corpus(corpus, scored, config, out, rejected=rejected)
    shutil.rmtree(work, ignore_errors=True)
    return curated
