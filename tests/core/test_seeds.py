from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from hinterland.core.seeds import generator, integer

NAMES = st.lists(st.text(st.characters(exclude_characters="\0", codec="utf-8"), max_size=5), max_size=3)


def test_streams_are_the_same_on_every_machine() -> None:
    # SHA-256 of "0", first 8 bytes 5feceb66ffc86f38, without the last bit.
    assert integer(0) == 0x5FECEB66FFC86F38 >> 1
    assert integer(0, "a") != integer(0, "b") != integer(1, "b")
    assert generator(0, "x").integers(0, 2**32) == generator(0, "x").integers(0, 2**32)


@given(st.integers(), NAMES, NAMES)
def test_names_tell_streams_apart(seed: int, one: list[str], two: list[str]) -> None:
    assert 0 <= integer(seed, *one) < 2**63
    assert (integer(seed, *one) == integer(seed, *two)) == (one == two)


def test_streams_look_independent() -> None:
    a, b = generator(0, "a").normal(size=10_000), generator(0, "b").normal(size=10_000)
    assert abs(np.corrcoef(a, b)[0, 1]) < 0.04
