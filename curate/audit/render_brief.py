"""What the command prints of an audit: the findings. The page and the tables have all of it."""

from __future__ import annotations

import math

from hinterland.core.stats import Interval
from hinterland.core.svg import number_text
from hinterland.curate.audit.claims import ALL, Claim, headline, shown
from hinterland.curate.audit.groups import readable_name
from hinterland.curate.audit.render import coverage, printable
from hinterland.curate.audit.render_models import exposure_section, measures_section, regression_section
from hinterland.curate.audit.render_tables import Section
from hinterland.curate.audit.report import Audit
from hinterland.curate.audit.wording import curve_sentence, gap_sentence, points

__all__ = ["brief"]

_MOST = 8  # lines of a part


def brief(audit: Audit) -> str:
    """Return the findings of an audit on about a screen, 100 columns wide.

    Only what the data support is listed: gaps after false-discovery control, groups whose
    representation has an interval on one side of 1. Nothing listed is not "no gap".
    """
    sections = [_gaps(audit), _represented(audit), _attributed(audit), _thresholds(audit)]
    asked = ((audit.regression, regression_section), (audit.exposure, exposure_section))
    sections += [make(audit) for there, make in (*asked, (audit.measures, measures_section)) if there]
    lines = [coverage(audit), headline(audit)]
    if audit.placements:
        total = max(audit.documents, 1)
        shares = [f"{each.rule} {number_text(each.documents / total, '%')}" for each in audit.placements]
        lines.append(f"Placed by: {', '.join(shares)}.")
    for section in sections:
        if section is not None:
            lines += ["", *section.text()]
    return printable("\n".join([*lines, *(["", *audit.notes] if audit.notes else [])]))


def _section(title: str, lines: list[str], file: str, note: str = "") -> Section | None:
    return Section(title, file, tuple(lines), note=note, most_lines=_MOST) if lines or note else None


def _gaps(audit: Audit) -> Section | None:
    """Return the supported gaps of all filters together, then of single ones, the widest first."""
    supported = [claim for claim in audit.claims if claim.supported]
    lines = [_gap(audit, claim) for claim in sorted(supported, key=_width) if claim.filter == ALL]
    alone = [_gap(audit, claim) for claim in sorted(supported, key=_width) if claim.filter != ALL]
    tested = sum(math.isfinite(claim.p_value) for claim in audit.claims)
    if not tested:
        return None
    title = f"Groups that are kept less or more than all others ({len(supported)} of {tested} tests)"
    note = "False discoveries are controlled at 5%." if supported else (
        "For no group is there evidence that it differs from all others, which is no evidence that none does."
    )  # fmt: skip
    return _section(title, [*lines, *alone], "audit.csv", note)


def _width(claim: Claim) -> tuple[float, str, str]:
    ratio = claim.ratio.estimate
    return (-abs(math.log(ratio)) if ratio > 0 else -math.inf, claim.group, claim.filter)


def _gap(audit: Audit, claim: Claim) -> str:
    row = audit.results[claim.grouping][claim.filter][claim.group]
    who = "all filters together" if claim.filter == ALL else claim.filter
    side = "less" if claim.ratio.estimate < 1 else "more"
    return (
        f"{claim.group} ({readable_name(claim.grouping)}) is kept {side} by {who}: {shown(row.retention)},"
        f" {shown(claim.ratio, '')} times the share of all others"
    )


def _represented(audit: Audit) -> Section | None:
    """Return the groups that are under or over their share of a reference."""
    lines = []
    for each in audit.coverage:
        found = [row for row in each.rows if row.ranked and row.representation.excludes(1.0)]
        if each.reference and found:
            named = [f"{row.group} {shown(row.representation, '')}" for row in found]
            named = [*named[:_MOST], *([f"{len(named) - _MOST} more"] if len(named) > _MOST else [])]
            lines.append(f"by {readable_name(each.grouping)}, beside {each.reference}: {'; '.join(named)}")
    note = "Each group by itself, not corrected for their number." if lines else ""
    return _section("Over (above 1) or under (below 1) their share", lines, "coverage.csv", note)


def _attributed(audit: Audit) -> Section | None:
    found = [each for each in audit.attribution if each.supported]
    lines = []
    for each in sorted(found, key=lambda part: -abs(part.gap.estimate)):
        side = 1.0 if each.gap.estimate >= 0 else -1.0
        first = max(each.filters, key=lambda part: side * part.shapley.estimate)
        # A part that narrows the gap makes none of it, and one that may be chance is none.
        made = side * first.shapley.estimate > 0 and first.shapley.excludes(0.0)
        size = first.shapley if side > 0 else _turned(first.shapley)
        part = f" The largest part is that of {first.filter}: {points(size)}." if made else ""
        lines.append(f"{gap_sentence(each)}{part}")
    return _section("Which filters make the gaps", lines, "attribution.csv")


def _turned(found: Interval) -> Interval:
    """Return a difference the other way round, as the gap of a group that is kept more is told."""
    return Interval(-found.estimate, -found.high, -found.low, found.level)


def _thresholds(audit: Audit) -> Section | None:
    """Return thresholds that would even out a disparity that is below the bound, the most kept first."""
    found = []
    for curve in audit.curves:
        if not (math.isfinite(curve.best) and math.isfinite(curve.current)):
            continue
        now, best = curve.thresholds.index(curve.current), curve.thresholds.index(curve.best)
        if curve.disparity[now] < curve.bound:
            found.append((-curve.kept[best], curve.column, curve.grouping, curve))
    lines = [curve_sentence(each[-1]) for each in sorted(found, key=lambda each: each[:3])]
    return _section(
        "Thresholds that would even it out (estimates, without intervals)", lines[:4], "curves.csv"
    )
