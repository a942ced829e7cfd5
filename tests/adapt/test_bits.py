from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from hinterland.adapt.bits import BitsPerByte, DocumentBits, bits_per_byte, difference, prefix
from hinterland.adapt.documents import Document
from hinterland.adapt.models import Boundary
from hinterland.core.errors import ConfigError

TEXTS = [
    Document("short", "salt", country="KEN"),
    Document("long", "maize and cattle, cloth and salt, " * 6, country="KEN"),
    Document("empty", "", country="PER"),
    Document("wide", "Curaçao – 東京 is not in Côte d’Ivoire", country="PER"),
]


def by_hand(model: Any, tokenizer: Any, text: str, start: int) -> float:
    """One token at a time, each from a full softmax: slow and plainly right."""
    import torch

    ids = [start, *tokenizer(text, add_special_tokens=False)["input_ids"]]
    bits = 0.0
    for place in range(1, len(ids)):
        with torch.no_grad():
            logits = model(input_ids=torch.tensor([ids[:place]])).logits[0, -1].double()
        bits -= float(torch.log_softmax(logits, -1)[ids[place]]) / math.log(2)
    return bits


def test_agrees_with_a_direct_computation(model: Any, tokenizer: Any, bound: Boundary) -> None:
    found = bits_per_byte(model, tokenizer, TEXTS, bound, window=256)
    assert [item.id for item in found.documents] == ["short", "long", "wide"]
    for item in found.documents:
        text = next(document.text for document in TEXTS if document.id == item.id)
        assert item.bytes == len(text.encode())
        assert item.tokens == len(text.encode())  # the tokenizer's tokens are bytes
        assert item.bits == pytest.approx(by_hand(model, tokenizer, text, bound.start), rel=1e-5)
    total = sum(item.bits for item in found.documents)
    assert found.value == pytest.approx(total / sum(item.bytes for item in found.documents))


def test_does_not_depend_on_the_batch(model: Any, tokenizer: Any, bound: Boundary) -> None:
    sizes = [
        [item.bits for item in bits_per_byte(model, tokenizer, TEXTS, bound, batch_tokens=size).documents]
        for size in (1, 64, 300, 5000)
    ]
    for other in sizes[1:]:
        assert other == pytest.approx(sizes[0], abs=1e-4)


def test_windows_score_each_token_once_with_the_context_they_have(
    model: Any, tokenizer: Any, bound: Boundary
) -> None:
    import torch

    text = "maize and cattle and"  # 20 tokens
    ids = [bound.start, *tokenizer(text, add_special_tokens=False)["input_ids"]]
    document = [Document("a", text)]

    def scored(begin: int, first: int, last: int) -> float:
        """Score tokens first..last (numbered from 1) given the start and all from `begin` on."""
        given = [bound.start, *ids[begin:]][: last - begin + 2]
        with torch.no_grad():
            logs = torch.log_softmax(model(input_ids=torch.tensor([given])).logits[0].double(), -1)
        return -sum(float(logs[place - begin, ids[place]]) for place in range(first, last + 1)) / math.log(2)

    # No overlap: 1–8, 9–16, 17–20.
    plain = bits_per_byte(model, tokenizer, document, bound, window=9)
    expected = scored(1, 1, 8) + scored(9, 9, 16) + scored(17, 17, 20)
    assert plain.documents[0].bits == pytest.approx(expected, rel=1e-5)
    # Stride 5: 1–8, then 9–13 given 6–8, 14–18 given 11–13, 19–20 given 16–18.
    strided = bits_per_byte(model, tokenizer, document, bound, window=9, stride=5)
    expected = scored(1, 1, 8) + scored(6, 9, 13) + scored(11, 14, 18) + scored(16, 19, 20)
    assert strided.documents[0].bits == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize(("window", "stride"), [(1, None), (8, 8), (8, 0)])
def test_impossible_windows_are_refused(
    model: Any, tokenizer: Any, bound: Boundary, window: int, stride: int | None
) -> None:
    with pytest.raises(ConfigError, match="with stride"):
        bits_per_byte(model, tokenizer, TEXTS, bound, window=window, stride=stride)


def test_a_prefix_ends_at_white_space_and_counts_its_own_bytes(
    model: Any, tokenizer: Any, bound: Boundary
) -> None:
    assert prefix("maize and cattle", 12) == "maize and"
    assert prefix("maize and", 9) == "maize and"
    assert prefix("maize and cattle", 9) == "maize and"
    assert prefix("a verylongwordwithoutspaces", 12) == "a verylongwo"
    assert prefix("maize", None) == "maize"
    cut = bits_per_byte(model, tokenizer, [TEXTS[1]], bound, max_chars=30)
    whole = bits_per_byte(model, tokenizer, [Document("long", prefix(TEXTS[1].text, 30))], bound)
    assert cut.documents[0].bytes == whole.documents[0].bytes == len(prefix(TEXTS[1].text, 30))
    assert cut.value == pytest.approx(whole.value)


def measured(*values: tuple[str, float, int, str | None]) -> BitsPerByte:
    return BitsPerByte(tuple(DocumentBits(name, bits, size, 1, place) for name, bits, size, place in values))


def test_ratios_groups_and_rows_by_hand() -> None:
    found = measured(("a", 8.0, 10, "KEN"), ("b", 1.0, 2, "PER"), ("c", 3.0, 4, None))
    assert found.value == 12 / 16
    assert found.by({"a": "Africa", "b": "Americas"}) == {"Africa": 0.8, "Americas": 0.5}
    assert BitsPerByte.from_rows(found.rows()) == found
    assert math.isnan(BitsPerByte(()).value)
    assert math.isnan(BitsPerByte(()).interval().low)


def test_intervals_resample_countries_not_documents() -> None:
    # Two documents of one country always come together: with one country there is one value.
    one = measured(("a", 8.0, 10, "KEN"), ("b", 1.0, 10, "KEN"))
    assert (one.interval().low, one.interval().high) == (0.45, 0.45)
    apart = measured(("a", 8.0, 10, "KEN"), ("b", 1.0, 10, "PER"))
    assert (apart.interval().low, apart.interval().high) == (0.1, 0.8)


def test_a_paired_difference_cancels_what_makes_texts_hard() -> None:
    rng = np.random.default_rng(0)
    hard = rng.uniform(50, 500, 40)
    before = measured(*((f"d{n}", float(bits), 100, f"c{n}") for n, bits in enumerate(hard)))
    after = measured(*((f"d{n}", float(bits) - 10, 100, f"c{n}") for n, bits in enumerate(hard)))
    change = difference(before, after)
    assert change.estimate == pytest.approx(-0.1)
    assert (change.low, change.high) == (pytest.approx(-0.1), pytest.approx(-0.1))
    with pytest.raises(ConfigError, match="different texts"):
        difference(before, measured(("other", 1.0, 1, None)))
