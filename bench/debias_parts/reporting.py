"""What all runs found, as one JSON-able object, as tables and as a chart."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from debias_parts.comparing import OVERALL, Change, changes, join
from debias_parts.running import BOUNDED, BOUNDED_ARM, GOAL, GROUPINGS, PRIMARY, Material, Run
from debias_parts.selecting import Way
from hinterland.adapt.bits import BitsPerByte
from hinterland.core.places import UNKNOWN, region_of, subregion_of
from hinterland.core.revive import plain
from hinterland.core.run import package_versions
from hinterland.curate.audit.claims import ALL

__all__ = ["machine", "result_of"]

#: Secondary pairs: second less first.
_PAIRS = (
    ("random", "filtered"),
    ("random", "debiased"),
    ("debiased", BOUNDED_ARM),
    ("filtered", "debiased by region"),
)


def machine() -> dict[str, Any]:
    """Return the processor and the packages' versions."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8").splitlines() if info.exists() else []
    cpu = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")
    return {"cpu": f"{cpu or 'unknown CPU'}, {os.cpu_count()} threads", "packages": package_versions()}


def result_of(material: Material, runs: Sequence[Run], *, seed: int) -> dict[str, Any]:
    """Return everything found: plain values, what is not a number is null."""
    speeches = material.speeches
    found = {
        "design": {
            "runs": len(runs),
            "speeches": len(speeches.ids),
            "passages": len(speeches.passages),
            "countries": len({code for code in speeches.countries if code}),
            "unplaced": speeches.unplaced(),
            "held_out": [run.held_out for run in runs],
            "pool_passages": [run.passages for run in runs],
            "pool_tokens": [run.pool_tokens for run in runs],
            "arm_tokens": [run.arm_tokens for run in runs],
            "gpt_arm_tokens": [run.gpt_arm_tokens for run in runs],
            "goal": GOAL,
            "preregistered": {"arm": "debiased", **asdict(PRIMARY)},
            "added_after_the_first_full_run": {"arm": BOUNDED_ARM, **asdict(BOUNDED)},
            "covariates": material.covariates.source,
        },
        "classifier": [{**run.classifier, "ties": run.ties} for run in runs],
        "before": _disparity(runs, "filtered") | _ranked(runs, "filtered"),
        "after": _disparity(runs, BOUNDED_ARM) | _ranked(runs, BOUNDED_ARM),
        **_lost(runs, BOUNDED),
        "preregistered": {
            "after": _disparity(runs, "debiased") | _ranked(runs, "debiased"),
            **_lost(runs, PRIMARY),
        },
        "random": _disparity(runs, "random"),
        "debiasing": _debiasing(runs),
        "retention": _retention(runs[0]),
        "bits_per_byte": _bits(material, runs, "ngram", seed),
    }
    if runs[0].gpt:
        found["bits_per_byte_gpt"] = _bits(material, runs, "gpt", seed)
    value: dict[str, Any] = plain(found)
    return value


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values))


def _lost(runs: Sequence[Run], way: Way) -> dict[str, float]:
    """Return the share of the tokens kept before that goes, and the net loss: below 0, more are kept."""
    costs = [run.results[way].cost for run in runs]
    return {
        "tokens_lost": _mean([cost.share_lost for cost in costs]),
        "tokens_lost_net": _mean([1 - cost.tokens_after / cost.tokens_before for cost in costs]),
    }


def _disparity(runs: Sequence[Run], arm: str) -> dict[str, Any]:
    """Return an arm's worst disparity ratio: the mean over runs and the lowest, by grouping."""
    by = {name: [run.disparity[arm][name] for run in runs] for name in GROUPINGS}
    return {
        "worst_disparity": _mean(by[PRIMARY.grouping]),
        "by_grouping": {
            name: {"worst_disparity": _mean(each), "lowest": min(each), "highest": max(each)}
            for name, each in by.items()
        },
    }


def _ranked(runs: Sequence[Run], arm: str) -> dict[str, Any]:
    """Return the same among the groups that the audit ranks (of five countries or more), by grouping."""
    found = {}
    for name in GROUPINGS:
        ratios = []
        for run in runs:
            rates = [
                row.retention.estimate for row in run.audits[arm].results[name][ALL].groups if row.ranked
            ]
            ratios.append(min(rates) / max(rates) if len(rates) > 1 and max(rates) > 0 else math.nan)
        found[name] = {"worst_disparity": _mean(ratios), "lowest": min(ratios), "highest": max(ratios)}
    return {"ranked": found}


