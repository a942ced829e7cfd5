"""Chunks cover every character, fit the encoder, and know where they came from."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from hinterland.core.errors import ModelSourceError
from hinterland.indexes.chunk import chunk_documents, sentence_spans
from hinterland.indexes.chunk_types import Document
from hinterland.indexes.embed import SentenceEmbedder
from hinterland.indexes.tokens import FastTokenizer


class LetterTokenizer:
    """Every character is a token, also a space: the hardest tokenizer to fit."""

    overhead, max_tokens = 2, 64

    def token_spans(self, texts: Sequence[str]) -> list[NDArray[np.int64]]:
        return [np.asarray([(i, i + 1) for i in range(len(text))], np.int64).reshape(-1, 2) for text in texts]


TEXTS = st.text(alphabet=st.one_of(st.sampled_from("ab. \n\t!?。„“é中"), st.characters()), max_size=400)


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("One. Two? Three!", ["One.", "Two?", "Three!"]),
        ('He said "Go." Then he went.', ['He said "Go."', "Then he went."]),
        ("a line\nanother line\n\n\nlast", ["a line", "another line", "last"]),
        ("3.5 m and v1.2", ["3.5 m and v1.2"]),
        ("一文。二文！", ["一文。", "二文！"]),
        ("  \n ", []),
        ("", []),
    ],
)
def test_sentences_by_hand(text: str, pieces: list[str]) -> None:
    assert [text[start:end] for start, end in sentence_spans(text)] == pieces


@given(TEXTS)
def test_sentences_cover_every_non_space_character(text: str) -> None:
    covered = set()
    for start, end in sentence_spans(text):
        assert text[start:end] == text[start:end].strip() != ""
        assert not covered & set(range(start, end))
        covered |= set(range(start, end))
    assert {i for i, character in enumerate(text) if not character.isspace()} <= covered


def check(document: Document, tokenizer: object, budget: int) -> None:
    chunks, counts = chunk_documents([document], tokenizer, budget=budget)  # type: ignore[arg-type]
    covered: set[int] = set()
    for chunk in chunks:
        assert chunk.text == document.text[chunk.start : chunk.end]
        assert not covered & set(range(chunk.start, chunk.end))
        covered |= set(range(chunk.start, chunk.end))
        spans = tokenizer.token_spans([chunk.passage])[0]  # type: ignore[attr-defined]
        assert len(spans) + tokenizer.overhead <= budget  # type: ignore[attr-defined]
    assert {i for i, character in enumerate(document.text) if not character.isspace()} <= covered
    assert len({chunk.id for chunk in chunks}) == len(chunks) == counts.chunks
    assert counts.empty == (not document.text.strip())


@given(TEXTS, TEXTS)
@example("x" * 300, "")
@example("one two " * 40, "a title that is much longer than half of the budget")
def test_nothing_is_lost_and_nothing_too_long(text: str, title: str) -> None:
    check(Document("d", text, title), LetterTokenizer(), 40)


@settings(deadline=None, max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(TEXTS, TEXTS)
@example("中" * 200, "Title")
@example("Antidisestablishmentarianism" * 20, "")
@example("Short text.", "half \ud800 a character")
def test_nothing_is_lost_with_a_real_tokenizer(embedder: SentenceEmbedder, text: str, title: str) -> None:
    check(Document("d", text, title), embedder.tokenizer, 24)


def test_packs_whole_sentences_and_counts(embedder: SentenceEmbedder) -> None:
    text = "First sentence here. " * 3 + "A second sentence of one two three four five six. " + "word " * 60
    chunks, counts = chunk_documents(
        [Document("a", text, "T"), Document("b", "  \n"), Document("c", "Short.")],
        embedder.tokenizer,
        budget=24,
    )
    assert chunks[0].text == "First sentence here. First sentence here. First sentence here."
    assert chunks[0].passage == "T\n" + chunks[0].text
    assert (counts.documents, counts.empty, counts.sentences_cut, counts.titles_cut) == (3, 1, 1, 0)
    assert chunks[1].text.startswith("A second sentence of one two three four five six. word word")
    assert chunks[-1].document_id == "c"
    assert chunks[-1].id.startswith("c#")


def test_a_long_sentence_is_cut_at_semicolons_first(embedder: SentenceEmbedder) -> None:
    text = "capital: name: Sucre; time difference: four hours behind; etymology: named after " + "x " * 12
    chunks, _ = chunk_documents([Document("a", text)], embedder.tokenizer, budget=16)
    assert [chunk.text for chunk in chunks[:2]] == [
        "capital: name: Sucre; time difference: four hours behind;",
        "etymology: named after x x x x x x x x x x",
    ]


def test_a_long_title_is_cut_and_counted(embedder: SentenceEmbedder) -> None:
    chunks, counts = chunk_documents([Document("a", "Text.", "word " * 50)], embedder.tokenizer, budget=24)
    assert counts.titles_cut == 1
    assert chunks[0].title == " ".join(["word"] * 11)


def test_ids_depend_on_span_and_text(embedder: SentenceEmbedder) -> None:
    ids = [
        chunk_documents([Document("a", text)], embedder.tokenizer)[0][0].id for text in ("x y", " x y", "x z")
    ]
    assert len(set(ids)) == 3


def test_a_budget_without_room_is_refused(embedder: SentenceEmbedder) -> None:
    with pytest.raises(ValueError, match="give more"):
        chunk_documents([Document("a", "b")], embedder.tokenizer, budget=8)


def test_a_budget_above_the_encoders_is_not_used(embedder: SentenceEmbedder) -> None:
    chunks, _ = chunk_documents([Document("a", "word " * 600)], embedder.tokenizer, budget=10_000)
    assert max(len(spans) for spans in embedder.tokenizer.token_spans([c.text for c in chunks])) == 254


def test_a_slow_tokenizer_is_refused() -> None:
    with pytest.raises(ModelSourceError, match="fast tokenizer"):
        FastTokenizer(object(), max_tokens=10)


def test_no_texts_no_spans(embedder: SentenceEmbedder) -> None:
    assert embedder.tokenizer.token_spans([]) == []
