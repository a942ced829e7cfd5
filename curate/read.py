"""Reading: files of any kind onto the record schema, streaming, as a corpus and a ledger.

Small files are read in groups, each group into one folder of finished shards: groups are
read side by side by an engine's workers, and a killed run goes on with the groups that are
not finished. What cannot be read is counted and listed with its file, position and reason;
the reading goes on. In = read + rejected, checked.
"""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from hinterland.core.corpus import Corpus, Shard, publish_corpus, write_shard
from hinterland.core.engine import Engine
from hinterland.core.errors import CorpusError
from hinterland.core.files import atomic_path, read_json
from hinterland.core.record import BASE_SCHEMA
from hinterland.core.run import fingerprint
from hinterland.curate.inputs import find_inputs, is_corpus, is_hub
from hinterland.curate.ledger import Reject
from hinterland.curate.part import COUNTS, IDS, LEDGER, WHERE, read_part
from hinterland.curate.passing import CorpusShard, pass_shard, passes, shards_of
from hinterland.curate.readers import ReadConfig, Unreadable, reader_for
from hinterland.curate.readers.dolma import attribute_files
from hinterland.curate.unique import make_unique

__all__ = [
    "ReadConfig",
    "ReadResult",
    "Reject",
    "count_rows",
    "find_inputs",
    "is_corpus",
    "read_corpus",
]

#: Part of what finished groups are known by; raised when reading gives other bytes.
_VERSION = 1
_GROUP_FILES = 1000

Item = tuple[Path, ...] | CorpusShard


@dataclass(frozen=True)
class ReadResult:
    """What was read.

    Attributes:
        corpus: The corpus' folder.
        rejects: The ledger, one JSON object a line.
        counts: Documents ``in``, ``read`` and ``rejected``; in = read + rejected.
        reasons: How often each reason occurs, also for documents that are kept.
        files: Inputs, a folder's files counted one by one.
        text_bytes: UTF-8 bytes of text read.
    """

    corpus: Path
    rejects: Path
    counts: dict[str, int]
    reasons: dict[str, int]
    files: int
    text_bytes: int


def read_corpus(
    inputs: Sequence[Path | str],
    out: Path,
    config: ReadConfig | None = None,
    *,
    engine: Engine,
    work: Path,
) -> ReadResult:
    """Read inputs into ``out/corpus`` and ``out/rejects/rejects.jsonl``.

    The bytes do not depend on the engine, its workers, or a kill. Ids that are missing
    become the text's hash; an id that is taken gets the text's hash, and if need be a
    number, behind it.

    Args:
        inputs: What `find_inputs` takes.
        out: A folder; a corpus in it is replaced.
        config: How to read.
        engine: Reads groups of files side by side.
        work: A folder for finished groups; the caller removes it when all is done.

    Raises:
        CorpusError: An input does not exist, a corpus among them is damaged, or ``strict``
            is set and something cannot be read.
        EngineError: A worker died.
        MissingDependencyError: The package that reads a format is not installed.
        StorageError: The disk is full, or a folder cannot be written.
    """
    config = config or ReadConfig()
    found = find_inputs(inputs)
    items = _items(found, config)
    keep = passes([path for path in found if is_corpus(path)]) and all(map(is_corpus, found))
    targets = [
        work / "parts" / f"{number:06d}-{_known_by(item, config, keep=keep)}"
        for number, item in enumerate(items)
    ]
    engine.produce(partial(_make, config=config, keep=keep), items, targets, label="curate: read")
    parts = [read_json(target / COUNTS) for target in targets]
    shards = [
        Shard(target / entry["file"], entry["rows"], entry["sha256"])
        for target, part in zip(targets, parts, strict=True)
        for entry in part["shards"]
    ]
    reasons: Counter[str] = Counter()
    counts = {"in": 0, "read": 0, "rejected": 0}
    for part in parts:
        reasons.update(part["reasons"])
        counts = {name: number + part["counts"][name] for name, number in counts.items()}
    renamed = work / "renamed"
    shutil.rmtree(renamed, ignore_errors=True)
    hashes = np.concatenate([np.empty((0, 2), np.uint64), *(np.load(target / IDS) for target in targets)])
    shards, taken = make_unique(shards, hashes, renamed)
    with atomic_path(out / "rejects" / LEDGER) as ledger, ledger.open("wb") as handle:
        for target in targets:
            with (target / LEDGER).open("rb") as source:
                shutil.copyfileobj(source, handle)
        for entry in _taken(taken, items, targets, parts):
            handle.write(entry.line().encode())
            reasons[entry.reason] += 1
    if not shards:
        renamed.mkdir(parents=True, exist_ok=True)
        shards = [write_shard(renamed / "empty.parquet", BASE_SCHEMA.empty_table())]
    if counts["in"] != counts["read"] + counts["rejected"] or counts["read"] != sum(s.rows for s in shards):
        raise CorpusError(f"documents went missing: {counts}", where=str(out), cure="report this as a bug")
    ordered = dict(sorted(reasons.items()))
    publish_corpus(out / "corpus", shards, manifest={"counts": counts, "reasons": ordered})
    return ReadResult(
        out / "corpus",
        out / "rejects" / LEDGER,
        counts,
        ordered,
        len(found),
        sum(part["text_bytes"] for part in parts),
    )


