"""How reports say what an audit found: in sentences that claim no more than the intervals do."""

from __future__ import annotations

import math

from hinterland.core.places import UNKNOWN
from hinterland.core.stats import Interval
from hinterland.core.svg import number_text
from hinterland.curate.audit.groups import readable_name
from hinterland.curate.audit.parts import Attribution, Concentration, Coverage, Curve

__all__ = [
    "OVER",
    "STARS",
    "UNDER",
    "coefficient",
    "concentration_sentence",
    "curve_sentence",
    "divergence_sentence",
    "finding",
    "gap_sentence",
    "point",
    "points",
    "stars",
    "threshold",
]

_LEVELS = (0.05, 0.01, 0.001)
#: What is said of a group's share beside a reference.
UNDER, OVER = "under its share", "over its share"
#: What stars stand for, beside every table that has them.
STARS = "* p < 0.05, ** p < 0.01, *** p < 0.001; no star is no evidence of an association"


def finding(interval: Interval, at: float, below: str, above: str, none: str = "no evidence of a gap") -> str:
    """Return what an interval supports.

    Args:
        interval: The estimate with its bounds.
        at: The value of no difference: 1 of a ratio, 0 of a difference.
        below: What is said where the whole interval lies below it.
        above: What is said where it lies above.
        none: What is said where it holds the value.
    """
    if not math.isfinite(interval.estimate):
        return "not measured"
    if not (math.isfinite(interval.low) and math.isfinite(interval.high)):
        return "no interval, so no finding"
    if not interval.excludes(at):
        return none
    return below if interval.high < at else above


def not_compared(group: str) -> str:
    """Return why a group that is not ranked is not: it is the unknown, or too small."""
    return "unknown, not compared" if group == UNKNOWN else "too small to compare"


def points(interval: Interval) -> str:
    """Write a share as percentage points: "12.0 [4.1, 19.8]"."""
    words = point(interval.estimate)
    if math.isfinite(interval.low) and math.isfinite(interval.high):
        words += f" [{point(interval.low)}, {point(interval.high)}]"
    return words


def point(value: float) -> str:
    """Write a share as percentage points: "12.0"."""
    if not math.isfinite(value):
        return "–"
    words = f"{value * 100:.1f}"
    return "0.0" if words == "-0.0" else words


def stars(p: float) -> str:
    """Return one star below 0.05, two below 0.01, three below 0.001."""
    return "*" * sum(p < level for level in _LEVELS) if math.isfinite(p) else ""


def coefficient(value: float) -> str:
    """Write a coefficient with three decimals, with more where it is small."""
    if not math.isfinite(value):
        return "–"
    if value == 0 or abs(value) >= 0.0095:
        return f"{value:,.3f}" if abs(value) < 1000 else f"{value:,.0f}"
    return f"{value:.2g}"


def threshold(value: float) -> str:
    """Write a threshold with four significant digits."""
    if not math.isfinite(value):
        return "–"
    return f"{value:,.0f}" if value == int(value) or abs(value) >= 10_000 else f"{value:.4g}"


def gap_sentence(each: Attribution) -> str:
    """Return what is supported of a group's gap, in percentage points."""
    if not each.supported:
        return (
            f"{each.group}: no evidence of a gap to all others (estimate {points(each.gap)} points);"
            " the parts below divide what may be chance."
        )
    side, gap = "less", each.gap
    if gap.estimate < 0:
        side, gap = "more", Interval(-gap.estimate, -gap.high, -gap.low, gap.level)
    return f"{each.group} is kept {side} than all others, by {points(gap)} percentage points."


def curve_sentence(curve: Curve) -> str:
    """Return what another threshold would change, as a counterfactual.

    The figures are estimates without intervals: the report says so once.
    """
    name = f"`{curve.column}` {curve.keep} "
    name += threshold(curve.current) if math.isfinite(curve.current) else "(no threshold in force)"
    where = f"by {readable_name(curve.grouping)}"
    measured = [value for value in curve.disparity if math.isfinite(value)]
    if len(curve.ranked) < 2:
        return f"{name}: fewer than two groups {where} are large enough to compare."
    if not measured:
        return f"{name}: nothing is kept of the groups {where} at any threshold."
    now = curve.thresholds.index(curve.current) if math.isfinite(curve.current) else None
    worst = "" if now is None else f"the worst disparity {where} is {number_text(curve.disparity[now])}"
    if not math.isfinite(curve.best):
        at = curve.disparity.index(max(measured))
        nearest = f"the nearest is {number_text(curve.disparity[at])} at {threshold(curve.thresholds[at])}"
        reach = f"no threshold reaches {number_text(curve.bound)}"
        # What reads the same is no nearer.
        if now is not None and number_text(curve.disparity[at]) == number_text(curve.disparity[now]):
            return f"{name}: {worst}, and {reach}; no other comes nearer."
        return (
            f"{name}: {worst + ', and ' if worst else ''}{reach} {'' if worst else where + ' '}({nearest})."
        )
    best = curve.thresholds.index(curve.best)
    if best == now:
        return f"{name}: {worst}, and no threshold keeps more at {number_text(curve.bound)} or above."
    kept = f"{_change(curve.kept[best], curve.kept[now])} kept" if now is not None else (
        f"{number_text(curve.kept[best], '%')} of documents kept"
    )  # fmt: skip
    before = "" if now is None else f" (it is {number_text(curve.disparity[now])})"
    words = (
        f"{name}: at {threshold(curve.best)} the worst disparity {where} would be"
        f" {number_text(curve.disparity[best])}{before} and {kept}"
    )
    laxest = 0 if curve.keep == ">=" else len(curve.thresholds) - 1
    return words + (", as without this bound." if best == laxest else ".")


def _change(after: float, before: float) -> str:
    if before <= 0:
        return f"{number_text(after, '%')} of documents"
    change = after / before - 1
    if change == 0:
        return "as many documents"
    return f"{number_text(abs(change), '%')} {'more' if change > 0 else 'fewer'} documents"


def divergence_sentence(each: Coverage) -> str:
    """Return the divergence from the reference, "" where there is none."""
    if not math.isfinite(each.js):
        return ""
    return (
        f"Divergence from the reference: {number_text(each.kl)} bits (Kullback-Leibler),"
        f" {number_text(each.js)} bits (Jensen-Shannon; 0 is alike, 1 disjoint)."
    )


def concentration_sentence(each: Concentration, token_unit: str) -> str:
    """Return how a corpus is spread over its sources."""
    name = readable_name(each.column)
    unknown = f" {each.unknown_documents:,} documents have no known {name}." if each.unknown_documents else ""
    if not each.sources:
        return f"No document has a known {name}."
    _, first, second = each.hill
    largest = f"The largest {name} holds" if each.top_sources == 1 else (
        f"The largest 1% ({each.top_sources:,}) hold"
    )  # fmt: skip
    return (
        f"{each.sources:,} {name}{'' if each.sources == 1 else 's'}, as diverse as {number_text(first)} of"
        f" equal size (Hill order 1; {number_text(second)} by order 2); Gini {number_text(each.gini)}."
        f" {largest} {number_text(each.top_share, '%')} of documents and"
        f" {number_text(each.top_token_share, '%')} of {token_unit}.{unknown}"
    )
