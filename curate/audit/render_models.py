"""Regressions, exposure and measures of an audit, as sentences and tables for text and Markdown."""

from __future__ import annotations

import math

from hinterland.core.svg import number_text
from hinterland.curate.audit.claims import shown
from hinterland.curate.audit.groups import readable_name
from hinterland.curate.audit.parts import Exposure, Measure, RegressionModel
from hinterland.curate.audit.render_tables import Section, Table
from hinterland.curate.audit.report import Audit
from hinterland.curate.audit.wording import OVER, STARS, UNDER, coefficient, finding, not_compared, stars

__all__ = ["exposure_section", "measures_section", "regression_section"]

_CONST = "const"


def regression_section(audit: Audit) -> Section:
    """Return the models side by side, and each in full."""
    models = audit.regression
    terms = list(dict.fromkeys(term for model in models for term in model.coef if term != _CONST))
    terms += [_CONST] if any(_CONST in model.coef for model in models) else []
    rows = [
        ("constant" if term == _CONST else term, *(_coefficient(model, term) for model in models))
        for term in terms
    ]
    rows.append(("n", *(f"{model.n:,}" for model in models)))
    rows.append(("R²", *(coefficient(model.r2) for model in models)))
    head = ("term", *(model.name for model in models))
    side = Table(head, tuple(rows), first=tuple(range(len(rows))))
    return Section(
        "Regression",
        "regression.csv",
        tuple(_model(model) for model in models),
        (side, *(_full(model) for model in models)),
        f"Coefficients, standard errors in parentheses. {STARS}. Associations, not causes.",
        most_tables=1,
        most_rows=len(rows),
    )


def _coefficient(model: RegressionModel, term: str) -> str:
    if term not in model.coef:
        return ""
    mark = stars(model.p.get(term, math.nan))
    return f"{coefficient(model.coef[term])}{mark} ({coefficient(model.se.get(term, math.nan))})"


def _model(model: RegressionModel) -> str:
    kind = "logit (McFadden's R²)" if model.kind == "logit" else "ordinary least squares"
    lost = ", ".join(f"{number:,} {why}" for why, number in model.dropped.items() if number)
    words = f"{model.name}: {model.outcome}, {kind}, {model.n:,} rows, standard errors: {model.errors}."
    return " ".join([words, *([f"Left out: {lost}."] if lost else []), *model.notes])


def _full(model: RegressionModel) -> Table:
    rows = []
    for term, value in model.coef.items():
        p = model.p.get(term, math.nan)
        low, high = (coefficient(each.get(term, math.nan)) for each in (model.low, model.high))
        rows.append(
            (
                "constant" if term == _CONST else term,
                coefficient(value) + stars(p),
                coefficient(model.se.get(term, math.nan)),
                f"[{low}, {high}]",
                "< 0.001" if p < 0.001 else coefficient(p),
                coefficient(model.standardised.get(term, math.nan)),
                number_text(model.vif.get(term, math.nan)),
            )
        )
    head = ("term", "coefficient", "standard error", "95% interval", "p", "standardised", "VIF")
    return Table(head, tuple(rows), f"{model.name}: {model.outcome}")


def exposure_section(audit: Audit) -> Section:
    """Return what each group gets of the places in results."""
    note = (
        "Shares of the places in the first results, with intervals over queries. 1 is proportional; where an"
        " interval holds 1 there is no evidence of a gap. Findings are for each group by itself, not"
        " corrected for their number."
    )
    tables = tuple(_exposure_table(each) for each in audit.exposure)
    return Section("Who is retrieved and cited", "exposure.csv", tables=tables, note=note)


def _exposure_table(each: Exposure) -> Table:
    judged = any(math.isfinite(row.relevant) for row in each.rows)
    cited = any(math.isfinite(row.cited.estimate) for row in each.rows)
    head = ["group", "corpus", "retrieved"]
    head += (["cited"] if cited else []) + ["over corpus"]
    head += ["relevant", "over relevant"] if judged else []
    rows = []
    for row in each.rows:
        cells = [row.group, number_text(row.corpus, "%"), shown(row.retrieved)]
        cells += [shown(row.cited)] if cited else []
        cells += [shown(row.against_corpus, "")]
        cells += [number_text(row.relevant, "%"), shown(row.against_relevant, "")] if judged else []
        against = row.against_relevant if judged else row.against_corpus
        rows.append((*cells, finding(against, 1.0, UNDER, OVER)))
    caption = f"By {readable_name(each.grouping)}: {each.queries:,} queries, first {each.k} results"
    largest = sorted(range(len(each.rows)), key=lambda i: -each.rows[i].corpus)
    gaps = [i for i in largest if rows[i][-1] in (UNDER, OVER)]
    return Table(
        (*head, "finding"),
        tuple(rows),
        caption,
        (0, len(head)),
        tuple(dict.fromkeys([*gaps, *largest])),
        each.note,
    )


def measures_section(audit: Audit) -> Section:
    """Return each group's mean of each measure."""
    note = (
        "Means, and their difference from the mean of all other documents. Where its interval holds 0"
        " there is no evidence of a gap. Findings are for each group by itself, not corrected for their"
        " number."
    )
    tables = tuple(_measure_table(each) for each in audit.measures)
    return Section("Measures", "measures.csv", tables=tables, note=note)


def _measure_table(each: Measure) -> Table:
    rows = []
    for row in each.rows:
        said = "" if row.group == "all" else not_compared(row.group)
        if row.ranked and row.group != "all":
            said = finding(row.difference, 0.0, "lower", "higher")
        rows.append(
            (
                row.group,
                f"{row.documents:,}",
                f"{row.clusters:,}",
                shown(row.mean, ""),
                shown(row.difference, ""),
                said,
            )
        )
    head = ("group", "documents", "clusters", "mean", "less all others", "finding")
    caption = f"{each.column}, by {readable_name(each.grouping)}"
    lost = f"{each.unmeasured:,} documents have no such figure." if each.unmeasured else ""
    order = sorted(range(len(rows)), key=lambda i: (rows[i][-1] not in ("", "lower", "higher"), i))
    return Table(head, tuple(rows), caption, (0, 5), tuple(order), lost)
