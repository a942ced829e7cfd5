"""Other tools' readings, by hand from docs/variants.md."""

from __future__ import annotations

import math

import numpy as np
import pyarrow as pa
import pytest

from hinterland.curate.agreement import Agreement, agreement, readings_of
from hinterland.curate.filter import make_filters
from hinterland.curate.variants.symbols import SYMBOLS, TERMINAL_PUNCTUATION

LONG = "The harbour has been closed to larger ships since the storm."


def measure(name: str, text: str) -> dict[str, float]:
    scores = make_filters([name])[0].score([text])
    return {column.partition(".")[2]: float(values[0]) for column, values in scores.items()}


def out(name: str, text: str) -> set[str]:
    made = make_filters([name])[0]
    scores = made.score([text])
    return {rule.reason.partition(".")[2] for rule in made.rules if not rule.passes(scores[rule.column])[0]}


def test_the_punctuation_of_datatrove() -> None:
    assert (len(SYMBOLS), len(TERMINAL_PUNCTUATION)) == (281, 159)
    assert {"!", "’", "…", "\uff11", "\x00"} <= SYMBOLS
    assert not {"‘", "•", "§", "\t", "\n", "a"} & SYMBOLS
    assert "…" not in TERMINAL_PUNCTUATION


def test_datatrove_quality() -> None:
    found = measure("gopher_quality@datatrove", "# The cat... sat --\n\n  • on 3 mats…  ")
    # words: #, The, cat..., sat, --, •, on, 3, mats…; # and -- are symbols, • is not one of theirs
    assert found["words"] == 7
    assert found["mean_word_length"] == (3 + 6 + 3 + 1 + 2 + 1 + 5) / 7
    assert found["hashes_per_word"] == 1 / 9
    assert found["ellipses_per_word"] == 2 / 9
    assert found["bullet_lines"] == 1 / 3  # a blank line is a line
    assert found["ellipsis_lines"] == 1 / 3
    assert found["alphabetic_words"] == 5 / 9
    assert found["stop_words"] == 0  # The is not the


def test_datatrove_repetition() -> None:
    found = measure("gopher_repetition@datatrove", "one\ntwo\n\none\n")
    # lines: one two one and an empty last one
    assert found["duplicate_lines"] == 1 / 4
    assert found["duplicate_line_characters"] == 3 / 13
    assert found["duplicate_paragraphs"] == 0
    five = "a b c d e"
    found = measure("gopher_repetition@datatrove", f"{five} {five}")
    assert found["top_2gram"] == 2 * 3 / 19  # with the space inside
    assert found["duplicate_5gram"] == 5 / 19  # the second copy alone
    assert "empty" in out("gopher_repetition@datatrove", "")


def test_datatrove_c4_stops_at_a_bracket_on_a_line_that_gets_that_far() -> None:
    page = "\n".join([LONG] * 5)
    assert out("c4@datatrove", page) == set()
    assert out("c4@datatrove", f"{page}\nmenu {{ x }}") == set()
    assert out("c4@datatrove", f"{page}\nif x {{ y }} then.") == {"curly_bracket"}
    assert out("c4@datatrove", f"{page}\nlorem ipsum here.") == {"lorem_ipsum"}
    assert out("c4@datatrove", f"It is an island. [1]\n{LONG}\nUse cookies, use cookies.") == {"sentences"}
    assert (
        measure("c4@datatrove", f"{LONG}\nI like javascript a lot.\n{'x' * 1001} is long.")["sentences"] == 1
    )


def test_datatrove_fineweb() -> None:
    assert out("fineweb@datatrove", " \n") == {"empty"}
    found = measure("fineweb@datatrove", f"{LONG}\n\nMenu\nMenu\n" + "x" * 30)
    assert found["punctuated_lines"] == 1 / 4
    assert found["short_lines"] == 3 / 4  # 30 characters are short
    assert found["duplicate_line_characters"] == 4 / (60 + 4 + 4 + 30)
    assert found["newlines_per_word"] == 4 / 14
    assert measure("fineweb@datatrove", 'He said "no"')["punctuated_lines"] == 0


def test_dolma_quality() -> None:
    found = measure("gopher_quality@dolma", "* The cat the the#\n\n- on 3 mats…")
    assert found["words"] == 9
    assert found["median_word_length"] == 3  # of 1 3 3 3 4 1 2 1 5
    assert found["symbols_per_word"] == round(2 / 9, 5)
    assert found["bullet_lines"] == 1
    assert found["ellipsis_lines"] == 0.5
    assert found["alphabetic_words"] == round(6 / 9, 5)
    assert found["stop_words"] == 1
    assert measure("gopher_quality@dolma", "the the the")["stop_words"] == 3
    assert measure("gopher_quality@dolma", "")["median_word_length"] == 0


def test_dolma_repetition() -> None:
    found = measure("gopher_repetition@dolma", "one\n\ntwo\none")
    assert found["duplicate_lines"] == round(2 / 3, 5)
    assert found["duplicate_line_characters"] == round(6 / 9, 5)
    assert math.isnan(found["top_4gram"])
    assert found["top_2gram"] == round(6 / 9, 5)  # once is enough
    found = measure("gopher_repetition@dolma", "a b c d e a b c d e")
    assert found["duplicate_5gram"] == round(10 / 30, 5)


def test_dolma_c4() -> None:
    assert out("c4@dolma", "JavaScript\n{ Lorem Ipsum") == {"javascript", "curly_bracket", "lorem_ipsum"}
    found = measure("c4@dolma", f"{LONG}\n\nmenu")
    assert found["unpunctuated_lines"] == found["lines_of_few_words"] == round(2 / 3, 5)


def test_the_readings_of_a_filter() -> None:
    assert readings_of("c4") == ("c4", "c4@datatrove", "c4@dolma")
    assert readings_of("fineweb") == ("fineweb", "fineweb@datatrove")


def test_agreement_by_hand() -> None:
    a, b = np.array([True, True, False, False]), np.array([True, False, False, False])
    found = Agreement(4, {"a": a, "b": b})
    assert found.kept("a") == 0.5
    assert found.agree("a", "b") == 0.75
    chance = 0.5 * 0.25 + 0.5 * 0.75
    assert found.kappa("a", "b") == pytest.approx((0.75 - chance) / (1 - chance))
    pair = found.to_dict()["pairs"][0]
    assert (pair["only_first_keeps"], pair["only_second_keeps"]) == (1, 0)
    assert math.isnan(Agreement(1, {"a": a[:1], "b": a[:1]}).kappa("a", "b"))


def test_agreement_of_the_readings() -> None:
    page = "\n".join([LONG] * 6)
    column = pa.chunked_array([pa.array([page, f"{page}\nmenu {{ x }}"]), pa.array(["javascript"])])
    found = agreement([column], readings_of("c4"))
    assert {name: keep.tolist() for name, keep in found.keeps.items()} == {
        "c4": [True, False, False],
        "c4@datatrove": [True, True, False],
        "c4@dolma": [True, False, False],
    }
    assert found.reasons["c4@dolma"] == {"curly_bracket": 1, "lorem_ipsum": 0, "javascript": 1}
    assert agreement([], ["c4"]).to_dict()["kept"] == {"c4": None}
