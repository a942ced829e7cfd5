"""Cut a text into windows of a fixed number of tokens that overlap."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray

from hinterland.indexes.chunk import sentence_spans
from hinterland.indexes.chunk_types import Cut, Span

__all__ = ["windows"]


def windows(overlap: int) -> Cut:
    """Return how to cut into windows of as many tokens as fit, each ``overlap`` tokens into the one before.

    Windows begin where tokens begin, by the tokenizer's own offsets; what it makes no token of
    goes with the token before. A window that would end inside a word ends before the word; only
    a word longer than a window is split. The overlap is at most half of a window.

    Raises:
        ValueError: ``overlap`` is negative.
    """
    if overlap < 0:
        raise ValueError("an overlap is not negative")

    def cut(text: str, tokens: NDArray[np.int64], budget: int) -> tuple[list[Span], int]:
        # Byte-level tokens of one character share its offsets, and a character stays whole.
        starts = [0, *accumulate(tokens[1:, 0].tolist(), max), len(text)]
        count = len(starts) - 1
        spans: list[Span] = []
        first = last = 0
        while last < count:
            last = min(first + budget, count)
            if last < count:
                back = [k for k in range(last, first, -1) if starts[k - 1] < starts[k]]
                last = next((k for k in back if _begins_word(text, starts[k])), back[0] if back else last)
            spans.append((starts[first], starts[last]))
            wanted = max(last - min(overlap, budget // 2), first + 1) if overlap else last
            ahead = [k for k in range(wanted, last) if starts[k - 1] < starts[k]]
            first = next((k for k in ahead if _begins_word(text, starts[k])), ahead[0] if ahead else last)
        return _trimmed(text, spans), _cut_sentences(text, spans)

    return cut


def _begins_word(text: str, place: int) -> bool:
    return not 0 < place < len(text) or not (text[place - 1].isalnum() and text[place].isalnum())


def _trimmed(text: str, spans: Sequence[Span]) -> list[Span]:
    """Return spans without the space around them, and without those that are nothing else."""
    pieces = [(start, text[start:end]) for start, end in spans]
    firsts = [start + len(piece) - len(piece.lstrip()) for start, piece in pieces]
    return [
        (first, first + len(piece.strip()))
        for first, (_, piece) in zip(firsts, pieces, strict=True)
        if piece.strip()
    ]


def _cut_sentences(text: str, spans: Sequence[Span]) -> int:
    """Return how many sentences no window holds whole."""
    cut = place = 0
    for start, end in sentence_spans(text):
        while place + 1 < len(spans) and spans[place + 1][0] <= start:
            place += 1
        cut += spans[place][1] < end
    return cut
