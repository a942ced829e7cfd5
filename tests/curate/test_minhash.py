"""MinHash keys: what chance gives, against sets compared in plain Python."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hinterland.core.seeds import generator
from hinterland.curate.kernels.minhash import NO_KEY, MinHash, band_keys, shingle_sets
from hinterland.curate.words import Batch

EACH = MinHash(bands=112, rows=1)  # every hash function a band of its own


def plain_shingles(text: str, n: int = 5) -> set[tuple[str, ...]]:
    words = text.split()
    return {tuple(words[at : at + n]) for at in range(max(1, len(words) - n + 1))} if words else set()


def jaccard(one: set[tuple[str, ...]], other: set[tuple[str, ...]]) -> float:
    return len(one & other) / len(one | other)


def word(number: int) -> str:
    """Return a word of its own for each number: digits would all become 0."""
    return "".join(chr(97 + int(digit)) for digit in str(number))


def changed(words: list[str], share: float, rng: np.random.Generator) -> list[str]:
    return ["x" + word(rng.integers(10**9)) if rng.random() < share else each for each in words]


@pytest.mark.parametrize("share", [0.01, 0.03, 0.08, 0.2])
def test_the_share_of_equal_minima_is_the_jaccard_similarity(share: float) -> None:
    rng = np.random.default_rng(int(1000 * share))
    texts, expected = [], []
    for _ in range(60):
        words = [word(number) for number in rng.integers(0, 10**6, 300)]
        pair = [" ".join(words), " ".join(changed(words, share, rng))]
        texts += pair
        expected.append(jaccard(*map(plain_shingles, pair)))
    keys = band_keys(Batch(texts), EACH)
    found = (keys[::2] == keys[1::2]).mean(axis=1)
    # 60 pairs × 112 functions: the mean's standard error is at most 0.006.
    assert found.mean() == pytest.approx(np.mean(expected), abs=0.025)
    assert np.abs(found - expected).max() < 0.2


def test_the_minima_are_those_of_big_integers() -> None:
    batch = Batch([" ".join(word(n) for n in range(40)), "only four words here", "!!"])
    random = generator(EACH.seed, "minhash")
    factors = [int(f) | 1 for f in random.integers(0, 2**64, 112, dtype=np.uint64)]
    terms = [int(t) for t in random.integers(0, 2**64, 112, dtype=np.uint64)]
    hashes, offsets = shingle_sets(batch, EACH)

    def signed(value: int) -> int:
        return value - 2**64 if value >= 2**63 else value

    minima = [
        [min(signed((f * int(h) + t) % 2**64) for h in hashes[offsets[d] : offsets[d + 1]]) for d in (0, 1)]
        for f, t in zip(factors, terms, strict=True)
    ]
    keys = band_keys(batch, EACH)
    assert (keys[2] == NO_KEY).all()
    # Equal minima give equal keys: documents whose one shingle is the least of all of both.
    joined = Batch([f"{batch[0]} only four words here", batch[0]])
    both = band_keys(joined, EACH)
    hashes, offsets = shingle_sets(joined, EACH)
    for number, (f, t) in enumerate(zip(factors, terms, strict=True)):
        least = [
            min(signed((f * int(h) + t) % 2**64) for h in hashes[offsets[d] : offsets[d + 1]]) for d in (0, 1)
        ]
        assert least[1] == minima[number][0]
        assert (both[0, number] == both[1, number]) == (least[0] == least[1])


@settings(max_examples=100, deadline=None)
@given(st.lists(st.lists(st.sampled_from("abcd"), max_size=12).map(" ".join), max_size=6))
def test_shingle_sets_are_the_sets(texts: list[str]) -> None:
    hashes, offsets = shingle_sets(Batch(texts), MinHash())
    sets = [set(hashes[offsets[d] : offsets[d + 1]].tolist()) for d in range(len(texts))]
    plain = [plain_shingles(text, min(5, max(1, len(text.split())))) for text in texts]
    assert [len(each) for each in sets] == [len(each) for each in plain]
    for a, one in enumerate(sets):
        assert hashes[offsets[a] : offsets[a + 1]].tolist() == sorted(one)
        for b, other in enumerate(sets):
            assert len(one & other) == len(plain[a] & plain[b])


def test_keys_do_not_depend_on_the_neighbours_or_on_punctuation() -> None:
    texts = [" ".join(word(31 * n + m) for n in range(30)) for m in range(3)]
    together = band_keys(Batch(texts), MinHash())
    for row, text in enumerate(texts):
        np.testing.assert_array_equal(band_keys(Batch([text.upper() + " !"]), MinHash())[0], together[row])
    assert together.shape == (3, MinHash().bands)
    assert not np.array_equal(together, band_keys(Batch(texts), MinHash(seed=2)))
