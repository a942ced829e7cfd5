"""Clusters of numbered things from pairs of them, compiled."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hinterland.curate.kernels.jit import jit

__all__ = ["follow_first", "join_pairs"]

Numbers = NDArray[np.uint32]


def join_pairs(parent: Numbers, first: Numbers, second: Numbers) -> None:
    """Join the sets of each pair in place; a set's root is its smallest number.

    Args:
        parent: ``arange(n)`` at the start; afterwards each number leads to its root.
        first: One number of each pair.
        second: The other.
    """
    _join(parent, first, second)


def follow_first(first: Numbers, second: Numbers, parent: Numbers) -> None:
    """Give each number, in ascending order, the smallest root below it that it is paired with.

    Args:
        first: The smaller number of each pair.
        second: The larger; the pairs are sorted by it, then by ``first``.
        parent: ``arange(n)``; changed in place. What is paired with no root stays a root.
    """
    _follow(first, second, parent)


@jit
def _root(parent, number):
    while parent[number] != number:
        parent[number] = parent[parent[number]]
        number = parent[number]
    return number


@jit
def _join(parent, first, second):
    for pair in range(len(first)):
        one, other = _root(parent, first[pair]), _root(parent, second[pair])
        if one < other:
            parent[other] = one
        elif other < one:
            parent[one] = other
    for number in range(len(parent)):  # roots are smaller, so they are done before
        parent[number] = parent[parent[number]]


@jit
def _follow(first, second, parent):
    for pair in range(len(first)):
        one, other = first[pair], second[pair]
        if parent[other] == other and parent[one] == one:
            parent[other] = one
