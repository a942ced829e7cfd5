"""Shares with intervals: articles of one source are drawn together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from gpu_parts.common import SEED, Row

from geoparsing_parts.data import Article, Gold
from geoparsing_parts.systems import Found, System
from hinterland.core.stats import Interval, cluster_weights, percentile_interval

__all__ = ["Scores", "difference", "pairs", "reliability", "score", "share"]

RESAMPLES = 2000


@dataclass(frozen=True)
class Scores:
    """What a system gets right in some articles.

    Attributes:
        found: Right countries among names found that people marked with a country.
        recall: Share of the marked names that it found.
        precision: Share of what it found that people marked.
        resolved: Right countries among all marked names, given where they stand; none is wrong.
        articles: Right main countries among articles that have one; none is wrong.
        silent: Articles for which it gives none.
    """

    found: Interval
    recall: Interval
    precision: Interval
    resolved: Interval
    articles: Interval
    silent: int
    counts: dict[str, int]


def share(right: Sequence[float], of: Sequence[float], clusters: Sequence[str]) -> Interval:
    """Return a share of sums with its 95% interval over clusters."""
    numbers = {name: number for number, name in enumerate(dict.fromkeys(clusters))}
    codes = np.asarray([numbers[name] for name in clusters], dtype=np.int64)
    hits = np.bincount(codes, np.asarray(right, float), len(numbers))
    total = np.bincount(codes, np.asarray(of, float), len(numbers))
    weights = cluster_weights(len(numbers), resamples=RESAMPLES, seed=SEED, name="geoparsing")
    with np.errstate(invalid="ignore"):
        drawn = (weights @ hits) / (weights @ total)
        estimate = float(hits.sum() / total.sum()) if total.sum() else float("nan")
    return percentile_interval(estimate, drawn)


def _meets(found: Found, gold: Gold) -> bool:
    return gold.start < found.end and found.start < gold.end


def pairs(found: Sequence[Found], golds: Sequence[Gold]) -> list[tuple[Found, Gold | None]]:
    """Return each name found with the marked name that it overlaps most."""
    matched = []
    for each in found:
        over = [gold for gold in golds if _meets(each, gold)]
        best = max(over, key=lambda gold: min(each.end, gold.end) - max(each.start, gold.start), default=None)
        matched.append((each, best))
    return matched


def score(system: System, articles: Sequence[Article], chosen: Sequence[int]) -> Scores:
    """Score a system on the articles that were chosen, by number."""
    rows: dict[str, list[tuple[float, float]]] = {
        name: [] for name in ("found", "recall", "precision", "resolved", "articles")
    }
    silent = 0
    for number in chosen:
        article, found = articles[number], system.found[number]
        both = pairs(found, article.golds)
        placed = [(each, gold) for each, gold in both if gold is not None and gold.country]
        rows["found"].append((sum(each.country == gold.country for each, gold in placed), len(placed)))
        rows["precision"].append((sum(gold is not None for _, gold in both), len(both)))
        own = [gold for gold in article.golds if gold.country]
        rows["recall"].append((sum(any(_meets(each, gold) for each in found) for gold in own), len(own)))
        answers = zip(system.resolved[number], article.golds, strict=True)
        rows["resolved"].append((sum(bool(a) and a == gold.country for a, gold in answers), len(own)))
        main = article.main_country()
        rows["articles"].append(
            (float(main is not None and system.main[number][0] == main), main is not None)
        )
        silent += main is not None and system.main[number][0] is None
    clusters = [articles[number].source for number in chosen]
    shares = {
        name: share([r for r, _ in each], [n for _, n in each], clusters) for name, each in rows.items()
    }
    counts = {name: int(sum(n for _, n in each)) for name, each in rows.items()}
    return Scores(**shares, silent=silent, counts=counts)


def difference(
    one: System, other: System, articles: Sequence[Article], chosen: Sequence[int]
) -> dict[str, Interval]:
    """Return by how much one system's shares are above another's that found the same spans."""
    found: list[tuple[float, float]] = []
    placed: list[tuple[float, float]] = []
    for number in chosen:
        article = articles[number]
        both = [
            (a.country == gold.country) - (b.country == gold.country)
            for (a, gold), b in zip(pairs(one.found[number], article.golds), other.found[number], strict=True)
            if gold is not None and gold.country
        ]
        found.append((float(sum(both)), float(len(both))))
        main = article.main_country()
        right = [main is not None and system.main[number][0] == main for system in (one, other)]
        placed.append((float(right[0]) - float(right[1]), float(main is not None)))
    clusters = [articles[number].source for number in chosen]
    return {
        name: share([gain for gain, _ in rows], [count for _, count in rows], clusters)
        for name, rows in {"found": found, "articles": placed}.items()
    }


def reliability(sure: Sequence[float], right: Sequence[bool]) -> list[Row]:
    """Return how often answers were right, by how sure the system was."""
    p, y = np.asarray(sure, float), np.asarray(right, bool)
    edges = (0.0, 0.5, 0.7, 0.8, 0.9, 0.95, 1.0001)
    rows = []
    for low, high in pairwise(edges):
        here = (p >= low) & (p < high)
        if here.any():
            rows.append(
                {
                    "confidence": f"{low:.2f} to {min(high, 1.0):.2f}",
                    "n": int(here.sum()),
                    "mean confidence": float(p[here].mean()),
                    "right": float(y[here].mean()),
                }
            )
    return rows
