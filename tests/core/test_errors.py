from __future__ import annotations

import inspect
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hinterland.core import errors
from hinterland.core.errors import ConfigError, HinterlandError, nearest


def test_a_message_says_what_where_and_what_to_do() -> None:
    assert str(ConfigError("found", where="here", cure="do this")) == "found (here)\n  → do this"
    assert str(ConfigError("found")) == "found"


@pytest.mark.parametrize("name", errors.__all__)
def test_every_public_error_is_in_the_tree_and_crosses_processes(name: str) -> None:
    kind = getattr(errors, name)
    if not inspect.isclass(kind):
        return
    assert issubclass(kind, HinterlandError)
    assert kind.__doc__
    again = pickle.loads(pickle.dumps(kind("found", where="w", cure="c")))
    assert type(again) is kind
    assert (again.found, again.where, again.cure) == ("found", "w", "c")


def test_nearest_by_hand() -> None:
    assert nearest("gohper", ["gopher", "c4"]) == "did you mean 'gopher'? Known: c4, gopher"
    assert nearest("zzz", ["gopher", "c4"]) == "Known: c4, gopher"
    assert nearest("x", []) == "Known: none"


@given(st.lists(st.text(min_size=1, max_size=8), min_size=1, unique=True))
def test_a_known_name_is_its_own_nearest(names: list[str]) -> None:
    assert nearest(names[0], names).startswith(f"did you mean '{names[0]}'?")
