"""Scores and decisions explained by covariates: least squares and logit, by statsmodels.

Terms are fitted in standard deviations from their means and the result is carried back to the
units given (`t_test` of the linear map), so that a population in thousands of millions and a share
stand side by side without loss of precision; coefficients and errors are those of the units given.
"""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from hinterland.core.errors import ConfigError, CorpusError, nearest
from hinterland.core.progress import track
from hinterland.core.revive import plain
from hinterland.curate.audit.groups import encode
from hinterland.curate.audit.parts import RegressionModel
from hinterland.curate.audit.regression_checks import check_terms, separating, variance_inflation
from hinterland.curate.audit.regression_config import ModelConfig, RegressionConfig
from hinterland.curate.audit.regression_table import Prepared, join_covariates, prepare

__all__ = ["as_json", "fit_models", "join_covariates"]

Floats = NDArray[np.float64]
#: More names than this in one categorical column are more likely a mistake than a model.
_MOST_NAMES = 200
#: Below, errors clustered by so few are too small (Cameron and Miller 2015, J. Human Resources 50).
_FEW_CLUSTERS = 30
_HIGH_VIF = 10.0
_CONST = "const"


def fit_models(table: pa.Table, config: RegressionConfig) -> tuple[RegressionModel, ...]:
    """Fit all models of a config.

    Args:
        table: One row for each document (or school, or country) with the columns that are named.
        config: What to derive, which rows count, and the models.

    Raises:
        ConfigError: A column is not there, an expression is wrong, or text stands where a number
            is needed.
        CorpusError: No row is left, there are no more rows than terms, the outcome or a term is
            constant, terms determine one another, the terms separate a logit's outcomes, there is
            one cluster only, or a robust error is not defined.
    """
    models = config.resolved()
    prepared = prepare(table, config, models)
    steps = track(models, "fitting models") if table.num_rows > 100_000 else models
    return tuple(_fit(model, prepared, config) for model in steps)


def as_json(model: RegressionModel) -> dict[str, Any]:
    """Return a model as JSON-able values; what is not a number becomes null."""
    values: dict[str, Any] = plain(model)
    return values


def _fit(model: ModelConfig, prepared: Prepared, config: RegressionConfig) -> RegressionModel:
    where = f"regression.models, {model.name}"
    rows, dropped, missing = prepared.rows(model)
    if not rows.any():
        why = ", ".join(f"{reason} {count}" for reason, count in dropped.items()) or "the table is empty"
        raise CorpusError(
            f"no row of {len(rows)} is left: {why}",
            where=where,
            cure=f"look at the columns. {missing}" if missing else "give rows, or another `where`",
        )
    terms, names, notes = _design(model, prepared, rows, config)
    scaled = check_terms(terms, names, where=where)
    outcome = _outcome(model, prepared.numbers[model.outcome][rows], where)
    clusters = _clusters(model, prepared, rows, where)
    result, heard = _estimate(model, scaled, outcome, clusters, names, where)
    mean, spread = terms.mean(axis=0), terms.std(axis=0)
    back = np.diag([1.0, *(1 / spread)])
    back[0, 1:] = -mean / spread
    contrast = result.t_test(back)
    values = {
        "coef": contrast.effect,
        "se": contrast.sd,
        "p": contrast.pvalue,
        "low": contrast.conf_int()[:, 0],
        "high": contrast.conf_int()[:, 1],
    }
    keyed = {key: _keyed([_CONST, *names], each) for key, each in values.items()}
    if not all(np.isfinite(list(keyed["se"].values()))):
        raise CorpusError(
            f"the standard errors {model.errors} cannot be computed",
            where=where,
            cure="choose other errors, or leave out terms that hold for few rows",
        )
    logit = model.kind == "logit"
    inflation = _keyed(names, variance_inflation(scaled))
    return RegressionModel(
        name=model.name,
        kind=model.kind,
        outcome=model.outcome,
        n=int(rows.sum()),
        dropped=dropped,
        r2=float(result.prsquared if logit else result.rsquared),
        errors=_errors(model, clusters),
        standardised=_keyed(names, result.params[1:] / (1.0 if logit else outcome.std())),
        vif=inflation,
        notes=tuple(
            each for each in (missing, *notes, *_cautions(model, clusters, inflation), *heard) if each
        ),
        **keyed,
    )


