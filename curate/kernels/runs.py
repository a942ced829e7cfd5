"""How many runs of non-space bytes a text has: its words as `wc` counts them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hinterland.curate.kernels.jit import jit
from hinterland.curate.kernels.tokens import Bytes, Integers

__all__ = ["count_runs"]


def count_runs(data: Bytes, offsets: Integers) -> NDArray[np.int64]:
    r"""Return the number of matches of ``[^ \t\n\f\r]+`` in each text, shape (texts,).

    White space beyond ASCII does not part words: the count is for shares of a corpus, and
    it is ten times as fast on bytes.

    Args:
        data: The texts' UTF-8, one after the other.
        offsets: Where each begins and the last ends, shape (texts + 1,).
    """
    return np.asarray(_count(data, offsets), dtype=np.int64)


@jit
def _count(data, offsets):
    out = np.zeros(len(offsets) - 1, np.int64)
    for row in range(len(out)):
        inside, runs = False, 0
        for at in range(offsets[row], offsets[row + 1]):
            byte = data[at]
            space = byte == 32 or (9 <= byte <= 13 and byte != 11)
            runs += (not space) and (not inside)
            inside = not space
        out[row] = runs
    return out