def _make(item: Item, folder: Path, *, config: ReadConfig, keep: bool) -> None:
    if isinstance(item, CorpusShard):
        pass_shard(item, folder, config=config, keep=keep)
    else:
        read_part(item, folder, config=config)


def _items(found: Sequence[Path], config: ReadConfig) -> list[Item]:
    """Return what is read at one time: files that follow one another, up to a shard's size."""
    items: list[Item] = []
    group: list[Path] = []
    size = 0.0
    for path in found:
        if is_corpus(path):
            items += [tuple(group)] if group else []
            group, size = [], 0.0
            items += shards_of(Corpus.open(path))
            continue
        for piece in _pieces(path):
            effort = _effort(piece)
            if group and (size + effort > config.shard_bytes or len(group) >= _GROUP_FILES):
                items.append(tuple(group))
                group, size = [], 0.0
            group.append(piece)
            size += effort
    return items + ([tuple(group)] if group else [])


def _pieces(path: Path) -> list[Path]:
    """Return the parts of a data set that can be read apart; a file is one."""
    if not is_hub(path):
        return [path]
    from hinterland.curate.readers.hub import pieces

    return pieces(path)


def _effort(path: Path) -> float:
    """Return about how many bytes of plain JSON lines it takes as long to read."""
    if is_hub(path):
        return float("inf")
    try:
        return max(1, path.stat().st_size) * reader_for(path).effort
    except (OSError, Unreadable):
        return 1.0


def _known_by(item: Item, config: ReadConfig, *, keep: bool) -> str:
    """Return what tells a group from others: its files, their sizes and times, and how they are read."""
    files: list[Any] = [_VERSION, config.model_dump(mode="json")]
    if isinstance(item, CorpusShard):  # the same shard has other columns beside inputs of other kinds
        files += [item.sha256, keep]
    paths = (item.path,) if isinstance(item, CorpusShard) else item
    for path in paths:
        for file in (path, *attribute_files(path).values()):
            try:
                status = file.stat()
                files.append([str(file), status.st_size, status.st_mtime_ns])
            except OSError:
                files.append([str(file)])
    return fingerprint(files)


def _taken(
    renamed: Iterator[Any], items: Sequence[Item], targets: Sequence[Path], parts: Sequence[dict[str, Any]]
) -> Iterator[Reject]:
    """Yield an entry for each document whose id was taken, with its file and position."""
    ends = np.cumsum([part["counts"]["read"] for part in parts])
    loaded, places = -1, np.empty((0, 2), np.int64)
    for each in renamed:
        part = int(np.searchsorted(ends, each.row, side="right"))
        if part != loaded:
            loaded, places = part, np.load(targets[part] / WHERE)
        item = items[part]
        file, position = places[each.row - (int(ends[part - 1]) if part else 0)].tolist()
        path = item.path if isinstance(item, CorpusShard) else item[file]
        detail = f"{each.given!r} is now {each.identity!r}"
        yield Reject(str(path), position, "id_taken", detail[:200], kept=True, documents=0)


def count_rows(path: Path) -> int:
    """Return about how many documents a file or corpus from `find_inputs` holds; 0 if unreadable."""
    try:
        return len(Corpus.open(path)) if is_corpus(path) else reader_for(path).count(path)
    except (OSError, ValueError, pa.ArrowException, Unreadable, json.JSONDecodeError):
        return 0
