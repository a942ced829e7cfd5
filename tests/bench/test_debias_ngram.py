"""The n-gram model of the proof: worked by hand, against a plain reading, and as a distribution."""

from __future__ import annotations

import math
from collections import Counter, defaultdict

import numpy as np
import pytest
from debias_parts.ngram import KneserNey, Queries, discounts, pack, windows
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray


def keys_of(texts: list[list[int]], order: int, vocabulary: int) -> NDArray[np.uint64]:
    tokens = np.array([token for text in texts for token in text], dtype=np.int32)
    ends = np.cumsum([len(text) for text in texts])
    starts = ends - [len(text) for text in texts]
    return windows(tokens, starts, ends, order=order, vocabulary=vocabulary)


def chances(model: KneserNey, context: list[int]) -> NDArray[np.float64]:
    """Return the probability of every symbol after a context of order − 1 symbols."""
    grams = np.array([[*context, symbol] for symbol in range(model.vocabulary)], dtype=np.int64)
    keys = pack(grams, model.vocabulary)
    return 2.0 ** -model.bits(Queries(keys, order=model.order, vocabulary=model.vocabulary))


def test_worked_by_hand() -> None:
    # "0 1 0 1" of three symbols, bigrams. Seen: (start 0) once, (0 1) twice, (1 0) once; too
    # few for discounts of their own: 0.5 from a count of 1, 1 from a count of 2. Unigrams by
    # contexts: 0 in two, 1 in one; (2 − 1)/3 + (1.5/3)/3 = 1/2, (1 − 0.5)/3 + (1.5/3)/3 = 1/3.
    model = KneserNey(keys_of([[0, 1, 0, 1]], 2, 3), order=2, vocabulary=3)
    assert chances(model, [2]) == pytest.approx([1 / 2, 1 / 3, 1 / 6])  # never seen: unigrams
    assert chances(model, [0]) == pytest.approx([1 / 4, 1 / 2 + 1 / 6, 1 / 12])
    assert chances(model, [1])[0] == pytest.approx(1 / 2 + 1 / 4)
    # The text "0 1": 3/4 after the start, then 2/3: half in all, one bit.
    held = Queries(keys_of([[0, 1]], 2, 3), order=2, vocabulary=3)
    assert model.bits(held).sum() == pytest.approx(1.0)


def test_discounts_of_chen_and_goodman() -> None:
    # n1 = 4, n2 = 2, n3 = n4 = 1: Y = 1/2; 1 − 2Y·2/4, 2 − 3Y·1/2, 3 − 4Y·1/1.
    assert discounts(np.array([1, 1, 1, 1, 2, 2, 3, 4])).tolist() == [0.0, 0.5, 1.25, 1.0]
    assert discounts(np.array([1, 1])).tolist() == [0.0, 0.5, 1.0, 1.5]


TEXTS = st.lists(st.lists(st.integers(0, 4), min_size=1, max_size=40), min_size=1, max_size=6)


@given(TEXTS, st.integers(1, 4), st.data())
@settings(max_examples=60, deadline=None)
def test_probabilities_sum_to_one_after_any_context(
    texts: list[list[int]], order: int, data: st.DataObject
) -> None:
    model = KneserNey(keys_of(texts, order, 5), order=order, vocabulary=5)
    # 5 is the start symbol: contexts seen and not seen, with and without starts.
    context = data.draw(st.lists(st.integers(0, 5), min_size=order - 1, max_size=order - 1))
    found = chances(model, context)
    assert found.sum() == pytest.approx(1.0, abs=1e-12)
    assert (found > 0).all()


def plain_chance(
    texts: list[list[int]], context: tuple[int, ...], symbol: int, order: int, size: int
) -> float:
    """Return the same from the definition, with dictionaries."""
    top: Counter[tuple[int, ...]] = Counter()
    for text in texts:
        padded = [size] * (order - 1) + text
        top.update(tuple(padded[i : i + order]) for i in range(len(text)))
    levels = {order: top}
    for length in range(order - 1, 0, -1):
        levels[length] = Counter(gram[1:] for gram in levels[length + 1])
    chance = 1 / size
    for length in range(1, order + 1):
        counts = levels[length]
        take = discounts(np.array(list(counts.values())))
        after = defaultdict(list)
        for gram, count in counts.items():
            after[gram[:-1]].append(count)
        here = context[len(context) - length + 1 :] if length > 1 else ()
        if here in after:
            count = counts[(*here, symbol)]
            freed = sum(take[min(each, 3)] for each in after[here])
            chance = (count - take[min(count, 3)] + freed * chance) / sum(after[here])
    return float(chance)


@given(TEXTS, st.integers(2, 3), st.integers(0, 2**32 - 1))
@settings(max_examples=40, deadline=None)
def test_agrees_with_a_plain_reading(texts: list[list[int]], order: int, seed: int) -> None:
    model = KneserNey(keys_of(texts, order, 5), order=order, vocabulary=5)
    context = tuple(int(x) for x in np.random.default_rng(seed).integers(0, 6, order - 1))
    expected = [plain_chance(texts, context, symbol, order, 5) for symbol in range(5)]
    assert chances(model, list(context)) == pytest.approx(expected)


def test_stretches_begin_anew() -> None:
    keys = windows(
        np.array([7, 1, 2, 9, 3], dtype=np.int32), np.array([1, 4]), np.array([3, 5]), order=2, vocabulary=10
    )
    assert keys.tolist() == pack(np.array([[10, 1], [1, 2], [10, 3]]), 10).tolist()


def test_more_text_of_a_kind_makes_it_cheaper() -> None:
    rng = np.random.default_rng(0)
    text = rng.integers(0, 3, 3000).tolist()
    held = Queries(keys_of([rng.integers(0, 3, 500).tolist()], 3, 50), order=3, vocabulary=50)
    few, many = (KneserNey(keys_of([text[:size]], 3, 50), order=3, vocabulary=50) for size in (100, 3000))
    assert many.bits(held).mean() < few.bits(held).mean()
    assert many.bits(held).mean() == pytest.approx(math.log2(3), abs=0.05)


def test_bad_input() -> None:
    with pytest.raises(ValueError, match="at least one token"):
        KneserNey(np.empty(0, dtype=np.uint64), order=2, vocabulary=3)
    with pytest.raises(ValueError, match="do not fit"):
        pack(np.zeros((1, 6), dtype=np.int64), 4095)
