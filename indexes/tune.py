"""Tune an index to a promised recall, and see later whether the promise still holds.

Exact search over the true vectors of all live chunks says what is right; `tune_walk` tries the
index's settings from fast to thorough on one half of the queries, takes the fastest that keeps
the promise, and measures it once more on the other half, which the choice has not seen. What
was found goes into the manifest of a new version that shares the old one's vectors.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from hinterland.core.errors import ConfigError, IndexBundleError
from hinterland.core.files import hash_file
from hinterland.core.stats import Interval
from hinterland.indexes.bundle import current_version
from hinterland.indexes.embed import Embedder
from hinterland.indexes.embed_cache import EmbeddingCache
from hinterland.indexes.embedding import embedding, keep_vectors, publishing
from hinterland.indexes.queries import query_texts
from hinterland.indexes.search import Index
from hinterland.indexes.tune_judged import Judged, need_words, tuned_search
from hinterland.indexes.tune_measure import Bench
from hinterland.indexes.tune_open import Measured, open_measured
from hinterland.indexes.tune_queries import Asked, StandIn, chunk_queries, sentence_queries
from hinterland.indexes.tune_recall import recall_interval
from hinterland.indexes.tune_walk import Point, choose, lines_of, walk
from hinterland.indexes.version import republish

__all__ = ["Check", "Tuning", "check_promise", "tune"]

#: What a user gives as queries: a file, or texts.
Queries = Path | Sequence[str] | None

SAMPLE = 2000  # sentences or chunks searched as queries, both halves
SPLIT_FROM = 200  # fewer queries are not halved: either half alone would say too little
_SLACK = 0.01  # what a promise may be missed by before it counts as broken


@dataclass(frozen=True, slots=True)
class Tuning:
    """What was promised, chosen and measured.

    Attributes:
        promise: The recall that was asked for.
        k: Of recall@k.
        parameters: The search parameters chosen.
        recall: Mean recall with its two-sided 95 % interval, on queries that had no part in the
            choice where ``verified``.
        met: Whether the promise is kept.
        exact: Whether the index is searched exactly, so that nothing had to be measured.
        verified: Whether the queries were enough to be halved.
        queries: How many, of what kind, and where from.
        curve: The settings tried.
        milliseconds: The median time of one query at the chosen setting.
        seed: For the sample and the halves.
        note: What a user should know.
        fusion: The manifest's ``search`` and ``fusion_tuning``, if judged queries were given.
    """

    promise: float
    k: int
    parameters: dict[str, int]
    recall: Interval
    met: bool
    exact: bool
    verified: bool
    queries: dict[str, Any]
    curve: tuple[Point, ...]
    milliseconds: float | None
    seed: int
    note: str = ""
    fusion: dict[str, Any] | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON-able values, as the manifest has it under ``tuning``."""
        told = asdict(self)
        del told["fusion"]  # has keys of its own in the manifest
        interval = told.pop("recall")
        told["recall"], told["low"], told["high"] = (
            round(interval[key], 5) for key in ("estimate", "low", "high")
        )
        told["curve"] = [point.as_dict() for point in self.curve]
        return told


