"""Dropping by chance or by rank: the Pareto rule, a toxic share, caps.

Chance depends on a document's id and the seed alone, so neither the order of documents nor
their split into shards changes what is kept. Amounts are expected ones: a document of
weight 0.3 counts as 0.3 documents.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hinterland.core.errors import ConfigError, CorpusError, nearest
from hinterland.curate.decisions_config import Cap, Pareto, ToxicShare
from hinterland.curate.score_columns import Columns

__all__ = ["amounts", "cap_groups", "drop_to_share", "keep_probability", "pareto", "prefix", "uniform"]

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]
Report = dict[str, Any]

#: What rounding may add to a sum of weights.
_SLACK = 1e-9
#: Below this all whole numbers are floats, and so are their sums and differences.
_EXACT = 2.0**53


def keep_probability(scores: Floats, alpha: float = 9.0) -> Floats:
    """Return P(keep) = (2 − score)^−alpha of the Pareto rule, shape (n,).

    Args:
        scores: Quality, 0 to 1; what lies outside is clipped, NaN gives 1.
        alpha: The shape of the Pareto distribution.
    """
    chance = (2 - np.clip(scores, 0, 1)) ** -alpha
    # Above 0 for any alpha: a document that no rule drops has a weight.
    return np.where(np.isnan(scores), 1.0, np.maximum(chance, np.finfo(np.float64).tiny))


def uniform(bits: NDArray[np.uint64]) -> Floats:
    """Return random bits as numbers from 0 up to, but not including, 1."""
    return (bits >> np.uint64(11)).astype(np.float64) * 2.0**-53


def pareto(columns: Columns, config: Pareto, weight: Floats, *, seed: int) -> tuple[Bools, Floats, Report]:
    """Apply the Pareto rule.

    Args:
        columns: The corpus; ids if it draws.
        config: The rule.
        weight: The documents' weights so far; 0 is out.
        seed: For the draw.

    Returns:
        Which documents are drawn out, the new weights, and counts.
    """
    scores = numbers(columns, config.column, where="pareto.column")
    chance = keep_probability(scores, config.alpha)
    here = weight > 0
    out = np.zeros(len(weight), dtype=bool)
    if config.draw:
        out = here & (uniform(columns.draws(seed, "pareto", config.column)) >= chance)
    report = {
        "documents": int(here.sum()),
        "expected": float((weight * chance).sum()),
        "unmeasured": int((here & np.isnan(scores)).sum()),
    }
    if config.draw:
        report["kept"] = int((here & ~out).sum())
    return out, np.where(out, 0.0, weight if config.draw else weight * chance), report


def drop_to_share(columns: Columns, config: ToxicShare, weight: Floats, *, seed: int) -> tuple[Bools, Report]:
    """Choose what to drop so that toxic documents have a share.

    Returns:
        Which documents are dropped, and the counts and shares before and after.

    Raises:
        CorpusError: One side has no document, so the share cannot be reached.
    """
    scores = numbers(columns, config.column, where="toxicity.column")
    here = weight > 0
    toxic, clean = here & (scores >= config.threshold), here & (scores < config.threshold)
    out = np.zeros(len(weight), dtype=bool)
    if config.mode == "clean":
        out = toxic
    elif config.mode == "inverse":
        out = clean
    elif (toxic | clean).any():
        share = float(config.share or 0)
        sides = float(weight[toxic].sum()), float(weight[clean].sum())
        for name, size, wanted in (("", sides[0], share), ("non-", sides[1], 1 - share)):
            if wanted > 0 and size == 0:
                raise CorpusError(
                    f"no {name}toxic document: a toxic share of {share:g} cannot be reached",
                    where="toxicity",
                    cure=f"change the threshold ({config.threshold:g}) or the share",
                )
        target = _sides(sides, share)
        bits = columns.draws(seed, "toxicity", config.column)
        for side, limit in zip((toxic, clean), target, strict=True):
            rows = np.flatnonzero(side)
            rows = rows[np.argsort(bits[rows], kind="stable")]
            out[rows[~prefix(weight[rows], np.full(len(rows), limit), np.zeros(len(rows), dtype=int))]] = True
    left = weight * ~out
    before, after = (
        {"toxic": float(each[toxic].sum()), "clean": float(each[clean].sum())} for each in (weight, left)
    )
    for each in (before, after):
        total = each["toxic"] + each["clean"]
        each["share"] = each["toxic"] / total if total else math.nan
    return out, {
        "before": _finite(before),
        "after": _finite(after),
        "unmeasured": int((here & np.isnan(scores)).sum()),
    }


def _finite(values: dict[str, float]) -> Report:
    return {name: None if math.isnan(value) else value for name, value in values.items()}


def _sides(sides: tuple[float, float], share: float) -> tuple[float, float]:
    """Return how much of the toxic and the clean side stays, all of one of them."""
    toxic, clean = sides
    if share >= 1 or (share > 0 and toxic * (1 - share) <= clean * share):
        return toxic, 0.0 if share >= 1 else toxic * (1 - share) / share
    return clean * share / (1 - share), clean


def prefix(values: Floats, limits: Floats, groups: NDArray[np.integer[Any]]) -> Bools:
    """Return which items fit, taken in order, each group up to its limit.

    An item that alone is larger than the limit is passed over; the first other one that
    does not fit ends its group, apart from items that count nothing.

    Args:
        values: What each item counts, in the order in which they are taken, shape (n,).
        limits: The limit of each item's group, shape (n,).
        groups: Each item's group; a group's items stand together, shape (n,).
    """
    if not len(values):
        return np.zeros(0, dtype=bool)
    slack = _SLACK * np.maximum(1.0, np.where(np.isinf(limits), 1.0, limits))
    fits = values <= limits + slack
    counted = np.where(fits, values, 0.0)
    starts = np.flatnonzero(np.diff(groups, prepend=groups[0] - 1))
    total = np.cumsum(counted)
    if total[-1] < _EXACT and np.array_equal(counted, np.rint(counted)):
        running = total - np.repeat((total - counted)[starts], np.diff(starts, append=len(counted)))
    else:
        # Summed group by group: a difference of running totals would lose the small ones.
        running = np.concatenate([np.cumsum(part) for part in np.split(counted, starts[1:])])
    return np.asarray(fits & ((running <= limits + slack) | (values == 0)))


def cap_groups(columns: Columns, config: Cap, weight: Floats, *, seed: int) -> tuple[Bools, Report]:
    """Choose what to drop so that no group keeps more than its limit.

    Returns:
        Which documents are dropped, and each group's documents and amount before and after.

    Raises:
        ConfigError: A limit is for a group that the corpus does not have.
    """
    codes, names = columns.codes(config.by)
    limits = np.array([config.limit_of(name) for name in names])
    for name in config.limits:
        if name not in names:
            raise ConfigError(f"no group {name!r}", where=f"caps: {config.by}", cure=nearest(name, names))
    amount = amounts(columns, config.of, where="caps.of")
    bits = columns.draws(seed, "cap", config.by)
    rows = np.flatnonzero(weight > 0)
    keys = [bits[rows], codes[rows]]
    if config.best is not None:
        rank = numbers(columns, config.best, where="caps.best")[rows]
        rank = rank if config.lowest else -rank
        keys.insert(1, np.where(np.isnan(rank), math.inf, rank))
    rows = rows[np.lexsort(keys)]
    inside = prefix((weight * amount)[rows], limits[codes[rows]], codes[rows])
    out = np.zeros(len(weight), dtype=bool)
    out[rows[~inside]] = True
    return out, group_report(codes, names, amount, weight, weight * ~out)


def group_report(
    codes: NDArray[np.int64], names: list[str], amount: Floats, before: Floats, after: Floats
) -> Report:
    """Return each group's documents and expected amount, before and after."""
    sums = {
        "documents_before": np.bincount(codes, before > 0, len(names)),
        "documents": np.bincount(codes, after > 0, len(names)),
        "amount_before": np.bincount(codes, before * amount, len(names)),
        "amount": np.bincount(codes, after * amount, len(names)),
    }
    return {
        name: {
            what: int(values[code]) if what.startswith("documents") else float(values[code])
            for what, values in sums.items()
        }
        for code, name in enumerate(names)
        if sums["documents_before"][code]
    }


def amounts(columns: Columns, column: str | None, *, where: str) -> Floats:
    """Return what each document counts: 1, or a column's value, 0 where it is missing.

    Raises:
        ConfigError: The column is not there, holds strings, or a value is negative.
    """
    if column is None:
        return np.ones(len(columns))
    values = np.nan_to_num(numbers(columns, column, where=where), nan=0.0)
    if (values < 0).any():
        raise ConfigError(f"column {column!r} has negative values", where=where, cure="name another column")
    return values


def numbers(columns: Columns, column: str, *, where: str) -> Floats:
    """Return a column of numbers, shape (documents,).

    Raises:
        ConfigError: The column is not there, or holds strings.
    """
    if column not in columns.names:
        raise ConfigError(f"no column {column!r}", where=where, cure=nearest(column, columns.names))
    values = columns[column]
    if values.dtype == object:
        raise ConfigError(f"column {column!r} holds strings", where=where, cure="name a column of numbers")
    return values
