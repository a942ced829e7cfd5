"""Audits filters of any kind over a corpus, a batch at a time."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from hinterland.core.corpus import Corpus
from hinterland.core.errors import ConfigError, CorpusError, nearest
from hinterland.core.parquet import parquet_errors, row_batches
from hinterland.core.progress import track
from hinterland.curate.audit.adapters.base import Adapter, Audited
from hinterland.curate.audit.adapters.config import (
    AdapterConfig,
    CallableFilter,
    ColumnFilter,
    DatatroveFilter,
    DolmaFilter,
    FastTextFilter,
)
from hinterland.curate.audit.claims import ALL
from hinterland.curate.audit.meta import META, with_meta

__all__ = ["apply_adapters", "make_adapter"]


def make_adapter(name: str, config: AdapterConfig | Callable[..., Any]) -> Adapter:
    """Return the adapter of a filter; files are opened, functions imported, models loaded.

    Args:
        name: What the filter is called.
        config: How a config names it, or a function.

    Raises:
        ConfigError: The name is taken by the audit, or the filter cannot be made.
        CorpusError: Its attributes cannot be read.
        MissingDependencyError: A package is missing.
        ModelSourceError: Its model cannot be loaded.
    """
    if name == ALL or not name.strip():
        raise ConfigError(f"a filter called {name!r}", where="filters", cure="choose another name")
    match config:
        case CallableFilter():
            from hinterland.curate.audit.adapters.function import FunctionAdapter

            return FunctionAdapter(name, config)
        case ColumnFilter():
            from hinterland.curate.audit.adapters.column import ColumnAdapter

            return ColumnAdapter(name, config)
        case DatatroveFilter():
            from hinterland.curate.audit.adapters.datatrove import DatatroveAdapter

            return DatatroveAdapter(name, config)
        case DolmaFilter():
            from hinterland.curate.audit.adapters.dolma import DolmaAdapter

            return DolmaAdapter(name, config)
        case FastTextFilter():
            from hinterland.curate.audit.adapters.fasttext import FastTextAdapter

            return FastTextAdapter(name, config)
    return make_adapter(name, CallableFilter(callable=config))


def apply_adapters(
    adapters: Mapping[str, AdapterConfig | Callable[..., Any]],
    corpus: Corpus | Iterable[pa.RecordBatch],
    *,
    rows: int | None = None,
) -> dict[str, Audited]:
    """Judge all documents by each filter, reading them once and holding one batch at a time.

    Args:
        adapters: Filters by name.
        corpus: A corpus, or record batches with ``id``, ``text`` and what the filters need.
        rows: How many documents there are; a corpus knows it.

    Returns:
        By name, in the order given; arrays are in the documents' order.

    Raises:
        ConfigError: A filter cannot be made, or needs a column that is not there.
        CorpusError: A shard is damaged, the batches are not ``rows`` long, or a filter judged no
            document.
        MissingDependencyError: A package is missing.
        ModelSourceError: A model cannot be loaded.
    """
    made = {name: make_adapter(name, config) for name, config in adapters.items()}
    if not made:
        return {}
    if isinstance(corpus, Corpus):
        rows = len(corpus)
        batches = _batches(corpus, made)
    else:
        batches = iter(corpus)
    if rows is None:
        raise CorpusError("how many documents there are is not given", where="filters", cure="give rows")
    keep = {name: np.ones(rows, dtype=bool) for name in made}
    scores: dict[str, np.ndarray[Any, np.dtype[np.float64]]] = {}
    at = 0
    for batch in track(_counted(batches), "judging"):
        end = at + batch.num_rows
        if end > rows:
            raise CorpusError(
                f"more than the {rows} documents announced", where="filters", cure="count again"
            )
        for name, adapter in made.items():
            _check_columns(name, adapter, batch.schema.names)
            judged = adapter.judge(batch)
            keep[name][at:end] = judged.keep
            if judged.score is not None:
                scores.setdefault(name, np.full(rows, math.nan))[at:end] = judged.score
        at = end
    if at != rows:
        raise CorpusError(f"{at} documents of {rows} announced", where="filters", cure="count again")
    return {name: _audited(name, made[name], adapters[name], keep[name], scores.get(name)) for name in made}


def _audited(name: str, adapter: Adapter, config: Any, keep: Any, score: Any) -> Audited:
    bound = adapter.bound
    info = {"kind": getattr(config, "kind", "callable"), **adapter.finish()}
    return Audited(
        name, keep, score, bound.side if bound else "", bound.threshold if bound else math.nan, info
    )


def _counted(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    return (batch for batch in batches if batch.num_rows)


def _batches(corpus: Corpus, adapters: Mapping[str, Adapter]) -> Iterator[pa.RecordBatch]:
    """Yield the columns that any of the filters needs."""
    wanted = {each for one in adapters.values() for each in (*one.columns, *one.may_have)}
    seen: set[str] = set()
    for path, _ in corpus.shards():
        with parquet_errors(path, cure="write it again"):
            there = pq.read_schema(path).names
            missing = [each for one in adapters.values() for each in one.columns if each not in there]
            if not missing or META not in there:
                for name, adapter in adapters.items():
                    _check_columns(name, adapter, there)
                yield from row_batches(path, [name for name in there if name in wanted])
                continue
            inside = list(dict.fromkeys(missing))  # what a file said besides stands in meta
            for batch in row_batches(path, [name for name in there if name in wanted or name == META]):
                found = with_meta(batch, inside)
                seen |= {each for each in inside if found.column(each).null_count < found.num_rows}
                yield found
            _check_seen(adapters, there, seen)


def _check_seen(adapters: Mapping[str, Adapter], there: list[str], seen: set[str]) -> None:
    """Refuse a column that is none of the corpus' and none that a document of a shard has in ``meta``."""
    for name, adapter in adapters.items():
        for column in adapter.columns:
            if column not in there and column not in seen:
                raise ConfigError(
                    f"there is no column {column!r}, and no document has it in meta",
                    where=f"filters.{name}",
                    cure=nearest(column, there),
                )


def _check_columns(name: str, adapter: Adapter, there: list[str]) -> None:
    for column in adapter.columns:
        if column not in there:
            raise ConfigError(
                f"there is no column {column!r}", where=f"filters.{name}", cure=nearest(column, there)
            )
