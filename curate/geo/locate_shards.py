"""`locate` over the shards of a corpus: resumable, and the same bytes whatever the workers."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from hinterland.core.engine import Engine, LocalEngine
from hinterland.core.errors import CorpusError
from hinterland.core.files import storage_errors
from hinterland.core.parquet import parquet_errors, row_batches
from hinterland.core.record import BASE_SCHEMA
from hinterland.core.run import fingerprint
from hinterland.curate.geo.fields import USUAL, plain_name
from hinterland.curate.geo.locate import (
    PLACE_SCHEMA,
    LocateSettings,
    check_named,
    most_frequent,
    rules_of,
    run_rules,
    table_of,
)

__all__ = ["VERSION", "LocatedShards", "card_of", "locate_shards"]

#: Part of what places are known by; raised when the same document gets another place.
VERSION = 1

#: Under this key each shard's footer has the counts, and what they depend on.
_KEY = b"hinterland.located"
_CURE = "restore the file or write the corpus again"
_COUNTS = ("rules", "not_placed", "values", "notes", "seen")


@dataclass(frozen=True)
class LocatedShards:
    """Shards with the places of documents, and what is to be said about them; see `Located`."""

    paths: tuple[Path, ...]
    documents: int
    rules: Counter[str]
    not_placed: Counter[str]
    unrecognised: tuple[tuple[str, int], ...]
    notes: Counter[str]

    def card(self) -> dict[str, Any]:
        """Return the counts as JSON-able values."""
        return {
            "documents": self.documents,
            "rules": dict(self.rules.most_common()),
            "not_placed": dict(self.not_placed.most_common()),
            "unrecognised": [list(each) for each in self.unrecognised],
            "notes": dict(self.notes.most_common()),
        }


def locate_shards(
    shards: Sequence[Path], out: Path, settings: LocateSettings | None = None, engine: Engine | None = None
) -> LocatedShards:
    """Write ``id`` and the columns of `PLACE_SCHEMA` for each shard, under its name in ``out``.

    Only columns that say something about places are read, a batch at a time. A shard that is
    there with the same settings is finished; what other settings made is made again.

    Args:
        shards: Parquet files with different names.
        out: A folder; it is made.
        settings: The defaults when ``None``.
        engine: Processes on this machine, as many as the settings say, when ``None``.

    Raises:
        CorpusError: A shard is missing, is not Parquet, has no ``id``, or lacks a column that the
            settings name.
        EngineError: A worker died.
        StorageError: The disk is full, or ``out`` cannot be written.
    """
    settings = settings or LocateSettings()
    engine = engine or LocalEngine(settings.workers)
    targets = [out / shard.name for shard in shards]
    depends = fingerprint(VERSION, settings.model_dump(mode="json", exclude={"workers"}))
    with storage_errors(out):
        out.mkdir(parents=True, exist_ok=True)
        for target in targets:
            if target.exists() and _footer(target).get("settings") != depends:
                target.unlink()
    engine.produce(
        partial(_locate_shard, settings, depends),
        list(shards),
        targets,
        label="finding where documents are from",
    )
    return _collect(targets, settings)


def card_of(paths: Sequence[Path]) -> dict[str, Any]:
    """Return what was found when `locate_shards` wrote these files.

    Raises:
        CorpusError: One is missing or damaged.
    """
    return _collect(paths, LocateSettings()).card()


def _locate_shard(settings: LocateSettings, depends: str, shard: Path, temporary: Path) -> None:
    """Write the places of one shard's documents, with the counts in the footer."""
    with parquet_errors(shard, cure=_CURE):
        names = pq.read_schema(shard).names
        if "id" not in names:
            raise CorpusError("no column 'id'", where=str(shard), cure="give shards of a corpus")
        counts: dict[str, Counter[str]] = {name: Counter() for name in _COUNTS}
        tables = [pa.schema([BASE_SCHEMA.field("id"), *PLACE_SCHEMA]).empty_table()]
        for batch in row_batches(shard, _wanted(names, settings)):
            placing = run_rules(pa.Table.from_batches([batch]), settings)
            counts["rules"].update(rules_of(placing))
            counts["not_placed"].update(placing.not_placed)
            counts["values"].update(placing.values)
            counts["notes"].update(placing.notes)
            counts["seen"].update(field for field in settings.columns if placing.fields.has(field))
            tables.append(table_of(placing).cast(tables[0].schema))
    said = {"settings": depends, **{name: dict(sorted(each.items())) for name, each in counts.items()}}
    whole = pa.concat_tables(tables).combine_chunks()
    pq.write_table(whole.replace_schema_metadata({_KEY: json.dumps(said)}), temporary, compression="zstd")


def _wanted(names: Sequence[str], settings: LocateSettings) -> list[str]:
    """Return the columns that can say something about places, by their names."""
    given = (name for each in (*USUAL.values(), *settings.columns.values()) for name in each)
    wanted = {plain_name(name) for name in (*given, "id", "text", "meta", "geo_from", "geo_confidence")}
    return [name for name in names if plain_name(name) in wanted]


def _footer(path: Path) -> dict[str, Any]:
    """Return what stands in a shard's footer; nothing if it is not one of ours."""
    with parquet_errors(path, cure="delete it and run again"):
        metadata = pq.read_schema(path).metadata or {}
    found = json.loads(metadata.get(_KEY, b"{}"))
    return found if isinstance(found, dict) else {}


def _collect(paths: Sequence[Path], settings: LocateSettings) -> LocatedShards:
    counts: dict[str, Counter[str]] = {name: Counter() for name in _COUNTS}
    documents = 0
    for path in paths:
        documents += int(pq.read_metadata(path).num_rows)
        said = _footer(path)
        for name in _COUNTS:
            counts[name].update(said.get(name, {}))
    check_named(settings, lambda field: counts["seen"][field] > 0, documents=documents)
    return LocatedShards(
        paths=tuple(paths),
        documents=documents,
        rules=+counts["rules"],
        not_placed=+counts["not_placed"],
        unrecognised=most_frequent(counts["values"]),
        notes=+counts["notes"],
    )
