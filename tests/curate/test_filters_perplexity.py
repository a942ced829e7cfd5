"""Bits per byte for every document: by the model's own loss, and on its own."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hinterland.core.errors import ConfigError, ModelSourceError
from hinterland.curate.filters.perplexity import Perplexity
from hinterland.curate.words import Batch


def test_it_is_the_loss_in_bits_over_the_bytes(tiny_lm: Path) -> None:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    text = "The harbour is closed."
    model, tokenizer = AutoModelForCausalLM.from_pretrained(tiny_lm), AutoTokenizer.from_pretrained(tiny_lm)
    ids = tokenizer(text, return_tensors="pt")["input_ids"]
    with torch.inference_mode():
        loss = float(model(input_ids=ids, labels=ids).loss)
    # One token is one byte here: the mean loss is per byte.
    found = Perplexity(model=str(tiny_lm)).score([text, "", "a", "\ud800bc"])["perplexity.bits_per_byte"]
    assert math.isclose(found[0], loss / math.log(2), abs_tol=1e-5)
    assert np.isnan(found[1:3]).all()
    assert found[3] > 0
    assert Perplexity.rules == ()


def test_only_the_first_tokens_are_read(tiny_lm: Path) -> None:
    scorer = Perplexity(model=str(tiny_lm), max_tokens=8)
    found = scorer.score(["abcdefgh and more", "abcdefgh"])["perplexity.bits_per_byte"]
    assert found[0] == found[1]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.text(max_size=20), max_size=4), st.text(max_size=20))
def test_a_value_depends_on_its_own_text_alone(tiny_lm: Path, others: list[str], text: str) -> None:
    scorer = Perplexity(model=str(tiny_lm), max_tokens=32)
    alone = scorer.score([text])["perplexity.bits_per_byte"][0]
    together = scorer.score(Batch([*others, text]))["perplexity.bits_per_byte"][-1]
    assert alone == together or (math.isnan(alone) and math.isnan(together))


def test_nothing_is_printed_for_each_batch(tiny_lm: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Perplexity(model=str(tiny_lm)).score(["one", "two words"])
    assert capsys.readouterr().err == ""


def test_what_cannot_be_used_is_refused(tiny_lm: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no language model is given"):
        Perplexity().score(["x"])
    with pytest.raises(ConfigError, match="max_tokens is 1"):
        Perplexity(max_tokens=1)
    with pytest.raises(ConfigError, match="batch_size is 0"):
        Perplexity(batch_size=0)
    with pytest.raises(ModelSourceError):
        Perplexity(model=str(tmp_path)).score(["x"])
    with pytest.raises(ModelSourceError):
        Perplexity(model=str(tmp_path)).content()
    assert Perplexity(model=str(tiny_lm)).content() == Perplexity(model=str(tiny_lm), max_tokens=9).content()
