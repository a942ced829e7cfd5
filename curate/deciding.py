"""The last step: decisions over the score columns, and the curated corpus they are written into."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from hinterland.core.corpus import Corpus, Shard, publish_corpus, write_shard
from hinterland.core.engine import Engine
from hinterland.core.errors import CorpusError
from hinterland.core.files import atomic_path
from hinterland.core.record import BASE_SCHEMA, DECISION_FIELDS
from hinterland.curate.config import CurateConfig
from hinterland.curate.decide import check_decisions, decide_columns
from hinterland.curate.decisions import Decisions
from hinterland.curate.decisions_config import DecisionsConfig
from hinterland.curate.dedup.rules import DUPLICATE_COLUMNS, DUPLICATE_RULES
from hinterland.curate.filter import make_filters
from hinterland.curate.quality import MEASURED, PREDICTED, quality_rule
from hinterland.curate.rule import Rule, override_rules
from hinterland.curate.score_columns import Columns, ShardColumns
from hinterland.curate.scoring import INTERNAL
from hinterland.curate.words import Batch

__all__ = ["check_columns", "check_thresholds", "decide_shards", "resolve_rules", "write_curated"]


class _Item(NamedTuple):
    """What one shard of the curated corpus is made of: files of the same rows."""

    text: Path
    scores: tuple[Path, ...]
    decisions: Path


def _rules(config: CurateConfig, quality: Rule) -> list[Rule]:
    rules = [rule for each in make_filters(config.filters, config.options) for rule in each.rules]
    duplicates = DUPLICATE_RULES if config.duplicates is not None else ()
    return [*rules, *duplicates, *([quality] if config.quality.model is not None else [])]


def check_thresholds(config: CurateConfig) -> None:
    """Refuse thresholds that name no rule, before anything is scored.

    Raises:
        ConfigError: A threshold names no rule, its bounds are crossed, or a filter's
            option is wrong.
        RegistryError: A filter is unknown.
    """
    override_rules(_rules(config, quality_rule(np.empty(0), drop_share=0)), config.thresholds)


def check_columns(config: CurateConfig, there: Sequence[str] = ()) -> None:
    """Refuse expressions over columns that will not be there, before anything is scored.

    Args:
        config: What is scored, and the expressions.
        there: Columns that the documents have already.

    Raises:
        ConfigError: An expression names no column, or two reasons are equal.
        MissingDependencyError: What a filter needs is not installed.
    """
    if config.decide == DecisionsConfig():
        return
    filters = make_filters(config.filters, config.options)
    scored = [name for each in filters for name in each.score(Batch([]))]
    duplicates = DUPLICATE_COLUMNS if config.duplicates is not None else ()
    quality = (PREDICTED, MEASURED) if config.quality.model is not None else ()
    check_decisions(config.decide, [*BASE_SCHEMA.names, *there, *scored, *duplicates, *quality])


def resolve_rules(columns: Columns, config: CurateConfig) -> tuple[Rule, ...]:
    """Return the rules with the config's bounds; the quality bound is a quantile of its column.

    Raises:
        ConfigError: A threshold names no rule, or its bounds are crossed.
    """
    predicted: NDArray[Any] = columns[PREDICTED] if config.quality.model is not None else np.empty(0)
    quality = quality_rule(predicted, drop_share=config.quality.drop_share)
    return override_rules(_rules(config, quality), config.thresholds)


def decide_shards(
    texts: Sequence[Path], scores: Sequence[Sequence[Path]], config: CurateConfig
) -> tuple[Decisions, tuple[Rule, ...]]:
    """Decide over all documents, one score column in memory at a time.

    Args:
        texts: The corpus' shards.
        scores: Lists of score shards with the same rows.
        config: The thresholds and what decides beside them.

    Raises:
        ConfigError: A threshold names no rule, an expression no column.
        CorpusError: A score shard is missing or damaged, or a share is out of reach.
    """
    columns = ShardColumns(*scores, texts)
    rules = resolve_rules(columns, config)
    return decide_columns(columns, rules, config.decide, seed=config.seed), rules


def write_curated(
    texts: Sequence[Path],
    scores: Sequence[Sequence[Path]],
    decisions: Decisions,
    out: Path,
    *,
    mask: Sequence[str],
    engine: Engine,
    work: Path,
    manifest: dict[str, Any],
) -> Corpus:
    """Join the texts, their scores and the decisions, and publish them as a corpus.

    Args:
        texts: The corpus' shards.
        scores: Lists of score shards with the same rows; columns that begin with ``_`` stay behind.
        decisions: In the corpus' order.
        out: The corpus' folder; a corpus that is there is replaced.
        mask: Kinds of personal data to replace in the texts.
        engine: Joins shards side by side.
        work: A folder for unfinished shards, of this corpus and these decisions alone.
        manifest: Further keys for the manifest.

    Raises:
        CorpusError: A shard is damaged, or the lists do not belong together.
        StorageError: The disk is full, or a folder cannot be written.
    """
    items, start = [], 0
    for number, text in enumerate(texts):
        stop = start + pq.read_metadata(text).num_rows
        decided = work / "decisions" / text.name
        with atomic_path(decided) as temporary:
            pq.write_table(decisions.table(start, stop), temporary)
        items.append(_Item(text, tuple(paths[number] for paths in scores), decided))
        start = stop
    if start != len(decisions):
        raise CorpusError(
            f"{len(decisions)} decisions over {start} documents", where=str(out), cure="report this as a bug"
        )
    targets = [work / "joined" / text.name for text in texts]
    engine.produce(partial(_join, mask=tuple(mask)), items, targets, label="curate: write")
    return publish_corpus(out, [Shard.measure(path) for path in targets], manifest=manifest)


def _join(item: _Item, temporary: Path, *, mask: tuple[str, ...]) -> None:
    """Write one shard: the record, the scores, the decision."""
    try:
        table = pq.read_table(item.text)
        ids = table["id"]
        parts = [pq.read_table(path) for path in item.scores]
        for path, part in zip(item.scores, parts, strict=True):
            if not part["id"].equals(ids):
                raise CorpusError(
                    "the scores are not those of this corpus",
                    where=str(path),
                    cure="delete this folder and run again",
                )
        parts.append(pq.read_table(item.decisions))
    except (pa.ArrowInvalid, OSError) as error:
        raise CorpusError(
            f"a shard cannot be read: {' '.join(str(error).split())}",
            where=str(item.text),
            cure="delete this folder and run again",
        ) from error
    if mask:
        from hinterland.curate.masking import mask as mask_texts

        masked = pa.array(mask_texts(table["text"].to_pylist(), mask), pa.string())
        table = table.set_column(table.column_names.index("text"), table.schema.field("text"), masked)
    new = {
        name: part[name]
        for part in parts
        for name in part.column_names
        if name != "id" and not name.startswith(INTERNAL)
    }
    for name in [name for name in new if name in BASE_SCHEMA.names]:  # places that were found
        place = table.column_names.index(name)
        table = table.set_column(
            place, BASE_SCHEMA.field(name), new.pop(name).cast(BASE_SCHEMA.field(name).type)
        )
    stale = {*new, *(field.name for field in DECISION_FIELDS)}
    table = table.select([name for name in table.column_names if name not in stale])
    for name, values in new.items():
        field = next((each for each in DECISION_FIELDS if each.name == name), pa.field(name, values.type))
        table = table.append_column(field, values)
    write_shard(temporary, table)
