"""What an audit finds beside retention, as sentences and tables for text and Markdown."""

from __future__ import annotations

import math
from collections.abc import Sequence

from hinterland.core.places import UNKNOWN
from hinterland.core.svg import number_text
from hinterland.curate.audit.claims import ALL, shown
from hinterland.curate.audit.groups import readable_name
from hinterland.curate.audit.parts import (
    Agreement,
    Attribution,
    Coverage,
    CoverageRow,
    Curve,
    Example,
)
from hinterland.curate.audit.render_models import exposure_section, measures_section, regression_section
from hinterland.curate.audit.render_tables import Section, Table
from hinterland.curate.audit.report import Audit
from hinterland.curate.audit.wording import (
    OVER,
    UNDER,
    concentration_sentence,
    curve_sentence,
    divergence_sentence,
    finding,
    gap_sentence,
    not_compared,
    point,
    points,
)

__all__ = ["sections_after", "sections_before"]


def sections_before(audit: Audit) -> list[Section]:
    """Return what stands before retention: how documents were placed, and what there is."""
    found = [_placements(audit)] if audit.placements else []
    if audit.coverage:
        found.append(_coverage(audit))
    if audit.concentration:
        lines = tuple(concentration_sentence(each, audit.token_unit) for each in audit.concentration)
        tables = tuple(
            Table(
                (readable_name(each.column), "documents"),
                tuple((name, f"{number:,}") for name, number in each.largest),
                caption=f"The largest {readable_name(each.column)}s",
            )
            for each in audit.concentration
            if each.largest
        )
        found.append(Section("Concentration", "concentration.csv", lines, tables, most_rows=5))
    return found


def sections_after(audit: Audit) -> list[Section]:
    """Return what stands after retention, each part that there is."""
    made = (
        (audit.attribution, _attribution),
        (audit.curves, _curves),
        (audit.agreement, _agreement),
        (audit.regression, regression_section),
        (audit.exposure, exposure_section),
        (audit.measures, measures_section),
        (audit.examples, _examples),
    )
    return [make(audit) for part, make in made if part]


def _share(value: float) -> str:
    return number_text(value, "%")


def _placements(audit: Audit) -> Section:
    documents = sum(row.documents for row in audit.placements) or 1
    tokens = sum(row.tokens for row in audit.placements) or 1
    ordered = sorted(audit.placements, key=lambda row: row.rule != UNKNOWN)
    rows = tuple(
        (
            "not placed" if row.rule == UNKNOWN else row.rule,
            f"{row.documents:,}",
            _share(row.documents / documents),
            _share(row.tokens / tokens),
            number_text(row.confidence),
        )
        for row in ordered
    )
    head = ("placed by", "documents", "share", f"share of {audit.token_unit}", "mean confidence")
    return Section("Where documents are from", "placements.csv", tables=(Table(head, rows),))


def _coverage(audit: Audit) -> Section:
    note = (
        "A representation ratio is a group's share of the corpus over its share of the reference; 1 is"
        " proportional. Where its interval holds 1 there is no evidence of a gap. Findings are for each group"
        " by itself, not corrected for the number of groups."
    )
    compared = any(each.reference for each in audit.coverage)
    tables = tuple(_coverage_table(each, audit.token_unit) for each in audit.coverage)
    return Section("Coverage", "coverage.csv", tables=tables, note=note if compared else "")


def _coverage_table(each: Coverage, token_unit: str) -> Table:
    head = ["group", "documents", "share", f"share of {token_unit}"]
    caption = f"By {readable_name(each.grouping)}"
    if each.reference:
        head += ["reference", "representation", "finding"]
        caption += f", beside {readable_name(each.reference)}"
    rows = []
    for row in each.rows:
        cells = [row.group, f"{row.documents:,}", shown(row.share), _share(row.token_share)]
        if each.reference:
            cells += [_share(row.reference), shown(row.representation, ""), _represented(row)]
        rows.append(tuple(cells))
    if each.unknown_documents:
        rows.append((UNKNOWN, f"{each.unknown_documents:,}", *["–"] * (len(head) - 2)))
    # Where the table is cut: what is unknown, what is found, then the largest.
    last = [len(each.rows)] if each.unknown_documents else []
    gaps = [i for i, row in enumerate(each.rows) if each.reference and _represented(row) in (UNDER, OVER)]
    largest = sorted(range(len(each.rows)), key=lambda i: -each.rows[i].documents)
    after = " ".join(filter(None, [divergence_sentence(each), each.note]))
    return Table(tuple(head), tuple(rows), caption, (0, 6), _distinct(last, gaps, largest), after, later=(3,))


