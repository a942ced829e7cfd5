"""Groupings and covariates: by hand, with what real tables hold."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from hinterland.core.errors import CorpusError
from hinterland.curate.audit.covariates import Covariates
from hinterland.curate.audit.groups import encode, place_groupings, readable_name, thirds


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def test_region_and_subregion() -> None:
    made = place_groupings(["NAM", None, "FJI", "XXX", "FRA", ""])
    assert made["region"].named().tolist() == ["Africa", "unknown", "Oceania", "unknown", "Europe", "unknown"]
    assert made["region"].labels == ("Africa", "Europe", "Oceania", "unknown")
    assert made["subregion"].named().tolist()[0] == "Southern Africa"


def test_arrow_columns_and_subsets() -> None:
    column = pa.chunked_array([["FRA", None], ["FJI"]])
    region = place_groupings(column, ["region"])["region"]
    assert region.named().tolist() == ["Europe", "unknown", "Oceania"]
    assert len(region) == 3
    assert region[region.codes == 0].named().tolist() == ["Europe"]


def test_encode() -> None:
    codes, labels = encode(["b", None, "a", "", "b"])
    assert labels == ("a", "b", "unknown")
    assert codes.tolist() == [1, 2, 0, 2, 1]
    assert encode([])[0].tolist() == []


def test_thirds_are_over_countries_not_documents() -> None:
    covariates = Covariates({"gdp_per_head": dict(zip(["AFG", "BEN", "FRA"], [1.0, 2.0, 3.0], strict=True))})
    # Quantiles 1/3 and 2/3 of (1, 2, 3) are 1.667 and 2.333, however many documents a country has.
    made = thirds(covariates, "gdp_per_head", ["FRA"] * 90 + ["AFG", "BEN", None, "DEU"])
    assert made.labels == (
        "lowest third (below 1.67)",
        "middle third (1.67 to 2.33)",
        "highest third (2.33 and above)",
        "unknown",
    )
    assert made.codes.tolist() == [2] * 90 + [0, 1, 3, 3]
    assert "over 3 countries, each counted once" in made.note
    assert made.phrase == "about places in the {} of GDP per head"


def test_thirds_need_three_countries() -> None:
    with pytest.raises(CorpusError, match="'x' has values for 2 countries; thirds need at least 3"):
        thirds(Covariates({"x": {"FRA": 1.0, "DEU": 2.0}}), "x", ["FRA"])
    with pytest.raises(CorpusError, match="'x' has values for 1 country; thirds"):
        thirds(Covariates({"x": {"FRA": 1.0}}), "x", ["FRA"])


def test_unknown_grouping_names_the_nearest() -> None:
    with pytest.raises(CorpusError, match="did you mean 'region'"):
        place_groupings(["FRA"], ["regoin"])


def test_read_csv(tmp_path: Path) -> None:
    path = write(
        tmp_path / "c.csv",
        "iso3,name,population,urban_share,year\n"
        "NAM,Namibia,2800000,0.54,2020\nNAM,Namibia,2900000,NA,2023\nWLD,World,8e9,0.57,2023\nFRA,France,68e6,,2022\n",
    )
    found = Covariates.read(path)
    assert found.columns == ("population",)
    assert found.values("population") == {"NAM": 2_900_000.0, "FRA": 68e6}
    assert found.skipped == ("WLD",)
    assert set(found.ignored) == {"name", "urban_share"}
    assert found.year_of("population") == "2022 to 2023"
    with pytest.raises(CorpusError, match="no covariate 'gdp'"):
        found.values("gdp")


def test_read_parquet(tmp_path: Path) -> None:
    pq.write_table(
        pa.table({"iso3": ["FRA", "DEU"], "x": [1, None], "flag": [True, False]}), tmp_path / "c.parquet"
    )
    found = Covariates.read(tmp_path / "c.parquet")
    assert found.figures == {"x": {"FRA": 1.0}, "flag": {"FRA": 1.0, "DEU": 0.0}}
    assert found.year_of("x") == ""


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("code,x\nFRA,1\n", "no column 'iso3'"),
        ("iso3,x\n", "no rows"),
        ("iso3,x\nFRA,1\nFRA,2\n", "FRA occurs twice"),
        ('iso3,x\nFRA,1\nDEU,"1,000"\n', "'x' of DEU is '1,000', not a number"),
        ("iso3,x,year\nFRA,1,soon\n", "the year 'soon' is no number"),
    ],
)
def test_bad_tables(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(CorpusError, match=message):
        Covariates.read(write(tmp_path / "c.csv", text))


def test_missing_or_broken_file(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="covariates cannot be read"):
        Covariates.read(tmp_path / "none.csv")
    (tmp_path / "c.parquet").write_bytes(b"not parquet")
    with pytest.raises(CorpusError, match="covariates cannot be read"):
        Covariates.read(tmp_path / "c.parquet")


def test_year_and_names() -> None:
    rows = [{"iso3": "FRA", "x": 1, "year": "2020-01-01"}, {"iso3": "FRA", "x": 2, "year": 2021}]
    assert Covariates.from_rows(rows).figures == {"x": {"FRA": 2.0}}
    assert Covariates.from_rows([{"iso3": "FRA", "x": 1, "year": ""}]).years == {}
    assert readable_name("internet_share") == "internet share"


def test_a_column_has_years_of_its_own() -> None:
    rows = [{"iso3": "FRA", "x": 1, "x_year": 2019}, {"iso3": "DEU", "x": 2, "x_year": 2023}]
    found = Covariates.from_rows(rows)
    assert found.columns == ("x",)
    assert found.year_of("x") == "2019 to 2023"
