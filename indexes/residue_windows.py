"""Windows of one length in little memory: their places in the bytes, sorted by a hash.

A window takes 12 bytes (16 where the bytes are over 4 GiB): 8 for a key, whose upper bits are a
hash and whose lower bits are the window's number, and 4 for where it starts. Hashes only sort out
what cannot be: what is found was compared byte by byte.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

__all__ = ["HEAD", "Places", "Sieve", "Starts", "Windows", "Words", "words_of"]

#: Bytes of a word; a shorter window is found by chance in any binary file.
HEAD = 8
_STEP = 1 << 18  # windows looked at a time
_SPARSE = 4  # a sieve has 2^4 to 2^5 bits for each of its hashes
_ODD = tuple(np.uint64(each) for each in (0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB))
_HALF, _BYTE, _IN_BYTE = np.uint64(32), np.uint64(3), np.uint64(7)

Words = NDArray[np.uint64]
Places = NDArray[np.int64]
Starts = NDArray[np.uint32] | NDArray[np.uint64]


class Sieve:
    """Says of a hash that it is surely not among those put in, by one bit for the upper bits of each.

    Args:
        count: How many will be put in.
        most: At most so many bits: 2 to the power of this.
    """

    def __init__(self, count: int, *, most: int = 40) -> None:
        bits = min(max(count.bit_length() + _SPARSE, 16), most)
        self._shift = np.uint64(64 - bits)
        self._bits = np.zeros(1 << (bits - 3), dtype=np.uint8)

    def add(self, hashes: Words) -> None:
        """Put hashes in, shape (hashes,)."""
        place = hashes >> self._shift
        bit = np.left_shift(np.uint8(1), (place & _IN_BYTE).astype(np.uint8))
        np.bitwise_or.at(self._bits, (place >> _BYTE).view(np.int64), bit)

    def passed(self, hashes: Words) -> Places:
        """Return the numbers of the hashes that may be among those put in; ``hashes`` is used up."""
        hashes >>= self._shift
        bits = self._bits[(hashes >> _BYTE).view(np.int64)]
        bits >>= (hashes & _IN_BYTE).astype(np.uint8)
        bits &= np.uint8(1)
        return np.flatnonzero(bits.view(np.bool_))


def words_of(data: bytes | bytearray) -> Words:
    """Return the word of 8 bytes that begins at each byte, as a view, shape (bytes − 7,)."""
    count = max(len(data) - HEAD + 1, 0)
    return np.ndarray((count,), dtype="<u8", buffer=data if count else b"\0" * HEAD, strides=(1,))


class Windows:
    """Windows of one length, each once.

    Args:
        data: The bytes they stand in; kept.
        starts: Where each begins there.
        length: Their length, from 8 to 24 bytes: three words cover it.
    """

    def __init__(self, data: bytearray, starts: Starts, length: int) -> None:
        self.length = length
        self._data, self._starts = data, starts
        self._words = words_of(data)
        self._offsets = (0, min(HEAD, length - HEAD), length - HEAD)
        low = max(len(starts).bit_length(), 1)
        self._low = np.uint64((1 << low) - 1)
        self._keys = np.empty(len(starts), dtype=np.uint64)
        for part in _parts(len(starts)):
            numbers = np.arange(part.start, part.stop, dtype=np.uint64)
            self._keys[part] = self._hash(self._words, starts[part].astype(np.int64)) | numbers
        self._keys.sort()
        self.keep(self._first())

    def __len__(self) -> int:
        return len(self._keys)

    def keep(self, which: NDArray[np.bool_]) -> None:
        """Keep some of the windows, shape (windows,); their numbers change."""
        self._keys = self._keys[which]
        self._sieve = Sieve(len(self._keys))
        for part in _parts(len(self._keys)):
            self._sieve.add(self._keys[part])

    def places(self) -> Iterator[tuple[Words, Places]]:
        """Yield words and where among them windows begin, some at a time."""
        for part in _parts(len(self._keys)):
            yield self._words, self._places(np.arange(part.start, part.stop))

    def piece(self, number: int) -> bytes:
        """Return the window with a number."""
        (start,) = self._places(np.asarray([number]))
        return bytes(self._data[start : start + self.length])

    def find(self, words: Words, at: Places) -> Places:
        """Return the numbers of the windows that stand at some places of other bytes, as often as they do.

        Args:
            words: `words_of` these bytes.
            at: The places, ascending.
        """
        at = at[: np.searchsorted(at, len(words) - (self.length - HEAD))]
        wanted = self._hash(words, at)
        near = self._sieve.passed(wanted.copy())
        at, wanted = at[near], wanted[near]
        number = np.searchsorted(self._keys, wanted)
        found = [np.zeros(0, dtype=np.int64)]
        while True:  # windows that have the same hash stand one after another
            inside = np.flatnonzero(number < len(self._keys))
            inside = inside[(self._keys[number[inside]] & ~self._low) == wanted[inside]]
            if not len(inside):
                return np.concatenate(found)
            at, wanted, number = at[inside], wanted[inside], number[inside]
            own = self._places(number)
            same = np.ones(len(at), dtype=np.bool_)
            for offset in self._offsets:
                same &= words[at + offset] == self._words[own + offset]
            found.append(number[same])
            number = number + 1

    def _places(self, numbers: Places) -> Places:
        return self._starts[(self._keys[numbers] & self._low).astype(np.int64)].astype(np.int64)

    def _hash(self, words: Words, at: Places) -> Words:
        """Return a hash of the window at each place, its lower bits zero (mixing as in SplitMix64)."""
        value = np.zeros(len(at), dtype=np.uint64)
        for offset, odd in zip(self._offsets, _ODD, strict=True):
            value = (value ^ words[at + offset]) * odd
            value ^= value >> _HALF
        return value & ~self._low

    def _first(self) -> NDArray[np.bool_]:
        """Return which windows are not equal to the one before, shape (windows,)."""
        first = np.ones(len(self._keys), dtype=np.bool_)
        for part in _parts(len(self._keys) - 1):
            one = np.arange(part.start, part.stop)
            alike = one[((self._keys[one] ^ self._keys[one + 1]) & ~self._low) == 0]
            before, after = self._places(alike), self._places(alike + 1)
            same = np.ones(len(alike), dtype=np.bool_)
            for offset in self._offsets:
                same &= self._words[before + offset] == self._words[after + offset]
            first[alike[same] + 1] = False
        return first


def _parts(count: int) -> Iterator[slice]:
    for start in range(0, count, _STEP):
        yield slice(start, min(start + _STEP, count))
