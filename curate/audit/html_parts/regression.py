"""Scores or decisions on covariates: models side by side, and each in full."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from hinterland.core.charts import IntervalRow, interval_chart
from hinterland.core.page import Cell, Value, figure_html, fill, panels_html, table_html
from hinterland.core.stats import Interval
from hinterland.core.svg import number_text
from hinterland.curate.audit.audit import Audit
from hinterland.curate.audit.html_parts.words import joined, note
from hinterland.curate.audit.parts import RegressionModel
from hinterland.curate.audit.wording import STARS, coefficient, finding, stars

if TYPE_CHECKING:
    from markupsafe import Markup

__all__ = ["regression"]

_CONST = "const"
_SIDE = 5  # models side by side


def regression(audit: Audit) -> Markup:
    """Return the models side by side, then each in full."""
    intro = fill(
        "<p>{{ words }}</p>",
        words="A coefficient says how the outcome differs with a covariate while the others in the model stay"
        " the same. It is an association, not a cause.",
    )
    models = audit.regression
    tables = [_side_by_side(models[i : i + _SIDE]) for i in range(0, len(models), _SIDE)]
    panels = [("", model.name, _full(model)) for model in models]
    legend = note(f"Standard errors in parentheses. {STARS}.")
    return joined(intro, *tables, legend, panels_html("Choose a model", panels))


def _terms(models: Sequence[RegressionModel]) -> list[str]:
    terms = list(dict.fromkeys(term for model in models for term in model.coef if term != _CONST))
    return [*terms, *([_CONST] if any(_CONST in model.coef for model in models) else [])]


def _name(term: str) -> str:
    return "constant" if term == _CONST else term


def _side_by_side(models: Sequence[RegressionModel]) -> Markup:
    rows: list[Sequence[Value]] = []
    for term in _terms(models):
        line: list[Value] = [_name(term)]
        for model in models:
            if term not in model.coef:
                line.append(None)
                continue
            value = model.coef[term]
            words = f"{coefficient(value)}{stars(_of(model.p, term))} ({coefficient(_of(model.se, term))})"
            line.append(Cell(words, value))
        rows.append(line)
    rows.append(["n", *(model.n for model in models)])
    rows.append(["R²", *(Cell(coefficient(model.r2), model.r2) for model in models)])
    return table_html(
        ["Term", *(f"{model.name}: {model.outcome}" for model in models)],
        rows,
        caption="Coefficients of each model",
        sortable=False,
    )


def _full(model: RegressionModel) -> Markup:
    kind = "logistic regression; R² is McFadden's" if model.kind == "logit" else "ordinary least squares"
    lost = ", ".join(f"{count:,} {why}" for why, count in model.dropped.items() if count)
    head = (
        f"{model.outcome}, {kind}; n = {model.n:,}; R² = {coefficient(model.r2)}; standard errors:"
        f" {model.errors}." + (f" Left out: {lost}." if lost else "")
    )
    rows: list[Sequence[Value]] = []
    for term in _terms([model]):
        value, p = model.coef[term], model.p.get(term, math.nan)
        interval = _interval(model, term)
        rows.append(
            [
                _name(term),
                Cell(coefficient(value) + stars(p), value),
                *(
                    Cell(coefficient(each), each)
                    for each in (model.se.get(term, math.nan), interval.low, interval.high)
                ),
                Cell("< 0.001" if p < 0.001 else coefficient(p), p),
                Cell(coefficient(_of(model.standardised, term)), _of(model.standardised, term)),
                Cell(number_text(_of(model.vif, term)), _of(model.vif, term)),
                "–"
                if term == _CONST
                else finding(interval, 0.0, "negative", "positive", "no evidence of an association"),
            ]
        )
    table = table_html(
        ["Term", "Coefficient", "Standard error", "Low", "High", "p", "Standardised", "VIF", "Finding"],
        rows,
        caption=f"{model.name}: {head}",
    )
    drawn = [IntervalRow(term, _standardised(model, term)) for term in _terms([model]) if term != _CONST]
    drawn = [row for row in drawn if math.isfinite(row.interval.estimate)]
    parts = [table]
    if drawn:
        chart = interval_chart(
            drawn,
            title=f"Standardised coefficients, {model.name}",
            reference=0.0,
            reference_label="no association",
            unit="",
        )
        parts.append(figure_html(chart, "In standard deviations, with 95% intervals, so that terms compare."))
    parts.append(
        note(
            "The variance inflation factor (VIF) says how much of a term's variance the other terms"
            " explain: above"
            " 5 to 10 its coefficient is hard to tell from theirs. " + " ".join(model.notes)
        )
    )
    return joined(*parts)


def _of(values: dict[str, float], term: str) -> float:
    return values.get(term, math.nan)


def _interval(model: RegressionModel, term: str) -> Interval:
    return Interval(model.coef[term], _of(model.low, term), _of(model.high, term))


def _standardised(model: RegressionModel, term: str) -> Interval:
    """Return a standardised coefficient; its interval is the raw one in the same units."""
    raw, value = _interval(model, term), _of(model.standardised, term)
    if not raw.estimate or not math.isfinite(value):
        return Interval(value, math.nan, math.nan)
    scale = value / raw.estimate
    low, high = sorted((raw.low * scale, raw.high * scale))
    return Interval(value, low, high)
