"""Words in several scripts, by hand."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hinterland.indexes.words import Vocabulary, Words, check_language, languages


@pytest.mark.parametrize(
    ("language", "text", "passage"),
    [
        ("english", "The cats were running; vitamin C", ["cat", "were", "run", "vitamin", "c"]),
        ("english", "snake_case", ["snake_cas"]),
        ("none", "The cats", ["the", "cats"]),
        ("german", "Die Häuser und die Straßen", ["haus", "strass"]),
        ("french", "L'eau des rivières", ["eau", "rivi"]),
        ("hindi", "किताबें", ["किताब"]),
        ("english", "ﬁne naïve Ｔｏｋｙｏ", ["fine", "naïv", "tokyo"]),
        ("chinese", "東京", ["東", "京", "東京"]),
        ("japanese", "abc東京都", ["abc", "東", "京", "都", "東京", "京都"]),
        ("korean", "서울", ["서", "울", "서울"]),
        ("thai", "ไทย", ["ไ", "ท", "ย", "ไท", "ทย"]),
        ("english", "half \ud800 a letter", ["half", "letter"]),
        ("english", "", []),
        ("english", "… — !", []),
    ],
)
def test_words_of_passages(language: str, text: str, passage: list[str]) -> None:
    assert Words(language).passage(text) == passage


@pytest.mark.parametrize(
    ("text", "query"), [("東京都", ["東京", "京都"]), ("水", ["水"]), ("Cats x", ["cat", "x"])]
)
def test_words_of_queries(text: str, query: list[str]) -> None:
    assert Words("english").query(text) == query


@given(st.text())
def test_a_query_asks_for_nothing_that_its_passage_lacks(text: str) -> None:
    words = Words("english")
    assert set(words.query(text)) <= set(words.passage(text))


@given(st.text(st.characters(max_codepoint=127)))
def test_the_quick_way_for_ascii_is_the_same(text: str) -> None:
    words = Words("english")
    widened = words.passage(f"{text} é")
    assert widened[:-1] == words.passage(text)


def test_numbers_follow_the_texts() -> None:
    vocabulary = Vocabulary()
    assert vocabulary.take([["b", "a"], [], ["a", "c"]]) == [[0, 1], [], [1, 2]]
    assert vocabulary.numbers == {"b": 0, "a": 1, "c": 2}


def test_languages() -> None:
    assert {"english", "finnish", "chinese", "none"} <= set(languages())
    assert check_language("finnish") == "finnish"
    with pytest.raises(ValueError, match=r"did you mean .english.*arabic, armenian.*yiddish"):
        check_language("englisch")
