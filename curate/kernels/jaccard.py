"""Jaccard similarity of sorted sets, for many pairs at once."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from hinterland.curate.kernels.jit import jit

__all__ = ["JOINED_NONE", "NEW_LEADER", "follow_leaders", "pair_similarities"]

Floats = NDArray[np.float64]
Hashes = NDArray[np.uint64]
Integers = NDArray[np.int64]

#: What `follow_leaders` says of a set that became a leader.
NEW_LEADER: Final = -1
#: And of one that is like no leader when there may be no more of them.
JOINED_NONE: Final = -2


def pair_similarities(
    data: Hashes, offsets: Integers, first: Integers, second: Integers, threshold: float = 0.0
) -> Floats:
    """Return |A ∩ B| / |A ∪ B| for pairs of sets, shape (pairs,).

    Args:
        data: The sets' elements, ascending within each set.
        offsets: Where each set begins and the last ends, shape (sets + 1,).
        first: The number of each pair's first set.
        second: And of its second.
        threshold: Pairs below it may be given up early; their value is then 0.
    """
    return np.asarray(_pairs(data, offsets, first, second, threshold))


def follow_leaders(
    data: Hashes,
    offsets: Integers,
    members: Integers,
    leaders: Integers,
    *,
    threshold: float,
    limit: int,
) -> tuple[Integers, int]:
    """Give each member the first leader that it is like; one that is like none becomes a leader.

    Args:
        data: The sets' elements, ascending within each set.
        offsets: Where each set begins and the last ends, shape (sets + 1,).
        members: Set numbers, in the order in which they are asked.
        leaders: Set numbers of the leaders there are already.
        threshold: The least similarity to join.
        limit: The most leaders there may be.

    Returns:
        For each member the leader's place (in ``leaders``, then in the order they were
        made), `NEW_LEADER` or `JOINED_NONE`; and the number of comparisons.
    """
    joined, compared = _follow(data, offsets, members, leaders, threshold, limit)
    return np.asarray(joined), int(compared)


@jit
def _similarity(data, offsets, first, second, threshold):
    a, a_end = offsets[first], offsets[first + 1]
    b, b_end = offsets[second], offsets[second + 1]
    total = (a_end - a) + (b_end - b)
    if total == 0:
        return 0.0
    # The most elements that may be missing from the other set: J >= t needs an
    # intersection of t·total/(1 + t). One is added, so that rounding gives up nothing.
    spare_a = (a_end - a) - threshold * total / (1.0 + threshold) + 1.0
    spare_b = (b_end - b) - threshold * total / (1.0 + threshold) + 1.0
    if spare_a < 0 or spare_b < 0:
        return 0.0
    start_a, start_b = a, b
    shared = 0
    while a < a_end and b < b_end:
        stop = min(a_end, a + 64)
        while a < stop and b < b_end:  # without branches on the data
            x, y = data[a], data[b]
            shared += x == y
            a += x <= y
            b += y <= x
        if a - start_a - shared > spare_a or b - start_b - shared > spare_b:
            return 0.0
    return shared / (total - shared)


@jit
def _pairs(data, offsets, first, second, threshold):
    values = np.empty(len(first), np.float64)
    for pair in range(len(first)):
        values[pair] = _similarity(data, offsets, first[pair], second[pair], threshold)
    return values


@jit
def _follow(data, offsets, members, leaders, threshold, limit):
    joined = np.empty(len(members), np.int64)
    now = np.empty(max(limit, len(leaders)), np.int64)
    now[: len(leaders)] = leaders
    number = len(leaders)
    compared = 0
    for place in range(len(members)):
        member = members[place]
        joined[place] = -2
        for leader in range(number):
            compared += 1
            if _similarity(data, offsets, now[leader], member, threshold) >= threshold:
                joined[place] = leader
                break
        else:
            if number < limit:
                now[number] = member
                number += 1
                joined[place] = -1
    return joined, compared
