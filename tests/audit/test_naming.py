"""From names to groupings: the user's own figures beside those that ship, states, years."""

from __future__ import annotations

import pyarrow as pa
import pytest

from hinterland.core.errors import CorpusError
from hinterland.curate.audit.covariates import Covariates
from hinterland.curate.audit.naming import groupings_of_table, merged, state_codes
from hinterland.curate.audit.wording import not_compared

SHIPPED = Covariates.shipped()
OWN = Covariates({"literacy": {"KEN": 80.0, "FRA": 99.0, "USA": 99.5}}, "own.csv")
TABLE = pa.table(
    {
        "country": ["USA", "USA", "KEN", None, "USA"],
        "admin1": ["California", "N.Y.", "Nairobi", "Texas", None],
        "date": ["2019-05-01", "2020", None, "2020-01", "1999"],
        "lang": ["en", "en", "sw", None, "es"],
    }
)


def test_each_figure_keeps_its_source() -> None:
    both = merged(SHIPPED, OWN)
    assert both.source_of("literacy") == "own.csv"
    assert both.source_of("population") == SHIPPED.source
    assert merged(SHIPPED, None) is SHIPPED


def test_auto_takes_what_the_documents_support_and_own_figures_are_added() -> None:
    made = groupings_of_table(TABLE, ["auto"], shipped=SHIPPED, own=OWN)
    assert [*made][:5] == ["region", "subregion", "gdp_per_head", "urban_share", "internet_share"]
    assert {"lang", "year", "literacy"} <= set(made)
    assert "own.csv" in made["literacy"].note
    assert made["year"].named().tolist() == ["2019", "2020", "unknown", "2020", "1999"]
    bare = groupings_of_table(TABLE.select(["country"]), ["auto"], shipped=SHIPPED)
    assert not {"lang", "year"} & set(bare)


def test_states_are_those_of_the_united_states_alone() -> None:
    assert state_codes(TABLE).to_pylist() == ["CA", "NY", None, None, None]
    states = groupings_of_table(TABLE, ["us_state", "us_region"], shipped=SHIPPED)
    assert states["us_state"].named().tolist() == ["California", "New York", *["unknown"] * 3]
    assert states["us_region"].named().tolist() == ["West", "Northeast", *["unknown"] * 3]


def test_figures_of_states_make_thirds_of_states() -> None:
    made = groupings_of_table(TABLE, ["us_poverty_share"], shipped=SHIPPED)["us_poverty_share"]
    assert "over 51 states" in made.note
    assert not made.of_country
    third = dict(zip(made.named().tolist(), range(5), strict=True))
    assert len(third) == 2 or len(third) == 3  # California and New York, and unknown
    assert made.named().tolist()[2:] == ["unknown"] * 3


def test_years_stand_in_a_column_of_years_where_there_is_no_date() -> None:
    table = pa.table({"year": [2001, 2002]})
    assert groupings_of_table(table, ["year"], shipped=SHIPPED)["year"].named().tolist() == ["2001", "2002"]


def test_an_unknown_name_is_refused_with_the_nearest() -> None:
    with pytest.raises(CorpusError, match="did you mean 'region'"):
        groupings_of_table(TABLE, ["regoin"], shipped=SHIPPED)


def test_why_a_group_is_not_compared() -> None:
    assert not_compared("unknown") == "unknown, not compared"
    assert not_compared("Oceania") == "too small to compare"
