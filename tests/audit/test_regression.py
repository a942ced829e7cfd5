"""Regressions: statsmodels called directly, values worked by numpy alone, and what cannot be fitted."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st

from hinterland.core.errors import ConfigError, CorpusError
from hinterland.curate.audit.covariates import Covariates
from hinterland.curate.audit.parts import RegressionModel
from hinterland.curate.audit.regression import as_json, fit_models, join_covariates
from hinterland.curate.audit.regression_checks import separating
from hinterland.curate.audit.regression_config import RegressionConfig

ROWS = 240


def data(rows: int = ROWS) -> dict[str, Any]:
    rng = np.random.default_rng(7)
    people, share = rng.lognormal(16, 2, rows), rng.random(rows)
    region = np.array(["africa", "asia", "europe"])[rng.integers(0, 3, rows)]
    source = rng.integers(0, 40, rows)
    score = 0.2 * share + 1e-9 * people + 0.3 * (region == "asia") + rng.normal(0, 1 + share, rows)
    return {
        "score": score,
        "keep": (score + rng.normal(0, 1, rows)) > 0.4,
        "people": people,
        "share": share,
        "region": region,
        "source": [f"s{each:02d}" for each in source],
    }


def fit(values: dict[str, Any] | pa.Table, **config: Any) -> tuple[RegressionModel, ...]:
    table = values if isinstance(values, pa.Table) else pa.table(values)
    return fit_models(table, RegressionConfig.model_validate(config))


def one(values: dict[str, Any] | pa.Table, **model: Any) -> RegressionModel:
    given = {"name": "m", "outcome": "score", "terms": ["people", "share"]} | model
    shared = {key: given.pop(key) for key in ("where", "derive", "categorical") if key in given}
    return fit(values, models=[given], **shared)[0]


def design(values: dict[str, Any]) -> np.ndarray:
    return sm.add_constant(np.column_stack([values["people"], values["share"]]))


def agree(model: RegressionModel, result: Any, r2: float) -> None:
    names = ["const", "people", "share"]
    bounds = result.conf_int()
    for key, expected in {
        "coef": result.params, "se": result.bse, "p": result.pvalues,
        "low": bounds[:, 0], "high": bounds[:, 1],
    }.items():  # fmt: skip
        assert [*getattr(model, key)] == names
        np.testing.assert_allclose([*getattr(model, key).values()], expected, rtol=1e-5, err_msg=key)
    assert model.r2 == pytest.approx(r2, rel=1e-9)


@pytest.mark.parametrize("errors", ["nonrobust", "HC0", "HC1", "HC2", "HC3", "cluster"])
def test_least_squares_agrees_with_statsmodels(errors: str) -> None:
    values = data()
    clustered = {"cov_kwds": {"groups": np.unique(values["source"], return_inverse=True)[1]}}
    result = sm.OLS(values["score"], design(values)).fit(
        cov_type=errors, use_t=True, **(clustered if errors == "cluster" else {})
    )
    model = one(values, errors=errors, cluster="source" if errors == "cluster" else None)
    agree(model, result, result.rsquared)
    assert model.errors == ("cluster source (40 clusters)" if errors == "cluster" else errors)
    assert (model.n, model.dropped, model.notes) == (ROWS, {}, ())


@pytest.mark.parametrize("errors", ["nonrobust", "HC0", "cluster"])
def test_logit_agrees_with_statsmodels(errors: str) -> None:
    values = data()
    values["people"] = values["people"] / 1e6  # else statsmodels' own steps lose their precision
    clustered = {"cov_kwds": {"groups": np.unique(values["source"], return_inverse=True)[1]}}
    result = sm.Logit(values["keep"].astype(float), design(values)).fit(
        disp=0, cov_type=errors, maxiter=200, **(clustered if errors == "cluster" else {})
    )
    model = one(
        values, outcome="keep", kind="logit", errors=errors, cluster="source" if errors == "cluster" else None
    )
    agree(model, result, result.prsquared)
    spread = values["share"].std()
    assert model.standardised["share"] == pytest.approx(model.coef["share"] * spread)
    assert model.notes == ()


def test_clusters_of_several_columns_are_their_combinations() -> None:
    values = data()
    values["half"] = [row % 2 for row in range(ROWS)]
    both = one(values, cluster=["region", "half"])
    values["both"] = [f"{a} {b}" for a, b in zip(values["region"], values["half"], strict=True)]
    joined = one(values, cluster="both")
    assert both.errors == "cluster region and half (6 clusters)"
    assert both.se == pytest.approx(joined.se)


def test_by_hand() -> None:
    """y = 1 + 2x with errors (1, −1, −1, 1): worked with pencil, and again by lstsq."""
    model = one({"x": [0, 1, 2, 3], "y": [2.0, 2, 4, 8]}, outcome="y", terms=["x"], errors="nonrobust")
    assert model.coef == pytest.approx({"const": 1, "x": 2})
    # residuals' variance 4 / (4 − 2) = 2; Σ(x − 1.5)² = 5; 1/4 + 1.5²/5 = 0.7
    assert model.se == pytest.approx({"const": (2 * 0.7) ** 0.5, "x": (2 / 5) ** 0.5})
    assert model.r2 == pytest.approx(1 - 4 / 24)
    assert model.standardised["x"] == pytest.approx((1 - 4 / 24) ** 0.5)  # of one term: the correlation
    assert model.vif == pytest.approx({"x": 1})


def test_variance_inflation_is_that_of_each_term_on_the_others() -> None:
    rng = np.random.default_rng(1)
    a, b = rng.normal(size=(2, 80))
    values = {"score": rng.normal(size=80), "a": a, "b": b, "c": a + b / 2 + rng.normal(0, 0.1, 80)}
    model = one(values, terms=["a", "b", "c"])
    others = np.column_stack([np.ones(80), a, b])
    rest = values["c"] - others @ np.linalg.lstsq(others, values["c"], rcond=None)[0]
    assert model.vif["c"] == pytest.approx(np.var(values["c"]) / np.var(rest))
    assert any("variance inflation above 10" in note and "c " in note for note in model.notes)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.floats(1e-6, 1e6), st.floats(-1e3, 1e3))
def test_units_change_coefficients_and_nothing_else(seed: int, unit: float, shift: float) -> None:
    rng = np.random.default_rng(seed)
    x, z = rng.normal(size=(2, 50))
    y = x - z + rng.normal(size=50)
    first = one({"y": y, "x": x, "z": z}, outcome="y", terms=["x", "z"])
    second = one({"y": y, "x": (x + shift) * unit, "z": z}, outcome="y", terms=["x", "z"])
    assert second.coef["x"] * unit == pytest.approx(first.coef["x"], rel=1e-5)
    assert second.p["x"] == pytest.approx(first.p["x"], rel=1e-4, abs=1e-12)
    assert second.r2 == pytest.approx(first.r2, rel=1e-6)


def test_names_become_terms_beside_a_baseline() -> None:
    values = data()
    model = one(values, terms=["share", "region"], categorical={"region": "europe"})
    assert [*model.coef] == ["const", "share", "region[africa]", "region[asia]"]
    assert "region is compared with europe." in model.notes
    means = {name: values["score"][values["region"] == name].mean() for name in ("asia", "europe")}
    alone = one(values, terms=["region"], categorical={"region": "europe"})
    assert alone.coef["region[asia]"] == pytest.approx(means["asia"] - means["europe"])
    often = one(values, terms=["region"], categorical={"region": None})
    baseline = max({*values["region"]}, key=lambda name: (values["region"] == name).sum())
    assert f"region is compared with {baseline}." in often.notes
    years = values | {"year": [2000 + (row % 3) for row in range(ROWS)]}
    assert "year[2001]" in one(years, terms=["year"], categorical={"year": "2000"}).coef


def test_what_is_left_out_is_counted_once() -> None:
    values = {
        "score": [1.0, 2, 4, 3, 5, np.nan, 7, 8, 2, 1],
        "x": [1.0, 2, 3, 4, np.inf, 6, None, 8, 9, 10],
        "size": [1, 1, 1, 1, 1, 1, 1, 0, None, 5],
    }
    model = one(values, terms=["x"], where="size > 0", errors="nonrobust")
    assert model.dropped == {"not: size > 0": 2, "infinite values": 1, "missing values": 2}
    assert model.n + sum(model.dropped.values()) == 10
    assert "Rows without a value: score 1, x 1." in model.notes


def test_models_are_compared_on_the_same_rows() -> None:
    values = data()
    values["late"] = [None if row % 3 == 0 else float(row % 7) for row in range(ROWS)]
    models = [
        {"name": "short", "outcome": "score", "terms": ["share"]},
        {"name": "long", "extends": "short", "terms": ["late"]},
    ]
    short, long = fit(values, models=models)
    assert short.n == long.n == 160
    assert short.dropped == {"missing in another model": 80}
    assert long.dropped == {"missing values": 80}
    short, long = fit(values, models=models, same_rows=False)
    assert (short.n, long.n) == (240, 160)


def test_derived_columns_and_text_that_is_numbers() -> None:
    values = {"y": [1.0, 2, 4, 3, 5], "size": ["2", " 4", "8", "n/a", "16"], "private": [0, 1, 0, 1, 1]}
    derive = {
        "log_size": "log2(size)",
        "half": "log_size / 2 + 0 * abs(log10(size) + sqrt(size))",
        "big": "1",
    }
    model = one(values, outcome="y", terms=["half"], derive=derive, errors="nonrobust")
    assert model.n == 4
    expected = np.polyfit([0.5, 1, 1.5, 2], [1, 2, 4, 5], 1)
    assert model.coef == pytest.approx({"const": expected[1], "half": expected[0]})


def test_json_holds_numbers_and_null() -> None:
    value = as_json(one(data()))
    again = json.loads(json.dumps(value, allow_nan=False))
    assert again["n"] == ROWS
    assert {"coef", "se", "p", "low", "high", "r2", "vif", "standardised", "dropped"} <= {*again}
    assert [*again["coef"]] == ["const", "people", "share"]


X = [0.0, 1, 2, 3, 4, 5, 6, 7]
Y = [0.0, 1, 1, 3, 2, 5, 4, 7]


@pytest.mark.parametrize(
    ("values", "model", "message"),
    [
        ({"y": Y, "share": X}, {"terms": ["shar"]}, "no column 'shar'.*\n.*did you mean 'share'"),
        ({"y": [3.0] * 8, "x": X}, {}, "outcome 'y' is 3 in all 8 rows"),
        ({"y": Y, "x": [2.5] * 8}, {}, "'x' is 2.5 in all 8 rows"),
        (
            {"y": Y, "a": X, "b": X[::-1], "c": [1.0, 5, 2, 8, 1, 1, 4, 2]},
            {"terms": ["a", "c", "b"]},
            "'[ab]' follows exactly from '[ab]' ",
        ),
        ({"y": Y[:2], "x": X[:2]}, {}, "2 rows for 1 terms"),
        ({"y": Y, "x": [None] * 7 + [1.0]}, {}, "1 rows for 1 terms"),
        ({"y": Y, "x": [np.nan] * 8}, {}, "no row of 8 is left: missing values 8"),
        ({"y": [], "x": []}, {}, "no row of 0 is left: the table is empty"),
        ({"y": Y, "x": X}, {"where": "x > 99"}, "no row of 8 is left: not: x > 99 8"),
        ({"y": Y, "x": ["1", "2", "three", "x", "5", "6", "7", "8"]}, {}, "'three' in row 3, and 1 more"),
        ({"y": Y, "x": ["1", "2", "3 4", *"45678"]}, {"derive": {"z": "log(x)"}}, "'3 4' in row 3"),
        ({"y": Y, "x": X}, {"derive": {"x": "y + 1"}}, "a column 'x' already"),
        ({"y": Y, "x": X}, {"derive": {"z": "log2(w)"}}, "no column 'w'"),
        ({"y": Y, "x": X}, {"derive": {"z": "open('f')"}}, "no function 'open'"),
        ({"y": Y, "x": X}, {"derive": {"z": "'x'"}}, "a string where a number is needed"),
        ({"y": Y, "x": X}, {"where": "w > 2"}, "no column 'w'"),
        ({"y": Y, "x": X, "g": ["a"] * 8}, {"cluster": "g"}, "all rows lie in one cluster, g 'a'"),
        ({"y": Y, "x": X}, {"kind": "logit"}, "is 3 in 5 rows, not 0 or 1"),
        ({"y": [1, 1, 0, 0, 1, 1, 0, 1], "x": ["a"] * 8}, {"categorical": {"x": None}}, "'x' is 'a' in all"),
        ({"y": Y, "x": list("aabbccdd")}, {"categorical": {"x": "z"}}, "the baseline 'z'"),
        ({"y": Y, "x": list("aabbccdd")}, {"categorical": {"z": None}}, "no column 'z'"),
        ({"y": Y, "x": X}, {"categorical": {"y": None}}, "the outcome 'y' is categorical"),
        ({"y": Y, "x": [1.0, 0, 0, 0, 0, 0, 0, 0]}, {"errors": "HC3"}, "HC3 is not defined.*'x'"),
        ({"y": Y, "x": [[1]] * 8}, {}, "neither numbers nor strings"),
    ],
)  # fmt: skip
def test_what_cannot_be_fitted_is_said(values: dict[str, Any], model: dict[str, Any], message: str) -> None:
    with pytest.raises((ConfigError, CorpusError), match=message) as caught:
        one(values, **{"outcome": "y", "terms": ["x"]} | model)
    assert str(caught.value).count("→") == 1  # every error says what to do


def test_terms_that_determine_one_another_are_named() -> None:
    rng = np.random.default_rng(3)
    shares = rng.dirichlet([2, 3, 4], 50)
    values = {"y": rng.normal(size=50), **dict(zip("abc", shares.T, strict=True)), "d": rng.normal(size=50)}
    with pytest.raises(CorpusError) as caught:
        one(values, outcome="y", terms=["a", "b", "c", "d"])
    said = str(caught.value)
    assert all(f"'{name}'" in said for name in "abc")
    assert "'d'" not in said


@pytest.mark.parametrize("rows", [40, 30_000])
def test_terms_that_separate_a_logit_are_named(rows: int) -> None:
    rng = np.random.default_rng(5)
    a, b, c = rng.normal(size=(3, rows))
    values = {"y": (a + b > 0), "a": a, "b": b, "c": c}
    with pytest.raises(CorpusError, match=r"'a', 'b'.*without an error"):
        one(values, outcome="y", terms=["a", "b", "c"], kind="logit")
    flag = np.zeros(rows)
    flag[:5] = 1  # all of these have outcome 1: quasi-separation
    values = {"y": np.where(flag == 1, 1, rng.integers(0, 2, rows)), "flag": flag, "c": c}
    with pytest.raises(CorpusError, match="'flag' tells"):
        one(values, outcome="y", terms=["flag", "c"], kind="logit")


def test_a_steep_logit_that_does_not_separate_is_fitted() -> None:
    x = np.linspace(-1, 1, 400)
    y = (x > 0).astype(float)
    y[195], y[205] = 1, 0
    assert separating(x[:, None] / x.std(), y) is None
    model = one({"y": y, "x": x}, outcome="y", terms=["x"], kind="logit", errors="nonrobust")
    assert model.standardised["x"] > 10
    assert np.isfinite(model.se["x"])


def test_cautions() -> None:
    values = data()
    few = one(values, cluster="region")
    assert "3 clusters are few: the true errors are larger than those shown." in few.notes
    logit = one(values, outcome="keep", kind="logit", errors="HC3", terms=["share"])
    assert logit.errors == "HC0"
    assert "HC3 is for least squares; a logit has HC0." in logit.notes
    many = {"y": np.arange(500.0) % 7, "name": [f"n{row % 250}" for row in range(500)]}
    with pytest.raises(ConfigError, match="250 names"):
        one(many, outcome="y", terms=["name"], categorical={"name": None})


def test_covariates_of_the_documents_country_are_joined() -> None:
    covariates = Covariates({"population": {"NAM": 3e6, "TCD": 2e7}, "score": {"NAM": 1.0}})
    table = pa.table({"country": ["NAM", None, "TCD", "DEU"], "score": [0.1, 0.2, 0.3, 0.4]})
    joined = join_covariates(table, covariates)
    assert joined["population"].to_pylist() == [3e6, None, 2e7, None]
    assert joined["country.score"].to_pylist() == [1.0, None, None, None]
    assert joined["score"].to_pylist() == [0.1, 0.2, 0.3, 0.4]
    with pytest.raises(CorpusError, match="no column 'country'"):
        join_covariates(table.drop_columns(["country"]), covariates)


def test_a_decision_of_one_filter_is_an_outcome() -> None:
    values = data() | {"keep:gopher": data()["keep"]}
    table = pa.table(values)
    model = one(table, outcome="keep:gopher", terms=["region"], categorical={"region": "europe"})
    assert model.outcome == "keep:gopher"
    kept = np.asarray(values["keep"], dtype=float)
    inside = values["region"] == "asia"
    europe = values["region"] == "europe"
    assert model.coef["region[asia]"] == pytest.approx(kept[inside].mean() - kept[europe].mean())
