"""Training: the loss falls, a broken-off run ends with the same weights, bad models are refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from planted_domain import planted_table, tiny_encoder

from hinterland.core.errors import ModelSourceError
from hinterland.indexes.adapt_retriever.documents import from_corpus
from hinterland.indexes.adapt_retriever.material import columns_of
from hinterland.indexes.adapt_retriever.pairs import title_pairs
from hinterland.indexes.adapt_retriever.settings import TrainSettings
from hinterland.indexes.adapt_retriever.training import (
    RetrieverTrainingError,
    contrastive_loss,
    freeze_below,
    load_encoder,
    train_encoder,
)
from hinterland.indexes.embed import EmbedConfig, SentenceEmbedder

Columns = dict[str, dict[str, list[str]]]
QUICK = TrainSettings(steps=12, batch=8, learning_rate=3e-3, checkpoint_every=4, precision="fp32")


pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> EmbedConfig:
    folder = tiny_encoder(tmp_path_factory.mktemp("model") / "encoder", layers=2, dropout=0.1)
    return EmbedConfig(model=str(folder), dtype="float32", device="cpu")


@pytest.fixture(scope="module")
def columns(base: EmbedConfig) -> Columns:
    passages = from_corpus(planted_table(64), SentenceEmbedder(base).tokenizer, tokens=40)
    pairs = title_pairs(passages)
    # Two kinds, so that batches of one kind are drawn from several sets.
    made = columns_of(pairs, [[(row + 1) % len(passages)] for row in range(len(pairs))], passages)
    half = {name: texts[: len(pairs) // 2] for name, texts in made["title"].items()}
    rest = {name: texts[len(pairs) // 2 :] for name, texts in made["title"].items()}
    return {"first": half, "second": rest}


def fit(
    base: EmbedConfig, columns: Columns, folder: Path, loss: Any = None, **changes: Any
) -> tuple[Any, Any]:
    how = QUICK.model_copy(update=changes)
    model = load_encoder(base, tokens=40)
    made = contrastive_loss(model, how) if loss is None else loss(model)
    return train_encoder(model, made, columns, how, folder, seed=7), model


def same(one: Any, other: Any) -> bool:
    pairs = zip(one.state_dict().values(), other.state_dict().values(), strict=True)
    return all(torch.equal(a, b) for a, b in pairs)


class BreaksOff(torch.nn.Module):
    """The usual loss; the machine stops at the given step."""

    def __init__(self, model: Any, step: int) -> None:
        super().__init__()
        self.inner, self.left = contrastive_loss(model, QUICK), step

    def forward(self, features: Any, labels: Any) -> Any:
        self.left -= 1
        if self.left < 0:
            raise KeyboardInterrupt
        return self.inner(features, labels)


def test_the_loss_falls(base: EmbedConfig, columns: Columns, tmp_path: Path) -> None:
    done, _ = fit(base, columns, tmp_path, steps=40, checkpoint_every=100)
    assert len(done.losses) == len(done.step_seconds) == 40
    assert np.mean(done.losses[-8:]) < 0.8 * np.mean(done.losses[:8])
    assert done.precision == "fp32"
    assert list(tmp_path.iterdir()) == []  # no checkpoint is left to be taken for the result


def test_a_run_broken_off_ends_with_the_same_weights(
    base: EmbedConfig, columns: Columns, tmp_path: Path
) -> None:
    broken = tmp_path / "broken"
    whole, straight = fit(base, columns, tmp_path / "straight")
    with pytest.raises(KeyboardInterrupt):
        fit(base, columns, broken, loss=lambda model: BreaksOff(model, 10))
    assert sorted(path.name for path in broken.iterdir()) == ["checkpoint-4", "checkpoint-8"]
    damaged = broken / "checkpoint-8" / "model.safetensors"
    damaged.write_bytes(damaged.read_bytes()[:-100])  # cut off: the one before it counts
    resumed, model = fit(base, columns, broken)
    assert (whole.resumed_at, resumed.resumed_at) == (0, 4)
    assert resumed.losses == whole.losses
    assert same(straight, model)


def test_the_seed_decides(base: EmbedConfig, columns: Columns, tmp_path: Path) -> None:
    first, again = (fit(base, columns, tmp_path / name, steps=3)[1] for name in "ab")
    assert same(first, again)
    model = load_encoder(base, tokens=40)
    how = QUICK.model_copy(update={"steps": 3})
    train_encoder(model, contrastive_loss(model, how), columns, how, tmp_path / "c", seed=8)
    assert not same(first, model)


def test_a_batch_in_pieces_has_the_same_gradient(base: EmbedConfig) -> None:
    gradients = []
    for pieces in (None, 3):
        model = load_encoder(base, tokens=40).eval()  # without dropout
        loss = contrastive_loss(model, QUICK.model_copy(update={"mini_batch": pieces}))
        texts = [f"code{n} filler{n}" for n in range(8)], [f"plain{n} filler{n + 1}." for n in range(8)]
        features = [dict(model.preprocess(list(each)).items()) for each in texts]
        loss(features, None).backward()
        gradients.append(torch.cat([v.grad.flatten() for v in model.parameters() if v.grad is not None]))
    torch.testing.assert_close(gradients[0], gradients[1], rtol=1e-4, atol=1e-6)


def test_only_the_upper_layers_learn(base: EmbedConfig, columns: Columns, tmp_path: Path) -> None:
    model = load_encoder(base, tokens=40)
    every = sum(value.numel() for value in model.parameters())
    assert freeze_below(model, 1.0) == every
    learning = freeze_below(model, 0.5)
    assert 0 < learning < every / 2
    before = {name: value.clone() for name, value in model.state_dict().items()}
    train_encoder(model, contrastive_loss(model, QUICK), columns, QUICK, tmp_path, seed=0)
    changed = {name for name, value in model.state_dict().items() if not torch.equal(value, before[name])}
    assert changed
    assert all(".layer.1." in name for name in changed)


def test_a_loss_that_is_no_number_ends_it(base: EmbedConfig, columns: Columns, tmp_path: Path) -> None:
    class Nothing(torch.nn.Module):
        def __init__(self, model: Any) -> None:
            super().__init__()
            self.inner = contrastive_loss(model, QUICK)

        def forward(self, features: Any, labels: Any) -> Any:
            return self.inner(features, labels) * float("nan")

    with pytest.raises(RetrieverTrainingError, match=r"loss of step 1 is nan"):
        fit(base, columns, tmp_path, loss=Nothing)


def test_what_is_no_encoder_is_refused(base: EmbedConfig, tmp_path: Path) -> None:
    with pytest.raises(ModelSourceError, match="no sentence-transformers model"):
        load_encoder(EmbedConfig(model=f"{base.model}-transformers"), tokens=40)
    gguf = tmp_path / "model.gguf"
    gguf.write_bytes(b"GGUF")
    with pytest.raises(ModelSourceError, match="GGUF"):
        load_encoder(EmbedConfig(model=str(gguf)), tokens=40)
    (tmp_path / "modules.json").write_text("[]}")
    with pytest.raises(ModelSourceError, match="cannot be loaded"):
        load_encoder(EmbedConfig(model=str(tmp_path)), tokens=40)
