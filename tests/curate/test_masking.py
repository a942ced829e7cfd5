"""Masking: the same places as are counted, and nothing else changes."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hinterland.core.errors import ConfigError
from hinterland.curate.filters.pii import Pii
from hinterland.curate.masking import TOKENS, mask

TEXT = "Mail jane@example.com or 8.8.8.8, tel. 555-0123. Card 4111 1111 1111 1111 – done."


def test_by_hand() -> None:
    assert mask([TEXT]) == ["Mail <EMAIL> or <IP>, tel. <PHONE>. Card <CARD> – done."]
    assert mask([TEXT, "plain"], ["email"]) == [TEXT.replace("jane@example.com", "<EMAIL>"), "plain"]
    assert mask([TEXT], []) == [TEXT]
    assert mask([]) == []


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(ConfigError, match="no kind 'mail'"):
        mask([TEXT], ["mail"])


PARTS = st.sampled_from(
    [
        "jane@example.com",
        "8.8.8.8",
        "tel. 555-0123",
        "4111 1111 1111 1111",
        "+44 20 7946 0958",
        "the sea",
        "12",
    ]
)


@settings(max_examples=100, deadline=None)
@given(st.lists(PARTS, max_size=8).map(", ".join), st.sets(st.sampled_from(sorted(TOKENS))))
def test_as_many_tokens_as_are_counted(text: str, kinds: set[str]) -> None:
    scores = Pii().score([text])
    (masked,) = mask([text], kinds)
    for kind, token in TOKENS.items():
        assert masked.count(token) == (scores[f"pii.{kind}s"][0] if kind in kinds else 0)
    assert not Pii().score(mask([text]))["pii.any"][0]


@settings(max_examples=150, deadline=None)
@given(st.text(st.sampled_from("0123456789 .-+()@:/abcé\n"), max_size=80))
def test_what_is_not_masked_stays_as_it_is(text: str) -> None:
    (masked,) = mask([text])
    kept = re.split("|".join(TOKENS.values()), masked)
    at = 0
    for part in kept:
        found = text.find(part, at)
        assert found >= at
        at = found + len(part)
