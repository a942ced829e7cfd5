"""ZIP codes and US states."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hinterland.core.places import by_iso3
from hinterland.core.us_states import FIGURES, SOURCES, by_code, state_code
from hinterland.curate.geo.zips import plain_zip, zip_place, zip_places


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ("02139", "02139"), ("2139", "02139"), (2139, "02139"), (2139.0, "02139"), ("2139.0", "02139"),
        (501, "00501"), ("501", "00501"), ("02139-4307", "02139"), ("021394307", "02139"), (21394307,
        "02139"),
        ("90210 1234", "90210"), (" 90210 ", "90210"), ("12", None), (12, None), ("1234567", None), (-90210,
        None),
        ("K1A 0B1", None), ("", None), (None, None), (float("nan"), None), (True, None), (9021.5, None),
        (12345678901, None), ("９０２１０x", None),
    ],
)  # fmt: skip
def test_digits_of_a_zip_code(value: Any, code: str | None) -> None:
    assert plain_zip(value) == code


@pytest.mark.parametrize(
    ("value", "place"),
    [
        ("90210", ("USA", "CA")), ("10001", ("USA", "NY")), ("20001", ("USA", "DC")), ("06390", ("USA",
        "NY")),
        ("06301", ("USA", "CT")), ("00901", ("PRI", None)), ("00801", ("VIR", None)), ("96799", ("ASM",
        None)),
        ("96910", ("GUM", None)), ("96943", ("FSM", None)), ("09007", ("USA", None)), ("96201", ("USA",
        None)),
        ("MA 02139", ("USA", "MA")), ("TX 02139", None), ("00000", None), ("nowhere", None),
    ],
)  # fmt: skip
def test_places_of_zip_codes(value: str, place: tuple[str, str | None] | None) -> None:

    assert zip_place(value) == place


def test_many_zip_codes_at_once() -> None:
    country, state = zip_places(pa.array(["90210", None, "x", "00901", "90210"]))
    assert country.tolist() == ["USA", None, None, "PRI", "USA"]
    assert state.tolist() == ["CA", None, None, None, "CA"]
    assert zip_places(pa.array([], pa.string()))[0].tolist() == []
    assert zip_places(pa.array([2139, None]))[1].tolist() == ["MA", None]


@settings(deadline=None)
@given(st.integers(0, 99_999))
def test_numbers_and_strings_agree(number: int) -> None:
    text = f"{number:05d}"
    if number >= 100:
        assert zip_place(number) == zip_place(text) == zip_place(f"{text}-0001")


def test_states_in_any_form() -> None:
    for state in by_code().values():
        forms = (
            state.code,
            state.name,
            state.ap,
            state.name.upper(),
            f" {state.code.lower()} ",
            f"US-{state.code}",
        )
        assert {state_code(each) for each in forms if each} == {state.code}
        assert state_code(state.fips) == state_code(int(state.fips)) == state.code
    assert state_code("W. Va.") == state_code("W.Va.") == state_code("West Virginia") == "WV"
    assert state_code("Washington, D.C.") == "DC"
    assert state_code("State of Texas") == "TX"
    assert [state_code(each) for each in ("Bavaria", "", None, "99", True, "Georgia (country)")] == [None] * 6


def test_state_table_is_whole() -> None:
    states = [state for state in by_code().values() if state.iso3 == "USA"]
    assert len(states) == 51
    assert all(set(state.figures) == set(FIGURES) == set(SOURCES) for state in states)
    assert all(set(state.years) == set(FIGURES) for state in states)
    assert {state.region for state in states} == {"Northeast", "Midwest", "South", "West"}
    assert len({state.division for state in states}) == 9
    assert all(state.iso3 in by_iso3() for state in by_code().values())
    assert 320e6 < sum(state.figures["population"] for state in states) < 326e6
