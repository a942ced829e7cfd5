"""A rule that matches nothing is refused with what is left to do."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.support.changing_index import EMBEDDER, build, documents

from hinterland.core.errors import ConfigError
from hinterland.indexes.change import Rule, compact, plan_removal, remove, upsert
from hinterland.indexes.change_state import state_of

WEB = Rule.make(columns={"source": ["web"]})
COMPACT = "vectors of what was removed or replaced are left: hinterland index compact"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    build(tmp_path / "index")
    return tmp_path / "index"


def cure(act: Callable[..., Any], root: Path, rule: Rule, message: str) -> str:
    with pytest.raises(ConfigError, match=message) as error:
        act(root, rule)
    assert error.value.where == str(root)
    return error.value.cure


def test_in_force_and_all_gone(root: Path) -> None:
    remove(root, WEB)
    for act in (plan_removal, remove):
        assert cure(act, root, WEB, f"rule {WEB.id} is in force") == "nothing is left to remove"


def test_in_force_and_vectors_left(root: Path) -> None:
    remove(root, WEB, compact=False)
    dead = state_of(root).dead
    assert cure(plan_removal, root, WEB, "is in force").startswith(f"{dead} {COMPACT}")
    compact(root)
    assert cure(plan_removal, root, WEB, "is in force") == "nothing is left to remove"


def test_replaced_and_vectors_left(root: Path) -> None:
    """The old texts of a source are gone when others take their place; their vectors are dead."""
    upsert(root, documents(6, 10, source="shelf"), EMBEDDER, keep=1)
    dead = state_of(root).dead
    assert dead
    for act in (plan_removal, remove):
        told = cure(act, root, WEB, "no document matches: source in")
        assert told.startswith("source: Known: books, shelf")
        assert told.endswith(f"{dead} {COMPACT} INDEX")


def test_a_value_that_is_near(root: Path) -> None:
    rule = Rule.make(columns={"license": ["CC0"], "source": ["book"]})
    told = cure(plan_removal, root, rule, "no document matches")
    assert told.startswith("source: did you mean 'books'?")
    assert "compact" not in told


@pytest.mark.parametrize("rule", [Rule.make(ids=["unknown"]), Rule.make(where="country == 'FRA'")])
def test_nothing_near(root: Path, rule: Rule) -> None:
    assert cure(remove, root, rule, "no document matches").startswith("search for what is meant; in_advance")


def test_values_that_are_there_but_not_together(root: Path) -> None:
    rule = Rule.make(columns={"country": ["KEN"], "source": ["web"]}, where="license == 'CC-BY'")
    assert cure(plan_removal, root, rule, "no document matches").startswith("search for what is meant")