def _keyed(names: Sequence[str], values: Any) -> dict[str, float]:
    return {name: float(value) for name, value in zip(names, np.ravel(values), strict=True)}


def _design(
    model: ModelConfig, prepared: Prepared, rows: NDArray[np.bool_], config: RegressionConfig
) -> tuple[Floats, list[str], list[str]]:
    """Return the terms of shape (rows, terms), their names, and what each name is compared with."""
    columns, names, notes = [], [], []
    for term in model.terms:
        if term not in config.categorical:
            columns.append(prepared.numbers[term][rows])
            names.append(term)
            continue
        codes, found = encode(prepared.names[term][rows])
        baseline = _baseline(term, config.categorical[term], list(found), np.bincount(codes), model)
        for code, name in enumerate(found):
            if name != baseline:
                columns.append((codes == code).astype(np.float64))
                names.append(f"{term}[{name}]")
        notes.append(f"{term} is compared with {baseline}.")
    return np.column_stack(columns) if columns else np.empty((int(rows.sum()), 0)), names, notes


def _baseline(
    term: str, wanted: str | None, found: list[str], counts: NDArray[np.int64], model: ModelConfig
) -> str:
    where = f"regression.categorical.{term}"
    if len(found) > _MOST_NAMES:
        raise ConfigError(
            f"{term!r} has {len(found)} names; more than {_MOST_NAMES} make no readable model",
            where=where,
            cure=f"group them, or use it as cluster: {term}",
        )
    if wanted is not None and wanted not in found:
        raise ConfigError(
            f"no row of {model.name!r} has the baseline {wanted!r}", where=where, cure=nearest(wanted, found)
        )
    if len(found) == 1:
        raise CorpusError(f"{term!r} is {found[0]!r} in all rows", where=where, cure="leave this term out")
    return wanted if wanted is not None else found[int(counts.argmax())]


def _outcome(model: ModelConfig, outcome: Floats, where: str) -> Floats:
    if model.kind == "logit":
        other = outcome[(outcome != 0) & (outcome != 1)]
        if other.size:
            raise CorpusError(
                f"the outcome {model.outcome!r} of a logit is {other[0]:g} in {other.size} rows, not 0 or 1",
                where=where,
                cure=f"use kind: ols, or derive a condition such as high: {model.outcome} >= 0.5",
            )
    if np.ptp(outcome) <= 1e-12 * max(float(np.abs(outcome).max()), 1e-300):
        raise CorpusError(
            f"the outcome {model.outcome!r} is {outcome[0]:g} in all {len(outcome)} rows: nothing to explain",
            where=where,
            cure="choose another outcome, or other rows",
        )
    return outcome


def _clusters(
    model: ModelConfig, prepared: Prepared, rows: NDArray[np.bool_], where: str
) -> NDArray[np.int64] | None:
    if model.errors != "cluster":
        return None
    codes = np.zeros(int(rows.sum()), dtype=np.int64)
    for column in model.cluster:
        more, _ = encode(prepared.names[column][rows])
        codes = np.unique(codes * (more.max() + 1) + more, return_inverse=True)[1]
    if not codes.any():
        found = ", ".join(f"{column} {prepared.names[column][rows][0]!r}" for column in model.cluster)
        raise CorpusError(
            f"all rows lie in one cluster, {found}",
            where=where,
            cure="cluster by another column, or use errors: HC1",
        )
    return codes


def _kind_of_errors(model: ModelConfig) -> str:
    """Return the errors that are computed: those beyond HC0 are defined for least squares alone."""
    return "HC0" if model.kind == "logit" and model.errors.startswith("HC") else model.errors


