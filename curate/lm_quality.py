"""The model-based quality of a whole corpus: a language model reads a sample, the rest is predicted."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from hinterland.core.engine import Engine
from hinterland.core.files import atomic_path
from hinterland.core.models import find_model
from hinterland.core.run import fingerprint
from hinterland.curate.config import QualityConfig
from hinterland.curate.perplexity import bits_per_byte, load_causal_lm
from hinterland.curate.quality import MEASURED, MIN_MEASURED, PREDICTED, Distilled, distil, sample_rows
from hinterland.curate.score_columns import ShardColumns

__all__ = ["score_quality"]

Floats = NDArray[np.float64]


def score_quality(
    texts: Sequence[Path],
    scored: Sequence[Path],
    out: Path,
    config: QualityConfig,
    *,
    seed: int,
    engine: Engine,
    work: Path,
) -> dict[str, Any]:
    """Measure a sample under ``config.model``, predict all, and write both columns.

    The sample is stratified by country, or by source where no country is known. Measured
    documents get what the regression says without them.

    Args:
        texts: The corpus' shards.
        scored: Their score shards.
        out: Gets a Parquet file for each shard, under its name.
        config: The model, the sample, the tokens.
        seed: The run's seed.
        engine: Runs the prediction.
        work: Keeps measured values, so that a killed run does not measure again.

    Returns:
        The card: how many were measured, and how well the prediction does.

    Raises:
        CorpusError: A shard is damaged.
        ModelSourceError: The model cannot be had.
    """
    columns = ShardColumns(scored, texts)
    rows = _sample(columns, config, seed)
    chosen = _texts_at(texts, rows)
    spec = config.model or ""
    cache = work / f"lm_quality-{fingerprint(find_model(spec).fingerprint(), config.max_tokens)}.json"
    measured = _measure(spec, chosen, config.max_tokens, cache)
    known = np.flatnonzero(np.isfinite(measured))
    model = distil([chosen[row] for row in known], measured[known], seed=seed)
    everything = len(rows) == int((~columns.empty()).sum())
    card: dict[str, Any] = {"model": config.model, "max_tokens": config.max_tokens, "sample": len(rows)}
    card["measured"] = len(known)
    if everything or model is None:
        card["distilled"] = False
        if not everything:
            card["note"] = f"fewer than {MIN_MEASURED} measured"
        model = None
    else:
        card |= model.card
    state = _save(work, rows, measured, known, model, predictions=everything)
    stage = partial(_predict, state=state)
    _predict_shards(texts, out, stage, engine)
    return card


def _measure(spec: str, texts: Sequence[str], max_tokens: int, cache: Path) -> Floats:
    model, tokenizer = load_causal_lm(spec)
    return bits_per_byte(model, tokenizer, texts, max_tokens=max_tokens, cache=cache)


def _sample(columns: ShardColumns, config: QualityConfig, seed: int) -> NDArray[np.int64]:
    """Return the corpus' rows to measure: of documents with a word, in proportion to the strata."""
    filled = np.flatnonzero(~columns.empty())
    codes, names = columns.codes("country")
    if names == ["null"]:
        codes, _ = columns.codes("source")
    draws = columns.draws(seed, "lm_quality", "sample")
    chosen = sample_rows(draws[filled], codes[filled], size=config.sample, seed=seed)
    return np.asarray(filled[chosen], dtype=np.int64)


def _texts_at(shards: Sequence[Path], rows: NDArray[np.int64]) -> list[str]:
    """Return the texts of the corpus' rows, in ascending order; one shard in memory at a time."""
    found: list[str] = []
    start = 0
    for shard in shards:
        count = pq.read_metadata(shard).num_rows
        inside = rows[(rows >= start) & (rows < start + count)] - start
        if len(inside):
            found += pq.read_table(shard, columns=["text"])["text"].take(inside).to_pylist()
        start += count
    return found


def _save(
    work: Path,
    rows: NDArray[np.int64],
    measured: Floats,
    known: NDArray[np.int64],
    model: Distilled | None,
    *,
    predictions: bool,
) -> Path:
    """Write what predicting a shard needs; the file's name is its content's hash."""
    held_out = np.full(len(rows), np.nan)
    if model is not None:
        held_out[known] = model.held_out
    elif predictions:
        held_out = measured
    coefficients = model.coefficients if model is not None else np.empty(0)
    intercept = model.intercept if model is not None else 0.0
    name = fingerprint(rows.tolist(), measured.tobytes().hex(), held_out.tobytes().hex())
    path = work / f"lm_quality-{name}.npz"
    with atomic_path(path) as temporary, temporary.open("wb") as handle:
        np.savez(
            handle,
            rows=rows,
            measured=measured,
            held_out=held_out,
            coefficients=coefficients,
            intercept=np.array([intercept]),
        )
    return path


def _predict_shards(texts: Sequence[Path], out: Path, stage: Any, engine: Engine) -> None:
    """Run the prediction over shards, each with the number of its first row."""
    starts = np.cumsum([0, *(pq.read_metadata(path).num_rows for path in texts)]).tolist()
    items = [(path, start) for path, start in zip(texts, starts, strict=False)]
    engine.produce(stage, items, [out / path.name for path in texts], label="curate: quality of the rest")


def _predict(item: tuple[Path, int], temporary: Path, *, state: Path) -> None:
    """Write the measured and predicted values of one shard."""
    shard, start = item
    with np.load(state, allow_pickle=False) as saved:
        rows, measured, held_out = saved["rows"], saved["measured"], saved["held_out"]
        model = Distilled(held_out, saved["coefficients"], float(saved["intercept"][0]), {})
    table = pq.read_table(shard, columns=["id", "text"])
    values, predicted = np.full(table.num_rows, np.nan), np.full(table.num_rows, np.nan)
    if len(model.coefficients):
        predicted = model.predict(table["text"].to_pylist())
    inside = (rows >= start) & (rows < start + table.num_rows)
    values[rows[inside] - start] = measured[inside]
    finite = inside & np.isfinite(held_out)
    predicted[rows[finite] - start] = held_out[finite]
    pq.write_table(
        pa.table({"id": table["id"], PREDICTED: predicted, MEASURED: values}), temporary, compression="zstd"
    )
