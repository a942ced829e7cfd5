"""A result's `Outcome.to_dict` in plain words."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from hinterland.core.svg import number_text
from hinterland.curate.debias.counted import counted

__all__ = ["describe"]

#: Rows of a table and lines of what is unmet that are shown before "and … more".
_ROWS = 20


def describe(result: Mapping[str, Any]) -> str:
    """Return what a method did, what it cost, and what could not be met."""
    method = result.get("method", "equalize")
    words = {"equalize": _equalized, "rake": _raked, "pareto": _drawn}
    lines = words.get(method, _selected)(result)
    lines += _cost(result["cost"])
    lines += _some([f"Not met: {label}: {why}." for label, why in result["unmet"].items()])
    lines += [f"Note: {note}" for note in result.get("notes", ())]
    for shares in result.get("shares_of_weights", ()):
        lines += [] if shares["margin"] else _shares(shares)
    return "\n".join(lines)


def _number(value: Any, unit: str = "") -> str:
    return number_text(math.nan if value is None else float(value), unit)


def _some(lines: list[str]) -> list[str]:
    if len(lines) <= _ROWS:
        return lines
    return [*lines[:_ROWS], f"… and {len(lines) - _ROWS:,} more."]


def _disparity(cost: Mapping[str, Any], how: str) -> str:
    return (
        f"The worst disparity ratio goes from {_number(cost['worst_disparity_before'])}"
        f" to {_number(cost['worst_disparity_after'])} ({how})."
    )


def _equalized(result: Mapping[str, Any]) -> list[str]:
    lines = [_disparity(result["cost"], f"mode {result['mode']}")]
    own = [
        f"  {label}: {_number(change['score'])}"
        for label, change in result["groups"].items()
        if change.get("score") is not None
    ]
    return [*lines, *(["Thresholds of the score:", *_some(own)] if own else [])]


def _raked(result: Mapping[str, Any]) -> list[str]:
    state = "met together" if result["converged"] else "not met together"
    lines = [
        f"Weights from {_number(result['min_weight'])} to {_number(result['max_weight'])} for shares of"
        f" {result['of']}; margins {state} after {counted(result['iterations'], 'sweep')}."
    ]
    for name, rows in result["margins"].items():
        lines.append(f"By {name}: share before → after (wanted), mean weight")
        lines += _some(
            [
                f"  {row['group']}: {_number(row['before'], '%')} → {_number(row['after'], '%')}"
                f" ({_number(row['reference'], '%')}), {_number(row['mean_weight'])}"
                for row in rows
            ]
        )
    return lines


def _shares(shares: Mapping[str, Any]) -> list[str]:
    rows = [
        f"  {row['group']}: {_number(row['before'], '%')} → {_number(row['after'], '%')}"
        + ("" if row["reference"] is None else f" ({_number(row['reference'], '%')})")
        for row in shares["rows"]
    ]
    return [f"Shares of the weights by {shares['grouping']}: before → after (reference)", *_some(rows)]


def _selected(result: Mapping[str, Any]) -> list[str]:
    changed = [
        f"  {label}: {_number(group['before'])} → {_number(group['after'])}"
        + ("" if group["wanted"] is None else f" ({_number(group['wanted'])})")
        for label, group in result["groups"].items()
        if group["before"] != group["after"]
    ]
    wanted = "wanted" if result["method"] == "quota" else "at most"
    change = counted(len(changed), "group changes", "groups change")
    lines = [f"{result['method'].capitalize()} in {result['of']}: {change}."]
    return [*lines, *([f"Before → after ({wanted}):", *_some(changed)] if changed else [])]


def _drawn(result: Mapping[str, Any]) -> list[str]:
    settings = result["settings"]
    lines = [f"Kept with probability (2 − score)^−{_number(settings['alpha'])}, seed {settings['seed']}."]
    rows = [
        f"  {label}: {_number(_ratio(group['wanted'], group['kept_before']), '%')} expected,"
        f" {_number(_ratio(group['kept_after'], group['kept_before']), '%')} drawn"
        f" ({group['kept_after']:,} of {group['kept_before']:,})"
        for label, group in result["groups"].items()
    ]
    return [*lines, *_some(rows), _disparity(result["cost"], "in this draw")]


def _ratio(part: float | None, whole: float) -> float:
    return math.nan if part is None or not whole else part / whole


def _cost(cost: Mapping[str, Any]) -> list[str]:
    back = counted(cost["documents_readmitted"], "document comes back", "documents come back")
    gone = counted(cost["documents_removed"], "goes", "go")
    lines = [
        f"{back} ({counted(cost['tokens_added'], 'token')}),"
        f" {gone} ({counted(cost['tokens_removed'], 'token')},"
        f" {_number(cost['share_lost'], '%')} of those kept before);"
        f" {counted(cost['tokens_before'], 'token becomes', 'tokens become')} {cost['tokens_after']:,}."
    ]
    if cost["quality_before"] is not None:
        before, after = (_number(cost[f"quality_{when}"]) for when in ("before", "after"))
        lines.append(f"Mean quality goes from {before} to {after}.")
    if cost["largest_repeat"] > 1 or (cost["design_effect"] or 1) > 1 + 1e-9:
        lines.append(
            f"The largest weight is {_number(cost['largest_repeat'])};"
            f" {_number(cost['repeats'])} readings are repeats;"
            f" the weights are worth {_number(cost['effective_sample_size'])} equal documents"
            f" (design effect {_number(cost['design_effect'])})."
        )
    return lines
