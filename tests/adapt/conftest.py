"""A tiny random Llama with a byte tokenizer, saved as a transformers folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hinterland.adapt.data import Windows, cut_windows
from hinterland.adapt.documents import Document
from hinterland.adapt.models import Boundary, boundary, load_model, load_tokenizer

WORDS = ["rivers", "cross", "the", "border", "near", "a", "town", "people", "trade", "maize", "salt"]


def make_documents(count: int = 12, words: int = 30) -> list[Document]:
    """Documents of different words, lengths and countries."""
    codes = ["KEN", "PER", "ISL", "JPN"]
    return [
        Document(
            f"d{number}",
            " ".join(
                WORDS[(number * 5 + place * (number + 1)) % len(WORDS)] for place in range(words + number)
            ),
            1.0 + number % 3,
            codes[number % 4],
        )
        for number in range(count)
    ]


def build_tiny(folder: Path) -> None:
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    alphabet = ["<unk>", "<s>", "</s>", *sorted(pre_tokenizers.ByteLevel.alphabet())]
    raw = Tokenizer(
        models.BPE({token: number for number, token in enumerate(alphabet)}, [], unk_token="<unk>")
    )
    raw.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    raw.decoder = decoders.ByteLevel()
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=raw, bos_token="<s>", eos_token="</s>", unk_token="<unk>"
    )
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=len(alphabet),
        hidden_size=32,
        intermediate_size=48,
        num_hidden_layers=4,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=256,
        bos_token_id=1,
        eos_token_id=2,
        tie_word_embeddings=True,
        initializer_range=0.2,
    )
    LlamaForCausalLM(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("tiny")
    build_tiny(folder)
    return str(folder)


@pytest.fixture(scope="session")
def tokenizer(tiny: str) -> Any:
    return load_tokenizer(tiny)


@pytest.fixture
def model(tiny: str) -> Any:
    return load_model(tiny)


@pytest.fixture(scope="session")
def bound(tokenizer: Any) -> Boundary:
    return boundary(tokenizer)


@pytest.fixture(scope="session")
def documents() -> list[Document]:
    return make_documents()


@pytest.fixture(scope="session")
def windows(tokenizer: Any, bound: Boundary, documents: list[Document]) -> Windows:
    return cut_windows(tokenizer, documents, bound, size=32)


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
