from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hinterland.adapt.data import IGNORE, Windows, collate, cut_windows, epoch_order, step_windows
from hinterland.adapt.documents import Document
from hinterland.adapt.models import Boundary, boundary
from hinterland.core.errors import ConfigError, ModelSourceError


def test_windows_worked_by_hand(tokenizer: Any, bound: Boundary) -> None:
    # 25 bytes + end token = 26 tokens; windows hold 10 besides the start: 10, 10, 6 (too short).
    text = "abcdefghijklmnopqrstuvwxy"
    found = cut_windows(tokenizer, [Document("a", text, 2.0)], bound, size=11, minimum=8)
    decoded = [tokenizer.decode(item) for item in found.items]
    assert decoded == ["<s>abcdefghij", "<s>klmnopqrst"]
    assert (found.short, found.short_tokens, found.tokens, found.documents) == (1, 6, 20, 1)
    assert found.weight.tolist() == [2.0, 2.0]
    whole = cut_windows(tokenizer, [Document("a", text)], bound, size=11, minimum=1)
    assert tokenizer.decode(whole.items[-1]) == "<s>uvwxy</s>"
    open_end = cut_windows(tokenizer, [Document("a", text)], boundary(tokenizer, end="none"), size=64)
    assert tokenizer.decode(open_end.items[0]) == "<s>" + text


@settings(max_examples=30, deadline=None)
@given(
    texts=st.lists(st.text(st.characters(codec="utf-8"), max_size=60), min_size=1, max_size=6),
    size=st.integers(2, 20),
)
def test_windows_hold_every_token_once_and_never_two_documents(
    tokenizer: Any, bound: Boundary, texts: list[str], size: int
) -> None:
    documents = [Document(str(number), text) for number, text in enumerate(texts)]
    if not any(texts):
        with pytest.raises(ConfigError):
            cut_windows(tokenizer, documents, bound, size=size, minimum=1)
        return
    found = cut_windows(tokenizer, documents, bound, size=size, minimum=1)
    for number, text in enumerate(texts):
        mine = [item for item, owner in zip(found.items, found.document, strict=True) if owner == number]
        assert all(item[0] == bound.start and len(item) <= size for item in mine)
        expected = [*tokenizer(text, add_special_tokens=False)["input_ids"], bound.end] if text else []
        assert [token for item in mine for token in item[1:]] == expected


def test_nothing_leaks_between_documents(model: Any, tokenizer: Any, bound: Boundary) -> None:
    import torch

    def logits(first: str) -> Any:
        texts = [Document("a", first), Document("b", "the second document stays")]
        found = cut_windows(tokenizer, texts, bound, size=64)
        with torch.no_grad():
            batch = collate(found.items, bound.pad)
            batch.pop("labels")
            return model(**batch).logits[1, : len(found.items[1])]

    assert torch.equal(logits("some text of this length"), logits("other text with the size"))


def test_windows_that_cannot_be_are_refused(tokenizer: Any, bound: Boundary) -> None:
    with pytest.raises(ConfigError, match="cannot hold 8"):
        cut_windows(tokenizer, [Document("a", "text")], bound, size=8)
    with pytest.raises(ConfigError, match="no window of 8 tokens"):
        cut_windows(tokenizer, [Document("a", "text")], bound, size=32)


def test_collate_masks_padding_and_the_start_token(bound: Boundary) -> None:
    batch = collate([np.array([1, 5, 6, 7], np.int32), np.array([1, 8], np.int32)], pad=2)
    assert batch["input_ids"].tolist() == [[1, 5, 6, 7], [1, 8, 2, 2]]
    assert batch["attention_mask"].tolist() == [[1, 1, 1, 1], [1, 1, 0, 0]]
    assert batch["labels"].tolist() == [[IGNORE, 5, 6, 7], [IGNORE, 8, IGNORE, IGNORE]]


@given(st.lists(st.floats(0.01, 50), min_size=1, max_size=40), st.integers(0, 5))
def test_an_epoch_draws_each_window_as_often_as_its_weight_asks(weights: list[float], epoch: int) -> None:
    weight = np.array(weights)
    order = epoch_order(weight, seed=1, epoch=epoch)
    expected = weight * len(weight) / weight.sum()
    counts = np.bincount(order, minlength=len(weight))
    assert len(order) == len(weight)
    assert (counts >= np.floor(expected - 1e-6)).all()
    assert (counts <= np.ceil(expected + 1e-6)).all()


def test_equal_weights_give_each_window_once_and_zero_never() -> None:
    for epoch in range(5):
        assert sorted(epoch_order(np.full(7, 0.3), seed=0, epoch=epoch)) == list(range(7))
    drawn = Counter(
        int(index)
        for epoch in range(200)
        for index in epoch_order(np.array([0, 1, 1, 2.0]), seed=0, epoch=epoch)
    )
    assert drawn[0] == 0
    # 4 draws an epoch over a total weight of 4: expected 0, 1, 1, 2.
    assert (drawn[1], drawn[2], drawn[3]) == (200, 200, 400)


def test_fractional_weights_are_honoured_on_average() -> None:
    weight = np.array([1.0, 2.5, 0.25, 0.75, 3.0])
    counts = sum(np.bincount(epoch_order(weight, seed=5, epoch=epoch), minlength=5) for epoch in range(2000))
    assert counts / 2000 == pytest.approx(weight * 5 / weight.sum(), abs=0.05)


def test_steps_follow_the_epochs_whatever_their_size(windows: Windows) -> None:
    one = np.concatenate([step_windows(windows.weight, step, 3, seed=2) for step in range(40)])
    other = np.concatenate([step_windows(windows.weight, step, 8, seed=2) for step in range(15)])
    assert (one == other).all()
    assert (
        one != np.concatenate([step_windows(windows.weight, step, 3, seed=3) for step in range(40)])
    ).any()


def test_boundaries(tokenizer: Any) -> None:
    assert boundary(tokenizer) == Boundary(start=1, end=2, pad=1)
    assert boundary(tokenizer, start="</s>", end="none") == Boundary(start=2, end=None, pad=2)
    with pytest.raises(ModelSourceError, match="no token '<nope>'"):
        boundary(tokenizer, start="<nope>")

    class Bare:
        bos_token_id = eos_token_id = unk_token_id = pad_token_id = None

    with pytest.raises(ModelSourceError, match="no BOS, EOS or unknown token"):
        boundary(Bare())
