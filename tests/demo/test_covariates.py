"""Figures parsed from the Factbook's wording."""

from __future__ import annotations

import pytest

from hinterland.demo.covariates import covariates, first_number
from hinterland.demo.factbook import Entry, load_entries


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("55,751,717 (2025 est.)", 55_751_717.0),
        ("$5,800 (2024 est.)", 5_800.0),
        ("29.5% of total population (2023)", 29.5),
        ("$1.2 trillion (2023 est.)", 1.2e12),
        ("-0.9%", -0.9),
        ("NA", None),
        ("", None),
    ],
)
def test_first_number(text: str, value: float | None) -> None:
    assert first_number(text) == value


def test_a_country_row_has_figures_and_their_years() -> None:
    table = covariates(load_entries())
    rows = {row["iso3"]: row for row in table.to_pylist()}
    kenya = rows["KEN"]
    assert 40e6 < kenya["population"] < 70e6
    assert kenya["internet_share"] < 100
    assert kenya["gdp_per_head_year"] >= 2020
    assert table["iso3"].to_pylist() == sorted(rows)
    assert table.num_rows - table["internet_share"].null_count >= 200


def test_what_is_not_given_is_null() -> None:
    [row] = covariates([Entry("zz", "Nowhere", "KEN", {})]).to_pylist()
    assert row["population"] is None
    assert row["population_year"] is None
