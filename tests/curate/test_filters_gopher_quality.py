"""Gopher's quality measures, against values worked by hand, and the rules' reasons."""

from __future__ import annotations

import math

import pytest

from hinterland.curate.filter import make_filters
from hinterland.curate.filters.gopher_quality import GopherQuality


def measure(text: str) -> dict[str, float]:
    scores = GopherQuality().score([text])
    return {column.partition(".")[2]: float(values[0]) for column, values in scores.items()}


PROSE = "The river flows to the sea and the people of the coast have boats with sails . " * 4


def reasons(text: str) -> set[str]:
    scores = GopherQuality().score([text])
    return {rule.reason for rule in GopherQuality().rules if not rule.passes(scores[rule.column])[0]}


def test_measures_by_hand() -> None:
    found = measure("# The cat... sat\n\n• on 3 mats…")
    # words: #, The, cat..., sat, •, on, 3, mats…
    assert found["words"] == 8
    assert found["mean_word_length"] == (1 + 3 + 6 + 3 + 1 + 2 + 1 + 5) / 8
    assert found["hashes_per_word"] == 1 / 8
    assert found["ellipses_per_word"] == 2 / 8
    assert found["bullet_lines"] == 1 / 2
    assert found["ellipsis_lines"] == 1 / 2
    assert found["alphabetic_words"] == 5 / 8
    assert found["stop_words"] == 1


def test_prose_passes() -> None:
    assert reasons(PROSE) == set()


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("The end of it.", "words"),
        ("be " * 60 + "to", "mean_word_length"),
        (PROSE + "# " * 8, "hashes"),
        (PROSE + "... " * 8, "ellipses"),
        ("\n".join(["- the salt and the fish"] * 12), "bullet_lines"),
        ("\n".join(["the salt and the fish…", "of the sea", "and"] * 12), "ellipsis_lines"),
        (PROSE + "17.4 " * 30, "alphabetic_words"),
        ("salt fish boats " * 20 + "the", "stop_words"),
    ],
)
def test_each_rule_gives_its_reason(text: str, reason: str) -> None:
    assert f"gopher_quality.{reason}" in reasons(text)


def test_stop_words_are_distinct_whole_words_whatever_their_case() -> None:
    assert measure('"The the, THE. toe often')["stop_words"] == 1
    assert measure("(With) and:")["stop_words"] == 2


def test_a_dash_is_a_bullet_only_before_a_space() -> None:
    assert measure("-5 degrees")["bullet_lines"] == 0
    assert measure("- five degrees")["bullet_lines"] == 1


@pytest.mark.parametrize("character", ["\U000e0001", "\U000f0041", "\U0010ffff"])
def test_a_dash_before_a_character_beyond_the_tables(character: str) -> None:
    # The tables end at U+40000; what is read behind them was anything (NUMBA_BOUNDSCHECK=1 shows it).
    assert GopherQuality().score([f"-{character}"])["gopher_quality.bullet_lines"][0] == 0


def test_an_empty_text_has_no_means() -> None:
    found = measure(" \n ")
    assert found["words"] == found["stop_words"] == 0
    assert all(math.isnan(found[key]) for key in set(found) - {"words", "stop_words"})


def test_no_texts_give_empty_columns() -> None:
    for each in make_filters(["gopher_quality", "gopher_repetition", "c4", "fineweb"]):
        scores = each.score([])
        assert {rule.column for rule in each.rules} <= set(scores)
        assert all(len(values) == 0 for values in scores.values())