def _debiasing(runs: Sequence[Run]) -> list[dict[str, Any]]:
    """Return what each mode and grouping does: means over runs, and whether the bounds are met in all."""
    rows = []
    for way in runs[0].results:
        costs = [run.results[way].cost for run in runs]
        after = [cost.worst_disparity_after for cost in costs]
        lost = [cost.share_lost for cost in costs]
        net = [1 - cost.tokens_after / cost.tokens_before for cost in costs]
        rows.append(
            {
                **asdict(way),
                "before": _mean([cost.worst_disparity_before for cost in costs]),
                "after": _mean(after),
                "after_lowest": min(after),
                "tokens_dropped": _mean(lost),
                "tokens_dropped_highest": max(lost),
                "tokens_added": _mean([cost.tokens_added / cost.tokens_before for cost in costs]),
                "net_loss": _mean(net),
                "net_loss_highest": max(net),
                "quality_before": _mean([cost.quality_before for cost in costs]),
                "quality_after": _mean([cost.quality_after for cost in costs]),
                "unmet": sum(len(run.results[way].unmet) for run in runs),
                "disparity_met": min(after) >= GOAL,
                "dropped_at_most_5_percent": max(lost) <= 0.05,
                "net_at_most_5_percent": max(net) <= 0.05,
            }
        )
    return rows


def _retention(run: Run) -> dict[str, Any]:
    """Return the first run's audits, before and after, by grouping and group."""
    found: dict[str, Any] = {}
    for name in GROUPINGS:
        filtered = run.audits["filtered"]
        before = filtered.results[name][ALL]
        evened = {
            key: run.audits[arm].results[name][ALL]
            for key, arm in (("preregistered", "debiased"), ("after", BOUNDED_ARM))
        }
        found[name] = {
            "note": filtered.groupings[name].note,
            "unknown_documents": filtered.groupings[name].unknown_documents,
            "worst": before.worst,
            "best": before.best,
            "worst_against_best_p": before.pair_p,
            "groups": [
                {
                    "group": row.group,
                    "passages": row.documents,
                    "countries": row.clusters,
                    "ranked": row.ranked,
                    "why_not": row.why_not,
                    "before": asdict(row.retention),
                    **{key: asdict(each[row.group].retention) for key, each in evened.items()},
                    "before_vs_rest": asdict(row.vs_rest),
                    "before_vs_best": asdict(row.vs_best),
                    "gap_supported": filtered.supported(ALL, name, row.group),
                    "gap_supported_after": run.audits[BOUNDED_ARM].supported(ALL, name, row.group),
                }
                for row in before.groups
            ],
        }
    return found


def _least_kept(runs: Sequence[Run], grouping: str) -> str:
    """Return the group that the filter keeps least of, on average over runs."""
    labels = [label for label in runs[0].retention[grouping] if label != UNKNOWN]
    return min(labels, key=lambda label: (_mean([run.retention[grouping][label] for run in runs]), label))


def _bits(material: Material, runs: Sequence[Run], model: str, seed: int) -> dict[str, Any]:
    """Return bits per byte by arm and group, and the differences between arms."""
    each_run: list[dict[str, BitsPerByte]] = [getattr(run, model) for run in runs]
    scored = {arm: [one[arm] for one in each_run] for arm in each_run[0]}
    places = dict(zip(material.speeches.ids, material.speeches.countries, strict=True))
    region = {name: region_of(country) for name, country in places.items() if country}
    subregion = {name: subregion_of(country) for name, country in places.items() if country}
    regions, subregions = sorted(set(region.values())), sorted(set(subregion.values()))
    found: dict[str, Any] = {}
    for arm, parts in scored.items():
        joined = join(parts)
        by = joined.by(region)
        hardest = max(by, key=lambda name: by[name])
        found[arm] = {
            "overall": joined.value,
            "worst_region": {"region": hardest, "bits_per_byte": by[hardest]},
            "by_region": by,
            "by_subregion": joined.by(subregion),
        }

    def compare(first: str, second: str, group: Mapping[str, str], names: Sequence[str]) -> list[Any]:
        rows = changes(scored[first], scored[second], group, names, resamples=material.resamples, seed=seed)
        return [_row(each) for each in rows]

    def question(arm: str) -> dict[str, Any]:
        """Return an arm less the filtered one, with the two regions named beforehand."""
        by_name = {row["group"]: row for row in compare("filtered", arm, region, regions)}
        return {
            "arms": ["filtered", arm],
            "overall": by_name[OVERALL],
            "worst_region": by_name[found["filtered"]["worst_region"]["region"]],
            "least_kept_region": by_name[_least_kept(runs, "region")],
            "by_region": [by_name[name] for name in regions],
            "by_subregion": compare("filtered", arm, subregion, subregions)[1:],
            "least_kept_subregion": _least_kept(runs, "subregion"),
        }

    found["difference"] = question("debiased")
    if BOUNDED_ARM in scored:
        found["difference_at_most_5_percent_dropped"] = question(BOUNDED_ARM)
    found["other_differences"] = [
        {"arms": [first, second], "groups": compare(first, second, region, regions)}
        for first, second in _PAIRS
        if first in scored and second in scored
    ]
    return found


def _row(change: Change) -> dict[str, Any]:
    return {**asdict(change), "supported": change.supported}
