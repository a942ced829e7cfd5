from __future__ import annotations

import hashlib

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from hinterland.core.record import BASE_SCHEMA, DECISION_FIELDS, content_id, empty_column


def test_the_identity_of_a_text_is_its_hash() -> None:
    assert content_id("abc") == "ba7816bf8f01cfea414140de5dae2223"
    assert len(content_id("\ud800")) == 32  # half a surrogate pair from a broken page


@given(st.text(), st.text())
def test_texts_have_one_identity_exactly_when_equal(one: str, two: str) -> None:
    assert (content_id(one) == content_id(two)) == (one == two)
    assert content_id(one) == hashlib.sha256(one.encode()).hexdigest()[:32]


def test_the_schema_is_the_documented_one() -> None:
    placed = ["country", "admin1", "lat", "lon", "geo_from", "geo_confidence"]
    assert BASE_SCHEMA.names == ["id", "text", "source", "url", "date", "license", "lang", *placed, "meta"]
    assert [field.name for field in BASE_SCHEMA if not field.nullable] == ["id", "text"]
    assert [field.name for field in DECISION_FIELDS] == ["keep", "reasons", "weight"]


def test_an_empty_column_is_all_null() -> None:
    column = empty_column(pa.field("x", pa.float64()), 3)
    assert column.type == pa.float64()
    assert column.null_count == 3
