"""Which gaps the data support: false-discovery control, and the finding in one sentence."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hinterland.core.stats import Interval
from hinterland.core.svg import number_text
from hinterland.curate.audit.retention import GroupRetention, Retention

if TYPE_CHECKING:
    from hinterland.curate.audit.audit import Audit

__all__ = ["ALL", "Claim", "benjamini_hochberg", "headline", "make_claims", "shown"]

#: The name under which the decision of all filters together is audited.
ALL = "all filters"
#: The share of false discoveries that is accepted among the supported claims.
RATE = 0.05


@dataclass(frozen=True, slots=True)
class Claim:
    """One group's gap under one filter.

    Attributes:
        filter: The filter, or `ALL`.
        grouping: The grouping's name.
        group: The group.
        ratio: Its retention over that of all other documents.
        p_value: Two-sided, of a ratio of 1.
        q_value: The same after Benjamini and Hochberg over all groups and filters.
        supported: Whether q ≤ 0.05 and the interval excludes 1.
    """

    filter: str
    grouping: str
    group: str
    ratio: Interval
    p_value: float
    q_value: float
    supported: bool


def benjamini_hochberg(p_values: ArrayLike) -> NDArray[np.float64]:
    """Return q-values (Benjamini and Hochberg 1995); NaN is no test and stays NaN.

    >>> benjamini_hochberg([0.01, 0.04, 0.03, float("nan")]).tolist()
    [0.03, 0.04, 0.04, nan]
    """
    p = np.asarray(p_values, dtype=np.float64)
    tested = np.flatnonzero(np.isfinite(p))
    q = np.full(p.shape, math.nan)
    if tested.size:
        order = tested[np.argsort(p[tested], kind="stable")]
        scaled = p[order] * tested.size / np.arange(1, tested.size + 1)
        q[order] = np.minimum(np.minimum.accumulate(scaled[::-1])[::-1], 1.0)
    return q


def make_claims(results: Mapping[str, Mapping[str, Retention]]) -> tuple[Claim, ...]:
    """Test every ranked group under every filter, and control false discoveries over all.

    Args:
        results: Grouping → filter → retention.
    """
    rows: list[tuple[str, str, GroupRetention]] = [
        (filter_name, grouping, row)
        for grouping, by_filter in results.items()
        for filter_name, measured in by_filter.items()
        for row in measured.groups
        if row.ranked
    ]
    q = benjamini_hochberg([row.p_value for _, _, row in rows])
    return tuple(
        Claim(
            filter_name,
            grouping,
            row.group,
            row.vs_rest,
            row.p_value,
            float(value),
            bool(value <= RATE and row.vs_rest.excludes(1.0)),
        )
        for (filter_name, grouping, row), value in zip(rows, q, strict=True)
    )


def shown(interval: Interval, unit: str = "%") -> str:
    """Write "41% [36, 47]", or the estimate alone where there is no interval."""
    estimate = number_text(interval.estimate, unit)
    if not (math.isfinite(interval.low) and math.isfinite(interval.high)):
        return estimate
    low, high = _bound(interval.low, unit), _bound(interval.high, unit)
    return f"{estimate} [{low.rstrip('%')}, {high.rstrip('%')}]"


def _bound(value: float, unit: str) -> str:
    """Write a bound of an interval; one that is next to 1, the value of no gap, is not rounded to it.

    >>> _bound(0.997, ""), _bound(1.0, ""), _bound(1.00002, "")
    ('0.997', '1', '1.00002')
    """
    if unit or value == 1 or not 0.99 < value < 1.01:
        return number_text(value, unit)
    return next((words for digits in range(2, 9) if float(words := f"{value:.{digits}f}") != 1), "1")


def headline(audit: Audit) -> str:
    """Return the finding in plain words, and never more than the intervals support.

    The largest gap between the worst- and the best-kept group is named if it is there
    after correcting for the choice of the pair; else the largest gap between one group
    and all others that survives false-discovery control; else "no evidence of a gap".
    """
    if audit.documents == 0:
        return "The corpus is empty."
    overall = next(iter(audit.results.values()))[ALL].overall if audit.results else None
    if overall is None:
        return _undecided(audit)
    if overall.kept_documents == 0:
        return "The filters together keep no document at all, so no group can be compared with another."
    return _pair(audit) or _one(audit) or _none(audit)


def _undecided(audit: Audit) -> str:
    """Say what there is where no filter was audited, or nothing to group by."""
    if audit.regression:
        number = len(audit.regression)
        return f"No filter's retention was measured; {number} regression{'s' * (number > 1)} below."
    if not audit.groupings:
        return "There is nothing to compare: no grouping was given."
    return "No filter was given, so the audit says whom the corpus holds and not what is left out."


def _of(audit: Audit, grouping: str, group: str) -> str:
    article = "the " if group in ("Americas", "Caribbean") else ""
    return audit.groupings[grouping].phrase.replace("{}", article + group)


def _pair(audit: Audit) -> str:
    """Return the sentence on the widest supported pair, or ""."""
    found = []
    for name, by_filter in audit.results.items():
        measured = by_filter[ALL]
        if measured.best is None or measured.worst is None:
            continue
        worst = measured[measured.worst]
        # One test for each grouping: Bonferroni over them, for the choice of the grouping.
        if measured.pair_p * len(audit.results) <= RATE and worst.vs_best.excludes(1.0):
            found.append((worst.vs_best.estimate, name, worst, measured[measured.best]))
    if not found:
        return ""
    _, name, worst, best = min(found, key=lambda item: item[:2])
    return (
        f"The filters together keep {shown(worst.retention)} of documents {_of(audit, name, worst.group)}"
        f" and {shown(best.retention)} of those {_of(audit, name, best.group)}:"
        f" a disparity ratio of {shown(worst.vs_best, '')}."
    )


def _largest(claims: Iterable[Claim]) -> Claim | None:
    """Return the supported claim with the widest gap, those below 1 first."""
    supported = [claim for claim in claims if claim.supported]
    return min(supported, key=lambda claim: (claim.ratio.estimate, claim.filter, claim.group), default=None)


def _one(audit: Audit) -> str:
    """Return the sentence on the one group that differs most from all others, or ""."""
    claim = _largest(claim for claim in audit.claims if claim.filter == ALL)
    if claim is None:
        return ""
    row = audit.results[claim.grouping][ALL][claim.group]
    rest = row.retention.estimate / claim.ratio.estimate if claim.ratio.estimate else math.nan
    others = f" and {number_text(rest, '%')} of all others" if math.isfinite(rest) else ""
    return (
        f"The filters together keep {shown(row.retention)} of documents"
        f" {_of(audit, claim.grouping, claim.group)}{others}: a disparity ratio of {shown(claim.ratio, '')}."
    )


def _none(audit: Audit) -> str:
    """Say that no gap is supported, why, and what a single filter does nevertheless."""
    tests = [c for c in audit.claims if c.filter == ALL and math.isfinite(c.p_value)]
    comparable = {name: sum(row.ranked for row in by[ALL].groups) for name, by in audit.results.items()}
    if all(number < 2 for number in comparable.values()):
        unknown = all(info.unknown_documents == audit.documents for info in audit.groupings.values())
        if unknown:
            return "No document has a known place, so the audit cannot say who is left out."
        return "Fewer than two groups are large enough to compare, so no gap can be measured."
    overall = next(iter(audit.results.values()))[ALL].overall
    keep = f"The filters together keep {shown(overall.retention)} of documents"
    if overall.kept_documents == overall.documents:
        keep = "The filters together keep every document"
    words = f"{keep}; there is no evidence of a gap between groups ({len(tests)} compared)."
    claim = _largest(claim for claim in audit.claims if claim.filter != ALL)
    if claim is not None and claim.ratio.estimate < 1:
        row = audit.results[claim.grouping][claim.filter][claim.group]
        words += (
            f" On its own, the filter {claim.filter} keeps {shown(row.retention)} of documents"
            f" {_of(audit, claim.grouping, claim.group)}, {shown(claim.ratio, '')} times the share of all"
            " others."
        )
    return words
