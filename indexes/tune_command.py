"""`hinterland index tune`: search parameters for a promised recall, written into the index."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from pydantic import Field

from hinterland.core.config import Config
from hinterland.core.errors import IndexBundleError
from hinterland.core.files import write_text
from hinterland.indexes.embed import EmbedConfig, SentenceEmbedder
from hinterland.indexes.tune import SAMPLE, SPLIT_FROM, Check, check_promise, tune
from hinterland.indexes.tune_open import open_measured
from hinterland.indexes.tune_plot import curve_svg
from hinterland.indexes.tune_queries import read_queries
from hinterland.indexes.tune_walk import lines_of

__all__ = ["CommandConfig", "plan", "render", "run"]

_STEPS = 6  # bisections on a line, about
_REPEATS = 100  # searches of one query for each setting, of which some in batches


class CommandConfig(Config):
    """What to promise, and on which queries.

    Attributes:
        index: The index's folder.
        recall: The recall to keep.
        k: Of recall@k.
        queries: A file with a query a line, JSON lines, or a folder in BEIR's layout; none
            samples chunks of the index.
        sample: Chunks searched as queries where no queries are given.
        seed: For the sample and for halving the queries.
        check: Only measure whether the promise that stands in the index still holds.
        plot: An SVG file for the curve.
        embed: Another encoder than the one the index names (its folder moved, say); it is
            refused unless it gives the same vectors.
    """

    index: Path
    recall: float = Field(default=0.95, gt=0, le=1)
    k: int = Field(default=10, ge=1)
    queries: Path | None = None
    sample: int = Field(default=SAMPLE, ge=2)
    seed: int = 0
    check: bool = False
    plot: Path | None = None
    embed: EmbedConfig | None = None


def plan(config: CommandConfig) -> dict[str, Any]:
    """Say which settings would be tried on which queries, and about how long it takes."""
    opened = open_measured(config.index)
    grid = {} if config.check else opened.backend.grid()
    lines = len(lines_of(grid)) if grid else 1
    steps = len(next(iter(grid.values()), [])) + _STEPS if grid else 1
    asked = len(read_queries(config.queries)) if config.queries else min(config.sample, len(opened.rows))
    half = asked // 2 if asked >= SPLIT_FROM else asked
    embeds = 0 if opened.backend.exact else len(opened.rows)
    told: dict[str, Any] = {
        "version": opened.bundle.version,
        "factory": opened.manifest["index"].get("factory", ""),
        "chunks": len(opened.rows),
        "parameters_now": opened.manifest["index"].get("parameters", {}),
        "parameters_tried": grid,
        "points_at_most": lines * steps,
        "queries": asked,
        "queries_kind": "file" if config.queries else "chunks",
        "passages_embedded_at_most": embeds,
    }
    if not opened.backend.grid() and opened.backend.exact:
        return {**told, "points_at_most": 0, "queries": 0, "seconds_estimated": 0.0}
    # Exact search is one product of matrices; a setting costs as much as a search or two.
    query = opened.backend.reconstruct(opened.rows[:1]) if opened.backend.exact else None
    each = 0.002
    if query is not None:
        start = time.perf_counter()
        for _ in range(5):
            opened.backend.search(query, config.k, opened.allow)
        each = (time.perf_counter() - start) / 5
    exact = 2e-10 * asked * len(opened.rows) * opened.backend.dimension
    told["seconds_estimated"] = round(exact + lines * steps * (half + _REPEATS) * each, 1)
    return told


def run(config: CommandConfig) -> dict[str, Any]:
    """Tune or check.

    Raises:
        IndexBundleError: The promise is broken, or no setting keeps it; what was found is
            written into the index before.
    """
    start = time.perf_counter()
    embedder = SentenceEmbedder(config.embed) if config.embed else None
    if config.check:
        check = check_promise(config.index, queries=config.queries, embedder=embedder, sample=config.sample)
        if not check.holds:
            raise IndexBundleError(
                f"the promise is broken: {_measured(check)}",
                where=str(config.index),
                cure=f"run: hinterland index tune --set index={config.index}",
            )
        return {"index": str(config.index), "check": check.as_dict(), "seconds": _since(start)}
    tuning = tune(
        config.index,
        recall=config.recall,
        k=config.k,
        queries=config.queries,
        seed=config.seed,
        embedder=embedder,
        sample=config.sample,
    )
    told = tuning.as_dict()
    if config.plot and tuning.curve:
        write_text(config.plot, curve_svg(told))
    if not tuning.met:
        raise IndexBundleError(
            f"no setting keeps recall@{tuning.k} of {tuning.promise:g}: the best,"
            f" {_settings(tuning.parameters)}, has {tuning.recall.estimate:.3f}"
            f" [{tuning.recall.low:.3f}, {tuning.recall.high:.3f}];"
            " it is written into the index, marked as not kept",
            where=str(config.index),
            cure="promise less, give more queries, or build with finer codes (SQ8 for PQ, or add ,RFlat)",
        )
    return {"index": str(config.index), "tuning": told, "seconds": _since(start)}


def _since(start: float) -> float:
    return round(time.perf_counter() - start, 2)


def _settings(parameters: dict[str, int]) -> str:
    return ", ".join(f"{name} {value}" for name, value in parameters.items()) or "as it is"


def _measured(check: Check) -> str:
    found = check.recall
    return (
        f"recall@{check.k} is {found.estimate:.3f} [{found.low:.3f}, {found.high:.3f}]"
        f" on {check.queries['count']:,} queries, {check.promise:g} was promised"
    )


def render(result: dict[str, Any]) -> str:
    """Return the result in a few lines, with the settings tried."""
    if "check" in result:
        told = result["check"]
        return (
            f"the promise holds: recall@{told['k']} is {told['recall']:.3f}"
            f" [{told['low']:.3f}, {told['high']:.3f}]"
            f" on {told['queries']['count']:,} queries, {told['promise']:g} was promised"
        )
    told = result["tuning"]
    if told["exact"]:
        return f"{result['index']}: {told['note']}"
    kind = {"chunks": "chunks searched as queries", "file": "queries"}.get(told["queries"]["kind"], "queries")
    lines = [
        f"{result['index']}: {_settings(told['parameters'])} keeps recall@{told['k']} of {told['promise']:g}",
        f"  measured {told['recall']:.3f} [{told['low']:.3f}, {told['high']:.3f}]"
        f" on {'the second half of ' if told['verified'] else ''}{told['queries']['count']:,} {kind}",
        "",
        f"  {'setting':<24}{'recall':>8}{'at least':>10}{'ms/query':>10}{'queries/s':>11}",
    ]
    for point in told["curve"]:
        mark = "*" if point["parameters"] == told["parameters"] else " "
        lines.append(
            f"{mark} {_settings(point['parameters']):<24}{point['recall']:>8.3f}{point['lower']:>10.3f}"
            f"{point['milliseconds']:>10.3f}{point['per_second']:>11,.0f}"
        )
    if told["note"]:
        lines += ["", f"  ({told['note']})"]
    return "\n".join(lines)
