"""`hinterland index tune`: search parameters for a promised recall, written into the index.

With judgements of the queries the mix of vectors and words is tuned besides.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from pydantic import Field

from hinterland.core.config import Config
from hinterland.core.errors import ConfigError, IndexBundleError
from hinterland.core.files import write_text
from hinterland.indexes.bundle import open_bundle
from hinterland.indexes.embed import EmbedConfig, SentenceEmbedder
from hinterland.indexes.fusion_tuning import WEIGHTS
from hinterland.indexes.queries import query_texts
from hinterland.indexes.tune import SAMPLE, SPLIT_FROM, Check, check_promise, tune
from hinterland.indexes.tune_judged import Judged, need_words, read_judged_queries
from hinterland.indexes.tune_open import open_measured
from hinterland.indexes.tune_plot import curve_svg
from hinterland.indexes.tune_queries import StandIn
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
            samples sentences of the index.
        qrels: Judgements of these queries in BEIR's layout, to tune how a hybrid search mixes
            vectors and words; the queries need ids then (``_id``).
        sample: Chunks sampled where no queries are given.
        stand_in: What of them is searched for: ``sentences``, or the ``chunks`` themselves, which
            needs no encoder but says little of real queries.
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
    qrels: Path | None = None
    sample: int = Field(default=SAMPLE, ge=2)
    stand_in: StandIn = "sentences"
    seed: int = 0
    check: bool = False
    plot: Path | None = None
    embed: EmbedConfig | None = None


def _judged(config: CommandConfig) -> Judged | None:
    """Read the judged queries, if there are any.

    Raises:
        ConfigError: They cannot be read, have no queries, or stand beside ``check``.
        IndexBundleError: The index has no words.
    """
    if config.qrels is None:
        return None
    if config.queries is None:
        raise ConfigError("qrels without queries", where="qrels", cure="give the queries too: --queries FILE")
    if config.check:
        raise ConfigError(
            "a check measures recall alone: it has no use for qrels", where="qrels", cure="leave qrels out"
        )
    need_words(open_bundle(config.index))
    return read_judged_queries(config.queries, config.qrels)


def plan(config: CommandConfig) -> dict[str, Any]:
    """Say which settings would be tried on which queries, and about how long it takes."""
    judged = _judged(config)
    opened = open_measured(config.index)
    grid = {} if config.check else opened.backend.grid()
    lines = len(lines_of(grid)) if grid else 1
    steps = len(next(iter(grid.values()), [])) + _STEPS if grid else 1
    asked = len(query_texts(config.queries)) if config.queries else min(config.sample, len(opened.rows))
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
        "queries_kind": "file" if config.queries else config.stand_in,
        "passages_embedded_at_most": embeds,
    }
    if judged is not None:
        told |= {"judged_queries": len(judged.queries), "weights_tried": len(WEIGHTS)}
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
        ConfigError: The queries or their judgements cannot be read.
        IndexBundleError: The promise is broken, or no setting keeps it; what was found is
            written into the index before. Or the index has no words to tune the mix with.
    """
    start = time.perf_counter()
    judged = _judged(config)
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
        stand_in=config.stand_in,
        judged=judged,
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
    return {"index": str(config.index), "tuning": told, **(tuning.fusion or {}), "seconds": _since(start)}


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
    return "\n".join([*_curve(result), *_fusion(result)])


def _fusion(result: dict[str, Any]) -> list[str]:
    """Return the curve of the mix of vectors and words; empty if it was not tuned."""
    made = result.get("fusion_tuning")
    if not made:
        return []
    chosen, mode = made["chosen"], result["search"]["mode"]
    lines = [
        "",
        f"  {chosen['method']} fusion with {chosen['dense']:g} of vectors is best in {made['metric']}"
        f" on {made['queries']:,} judged queries, which it was chosen on",
        f"  {'vectors':<24}{made['metric']:>8}{'from':>10}{'to':>10}",
    ]
    for point in made["points"]:
        mark = "*" if point["dense"] == chosen["dense"] else " "
        figures = f"{point['estimate']:>8.4f}{point['low']:>10.4f}{point['high']:>10.4f}"
        lines.append(f"{mark} {point['dense']:<24g}{figures}")
    if made["left_out"]:
        lines.append(f"  ({made['left_out']:,} queries left out: no relevant document of theirs is indexed)")
    if mode != "hybrid":
        lines.append(f"  (the index ranks by mode {mode}, as it was told: the mix serves mode hybrid)")
    return lines


def _curve(result: dict[str, Any]) -> list[str]:
    """Return the settings tried."""
    told = result["tuning"]
    if told["exact"]:
        return [f"{result['index']}: {told['note']}"]
    kinds = {"chunks": "chunks searched as queries", "sentences": "sentences of chunks"}
    kind = kinds.get(told["queries"]["kind"], "queries")
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
    return lines
