"""The toxicity score: the bundled classifier against scikit-learn, and classifiers by folder."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hinterland.core.errors import ConfigError, MissingDependencyError, ModelSourceError
from hinterland.curate import bundled_toxicity
from hinterland.curate.filters.toxicity import Toxicity
from hinterland.curate.text_classifier import load_text_classifier
from hinterland.curate.words import Batch

SENTENCES = [
    "The committee will meet again in the spring.",
    "You are a stupid idiot and everyone hates you.",
    "What the hell is this crap?",
    "İSTANBUL ΟΔΟΣ Straße naïve_word café's",
    "x " * 300 + "idiot",
    "no_known_wordsatall zzzzqq",
]


def sklearn_says(texts: list[str]) -> np.ndarray:
    from profanity_check import predict_prob

    return np.asarray(predict_prob(texts))


def test_it_says_what_scikit_learn_says() -> None:
    scores = Toxicity().score(SENTENCES)["toxicity.score"]
    np.testing.assert_allclose(scores, sklearn_says(SENTENCES), atol=6e-7)
    assert scores[0] < 0.2
    assert scores[1] > 0.8
    assert Toxicity.rules == ()


WORDS = st.sampled_from(["idiot", "Stupid", "the", "sea", "KILL", "naïve", "o", "don't", "éa", "ΣΑΣ", "İ"])


@settings(max_examples=80, deadline=None)
@given(st.lists(WORDS, min_size=1, max_size=30), st.lists(st.text(max_size=40), max_size=3))
def test_any_text_scores_as_in_scikit_learn_and_on_its_own(chosen: list[str], others: list[str]) -> None:
    text = " ".join(chosen)
    alone = Toxicity().score([text])["toxicity.score"][0]
    together = Toxicity().score(Batch([*others, text]))["toxicity.score"][-1]
    assert alone == together or (math.isnan(alone) and math.isnan(together))
    if not math.isnan(alone):
        assert math.isclose(alone, sklearn_says([text])[0], abs_tol=6e-7)


def test_a_text_without_a_word_has_no_score() -> None:
    assert np.isnan(Toxicity().score(["", " \n", "a ?", "!!"])["toxicity.score"]).all()
    assert len(Toxicity().score([])["toxicity.score"]) == 0


def test_the_package_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    bundled_toxicity._model.cache_clear()
    with pytest.raises(MissingDependencyError, match=r"hinterland\[curate\]"):
        Toxicity().score(["x y"])
    with pytest.raises(MissingDependencyError, match="alt-profanity-check"):
        Toxicity().content()


def test_files_that_scikit_learn_cannot_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import joblib

    for name in ("a.joblib", "b.joblib"):
        (tmp_path / name).write_bytes(b"nonsense")
    monkeypatch.setattr(bundled_toxicity, "_files", lambda: [tmp_path / "a.joblib", tmp_path / "b.joblib"])
    bundled_toxicity._model.cache_clear()
    with pytest.raises(ModelSourceError, match="scikit-learn"):
        Toxicity().score(["x y"])
    from sklearn.feature_extraction.text import TfidfVectorizer

    joblib.dump(TfidfVectorizer(ngram_range=(1, 2)).fit(["one two"]), tmp_path / "a.joblib")
    joblib.dump(None, tmp_path / "b.joblib")
    with pytest.raises(ModelSourceError, match="ngram_range"):
        Toxicity().score(["x y"])
    bundled_toxicity._model.cache_clear()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a random classifier of 8 dimensions with the labels fine and toxic."""
    import torch
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import DistilBertConfig, DistilBertForSequenceClassification, PreTrainedTokenizerFast

    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokenizer = Tokenizer(models.BPE(vocab={mark: rank for rank, mark in enumerate(alphabet)}, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    torch.manual_seed(0)
    config = DistilBertConfig(
        vocab_size=len(alphabet), dim=8, hidden_dim=16, n_layers=1, n_heads=2, max_position_embeddings=64,
        id2label={0: "fine", 1: "toxic"}, label2id={"fine": 0, "toxic": 1},
    )  # fmt: skip
    path = tmp_path_factory.mktemp("classifier")
    DistilBertForSequenceClassification(config).save_pretrained(path)
    PreTrainedTokenizerFast(tokenizer_object=tokenizer).save_pretrained(path)
    return path


def test_a_named_classifier(folder: Path) -> None:
    texts = ["one text", "another", "", "three texts", "one text"]
    toxic = Toxicity(model=str(folder), max_tokens=32).score(texts)["toxicity.score"]
    fine = Toxicity(model=str(folder), label="fine", max_tokens=32).score(texts)["toxicity.score"]
    assert math.isnan(toxic[2])
    assert toxic[0] == toxic[4]
    known = [0, 1, 3]
    np.testing.assert_allclose(toxic[known] + fine[known], 1, atol=2e-6)
    alone = [Toxicity(model=str(folder), max_tokens=32).score([text])["toxicity.score"][0] for text in texts]
    np.testing.assert_array_equal(toxic, alone)
    long = Toxicity(model=str(folder), max_tokens=8).score(["abcdefgh" * 50, "abcdefgh"])["toxicity.score"]
    assert long[0] == long[1]


def test_labels_that_do_not_exclude_each_other(folder: Path, tmp_path: Path) -> None:
    for file in folder.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    config = json.loads((tmp_path / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps(config | {"problem_type": "multi_label_classification"}))
    single = Toxicity(model=str(tmp_path), max_tokens=32).score(["one text"])["toxicity.score"][0]
    model, tokenizer = load_text_classifier(str(folder), "cpu")
    logits = model(**tokenizer("one text", return_tensors="pt", return_token_type_ids=False)).logits
    assert math.isclose(single, float(logits.detach().sigmoid()[0, 1]), abs_tol=1e-5)


def test_what_cannot_be_used_is_refused(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no label 'rude'"):
        Toxicity(model=str(folder), label="rude").score(["x"])
    with pytest.raises(ConfigError, match="label without a model"):
        Toxicity(label="toxic")
    with pytest.raises(ConfigError, match="max_tokens is 1"):
        Toxicity(max_tokens=1)
    with pytest.raises(ModelSourceError, match="no model in here"):
        Toxicity(model=str(tmp_path)).score(["x"])
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(ModelSourceError, match="cannot load"):
        Toxicity(model=str(tmp_path)).score(["x"])


def test_the_content_is_the_classifiers(folder: Path) -> None:
    assert Toxicity().content() == Toxicity().content()
    assert Toxicity(model=str(folder)).content() != Toxicity().content()
