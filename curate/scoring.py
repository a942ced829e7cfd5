"""The scoring pass: every filter's columns, and what the search for duplicates needs, from one split."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from hinterland.core.engine import Engine
from hinterland.core.errors import CorpusError
from hinterland.curate.dedup import text_hashes
from hinterland.curate.filter import Filter, Scores, make_filters
from hinterland.curate.kernels.minhash import MinHash, band_keys
from hinterland.curate.words import Batch, batches

__all__ = ["INTERNAL", "VERSION", "score_batch", "score_shard", "score_shards"]

#: Part of what scores are known by; raised when the same text gets other scores.
VERSION = 1
#: Columns whose names begin so are for later stages; they do not go into the curated corpus.
INTERNAL = "_"


def score_batch(batch: Batch, filters: Sequence[Filter], minhash: MinHash | None) -> dict[str, pa.Array]:
    """Return all columns of a batch: the filters', and the internal ones.

    ``_empty`` says whether there is no word; ``_exact`` is a hash of the text without its
    case and white space (binary of 16), ``_bands`` the MinHash keys, ``_paragraphs`` and
    ``_paragraph_characters`` the paragraphs' hashes and lengths.

    Args:
        batch: The documents.
        filters: What to score.
        minhash: How to sign; ``None`` leaves out ``_bands``.
    """
    scores: Scores = {}
    for each in filters:
        scores |= each.score(batch)
    columns = {name: _array(values) for name, values in scores.items()}
    columns["_empty"] = pa.array(np.diff(batch.split.word_offsets) == 0)
    hashes = text_hashes(batch)
    columns["_exact"] = _fixed(hashes.exact)
    offsets = pa.array(np.concatenate(([0], np.cumsum(hashes.counts))).astype(np.int32))
    columns["_paragraphs"] = pa.ListArray.from_arrays(offsets, pa.array(hashes.paragraphs))
    columns["_paragraph_characters"] = pa.ListArray.from_arrays(offsets, pa.array(hashes.characters))
    if minhash is not None:
        keys = band_keys(batch, minhash)
        columns["_bands"] = pa.FixedSizeListArray.from_arrays(pa.array(keys.ravel()), minhash.bands)
    return columns


def score_shard(
    table: pa.Table,
    *,
    filters: tuple[str, ...],
    options: Mapping[str, Mapping[str, Any]] | None = None,
    minhash: MinHash | None = None,
) -> pa.Table:
    """Return ``id`` and all columns for one shard; see `score_batch`.

    Args:
        table: Documents with ``id`` and ``text``.
        filters: Names of filters.
        options: Their options by name.
        minhash: How to sign for near-duplicates; ``None`` does not.
    """
    made = _made(filters, json.dumps(options or {}, sort_keys=True))
    parts = [score_batch(batch, made, minhash) for batch in batches(table["text"])]
    if not parts:
        parts = [score_batch(Batch([]), made, minhash)]
    columns = {name: pa.chunked_array([part[name] for part in parts]) for name in parts[0]}
    return pa.table({"id": table["id"], **columns})


@cache
def _made(filters: tuple[str, ...], options: str) -> tuple[Filter, ...]:
    """Make the filters once in a process: some read models."""
    return make_filters(filters, json.loads(options))


def _array(values: np.ndarray[Any, Any]) -> pa.Array:
    return pa.array(values, from_pandas=False) if values.dtype != object else pa.array(values, pa.string())


def _fixed(rows: np.ndarray[Any, Any]) -> pa.Array:
    """Return bytes of shape (n, width) as an array of fixed-size binary."""
    count, width = rows.shape
    return pa.FixedSizeBinaryArray.from_buffers(
        pa.binary(width), count, [None, pa.py_buffer(np.ascontiguousarray(rows).tobytes())]
    )


def score_shards(
    shards: Sequence[Path],
    out: Path,
    *,
    filters: tuple[str, ...],
    options: Mapping[str, Mapping[str, Any]],
    minhash: MinHash | None,
    engine: Engine,
) -> list[Path]:
    """Score each shard into ``out`` under the same name; finished ones are left as they are.

    Raises:
        ConfigError: A filter's option is wrong.
        CorpusError: A shard is damaged, or the scores found there are of other documents.
        RegistryError: A filter is unknown.
    """
    make_filters(filters, options)
    stage = partial(score_shard, filters=filters, options=options, minhash=minhash)
    done = engine.map_shards(stage, shards, out, label="curate: filters")
    _check_rows(shards, done)
    return done


def _check_rows(shards: Sequence[Path], done: Sequence[Path]) -> None:
    import pyarrow.parquet as pq

    for shard, scored in zip(shards, done, strict=True):
        if pq.read_metadata(shard).num_rows != pq.read_metadata(scored).num_rows:
            raise CorpusError(
                "the scores are not those of this corpus",
                where=str(scored),
                cure="delete this folder and run again",
            )
