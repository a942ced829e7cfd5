"""What all filters have in common: the shared split, the registry, independence of neighbours."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hinterland.core.errors import RegistryError
from hinterland.curate.filter import FILTERS, Filter, Scores, make_filters
from hinterland.curate.rule import Rule
from hinterland.curate.words import Batch, Document, documents

NAMES = ["gopher_quality", "gopher_repetition", "c4", "fineweb"]


def test_the_split() -> None:
    document = Document("  One two,\r\n\n\tTwo three. \n \nfour ")
    assert document.words == ["One", "two,", "Two", "three.", "four"]
    assert document.lines == ["One two,", "Two three.", "four"]
    assert document.paragraphs == ["One two,", "Two three.", "four"]
    assert document.vocabulary == {"one", "two", "three", "four"}
    assert document.word_characters == 3 + 4 + 3 + 6 + 4


def test_a_batch_is_its_texts_and_splits_once() -> None:
    batch = Batch(["a b", "c"])
    assert list(batch) == ["a b", "c"]
    assert (len(batch), batch[1], batch[:1]) == (2, "c", ["a b"])
    assert documents(batch) is batch.documents
    assert documents(batch)[0].words is batch.documents[0].words
    assert [each.text for each in documents(["x"])] == ["x"]


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
