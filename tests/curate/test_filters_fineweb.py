"""FineWeb's measures, by hand, and its bounds, which are out themselves."""

from __future__ import annotations

import math

import pytest

from hinterland.curate.filters.fineweb import FineWeb


def measure(text: str) -> dict[str, float]:
    scores = FineWeb().score([text])
    return {column.partition(".")[2]: float(values[0]) for column, values in scores.items()}


LONG = "The harbour has been closed to larger ships since the storm."


def reasons(text: str) -> set[str]:
    scores = FineWeb().score([text])
    return {rule.reason for rule in FineWeb().rules if not rule.passes(scores[rule.column])[0]}


def test_measures_by_hand() -> None:
    found = measure(f"{LONG}\nMenu\n\nMenu")
    assert found["punctuated_lines"] == 1 / 3
    assert found["short_lines"] == 2 / 3
    assert found["duplicate_line_characters"] == 4 / (60 + 4 + 4)
    assert found["newlines_per_word"] == 3 / 13


def test_prose_passes() -> None:
    assert reasons(LONG) == set()


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("\n".join([f"{LONG} {i}" for i in range(22)] + [LONG] * 0), "punctuated_lines"),
        ("\n".join([f"{LONG} {i}" for i in range(22)] + [LONG, LONG + "!", LONG + "?"]), "punctuated_lines"),
        ("\n".join(f"Menu {i}" for i in range(9)), "short_lines"),
        (f"{LONG}\n{LONG}", "duplicate_line_characters"),
        ("\n".join(["Salt."] * 9), "newlines_per_word"),
    ],
)
def test_each_rule_gives_its_reason(text: str, reason: str) -> None:
    # The second case has 3 of 25 lines with punctuation, exactly 0.12, which is out.
    assert f"fineweb.{reason}" in reasons(text)


def test_a_line_of_thirty_characters_is_not_short() -> None:
    assert measure("x" * 30)["short_lines"] == 0
    assert measure("x" * 29)["short_lines"] == 1
    assert FineWeb(short_line=31).score(["x" * 30])["fineweb.short_lines"][0] == 1


def test_no_lines_are_unmeasured() -> None:
    assert all(math.isnan(value) for value in measure("\n").values())