def _represented(row: CoverageRow) -> str:
    if not row.ranked:
        return row.why_not or "not compared"
    if not math.isfinite(row.reference):
        return "no reference"
    return finding(row.representation, 1.0, UNDER, OVER)


def _distinct(*orders: Sequence[int]) -> tuple[int, ...]:
    return tuple(dict.fromkeys(i for order in orders for i in order))


def _attribution(audit: Audit) -> Section:
    supported = [each for each in audit.attribution if each.supported]
    others = [each for each in audit.attribution if not each.supported]
    note = (
        "A gap is the share kept of all other documents less that of the group. A filter's part of it is that"
        " on average over all orders of the filters (Shapley 1953); the parts sum to the gap. “First” is the"
        " part of the filter before all others, “last” after them. All in percentage points."
    )
    lines = (
        [f"{len(others):,} of {len(audit.attribution):,} groups show no evidence of a gap to all others."]
        if others
        else []
    )
    return Section(
        "Which filters make the gaps",
        "attribution.csv",
        tuple(lines),
        tuple(_parts_table(each) for each in [*supported, *others]),
        note,
        most_tables=min(len(supported), 6),
        most_rows=6,
    )


def _parts_table(each: Attribution) -> Table:
    rows = tuple(
        (
            row.filter,
            points(row.shapley),
            point(row.first),
            point(row.last),
            "the order matters" if row.order_matters else "",
            finding(row.shapley, 0.0, "narrows the gap", "widens the gap", "no evidence of a part")
            if each.gap.estimate >= 0
            else finding(row.shapley, 0.0, "widens the gap", "narrows the gap", "no evidence of a part"),
        )
        for row in each.filters
    )
    caption = f"By {readable_name(each.grouping)}: {gap_sentence(each)}"
    return Table(("filter", "part", "first", "last", "order", "finding"), rows, caption, left=(0, 4, 5))


def _curves(audit: Audit) -> Section:
    note = (
        "Estimates from the scores of these documents, without intervals: audit again before a threshold is"
        " relied on. All other rules stay as they are. The worst disparity is the retention of the worst-kept"
        " group over that of the best-kept one."
    )
    lines = tuple(map(curve_sentence, sorted(audit.curves, key=_interest)))
    return Section("Other thresholds", "curves.csv", lines, note=note)


def _interest(curve: Curve) -> tuple[int, float]:
    """Order curves: those that could reach the bound, those that come near it, those that are there."""
    measured = [value for value in curve.disparity if math.isfinite(value)]
    if math.isfinite(curve.best) and curve.best != curve.current:
        return 0, -curve.kept[curve.thresholds.index(curve.best)]
    return (2, 0.0) if math.isfinite(curve.best) else (1, -max(measured, default=-1.0))


def _agreement(audit: Audit) -> Section:
    return Section(
        "Where filters agree",
        "agreement.csv",
        tables=tuple(_agreement_table(each) for each in audit.agreement),
        note="The share of documents on which two filters decide alike, and what one of them keeps alone.",
        most_tables=4,
        most_rows=9,
    )


def _agreement_table(each: Agreement) -> Table:
    rows = tuple(
        (
            row.group,
            f"{row.documents:,}",
            shown(row.agreement),
            *(f"{number:,}" for number in (row.both, row.only_first, row.only_second, row.neither)),
            "" if row.ranked else not_compared(row.group),
        )
        for row in each.rows
    )
    head = (
        "group",
        "documents",
        "agreement",
        "both keep",
        "only the first",
        "only the second",
        "neither",
        "",
    )
    caption = f"{each.first} and {each.second}, by {readable_name(each.grouping)}"
    apart = sorted(range(len(each.rows)), key=lambda i: (i > 0, -each.rows[i].documents))
    return Table(head, rows, caption, left=(0, 7), first=tuple(apart), later=(6, 3, 1))


def _examples(audit: Audit) -> Section:
    note = "The beginnings of a few documents, drawn at random, to be read and not counted. Unchecked."
    # Groups that are kept less come first, so that a text that is cut shows them.
    fewer = {
        (claim.grouping, claim.group)
        for claim in audit.claims
        if claim.filter == ALL and claim.supported and claim.ratio.estimate < 1
    }
    ordered = sorted(audit.examples, key=lambda each: (each.grouping, each.group) not in fewer)
    lines = tuple(map(_example, ordered))
    return Section("Examples", "examples.csv", lines, note=note, most_lines=6)


def _example(each: Example) -> str:
    said = "kept" if each.kept else f"dropped by {each.reason}"
    origin = ", ".join(filter(None, [each.source, each.country]))
    return f"{each.group}, {said}{f' ({origin})' if origin else ''}: {each.text or '(no text)'}"
