"""References from covariates and from files: summed by hand, and refused with a reason."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from hinterland.core.errors import CorpusError
from hinterland.curate.audit.covariates import Covariates
from hinterland.curate.audit.groups import column_grouping, place_groupings
from hinterland.curate.audit.references import Reference, place_reference, read_reference, refers_to

FIGURES = Covariates(
    {
        "population": {"KEN": 50.0, "NGA": 150.0, "PER": 30.0, "FRA": 70.0, "DEU": 100.0},
        "internet_share": {"KEN": 40.0, "NGA": 50.0, "PER": 70.0, "FRA": 90.0},
        "gdp": {"KEN": 1.0, "NGA": 2.0, "FRA": 3.0},
    },
    source="figures.csv",
    years={"KEN": 2023, "NGA": 2023, "PER": 2023, "FRA": 2023, "DEU": 2022},
)


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def test_population_counts_countries_without_a_document() -> None:
    region = place_groupings(["KEN"], ["region"])["region"]
    found = place_reference(region, FIGURES)
    assert found.name == "population"
    assert found.shares == {"Africa": 0.5, "Americas": 30 / 400, "Europe": 170 / 400}
    assert found.note.startswith("Population, 2022 to 2023, summed over 5 countries. Source: figures.csv. ")
    assert "countries or territories have no figure" in found.note


def test_internet_users() -> None:
    region = place_groupings(["KEN"], ["region"])["region"]
    found = place_reference(region, FIGURES, "internet users")
    # 50 · 0.4 + 150 · 0.5 = 95; 30 · 0.7 = 21; 70 · 0.9 = 63; Germany has no share.
    assert found.shares == pytest.approx({"Africa": 95 / 179, "Americas": 21 / 179, "Europe": 63 / 179})
    assert "summed over 4 countries" in found.note
    shares = {code: value / 100 for code, value in FIGURES.figures["internet_share"].items()}
    of_one = Covariates({**FIGURES.figures, "internet_share": shares})
    assert place_reference(region, of_one, "internet users").shares == pytest.approx(found.shares)


def test_thirds_and_countries() -> None:
    made = place_groupings(["KEN", "FRA"], ["gdp", "country"], covariates=FIGURES)
    found = place_reference(made["gdp"], FIGURES)
    # KEN is in the lowest third, NGA in the middle, FRA in the highest; NGA has no document.
    assert found.shares == {
        "lowest third (below 1.67)": 50 / 270,
        "highest third (2.33 and above)": 70 / 270,
        "middle third (1.67 to 2.33)": 150 / 270,
    }
    assert [label.split()[0] for label in found.shares] == ["lowest", "middle", "highest"]
    assert "2 with a figure are left out, because their" in found.note
    assert place_reference(made["country"], FIGURES).shares["Kenya"] == 50 / 400


def test_not_of_places() -> None:
    with pytest.raises(CorpusError, match="'lang' is not made of countries"):
        place_reference(column_grouping(["en"], "lang"), FIGURES)
    region = place_groupings(["KEN"], ["region"])["region"]
    with pytest.raises(CorpusError, match="no covariate 'population'"):
        place_reference(region, Covariates({}))


def test_own_file(tmp_path: Path) -> None:
    lang = column_grouping(["en", "sw", None], "lang")
    path = write(tmp_path / "speakers.csv", "lang,speakers\nen,300\nsw,100\nunknown,5\nyo,100\n")
    found = read_reference(path, lang)
    assert (found.name, found.shares) == ("speakers", {"en": 0.6, "sw": 0.2, "yo": 0.2})
    assert found.note == (
        "speakers of speakers.csv. Its row for what is unknown was left out."
        " Groups of the reference that the corpus has no document of: yo."
    )
    pq.write_table(pa.table({"label": ["en", "sw"], "a": [1, 1], "b": [3.0, 1.0]}), tmp_path / "s.parquet")
    assert read_reference(tmp_path / "s.parquet", lang, column="b", name="mine").shares["en"] == 0.75


def test_own_file_by_country(tmp_path: Path) -> None:
    region = place_groupings(["KEN"], ["region"])["region"]
    path = write(
        tmp_path / "r.csv", "iso3,name,readers\nKEN,Kenya,1\nNAM,Namibia,2\nPER,Peru,1\nWLD,World,4\n"
    )
    found = read_reference(path, region)
    assert found.shares == {"Africa": 0.75, "Americas": 0.25}
    assert "1 of its rows are of no country in a group and were left out: WLD" in found.note
    country = place_groupings(["KEN"], ["country"])["country"]
    named = write(tmp_path / "n.csv", "country,readers\nKenya,1\nPE,3\n")
    assert read_reference(named, country).shares == {"Kenya": 0.25, "Peru": 0.75}
    assert read_reference(named, region).shares == {"Africa": 0.25, "Americas": 0.75}
    with pytest.raises(CorpusError, match="'KEN' occurs twice"):
        read_reference(write(tmp_path / "t.csv", "country,x\nKenya,1\nKEN,2\n"), region)
    with pytest.raises(CorpusError, match="nothing in the reference is a country"):
        read_reference(write(tmp_path / "s.csv", "iso3,x\nEU,1\n"), region)


def test_names_of_small_groups_are_known(tmp_path: Path) -> None:
    lang = column_grouping(list("aaabbcd"), "lang", most=2)
    found = read_reference(write(tmp_path / "r.csv", "lang,n\na,1\nc,1\n"), lang)
    assert "no document" not in found.note


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("lang,n\nen,-1\n", "a negative amount, -1 .*line 2"),
        ("lang,n\nen,1\nsw,\n", "an empty cell where a number is needed .*line 3"),
        ("lang,n\nen,1\nsw,many\n", "'many' where a number is needed .*line 3"),
        ("lang,n\nen,1\nsw,nan\n", "'nan' where a number is needed"),
        ("lang,n\nen,0\nsw,0\n", "sum to 0"),
        ("lang,n\nen,1\nen,2\n", "'en' occurs twice .*line 3"),
        ("lang,n\n,1\n", "a row without a label"),
        ("lang,n\nEnglish,1\n", "no label of the reference is a group of 'lang'; 'English' is one"),
        ("lang,n\nunknown,1\n", "the reference has no group"),
        ("tongue,n\nen,1\n", "no column 'lang' and none of label, group"),
        ("iso3,n\nKEN,1\n", "no column 'lang'"),
        ("lang,n\n", "no rows"),
        ("lang,n,m\nen,1,2\n", "2 columns of numbers: n, m"),
        ("lang,n\nen,x\n", "no column of numbers"),
    ],
)
def test_bad_files(tmp_path: Path, text: str, message: str) -> None:
    lang = column_grouping(["en", "sw"], "lang")
    with pytest.raises(CorpusError, match=message):
        read_reference(write(tmp_path / "r.csv", text), lang)


def test_missing_files_and_columns(tmp_path: Path) -> None:
    lang = column_grouping(["en"], "lang")
    with pytest.raises(CorpusError, match="the reference cannot be read"):
        read_reference(tmp_path / "none.csv", lang)
    (tmp_path / "r.parquet").write_bytes(b"no")
    with pytest.raises(CorpusError, match="the reference cannot be read"):
        read_reference(tmp_path / "r.parquet", lang)
    with pytest.raises(CorpusError, match="no column 'm'"):
        read_reference(write(tmp_path / "r.csv", "lang,n\nen,1\n"), lang, column="m")
    with pytest.raises(CorpusError, match="amount of 'a' is nan"):
        Reference.of("r", {"a": float("nan")})


def test_which_grouping_a_file_speaks_of(tmp_path: Path) -> None:
    lang = column_grouping(["en"], "lang")
    region = place_groupings(["KEN"], ["region"])["region"]
    countries = write(tmp_path / "iso.csv", "iso3,n\nKEN,1\n")
    assert [refers_to(countries, each) for each in (lang, region)] == [False, True]
    speakers = write(tmp_path / "lang.csv", "lang,n\nyo,1\n")
    assert [refers_to(speakers, each) for each in (lang, region)] == [True, False]
    labels = write(tmp_path / "label.csv", "label,n\nEurope,1\n")
    assert [refers_to(labels, each) for each in (lang, region)] == [False, True]
    assert not refers_to(write(tmp_path / "empty.csv", "lang,n\n"), lang)
