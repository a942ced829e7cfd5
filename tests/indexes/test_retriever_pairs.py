"""Pairs without labels: worked by hand, split without leakage, negatives of other documents."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from planted_domain import planted_table

from hinterland.core.errors import CorpusError
from hinterland.indexes.adapt_retriever.documents import Passage, from_chunks, from_corpus, split_documents
from hinterland.indexes.adapt_retriever.generated import clean_query, generated_pairs, query_prompt
from hinterland.indexes.adapt_retriever.material import columns_of
from hinterland.indexes.adapt_retriever.negatives import hard_negatives
from hinterland.indexes.adapt_retriever.pairs import (
    Pair,
    balanced,
    cloze_pairs,
    neighbour_pairs,
    title_pairs,
    without,
)
from hinterland.indexes.adapt_retriever.settings import GeneratedSettings, NegativeSettings
from hinterland.indexes.adapt_retriever.vectors import Vectors
from hinterland.indexes.lexical import LexicalConfig, LexicalIndex

LONGEST, NORTH = "The Nile is the longest river of Africa.", "It flows north through Sudan and Egypt."
RIVERS = [
    Passage(
        "nile",
        0,
        "The Nile",
        "The Nile is the longest river of Africa. It flows north through Sudan and Egypt.",
    ),
    Passage("nile", 1, "The Nile", "The dam at Aswan holds its floods back since 1970."),
    Passage("congo", 0, "", "The Congo carries more water than any other river of Africa."),
    Passage("rhine", 0, "Rhine", "The Rhine flows north through Basel and Cologne to the sea."),
    Passage("short", 0, "Note", "Too short."),
]
PLAIN = LexicalConfig(language="none")


def test_a_title_finds_its_passages_without_itself() -> None:
    found = title_pairs(
        [*RIVERS, Passage("lake", 0, "Lake Chad", "Lake Chad. It shrinks from year to year.")]
    )
    assert [(pair.query, pair.positive, pair.passage) for pair in found] == [
        ("The Nile", "is the longest river of Africa. It flows north through Sudan and Egypt.", 0),
        ("The Nile", RIVERS[1].text, 1),
        ("Rhine", RIVERS[3].text, 3),
        ("Lake Chad", "It shrinks from year to year.", 5),
    ]


def test_neighbours_are_of_one_document_and_in_order() -> None:
    assert neighbour_pairs(RIVERS) == [Pair("neighbour", RIVERS[0].text, RIVERS[1].text, 1)]
    assert neighbour_pairs(RIVERS[::-1]) == [Pair("neighbour", RIVERS[0].text, RIVERS[1].text, 3)]
    gap = [Passage("a", 0, "", "one two three four five"), Passage("a", 2, "", "six seven eight nine ten")]
    assert neighbour_pairs(gap) == []


def test_a_cloze_sentence_is_cut_from_its_passage() -> None:
    found = {pair.query: pair.positive for pair in cloze_pairs(RIVERS, keep=0, seed=0, each=2)}
    assert found == {LONGEST: f"The Nile\n{NORTH}", NORTH: f"The Nile\n{LONGEST}"}
    kept = cloze_pairs(RIVERS, keep=1, seed=0)
    assert [pair.positive for pair in kept] == [f"The Nile\n{LONGEST} {NORTH}"]
    assert kept == cloze_pairs(RIVERS, keep=1, seed=0)


def test_a_sentence_stays_as_often_as_asked() -> None:
    text = "Here are five words now. And another five words there."
    many = [Passage(str(number), 0, "", text) for number in range(2000)]
    stayed = sum(pair.query in pair.positive for pair in cloze_pairs(many, keep=0.1, seed=3))
    assert 155 <= stayed <= 245  # 200 expected, 3.4 standard deviations either way


@given(st.text(alphabet="ab .", max_size=30), st.data())
def test_without_leaves_all_other_words(text: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, len(text)))
    assert without(text, (start, end)).split() == (text[:start] + " " + text[end:]).split()


def test_kinds_take_turns() -> None:
    pairs = {
        "title": [Pair("title", f"t{n}", "p", n) for n in range(50)],
        "cloze": [Pair("cloze", f"c{n}", "p", n) for n in range(3)],
        "neighbour": [],
    }
    chosen = balanced(pairs, 10, seed=0)
    assert sorted(pair.kind for pair in chosen) == ["cloze"] * 3 + ["title"] * 7
    assert chosen == balanced(pairs, 10, seed=0) != balanced(pairs, 10, seed=1)
    assert len(balanced(pairs, 100, seed=0, most=5)) == 8


class Words:
    """A tokenizer whose tokens are words."""

    overhead, max_tokens = 0, 100

    def token_spans(self, texts: Sequence[str]) -> list[NDArray[np.int64]]:
        found = ([match.span() for match in re.finditer(r"\S+", text)] for text in texts)
        return [np.array(spans, np.int64).reshape(-1, 2) for spans in found]


def test_corpus_and_index_give_passages() -> None:
    table = pa.table({"id": ["a", "b"], "title": ["T  one", None], "text": ["First one. " * 30, "Second."]})
    passages = from_corpus(table, Words(), tokens=24)
    assert [passage.number for passage in passages if passage.document == "a"] == list(
        range(len(passages) - 1)
    )
    assert passages[0].shown.startswith("T one\nFirst one.")
    assert passages[-1] == Passage("b", 0, "", "Second.")
    chunks = pa.table(
        {
            "document_id": ["a", "b", "a"],
            "title": ["", "x", ""],
            "text": ["later", "y", "first"],
            "start": [9, 0, 0],
        }
    )
    assert from_chunks(chunks) == [
        Passage("a", 0, "", "first"), Passage("a", 1, "", "later"), Passage("b", 0, "x", "y"),
    ]  # fmt: skip
    with pytest.raises(CorpusError, match="no column id"):
        from_corpus(pa.table({"text": ["x"]}), Words(), tokens=24)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 12), st.integers(0, 6)), min_size=2, max_size=40), st.integers(0, 9))
def test_no_document_and_no_text_is_on_both_sides(rows: list[tuple[int, int]], seed: int) -> None:
    said = "{} is a sentence of more than eight words, number {}"
    passages = [Passage(f"d{d}", n, "", said.format("It", text)) for n, (d, text) in enumerate(rows)]
    passages += [Passage("other", 0, "", "Of its own."), Passage("more", 0, "", "Its own too.")]
    split = split_documents(passages, share=0.3, seed=seed)
    assert split.held_out
    assert not {p.document for p in split.train} & {p.document for p in split.held_out}
    assert not {p.text for p in split.train} & {p.text for p in split.held_out}
    assert len(split.train) + len(split.held_out) + split.duplicates == len(passages)
    again = split_documents(passages[::-1], share=0.3, seed=seed)
    assert {p.document for p in again.held_out} == {p.document for p in split.held_out}


def test_a_repeated_sentence_is_a_leak_whatever_its_case() -> None:
    sentence = "The quick brown fox jumps over the lazy dog"
    passages = [
        Passage("a", 0, "", f"{sentence}. And then it sleeps."),
        Passage("b", 0, "", f"So: {sentence}."),
    ]
    passages.append(Passage("c", 0, "", f"Before. {sentence.upper()}! After."))
    split = split_documents(passages, share=0.34, seed=0)
    held = {p.document for p in split.held_out}
    # "So: The quick …" is another sentence than "The quick …": only a and c repeat each other.
    assert split.duplicates == (1 if held & {"a", "c"} else 0)


def test_one_document_cannot_be_split() -> None:
    with pytest.raises(CorpusError, match="1 document with text"):
        split_documents([Passage("a", 0, "", "x"), Passage("a", 1, "", "y")], share=0.5, seed=0)


def test_negatives_share_words_and_never_the_document() -> None:
    pairs = [Pair("cloze", "river of Africa", "", 0), Pair("cloze", "zzz", "", 3)]
    mined = hard_negatives(pairs, RIVERS, NegativeSettings(per_query=1, margin=None), seed=0, lexical=PLAIN)
    assert mined.rows[0].tolist() == [2]  # the Congo; the Nile's own passages share more words
    assert mined.drawn == 1  # nothing shares a word with zzz
    assert RIVERS[int(mined.rows[1, 0])].document != "rhine"


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 4), st.integers(0, 5))
def test_negatives_are_of_other_documents(per_query: int, seed: int) -> None:
    table = planted_table(12, seed=seed)
    texts = zip(table["id"].to_pylist(), table["text"].to_pylist(), strict=True)
    passages = [Passage(name, n, "", text) for name, text in texts for n in (0, 1)]
    pairs = [Pair("cloze", passage.text, "", row) for row, passage in enumerate(passages)]
    mined = hard_negatives(pairs, passages, NegativeSettings(per_query=per_query, margin=None), seed=seed)
    for row, pair in zip(mined.rows.tolist(), pairs, strict=True):
        assert passages[pair.passage].document not in {passages[n].document for n in row}


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 8), st.integers(1, 9), st.integers(0, 5))
def test_searching_all_pairs_at_once_finds_what_one_by_one_does(each: int, depth: int, seed: int) -> None:
    table = planted_table(9, seed=seed)
    texts = zip(table["id"].to_pylist(), table["text"].to_pylist(), strict=True)
    # d0 is much longer than the others, and two documents say the same.
    passages = [
        Passage(name, n, "", text) for name, text in texts for n in range(each if name == "d0" else 1)
    ]
    passages.append(Passage("again", 0, "", passages[-1].text))
    pairs = [Pair("cloze", passage.text.split(".")[0], "", row) for row, passage in enumerate(passages)]
    how = NegativeSettings(per_query=min(depth, 8), depth=depth, margin=None)
    mined = hard_negatives(pairs, passages, how, seed=seed)
    index = LexicalIndex.build([passage.shown for passage in passages], LexicalConfig())
    for pair, rows in zip(pairs, mined.rows.tolist(), strict=True):
        other = np.array([passage.document != passages[pair.passage].document for passage in passages])
        found = index.search([pair.query], depth, other)[1][0].tolist()
        kept = [row for row in found if row >= 0 and passages[row].text != passages[pair.passage].text]
        assert rows[: len(kept)] == kept[: how.per_query]


def test_what_the_base_knows_as_an_answer_is_no_negative() -> None:
    vectors = {0: [1.0, 0.0], 2: [0.96, 0.28], 3: [0.6, 0.8], 4: [0.0, 1.0]}
    asked: list[list[int]] = []

    def embed(queries: list[str], rows: list[int]) -> tuple[Vectors, Vectors]:
        asked.append(list(rows))
        query = np.array([[1.0, 0.0]] * len(queries), np.float32)
        return query, np.array([vectors[row] for row in rows], np.float32)

    pairs = [Pair("cloze", "river flows Africa", "", 0)]
    how = NegativeSettings(per_query=1, margin=0.95)
    mined = hard_negatives(pairs, RIVERS, how, seed=0, embed=embed, lexical=PLAIN)  # type: ignore[arg-type]
    assert (mined.rows.tolist(), mined.too_close) == ([[3]], 1)  # 0.96 is above 0.95 of 1
    assert asked == [[0, 2, 3]]
    with pytest.raises(ValueError, match="base encoder"):
        hard_negatives(pairs, RIVERS, how, seed=0)
    with pytest.raises(ValueError, match="two documents"):
        hard_negatives(pairs, RIVERS[:2], how, seed=0)


def test_negatives_look_like_positives() -> None:
    pairs = [Pair("title", "Rhine", "p", 3), Pair("cloze", "q", "The Nile\nrest", 0)]
    columns = columns_of(pairs, [[1], [3]], RIVERS)
    assert columns["title"] == {"anchor": ["Rhine"], "positive": ["p"], "negative_0": [RIVERS[1].text]}
    assert columns["cloze"]["negative_0"] == [RIVERS[3].shown]


def test_generated_queries_must_lead_back() -> None:
    answers = {
        "The Nile is the longest": "Which river is the longest of Africa?\nSecond line.",
        "The dam at Aswan": 'Query: "Who won the election in Peru?"',
        "The Congo": "",
        "The Rhine": "The Rhine flows north through Basel",
        "Too short": "What is too short here?",
    }

    def generate(prompt: str) -> str:
        last = prompt.rpartition("Document: ")[2]
        return next(answer for start, answer in answers.items() if start in last)

    made = generated_pairs(RIVERS, generate, GeneratedSettings(round_trip=2), seed=0)
    assert {pair.query for pair in made.pairs} == {
        "Which river is the longest of Africa?",
        "What is too short here?",
    }
    assert (made.asked, made.unusable, made.lost) == (5, 2, 1)
    assert all(pair.positive == RIVERS[pair.passage].shown for pair in made.pairs)
    assert query_prompt("a\nb").endswith("Document: a b\nRelevant query:")
    assert clean_query("two words", "x") == clean_query("w " * 41, "x") == ""
