"""Windows of tokens: worked by hand, and nothing lost whatever the tokenizer."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from letter_embedder import WordTokenizer
from numpy.typing import NDArray

from hinterland.indexes.chunk import sentence_spans
from hinterland.indexes.chunk_tokens import windows
from hinterland.indexes.chunk_types import Document, Tokenizer
from hinterland.indexes.chunking import ChunkConfig, cut_documents
from hinterland.indexes.embed import SentenceEmbedder


class ByteTokenizer:
    """Every byte is a token, so that several share one character's offsets; spaces are none."""

    overhead, max_tokens = 2, 64

    def token_spans(self, texts: Sequence[str]) -> list[NDArray[np.int64]]:
        spans = [
            [(i, i + 1) for i, c in enumerate(text) if c != " " for _ in c.encode("utf-8", "surrogatepass")]
            for text in texts
        ]
        return [np.asarray(each, np.int64).reshape(-1, 2) for each in spans]


def test_by_hand() -> None:
    text = "a b c d e f g"
    tokens = WordTokenizer().token_spans([text])[0]
    assert [text[a:b] for a, b in windows(0)(text, tokens, 3)[0]] == ["a b c", "d e f", "g"]
    assert [text[a:b] for a, b in windows(1)(text, tokens, 3)[0]] == ["a b c", "c d e", "e f g"]
    assert windows(9)(text, tokens, 3)[0] == windows(1)(text, tokens, 3)[0]  # at most half
    assert windows(0)(text, tokens, 7) == ([(0, 13)], 0)
    assert windows(0)("", tokens[:0], 3) == ([], 0)
    assert windows(0)(" \x00 ", tokens[:0], 3) == ([(1, 2)], 0)  # not a token, but not lost
    with pytest.raises(ValueError, match="not negative"):
        windows(-1)


def test_words_stay_whole_and_cut_sentences_are_counted() -> None:
    text = "one two. three four."
    tokens = ByteTokenizer().token_spans([text])[0]
    spans, cut = windows(0)(text, tokens, 9)
    assert [text[a:b] for a, b in spans] == ["one two.", "three four", "."]
    assert cut == 1
    spans, cut = windows(0)("x" * 25, ByteTokenizer().token_spans(["x" * 25])[0], 10)
    assert spans == [(0, 10), (10, 20), (20, 25)]
    assert cut == 1


def check(text: str, title: str, tokenizer: Tokenizer, tokens: int, overlap: int) -> None:
    config = ChunkConfig(by="tokens", tokens=tokens, overlap=overlap)
    chunks, counts = cut_documents([Document("d", text, title)], tokenizer, config)
    covered: set[int] = set()
    for chunk in chunks:
        assert chunk.text == text[chunk.start : chunk.end] == chunk.text.strip() != ""
        covered |= set(range(chunk.start, chunk.end))
        assert len(tokenizer.token_spans([chunk.passage])[0]) + tokenizer.overhead <= tokens
    assert {i for i, character in enumerate(text) if not character.isspace()} <= covered
    assert len({chunk.id for chunk in chunks}) == len(chunks)
    whole = [any(c.start <= a and b <= c.end for c in chunks) for a, b in sentence_spans(text)]
    assert counts.sentences_cut <= len(whole)

    if not overlap:
        assert sum(chunk.end - chunk.start for chunk in chunks) == len(covered)


TEXTS = st.text(alphabet=st.one_of(st.sampled_from("ab. \n\t!?。„“é中"), st.characters()), max_size=300)


@given(TEXTS, TEXTS, st.integers(0, 8))
@example("中" * 100, "", 8)
@example("x" * 100, "long title " * 20, 3)
@example("\ud800 half", "\udfff", 3)
def test_nothing_is_lost(text: str, title: str, overlap: int) -> None:
    check(text, title, WordTokenizer(), 16, overlap)
    check(text, title, ByteTokenizer(), 16, overlap)


@settings(deadline=None, max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(TEXTS, st.integers(0, 8))
@example("Antidisestablishmentarianism" * 20, 4)
def test_nothing_is_lost_with_a_real_tokenizer(embedder: SentenceEmbedder, text: str, overlap: int) -> None:
    check(text, "Title", embedder.tokenizer, 20, overlap)
