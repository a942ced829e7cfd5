"""What all filters have in common: the shared split, the registry, independence of neighbours."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hinterland.core.errors import ConfigError, RegistryError
from hinterland.curate.filter import FILTERS, Filter, Scores, content_of, make_filters
from hinterland.curate.rule import Rule
from hinterland.curate.words import Batch

NAMES = ["gopher_quality", "gopher_repetition", "c4", "fineweb"]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text(max_size=80), max_size=5), st.text(max_size=80))
def test_a_score_depends_on_its_own_text_alone(others: list[str], text: str) -> None:
    for each in make_filters(NAMES):
        alone, together = each.score([text]), each.score(Batch([*others, text]))
        assert set(alone) == set(together)
        for column, values in alone.items():
            assert column.startswith(f"{each.name}.")
            np.testing.assert_array_equal(values[0], together[column][-1])
        for rule in each.rules:
            assert rule.violation(alone[rule.column])[0] >= 0


def test_filters_are_made_by_name_once() -> None:
    made = make_filters(["c4", "fineweb", "c4"])
    assert [each.name for each in made] == ["c4", "fineweb"]
    assert {each.variant for each in made} == {"paper"}


def test_an_unknown_filter_names_the_nearest() -> None:
    with pytest.raises(RegistryError, match="did you mean 'gopher_quality'"):
        make_filters(["gohper_quality"])
    with pytest.raises(RegistryError, match="did you mean 'dolma'"):
        make_filters(["c4@dolmo"])


def test_options_are_checked() -> None:
    made = make_filters(["fineweb"], {"fineweb": {"short_line": 31}})[0]
    assert made.score(["x" * 30])["fineweb.short_lines"][0] == 1
    with pytest.raises(ConfigError, match="did you mean 'short_line'"):
        make_filters(["fineweb"], {"fineweb": {"short_lines": 31}})
    with pytest.raises(ConfigError, match=r"options\.fineweb\.short_line"):
        make_filters(["fineweb"], {"fineweb": {"short_line": "many"}})
    with pytest.raises(ConfigError, match="not among the filters"):
        make_filters(["c4"], {"fineweb": {}})


def test_what_the_filters_are_is_hashed() -> None:
    plain = content_of(make_filters(["c4"]))
    assert plain == content_of(make_filters(["c4"]))
    assert plain != content_of(make_filters(["c4@dolma"]))
    assert plain != content_of(make_filters(["c4"], {"c4": {"min_words": 5}}))


def test_another_filter_can_be_added(monkeypatch: pytest.MonkeyPatch) -> None:
    @dataclass(frozen=True)
    class Shouting:
        name: str = "shouting"
        variant: str = "ours"
        rules: tuple[Rule, ...] = (Rule("shouting.capitals", "shouting.capitals", high=0.5),)

        def score(self, texts: Sequence[str]) -> Scores:
            return {"shouting.capitals": np.array([text.isupper() for text in texts])}

    monkeypatch.setattr(FILTERS, "_items", dict(FILTERS._items))
    FILTERS.register("shouting")(Shouting)
    made: Filter = make_filters(["shouting"])[0]
    assert made.score(["STOP", "go"])["shouting.capitals"].tolist() == [True, False]
