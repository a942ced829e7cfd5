"""Counting words as runs of non-space bytes: against a regular expression."""

from __future__ import annotations

import re

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from hinterland.curate.audit.audit import count_words

texts = st.lists(st.none() | st.text(st.sampled_from(" \t\n\f\r\v\u00a0aé漢"), max_size=12), max_size=6)


@settings(deadline=None)  # the first call compiles
@given(texts)
def test_the_count_is_that_of_the_pattern(given_texts: list[str | None]) -> None:
    expected = [len(re.findall(r"[^ \t\n\f\r]+", text or "")) for text in given_texts]
    assert count_words(pa.array(given_texts, pa.string())).tolist() == expected
    chunked = pa.chunked_array([pa.array(given_texts, pa.string()), pa.array(["one two"])])
    assert count_words(chunked).tolist() == [*expected, 2]
