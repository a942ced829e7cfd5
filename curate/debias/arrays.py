"""What every method takes: groups, decisions, counts and ids, checked and brought to one shape."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import TypeAlias

import numpy as np
import pyarrow as pa
from numpy.typing import ArrayLike, NDArray

from hinterland.core.errors import CorpusError
from hinterland.curate.audit.groups import Grouping, encode
from hinterland.curate.debias.counted import counted
from hinterland.curate.score_columns import TableColumns

__all__ = [
    "Groups",
    "Ids",
    "as_grouping",
    "as_numbers",
    "as_optional",
    "as_tokens",
    "as_weights",
    "best_first",
    "check_lengths",
    "group_notes",
    "place_in_group",
    "quality_notes",
    "tie_breaks",
]

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]
Codes = NDArray[np.int64]
Keys = NDArray[np.uint64]
#: Labels of every document, shape (documents,).
Groups: TypeAlias = "Grouping | Sequence[str] | NDArray[np.str_] | pa.Array | pa.ChunkedArray"
#: Ids of every document, shape (documents,).
Ids: TypeAlias = "Sequence[str] | NDArray[np.str_] | pa.Array | pa.ChunkedArray"


def as_grouping(labels: Groups, name: str = "group") -> Grouping:
    """Return labels as a grouping; null and "" are `UNKNOWN`."""
    return labels if isinstance(labels, Grouping) else Grouping(name, *encode(labels))


def as_optional(values: ArrayLike | None, size: int, what: str) -> Floats | None:
    """Return numbers of shape (documents,), or ``None`` for none; see `as_numbers`."""
    return None if values is None else as_numbers(values, size, what)


def as_numbers(values: ArrayLike, size: int, what: str) -> Floats:
    """Return numbers of shape (documents,).

    Raises:
        CorpusError: There are more or fewer than documents.
    """
    found = np.asarray(values, dtype=np.float64)
    check_lengths({"documents": size, what: len(found)})
    return found


def as_tokens(tokens: ArrayLike | None, size: int) -> Floats:
    """Return token counts of shape (documents,); 1 each where none are given.

    Raises:
        CorpusError: A count is negative or missing, or there are more or fewer than documents.
    """
    counts = np.ones(size) if tokens is None else np.asarray(tokens, dtype=np.float64)
    check_lengths({"documents": size, "token counts": len(counts)})
    if counts.size and not (np.isfinite(counts).all() and counts.min() >= 0):
        raise CorpusError("a token count is negative or missing", where="debias", cure="count them again")
    return counts


def as_weights(kept: ArrayLike | None, weight: ArrayLike | None, size: int) -> Floats:
    """Return the weights before: 0 where a document is not kept, shape (documents,).

    Args:
        kept: Which documents are kept; all by default.
        weight: Weights of the kept documents; 1 by default.
        size: How many documents there are.

    Raises:
        CorpusError: A kept document's weight is negative or missing, or lengths differ.
    """
    held = np.ones(size, dtype=bool) if kept is None else np.asarray(kept, dtype=bool)
    given = np.ones(size) if weight is None else np.asarray(weight, dtype=np.float64)
    check_lengths({"documents": size, "decisions": len(held), "weights": len(given)})
    bad = held & ~(np.isfinite(given) & (given >= 0))
    if bad.any():
        raise CorpusError(
            f"{counted(int(bad.sum()), 'kept document has', 'kept documents have')}"
            " a weight that is negative or missing",
            where="debias",
            cure="a weight is a number of 0 or more: decide again",
        )
    return np.where(held, given, 0.0)


def check_lengths(lengths: Mapping[str, int]) -> None:
    """Refuse columns of different lengths.

    Raises:
        CorpusError: They differ.
    """
    if len(set(lengths.values())) > 1:
        found = ", ".join(f"{name} {length}" for name, length in lengths.items())
        raise CorpusError(
            f"the columns have different lengths: {found}", where="debias", cure="give one each"
        )


def tie_breaks(ids: Ids | None, size: int, seed: int) -> Keys:
    """Return a key that decides between equal documents, the smallest first, shape (documents,).

    It is a draw from each id and the seed: neither the order of documents nor that of ids
    shows in it. Ids often begin with a place, a source or a date, and the first of them would
    then stand for all. Without ids it is the position.

    Raises:
        CorpusError: There are more or fewer ids than documents.
    """
    if ids is None:
        return np.arange(size, dtype=np.uint64)
    column = ids if isinstance(ids, pa.Array | pa.ChunkedArray) else pa.array(np.asarray(ids) if size else [])
    check_lengths({"documents": size, "ids": len(column)})
    return TableColumns(pa.table({"id": column.cast(pa.string())})).draws(seed, "debias", "ties")


def place_in_group(codes: Codes, keys: Iterable[NDArray[np.generic]]) -> Codes:
    """Return each document's place within its group, from 0.

    Args:
        codes: Group of each document, shape (documents,).
        keys: What the documents are ordered by, ascending, the most important first.
    """
    order = np.lexsort((*reversed(list(keys)), codes))
    starts = np.searchsorted(codes[order], np.arange(codes.max(initial=-1) + 1))
    place = np.empty(len(codes), dtype=np.int64)
    place[order] = np.arange(len(codes)) - starts[codes[order]]
    return place


def best_first(worth: Floats | None, size: int) -> Floats:
    """Return a key that is smallest for the best quality; what has none comes last."""
    if worth is None:
        return np.zeros(size)
    return np.where(np.isnan(worth), math.inf, -worth)


def quality_notes(held: Bools, worth: Floats | None) -> list[str]:
    """Say how many kept documents have no quality, where there is one at all."""
    bare = int((held & np.isnan(worth)).sum()) if worth is not None else 0
    one = "kept document has no quality and comes last."
    return [counted(bare, one, "kept documents have no quality and come last.")] if bare else []


def group_notes(grouping: Grouping, exempt: Sequence[str]) -> tuple[str, ...]:
    """Say where a grouping has nothing to even out: no known group, or one only."""
    there = np.bincount(grouping.codes, minlength=len(grouping.labels)) > 0
    known = [label for i, label in enumerate(grouping.labels) if there[i] and label not in exempt]
    if not len(grouping):
        return ("There is no document.",)
    if not known:
        return (f"No document has a known {grouping.name}: there is nothing to even out.",)
    if len(known) == 1:
        return (
            f"All documents with a known {grouping.name} are in one group, {known[0]}: nothing to even out.",
        )
    return ()