@dataclass(frozen=True, slots=True)
class Check:
    """Whether a promise still holds.

    Attributes:
        promise: What was promised.
        k: Of recall@k.
        recall: What is measured now, with its two-sided 95 % interval.
        holds: Neither the interval lies below the promise, nor the estimate a point below it.
        queries: How many, of what kind, and where from.
    """

    promise: float
    k: int
    recall: Interval
    holds: bool
    queries: dict[str, Any]

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON-able values, as the manifest has it."""
        return {
            "promise": self.promise,
            "k": self.k,
            "recall": round(self.recall.estimate, 5),
            "low": round(self.recall.low, 5),
            "high": round(self.recall.high, 5),
            "holds": self.holds,
            "queries": self.queries,
        }


def tune(
    index: Path | Index,
    *,
    recall: float = 0.95,
    k: int = 10,
    queries: Queries = None,
    seed: int = 0,
    embedder: Embedder | None = None,
    sample: int = SAMPLE,
    stand_in: StandIn = "sentences",
    judged: Judged | None = None,
    write: bool = True,
) -> Tuning:
    """Choose the fastest search parameters that keep a promised recall@k.

    Args:
        index: The index's folder, or the index opened; that one keeps its own parameters.
        recall: The promise, above 0 and up to 1. A promise of 1 cannot be shown by a sample.
        k: How many neighbours count.
        queries: A file (see `queries.read_queries`) or texts; ``None`` takes ``stand_in``.
        seed: For the sample and the halves.
        embedder: The encoder; ``None`` loads the one the manifest names, if it is needed.
        sample: How many chunks are sampled where there are no queries.
        stand_in: What of them is searched for: a ``sentences`` of each, or the ``chunks`` themselves,
            which needs no encoder and says little of real queries (`hinterland.indexes.tune_queries`).
        judged: Queries with judgements, to tune the mix of vectors and words on; its figures
            are those of the parameters chosen.
        write: Publish the choice as a new version.

    Raises:
        ConfigError: The promise or ``k`` makes no sense, or the queries cannot be read.
        IndexBundleError: The index is missing or damaged, the encoder is another, or there
            are judged queries and no words.
        StorageError: The folder cannot be written, or another process writes there.
    """
    if not 0 < recall <= 1 or k < 1:
        raise ConfigError(
            f"a recall of {recall:g} at {k} cannot be promised",
            cure="give recall from 0 to 1, and k of 1 or more",
        )
    root, embedder = _place(index, embedder)
    with embedding(root) as cache:
        opened = open_measured(root, embedder, cache)
        if judged is not None:
            need_words(opened.bundle)
        tuning = _tuned(opened, recall, k, queries, seed, sample, stand_in)
        if judged is not None:
            backend = opened.backend.tuned(tuning.parameters)
            tuning = replace(tuning, fusion=tuned_search(opened, backend, judged, seed=seed))
        told = {**tuning.as_dict(), "changes": len(opened.manifest.get("changes", [])), "stale": False}
        settings = {**opened.manifest["index"], "parameters": tuning.parameters}
        _end(opened, cache, {"index": settings, "tuning": told, **(tuning.fusion or {})} if write else None)
    return tuning


def check_promise(
    index: Path | Index,
    *,
    queries: Queries = None,
    embedder: Embedder | None = None,
    sample: int = SAMPLE,
    write: bool = True,
) -> Check:
    """Measure again what the index was tuned to, with the queries that were used or their like.

    Args:
        index: The index's folder, or the index opened.
        queries: Other queries than those the manifest names.
        embedder: The encoder; ``None`` loads the one the manifest names, if it is needed.
        sample: How many chunks are sampled, if they or their sentences were searched for.
        write: Write what was found into the manifest of a new version, so that the index is no
            longer called untested after changes.

    Raises:
        ConfigError: The file of queries is gone.
        IndexBundleError: The index was never tuned, is missing or damaged.
        StorageError: The folder cannot be written, or another process writes there.
    """
    root, embedder = _place(index, embedder)
    with embedding(root) as cache:
        opened = open_measured(root, embedder, cache)
        made = opened.manifest.get("tuning")
        if not made:
            raise IndexBundleError(
                "the index was never tuned", where=str(root), cure="run: hinterland index tune"
            )
        named = made["queries"]
        if queries is None and named.get("kind") == "file":
            queries = Path(named["path"])
        promise, k = float(made["promise"]), int(made["k"])
        if not opened.backend.grid() and opened.backend.exact:
            check = Check(promise, k, Interval(1.0, 1.0, 1.0), True, {"kind": "none", "count": 0})
        else:
            stand_in: StandIn = "chunks" if named.get("kind") == "chunks" else "sentences"
            asked = _asked(opened, queries, int(made["seed"]), sample, stand_in)
            reach = _reach(opened, asked, k)
            found = Interval(1.0, 1.0, 1.0)
            if reach:
                bench = Bench(opened, asked, reach)
                found = recall_interval(bench.recalls(opened.manifest["index"]["parameters"]), reach)
            holds = found.high >= promise and found.estimate >= promise - _SLACK
            check = Check(promise, k, found, holds, {**asked.origin, "count": len(asked)})
        checked = {**check.as_dict(), "date": datetime.now(UTC).date().isoformat()}
        _end(opened, cache, {"tuning": {**made, "stale": False, "checked": checked}} if write else None)
    return check


def _end(opened: Measured, cache: EmbeddingCache, changed: Mapping[str, Any] | None) -> None:
    """Keep what was embedded, and publish what was found of the version that was measured.

    Raises:
        IndexBundleError: Another version is served by now.
    """
    with publishing(opened.root):
        keep_vectors(opened.root, cache)
        if changed is None:
            return
        if current_version(opened.root) != opened.bundle.version:
            raise IndexBundleError(
                "the index was changed while it was measured", where=str(opened.root), cure="tune it again"
            )
        republish(opened.root, opened.bundle, changed)


def _place(index: Path | Index, embedder: Embedder | None) -> tuple[Path, Embedder | None]:
    if isinstance(index, Index):
        return index.bundle.folder.parents[1], embedder or index.embedder
    return index, embedder


def _asked(opened: Measured, queries: Queries, seed: int, sample: int, stand_in: StandIn) -> Asked:
    if queries is None and stand_in == "chunks":
        return chunk_queries(opened.vectors, sample, seed)
    if queries is None:
        return sentence_queries(opened.chunks["text"].to_pylist(), opened.embedder, sample, seed)
    if isinstance(queries, Path):
        texts = query_texts(queries)
        file = queries / "queries.jsonl" if queries.is_dir() else queries
        origin = {"kind": "file", "path": str(queries), "sha256": hash_file(file)}
    else:
        texts, origin = list(queries), {"kind": "texts"}
        if not texts:
            raise ConfigError("no queries", cure="give some, or none at all to sample sentences of the index")
    return Asked(str(origin["kind"]), opened.embedder.queries(texts), None, origin)


def _reach(opened: Measured, asked: Asked, k: int) -> int:
    """Return ``k``, or how many neighbours there are if that is less."""
    return min(k, len(opened.rows) - (asked.own is not None))


def _tuned(
    opened: Measured, promise: float, k: int, queries: Queries, seed: int, sample: int, stand_in: StandIn
) -> Tuning:
    backend = opened.backend
    grid = backend.grid()
    whole = Interval(1.0, 1.0, 1.0)
    if backend.exact and not grid:
        none: dict[str, Any] = {"kind": "none", "count": 0}
        note = "this index is searched exactly: its recall is 1, and there is nothing to tune"
        return Tuning(promise, k, {}, whole, True, True, False, none, (), None, seed, note)
    asked = _asked(opened, queries, seed, sample, stand_in)
    told = {**asked.origin, "count": len(asked)}
    reach = _reach(opened, asked, k)
    if reach < 1:
        note = "there is one chunk, which every search finds"
        parameters = dict(opened.manifest["index"]["parameters"])
        return Tuning(promise, k, parameters, whole, True, False, False, told, (), None, seed, note)
    split = len(asked) >= SPLIT_FROM
    first, second = asked.halves(seed) if split else (asked, asked)
    level = 1 - 0.05 / len(lines_of(grid))
    bench = Bench(opened, first, reach, level=level)
    points = walk(grid, bench.point, promise)
    point, met = choose(points, promise)
    fresh = (
        Bench(opened, second, reach).recalls(point.parameters) if split else bench.recalls(point.parameters)
    )
    found = recall_interval(fresh, reach)
    met = met and found.high >= promise
    return Tuning(
        promise,
        k,
        point.parameters,
        found,
        met,
        False,
        split,
        told,
        tuple(points),
        point.milliseconds,
        seed,
        _note(met=met, split=split, kind=asked.kind, count=len(asked), k=k, reach=reach, promise=promise),
    )


def _note(*, met: bool, split: bool, kind: str, count: int, k: int, reach: int, promise: float) -> str:
    notes = []
    if not met:
        notes.append(f"no setting could be shown to keep recall {promise:g}; the best is used")
    if promise < 1 and count < promise / (1 - promise):
        notes.append(f"{count} queries are too few to show {promise:g}, even if all were perfect")
    if kind == "sentences":
        notes.append("recall was measured on sentences of the index; your own queries tell more")
    if kind == "chunks":
        notes.append("recall was measured on chunks as queries: on real ones it may be far lower")
    if not split:
        notes.append(
            f"{count} queries are too few to halve: the choice was measured on the queries it was made on"
        )
    if reach < k:
        notes.append(f"there are only {reach} neighbours to find")
    return "; ".join(notes)
