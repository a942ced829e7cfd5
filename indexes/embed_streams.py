"""Batches for an encoder on a CPU, several at once and each on one core.

A library that spreads every matrix product over all cores makes them wait for each other at
its end. Batches that each stay on one core wait only at the very end, and one of about a
thousand tokens keeps its numbers in the core's cache.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

__all__ = ["TOKENS", "in_streams", "token_batches"]

#: Tokens to a batch, padding included.
TOKENS = 1024
Item = TypeVar("Item")
Result = TypeVar("Result")


def token_batches(
    lengths: Sequence[int] | NDArray[np.int64], *, rows: int, tokens: int = TOKENS
) -> list[NDArray[np.int64]]:
    """Return which texts share a batch, longest first.

    Characters tell little of tokens: batches of texts alike in characters are padded by a
    fifth, batches of texts alike in tokens hardly at all.

    Args:
        lengths: Each text's tokens.
        rows: Texts to a batch at most.
        tokens: Tokens to a batch at most, padding included; a longer text is alone.

    >>> [batch.tolist() for batch in token_batches([3, 9, 4, 1], rows=16, tokens=9)]
    [[1], [2, 0], [3]]
    """
    sizes = np.asarray(lengths, dtype=np.int64)
    order = np.argsort(-sizes, kind="stable")
    batches, start = [], 0
    while start < len(order):
        longest = max(int(sizes[order[start]]), 1)
        end = start + min(rows, max(tokens // longest, 1))
        batches.append(order[start:end])
        start = end
    return batches


def in_streams(
    work: Callable[[Item], Result], items: Sequence[Item], *, streams: int | None = None
) -> list[Result]:
    """Return ``work`` of each item, in their order; PyTorch uses one core for each.

    Args:
        work: Releases the interpreter's lock for most of its time, as PyTorch does.
        items: The longest first, so that all streams end together.
        streams: How many at once; ``None``: as many as PyTorch uses threads here.
    """
    import torch

    threads = torch.get_num_threads()
    streams = min(threads if streams is None else streams, len(items))
    if streams < 2:
        return [work(item) for item in items]
    try:
        with ThreadPoolExecutor(streams, initializer=torch.set_num_threads, initargs=(1,)) as pool:
            return list(pool.map(work, items))
    finally:
        # The number is each thread's own, but the last one set is what new threads begin with.
        torch.set_num_threads(threads)
