"""An audit as CSV: a file for each part, numbers unrounded, missing ones empty.

Words of a corpus that a spreadsheet would run as a formula have an apostrophe before them, which
spreadsheets take for "this is text"; audit.json has them as they are.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import fields
from typing import Any

from hinterland.core.places import UNKNOWN
from hinterland.core.stats import Interval
from hinterland.curate.audit.parts import (
    AgreementRow,
    CoverageRow,
    Example,
    ExposureRow,
    MeasureRow,
    Placement,
)
from hinterland.curate.audit.report import Audit

__all__ = ["csv_files", "csv_text"]

_COLUMNS = (
    "grouping", "filter", "group", "documents", "tokens", "kept_documents", "kept_tokens", "clusters",
    "retention", "retention_low", "retention_high",
    "token_retention", "token_retention_low", "token_retention_high", "design_effect",
    "vs_rest", "vs_rest_low", "vs_rest_high", "vs_best", "vs_best_low", "vs_best_high",
    "p_value", "q_value", "supported", "ranked", "why_not",
)  # fmt: skip

Row = Sequence[object]
#: What a cell begins with that spreadsheets take for a formula (OWASP, "CSV injection").
_FORMULA = tuple("=+-@\t\r\n＝＋－＠")


def csv_files(audit: Audit) -> dict[str, str]:
    """Return the text of every CSV file by its name, with one for each part that there is.

    ``audit.csv`` has one row for each grouping, filter and group; it is there always.
    """
    files = {"audit.csv": csv_text(audit)}
    parts = (
        ("placements.csv", _names(Placement), (_values(each) for each in audit.placements)),
        ("coverage.csv", ("grouping", "reference", *_names(CoverageRow), "kl", "js"), _coverage(audit)),
        ("concentration.csv", _CONCENTRATION, _concentration(audit)),
        ("attribution.csv", _ATTRIBUTION, _attribution(audit)),
        ("curves.csv", _CURVES, _curves(audit)),
        (
            "agreement.csv",
            ("first", "second", "grouping", *_names(AgreementRow)),
            ((e.first, e.second, e.grouping, *_values(row)) for e in audit.agreement for row in e.rows),
        ),
        ("regression.csv", _REGRESSION, _regression(audit)),
        (
            "exposure.csv",
            ("grouping", "queries", "k", *_names(ExposureRow)),
            ((e.grouping, e.queries, e.k, *_values(row)) for e in audit.exposure for row in e.rows),
        ),
        (
            "measures.csv",
            ("column", "grouping", *_names(MeasureRow)),
            ((e.column, e.grouping, *_values(row)) for e in audit.measures for row in e.rows),
        ),
        ("examples.csv", _names(Example), (_values(each) for each in audit.examples)),
    )
    for name, head, rows in parts:
        text = _write(head, rows)
        if text.count("\n") > 1:
            files[name] = text
    return files


def csv_text(audit: Audit) -> str:
    """Return one row for each grouping, filter and group."""
    return _write(_COLUMNS, _retention(audit))


def _retention(audit: Audit) -> Iterator[Row]:
    claims = {(c.grouping, c.filter, c.group): c for c in audit.claims}
    for grouping, by_filter in audit.results.items():
        for name, measured in by_filter.items():
            for row in measured.groups:
                claim = claims.get((grouping, name, row.group))
                yield (
                    grouping, name, row.group, row.documents, row.tokens, row.kept_documents, row.kept_tokens,
                    row.clusters, *_three(row.retention), *_three(row.token_retention), row.design_effect,
                    *_three(row.vs_rest), *_three(row.vs_best), row.p_value,
                    claim.q_value if claim else math.nan, bool(claim and claim.supported), row.ranked,
                    row.why_not,
                )  # fmt: skip


def _coverage(audit: Audit) -> Iterator[Row]:
    """Yield every group, and the documents without one under the name `UNKNOWN`."""
    for each in audit.coverage:
        for row in each.rows:
            yield (each.grouping, each.reference, *_values(row), each.kl, each.js)
        if each.unknown_documents:
            known = {"group": UNKNOWN, "documents": each.unknown_documents, "tokens": each.unknown_tokens}
            cells = [known.get(name, "") for name in _names(CoverageRow)]
            yield (each.grouping, each.reference, *cells, "", "")


_CONCENTRATION = (
    "column", "sources", "unknown_documents", "hill_0", "hill_1", "hill_2", "gini", "top_sources",
    "top_share", "top_token_share",
)  # fmt: skip


def _concentration(audit: Audit) -> Iterator[Row]:
    for each in audit.concentration:
        yield (
            each.column, each.sources, each.unknown_documents, *each.hill, each.gini, each.top_sources,
            each.top_share, each.top_token_share,
        )  # fmt: skip


_ATTRIBUTION = (
    "grouping", "group", "gap", "gap_low", "gap_high", "supported", "method", "filter", "first", "last",
    "shapley", "shapley_low", "shapley_high", "order_matters",
)  # fmt: skip


def _attribution(audit: Audit) -> Iterator[Row]:
    for each in audit.attribution:
        for part in each.filters:
            yield (
                each.grouping, each.group, *_three(each.gap), each.supported, each.method, part.filter,
                part.first, part.last, *_three(part.shapley), part.order_matters,
            )  # fmt: skip


_CURVES = (
    "filter", "column", "keep", "grouping", "current", "best", "bound", "unmeasured", "threshold", "kept",
    "tokens_kept", "disparity", "group", "ranked", "retention",
)  # fmt: skip


def _curves(audit: Audit) -> Iterator[Row]:
    """Yield every group at every threshold."""
    for each in audit.curves:
        same = (
            each.filter, each.column, each.keep, each.grouping, each.current, each.best, each.bound,
            each.unmeasured,
        )  # fmt: skip
        points = zip(each.thresholds, each.kept, each.tokens, each.disparity, strict=True)
        for number, point in enumerate(points):
            for group, retention in each.groups.items():
                yield (*same, *point, group, group in each.ranked, retention[number])


_REGRESSION = (
    "model", "kind", "outcome", "n", "r2", "errors", "term", "coef", "se", "p", "low", "high",
    "standardised", "vif",
)  # fmt: skip


def _regression(audit: Audit) -> Iterator[Row]:
    for each in audit.regression:
        columns = (each.coef, each.se, each.p, each.low, each.high, each.standardised, each.vif)
        for term in each.coef:
            figures = (column.get(term, math.nan) for column in columns)
            yield (each.name, each.kind, each.outcome, each.n, each.r2, each.errors, term, *figures)


def _three(interval: Interval) -> tuple[float, float, float]:
    return interval.estimate, interval.low, interval.high


def _names(kind: Any) -> tuple[str, ...]:
    """Return the columns of a dataclass; an interval has three."""
    names: list[str] = []
    for field in fields(kind):
        wide = "Interval" in str(field.type)
        names += [field.name, f"{field.name}_low", f"{field.name}_high"] if wide else [field.name]
    return tuple(names)


def _values(row: Any) -> list[object]:
    """Return the cells of a dataclass, as `_names` has them."""
    found: list[object] = []
    for field in fields(row):
        value = getattr(row, field.name)
        found += _three(value) if isinstance(value, Interval) else [value]
    return found


def _write(head: Sequence[str], rows: Iterable[Row]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(head)
    for row in rows:
        writer.writerow(map(_cell, row))
    return out.getvalue()


def _cell(value: object) -> object:
    """Return a value as it is written: nothing for what is no number, and no formula for words."""
    if isinstance(value, float) and not math.isfinite(value):
        return ""
    if isinstance(value, str) and value.startswith(_FORMULA) and not _is_number(value):
        return f"'{value}"
    return value


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True
