"""Windows of removed texts: the same as a plain search finds, in little memory."""

from __future__ import annotations

import tracemalloc

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from hinterland.core.seeds import generator
from hinterland.indexes.residue_patterns import STRIDE, WINDOW, Patterns, escaped
from hinterland.indexes.residue_windows import Sieve

FEW_LETTERS = st.text("abé\n", max_size=90)


def windows(text: str) -> set[bytes]:
    """Return the windows of a text as the definition has them."""
    found = set()
    for data in (text.encode(), escaped(text)):
        last = len(data) - WINDOW
        if last < 0:
            found |= {data} if len(data) >= 8 else set()
        else:
            found |= {data[at : at + WINDOW] for at in (*range(0, last, STRIDE), last)}
    return found


@given(st.lists(FEW_LETTERS, max_size=8), st.lists(FEW_LETTERS, max_size=8))
def test_windows_are_those_that_no_kept_text_holds(removed: list[str], kept: list[str]) -> None:
    held = b"\0".join(data for text in kept for data in (text.encode(), escaped(text)))
    wanted = {piece for text in removed for piece in windows(text) if piece not in held}
    patterns = Patterns.of_texts(removed, kept)
    assert sorted(patterns.pieces) == sorted(wanted)  # each once
    assert len(patterns) == len(wanted)


@given(st.lists(st.text("ab", min_size=8, max_size=24), max_size=30), st.text("ab", max_size=300))
def test_windows_with_equal_beginnings_are_told_apart(pieces: list[str], data: str) -> None:
    patterns = Patterns(each.encode() for each in pieces)
    found = patterns.find(data.encode())
    assert {patterns.pieces[number] for number in found} == {
        piece.encode() for piece in pieces if piece in data
    }
    assert len(patterns.find(data.encode(), most=1)) == min(len(found), 1)


def test_a_piece_is_found_at_every_place_of_many_bytes() -> None:
    data = bytearray(generator(0, "residue").bytes(300_000))
    patterns = Patterns([b"a piece of nine words that somebody wants to forget"])
    assert not patterns.find(bytes(data))
    for place in (0, 1, 131_071 - 20, 131_072, 262_144 - 5, 300_000 - 31):  # about the ends of what is read
        planted = data.copy()
        planted[place : place + 31] = b"a piece of nine words that somebody wants to forget"[5:36]
        assert patterns.find(bytes(planted)), place


def test_a_sieve_holds_back_nothing_and_lets_little_through() -> None:
    random = generator(0, "sieve")
    hashes = random.integers(0, 1 << 63, 20_000, dtype=np.uint64) * np.uint64(2)
    sieve = Sieve(10_000)
    sieve.add(hashes[:10_000])
    passed = sieve.passed(hashes.copy())
    assert passed[:10_000].tolist() == list(range(10_000))
    assert len(passed) - 10_000 < 10_000 / 8  # at least 16 bits each: 1 in 16, or fewer, by chance


def test_little_memory_is_taken() -> None:
    random = generator(0, "memory")
    letters = np.frombuffer(b"abcdefghijklmnopqrstuvwxyz .", np.uint8)
    texts = [letters[random.integers(0, 28, 2000)].tobytes().decode() for _ in range(1000)]
    tracemalloc.start()
    try:
        patterns = Patterns.of_texts(texts, texts[:100])
        now, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    size = sum(map(len, texts))
    print(f"{size / 1e6:.1f} MB of text: {now / size:.1f} times kept, {peak / size:.1f} at most")  # noqa: T201
    assert len(patterns) == 900 * 248  # (2000 - 24) / 8 = 247 steps
    assert now < 5 * size
    assert peak < 9 * size
