"""What a config can say of regressions, and the example of the school newspapers on data of its shape."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import yaml

from hinterland.core.config import parse_config
from hinterland.core.errors import ConfigError
from hinterland.curate.audit.regression import fit_models
from hinterland.curate.audit.regression_config import ModelConfig, RegressionConfig

EXAMPLE = Path(__file__).parents[2] / "configs" / "audit-school-newspapers.yaml"


def parsed(values: Any) -> RegressionConfig:
    class Audit(RegressionConfig):
        regression: RegressionConfig = RegressionConfig()

    return parse_config(Audit, {"regression": values}).regression


def schools(rows: int = 300) -> pa.Table:
    """Rows with the columns of the published table, and a score made by the first model's shape."""
    rng = np.random.default_rng(11)
    private = rng.integers(0, 2, rows).astype(float)
    rural, degree = rng.uniform(0, 100, rows), rng.uniform(0.05, 0.8, rows)
    value, size, pupils = (
        rng.lognormal(12, 0.5, rows),
        rng.lognormal(7, 0.6, rows).round(),
        rng.normal(16, 3, rows),
    )
    races = rng.dirichlet(np.ones(7), rows)
    vote = rng.uniform(0.1, 0.9, rows)
    score = (
        0.1 - 0.07 * rural / 100 + 0.06 * degree + 0.01 * np.log2(value + 1e-5) + 0.005 * np.log2(size + 1e-5)
        + 0.015 * (1 - private) - 0.11 * vote
    )  # fmt: skip
    names = ["asian", "pacific_islander", "native", "white", "black", "hispanic", "mixed"]
    size[:4] = 0
    return pa.table(
        {
            "school_name": [f"School {row}" for row in range(rows)],
            "base_county": [f"county {row % 60}" for row in range(rows)],
            "prob_high_quality": score,
            "rep_share_2016": vote,
            "POPPCT_RURAL": rural,
            "is_charter": pa.array(rng.integers(0, 2, rows).astype(float), mask=np.arange(rows) % 10 == 9),
            "is_magnet": rng.integers(0, 2, rows).astype(float),
            "is_private": private,
            **{f"{name}_ratio": races[:, at] for at, name in enumerate(names)},
            "pupil_ratio": pupils,
            "school_size": size,
            "median_home_value": value,
            "num_degree_holders": degree,
        }
    )


def test_the_example_says_what_was_published() -> None:
    settings = yaml.safe_load(EXAMPLE.read_text(encoding="utf-8"))
    assert "/" not in str(settings.get("covariates", ""))  # it names no path
    config = parsed(settings["regression"])
    first, races, votes = fit_models(schools(), config)
    assert first.n == races.n == votes.n == 300 - 4 - 30  # zero-size, and no charter
    assert first.dropped == {"not: school_size > 0": 4, "missing values": 30}
    assert {"rural", "degree", "log2_home_value", "log2_students", "public"} <= {*first.coef}
    assert {*races.coef} - {*first.coef} == {"asian", "mixed", "black", "hispanic"}
    assert {*votes.coef} - {*first.coef} == {"vote_share"}
    # the score was made of these, without noise
    made = {
        "const": 0.1, "rural": -0.07, "degree": 0.06, "log2_home_value": 0.01, "log2_students": 0.005,
        "log2_pupil_ratio": 0, "public": 0.015, "magnet": 0, "charter": 0, "vote_share": -0.11,
    }  # fmt: skip
    assert votes.coef == pytest.approx(made, abs=1e-9)
    assert votes.r2 == pytest.approx(1)
    assert first.errors == "nonrobust"


def test_a_list_of_models_is_a_config() -> None:
    models = [{"name": "a", "outcome": "y", "terms": ["x"]}]
    assert parsed(models) == parsed({"models": models})
    assert parsed([]).resolved() == ()
    assert fit_models(pa.table({"y": [1.0]}), RegressionConfig()) == ()


def test_a_model_takes_over_what_it_extends() -> None:
    config = parsed(
        [
            {"name": "a", "outcome": "y", "terms": ["x"], "cluster": "country"},
            {"name": "b", "extends": "a", "terms": ["z"], "kind": "logit"},
            {"name": "c", "extends": "b", "outcome": "w", "errors": "HC3"},
            {"name": "d", "extends": "a", "cluster": "source"},
            {"name": "e", "extends": "d", "errors": "cluster"},
        ]
    )
    a, b, c, d, e = config.resolved()
    assert (a.errors, a.cluster) == ("cluster", ("country",))
    assert (b.outcome, b.terms, b.kind, b.errors, b.cluster) == (
        "y",
        ("x", "z"),
        "logit",
        "cluster",
        ("country",),
    )
    assert (c.outcome, c.kind, c.errors, c.cluster) == ("w", "logit", "HC3", ())
    assert d.cluster == e.cluster == ("source",)
    assert ModelConfig(name="m").errors == "HC1"


def test_values_that_yaml_reads_as_other_kinds() -> None:
    config = parsed(yaml.safe_load("{where: true, derive: {one: 1, half: 0.5}}"))
    assert config.where == "True"
    assert config.derive == {"one": "1", "half": "0.5"}


M = {"name": "a", "outcome": "y", "terms": ["x"]}


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([M, M], "two models are called 'a'"),
        ([M | {"extends": "b"}], "extends 'b', which is not a model above"),
        ([{"name": "a", "terms": ["x"]}], "no outcome"),
        ([{"name": "a", "outcome": "y"}], "no terms"),
        ([M | {"terms": ["x", "x"]}], "'x' occurs twice"),
        ([M | {"terms": ["y"]}], "both outcome and term"),
        ([M | {"terms": ["const"]}], "a term called 'const'"),
        ([M | {"errors": "cluster"}], "needs a column"),
        ([M | {"errors": "HC1", "cluster": "source"}], "has no clusters"),
        ([M, {"name": "b", "extends": "a", "terms": ["z"], "errors": "cluster"}], "needs a column"),
        ([M | {"errors": "HC4"}], "HC4"),
        ([M | {"kind": "probit"}], "probit"),
        ([M | {"term": ["x"]}], "unknown key 'regression.models.0.term'.*\n.*did you mean 'terms'"),
        ([{"outcome": "y"}], "'regression.models.0.name' is missing"),
        ({"drive": {}}, "did you mean 'derive'"),
        ({"derive": ["x"]}, "derive"),
        ("y ~ x", "regression"),
    ],
)
def test_what_a_config_cannot_say(values: Any, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        parsed(values).resolved()
