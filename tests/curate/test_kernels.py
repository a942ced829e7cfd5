"""The compiled measures are those of plain Python, on any text."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from plain_readings import c4, fineweb, lines_of, paragraphs_of, quality, repetition

from hinterland.curate.filter import make_filters
from hinterland.curate.kernels.jit import jit
from hinterland.curate.kernels.unicode import ALPHA, BREAK, LIMIT, PLAIN, SPACE, tables
from hinterland.curate.words import Batch, batches

PLAIN_READINGS: dict[str, Callable[[str], dict[str, float]]] = {
    "gopher_quality": quality,
    "gopher_repetition": repetition,
    "c4": c4,
    "fineweb": fineweb,
}
PIECES = [
    "the", "The,", "be", '"and"', "a", "bb", "word", "Word.", "end.", "End!", "why?", "it…", "so...", "....",
    "#", "##tag", "-", "–", "*", "•", "-5", "*x*", "3", "3.5", "[1]", "[edit]", "[citation", "needed]", "[]",
    "{", "}", "javascript", "JavaScript", "Lorem", "ipsum", "privacy", "policy", "use", "cookies", "terms",
    "of", "é", "naïve", "中文", "日本語。", "“Quoted.”", "(See)", '"No."', "ไทย", "x" * 1001, "\u0301", "𝟚",
]  # fmt: skip
GAPS = [" ", "  ", "\n", "\n\n", "\n \n", "\r\n", "\t", "\u00a0", "\u2028", "\x85", "\x1c", "\n\n\n"]
texts = st.one_of(
    st.text(max_size=60),
    st.lists(st.tuples(st.sampled_from(PIECES), st.sampled_from(GAPS)), max_size=50).map(
        lambda parts: "".join(piece + gap for piece, gap in parts)
    ),
)


@pytest.mark.parametrize("name", PLAIN_READINGS)
@settings(max_examples=300, deadline=None)
@given(text=texts)
@example(text="a.[1] [2]\nb c d.[edit]")
@example(text="He said no.) (Then he left. “So it is.” 3 more")
def test_a_kernel_is_its_plain_reading(name: str, text: str) -> None:
    expected = PLAIN_READINGS[name](text)
    found = make_filters([name])[0].score(["before it. And more", text, ""])
    assert {f"{name}.{key}" for key in expected} == set(found)
    for key, value in expected.items():
        assert found[f"{name}.{key}"][1] == pytest.approx(value, nan_ok=True), key


@settings(max_examples=300, deadline=None)
@given(st.lists(texts, max_size=4))
def test_the_split_is_that_of_str(documents: list[str]) -> None:
    batch = Batch(documents)
    parts, data = batch.split, batch.data.tobytes()
    for row, text in enumerate(documents):
        words = slice(parts.word_offsets[row], parts.word_offsets[row + 1])
        found = [
            data[a:b].decode() for a, b in zip(parts.word_start[words], parts.word_end[words], strict=True)
        ]
        assert found == text.split()
        assert parts.word_characters[words].tolist() == list(map(len, text.split()))
        for kind, expected in (("line", lines_of(text)), ("paragraph", paragraphs_of(text))):
            offsets = getattr(parts, f"{kind}_offsets")
            span = slice(offsets[row], offsets[row + 1])
            assert getattr(parts, f"{kind}_characters")[span].tolist() == list(map(len, expected))
            hashes = getattr(parts, f"{kind}_hash")[span].tolist()
            assert [hashes.index(each) for each in hashes] == [expected.index(each) for each in expected]


def test_the_tables_are_those_of_str() -> None:
    classes = tables().classes
    assigned = [code for code in range(LIMIT) if not 0xD800 <= code < 0xE000]
    for flag, said in (
        (SPACE, str.isspace),
        (ALPHA, str.isalpha),
        (BREAK, lambda c: len(f"a{c}b".splitlines()) > 1),
    ):
        assert [bool(classes[code] & flag) for code in assigned] == [said(chr(code)) for code in assigned]
    assert not classes[ord("!")] & PLAIN
    assert not any(chr(code).isalpha() or chr(code).isspace() for code in range(LIMIT, 0x110000))


def test_normalised_words_forget_case_punctuation_digits_and_accents() -> None:
    def normalised(text: str) -> list[int]:
        return [int(each) for each in Batch([text]).split.norm_hash]

    assert normalised("Don't café-bar 1999!") == normalised("dont CAFEBAR 2024 ...")
    assert normalised("ｆｏｏ a") != normalised("foo b")
    assert len(normalised("東京に行く now")) == 6  # each character of a script without spaces is a word
    assert normalised("--- !!!") == []
    assert normalised("한국어") != normalised("한국인")


def test_a_batch_is_its_texts() -> None:
    batch = Batch(["a b", "c"])
    assert list(batch) == ["a b", "c"]
    assert (len(batch), batch[1], batch[:1]) == (2, "c", ["a b"])
    assert Batch.of(batch) is batch
    assert list(Batch.of(["x"])) == ["x"]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text(max_size=30), max_size=12), st.integers(1, 60), st.integers(0, 3))
def test_batches_of_a_column_are_its_texts(documents: list[str], size: int, skip: int) -> None:
    array = pa.array(documents, type=pa.string())
    column = pa.chunked_array([array, array[skip:]])
    made = list(batches(column, size=size))
    assert [text for batch in made for text in batch] == documents + documents[skip:]
    assert all(len(batch.data) <= size or len(batch) == 1 for batch in made)
    for batch in made:
        assert batch.data.tobytes().decode() == "".join(batch)
        np.testing.assert_array_equal(np.diff(batch.offsets), [len(text.encode()) for text in batch])


def test_a_lone_surrogate_does_not_break_a_batch() -> None:
    assert make_filters(["gopher_quality"])[0].score(["a \ud800 b"])["gopher_quality.words"][0] == 3
    assert math.isnan(make_filters(["c4"])[0].score([""])["c4.kept_characters"][0])


def test_kernels_compile_where_no_cache_can_be_written(monkeypatch: pytest.MonkeyPatch) -> None:
    from numba.core import caching

    for locator in caching.CacheImpl._locator_classes:
        monkeypatch.setattr(locator, "from_function", classmethod(lambda *_: None))
    assert jit(lambda one, two: one + two)(1, 2) == 3