def _errors(model: ModelConfig, clusters: NDArray[np.int64] | None) -> str:
    if clusters is None:
        return _kind_of_errors(model)
    return f"cluster {' and '.join(model.cluster)} ({int(clusters.max()) + 1} clusters)"


def _cautions(
    model: ModelConfig, clusters: NDArray[np.int64] | None, inflation: dict[str, float]
) -> list[str]:
    notes = []
    if _kind_of_errors(model) != model.errors and "errors" in model.model_fields_set:
        notes.append(f"{model.errors} is for least squares; a logit has HC0.")
    number = 0 if clusters is None else int(clusters.max()) + 1
    if 0 < number < _FEW_CLUSTERS:
        notes.append(f"{number} clusters are few: the true errors are larger than those shown.")
    high = [f"{name} {value:.0f}" for name, value in inflation.items() if value > _HIGH_VIF]
    if high:
        notes.append(f"Hard to tell from the other terms (variance inflation above 10): {', '.join(high)}.")
    return notes


def _estimate(
    model: ModelConfig,
    scaled: Floats,
    outcome: Floats,
    clusters: NDArray[np.int64] | None,
    names: Sequence[str],
    where: str,
) -> tuple[Any, list[str]]:
    """Return statsmodels' result for the scaled terms, and what it warned of."""
    import statsmodels.api as sm

    design = np.column_stack([np.ones(len(scaled)), scaled])
    if model.errors in ("HC2", "HC3") and model.kind == "ols":
        _check_leverage(design, names, model.errors, where)
    options: dict[str, Any] = {"cov_type": _kind_of_errors(model)}
    if clusters is not None:
        options["cov_kwds"] = {"groups": clusters}
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        if model.kind == "ols":
            result = sm.OLS(outcome, design).fit(use_t=True, **options)
        else:
            result = _logit(sm.Logit(outcome, design), scaled, outcome, names, options, where)
    said = dict.fromkeys(f"statsmodels: {' '.join(str(each.message).split())}" for each in caught)
    return result, list(said)


def _logit(
    logit: Any, scaled: Floats, outcome: Floats, names: Sequence[str], options: dict[str, Any], where: str
) -> Any:
    """Fit a logit by Newton's method, or say which terms leave it without a maximum."""
    result = None
    with contextlib.suppress(np.linalg.LinAlgError, ValueError):  # a singular Hessian; why, is asked below
        result = logit.fit(method="newton", maxiter=100, disp=0, **options)
    steep = result is not None and np.abs(result.params[1:]).max(initial=0.0) > 10
    if result is not None and result.mle_retvals["converged"] and not steep:
        return result
    weights = separating(scaled, outcome)
    if weights is not None:
        large = np.abs(weights[1:]) > 1e-6 * np.abs(weights[1:]).max()
        guilty = [repr(name) for name, each in zip(names, large, strict=True) if each]
        raise CorpusError(
            f"{', '.join(guilty)} {'tells' if len(guilty) == 1 else 'together tell'} outcome 0 from 1 without"
            " an error, for all rows or all that differ in it: the coefficient has no finite value",
            where=where,
            cure="leave the term out, join rare names, or use kind: ols",
        )
    if result is None or not result.mle_retvals["converged"]:
        raise CorpusError(
            "the logit did not converge in 100 steps", where=where, cure="leave out terms, or use kind: ols"
        )
    return result


def _check_leverage(design: Floats, names: Sequence[str], errors: str, where: str) -> None:
    """Refuse rows that fit themselves: HC2 and HC3 divide by one less their leverage."""
    basis = np.linalg.qr(design)[0]
    leverage = np.einsum("ij,ij->i", basis, basis)
    alone = np.flatnonzero(leverage > 1 - 1e-10)
    if alone.size:
        far = names[int(np.abs(design[alone[0], 1:]).argmax())]
        raise CorpusError(
            f"{errors} is not defined: {alone.size} rows alone determine a coefficient, such as {far!r}",
            where=where,
            cure="use errors: HC1, or leave out terms that hold for one row",
        )
