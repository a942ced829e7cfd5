"""REPLUG's supervision: equations by hand, a model that likes one kind of passage teaches the retriever."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from planted_domain import planted_table, tiny_encoder

from hinterland.core.config import parse_config
from hinterland.core.errors import ModelSourceError
from hinterland.indexes.adapt_retriever import command
from hinterland.indexes.adapt_retriever.documents import Passage
from hinterland.indexes.adapt_retriever.language_model import LANGUAGE_MODELS
from hinterland.indexes.adapt_retriever.open_model import OpenModel, OpenModelConfig
from hinterland.indexes.adapt_retriever.recipe import adapt_retriever
from hinterland.indexes.adapt_retriever.replug import (
    contexts,
    kl_divergence,
    language_model_softmax,
    replug_columns,
    replug_loss,
)
from hinterland.indexes.adapt_retriever.settings import AdaptSettings, ReplugSettings, TrainSettings
from hinterland.indexes.adapt_retriever.training import load_encoder, train_encoder
from hinterland.indexes.embed import EmbedConfig, SentenceEmbedder

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> EmbedConfig:
    folder = tiny_encoder(tmp_path_factory.mktemp("model") / "encoder")
    return EmbedConfig(model=str(folder), dtype="float32", device="cpu")


@pytest.fixture(scope="module")
def open_folder(tmp_path_factory: pytest.TempPathFactory, base: EmbedConfig) -> Path:
    """A tiny Llama with the planted words as tokens."""
    from transformers import AutoTokenizer, LlamaConfig, LlamaForCausalLM

    folder = tmp_path_factory.mktemp("llama") / "model"
    tokenizer = AutoTokenizer.from_pretrained(f"{base.model}-transformers")
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=len(tokenizer), hidden_size=32, intermediate_size=64, num_hidden_layers=1,
        num_attention_heads=2, max_position_embeddings=512, bos_token_id=2, eos_token_id=3, pad_token_id=0,
    )  # fmt: skip
    LlamaForCausalLM(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def test_the_softmax_of_likelihoods_by_hand() -> None:
    found = language_model_softmax(np.log([[0.5, 0.3], [0.2, 0.2]]), beta=0.1)
    ratio = np.exp((0.5 - 0.3) / 0.1)
    np.testing.assert_allclose(found, [[ratio / (1 + ratio), 1 / (1 + ratio)], [0.5, 0.5]])


def test_the_divergence_by_hand() -> None:
    scores, target = torch.tensor([[0.2, 0.1]]), torch.tensor([[0.25, 0.75]])
    p = torch.softmax(torch.tensor([2.0, 1.0]), dim=0)
    expected = p[0] * torch.log(p[0] / 0.25) + p[1] * torch.log(p[1] / 0.75)  # KL(P_R || Q), not the reverse
    torch.testing.assert_close(kl_divergence(scores, target, gamma=0.1), expected)
    same = torch.softmax(scores / 0.1, dim=-1)
    assert kl_divergence(scores, same, gamma=0.1) == pytest.approx(0, abs=1e-6)


def test_contexts_go_on() -> None:
    first = "one two three four five."
    pair = [Passage("a", 0, "T", first), Passage("a", 1, "T", "six seven eight nine ten eleven.")]
    how = ReplugSettings(words=3)
    found = contexts([*pair, Passage("b", 0, "", "alone")], how, seed=0)
    assert [(c.document, c.text, c.continuation) for c in found] == [("a", first, "six seven eight")]
    single = contexts([Passage("b", 0, "", "One. Two. Three. Four.")], how, seed=0)
    assert [(c.text, c.continuation) for c in single] == [("One. Two.", "Three. Four.")]


def test_the_retriever_learns_what_helps(base: EmbedConfig, tmp_path: Path) -> None:
    """A language model that is helped by a passage with the word that the continuation has."""
    table = planted_table(40)
    ids, texts = table["id"].to_pylist(), table["text"].to_pylist()
    passages = [Passage(i, 0, "", t) for i, t in zip(ids, texts, strict=True)]
    how = ReplugSettings(contexts=30, passages=6, steps=60, batch=6, learning_rate=3e-3)
    asked: list[str] = []

    def helped(context: str, continuation: str) -> float:
        asked.append(context)
        passage = context.split("\n\n", maxsplit=1)[0]
        words = set(continuation.split()) - {"."}
        return float(np.log(0.1 + 0.8 * np.mean([word in passage.split() for word in words])))

    embedder = SentenceEmbedder(base)
    found = contexts(passages, how, seed=0)
    columns = replug_columns(found, passages, embedder, helped, how)
    assert len(asked) == 30 * 6
    assert np.allclose(np.sum(columns["label"], axis=1), 1)
    own = {context.text: context.document for context in found}
    for row, anchor in enumerate(columns["anchor"]):
        retrieved = {columns[f"passage_{number}"][row] for number in range(6)}
        assert not retrieved & {p.text for p in passages if p.document == own[anchor]}
    model = load_encoder(base, tokens=48)
    train = TrainSettings(steps=60, batch=6, learning_rate=3e-3, checkpoint_every=100, precision="fp32")
    done = train_encoder(model, replug_loss(model, how.gamma), {"replug": columns}, train, tmp_path, seed=0)
    assert np.mean(done.losses[-10:]) < 0.6 * np.mean(done.losses[:10])


def test_the_open_model_agrees_with_its_own_loss(open_folder: Path) -> None:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    scorer = OpenModel(OpenModelConfig(model=str(open_folder), max_tokens=5))
    context, continuation = "code1 plain1 filler2", "plain3 filler4 ."
    tokenizer = AutoTokenizer.from_pretrained(open_folder)
    first = tokenizer(context)["input_ids"]
    last = tokenizer(continuation, add_special_tokens=False)["input_ids"]
    labels = torch.tensor([[-100] * len(first) + last])
    with torch.inference_mode():
        loss = AutoModelForCausalLM.from_pretrained(open_folder)(
            torch.tensor([first + last]), labels=labels
        ).loss
    assert scorer.log_probability(context, continuation) == pytest.approx(-float(loss), abs=1e-5)
    assert np.isnan(scorer.log_probability(context, ""))
    assert scorer.generate("code1") == scorer.generate("code1")
    long = OpenModel(OpenModelConfig(model=str(open_folder), context=16))
    assert np.isfinite(long.log_probability("filler1 " * 100, continuation))
    assert long.fingerprint != scorer.fingerprint
    broken = open_folder.parent / "broken"
    broken.mkdir()
    (broken / "config.json").write_text("{")
    with pytest.raises(ModelSourceError, match="cannot be loaded"):
        OpenModel(OpenModelConfig(model=str(broken)))


def test_the_recipe_asks_the_model(base: EmbedConfig, open_folder: Path, tmp_path: Path) -> None:
    assert "transformers" in LANGUAGE_MODELS
    tree: dict[str, Any] = {
        "embed": base.model_dump(),
        "train": {"steps": 2, "batch": 4, "precision": "fp32"},
        "pairs": {"passage_tokens": 24, "kinds": ["title", "generated"], "generated": {"passages": 5}},
        "replug": {"contexts": 6, "passages": 3, "steps": 2, "batch": 2},
        "gate": {"hold_out": 0.25, "resamples": 99},
    }
    with LANGUAGE_MODELS.get("transformers")({"model": str(open_folder), "max_tokens": 4}) as model:
        result = adapt_retriever(
            planted_table(40), tmp_path, parse_config(AdaptSettings, tree), language_model=model
        )
    assert result.counts["queries_asked"] == 5
    assert result.training["replug"]["steps"] == 2
    assert np.isfinite(result.training["replug"]["loss_last_tenth"])
    json.dumps(result.as_json(), allow_nan=False)
    assert "replug" in command.CommandConfig.model_fields
