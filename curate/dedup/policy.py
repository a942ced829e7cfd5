"""Which of several copies is kept: a named policy is an order over all documents."""

from __future__ import annotations

from typing import Any, Literal, get_args

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from hinterland.core.errors import ConfigError, nearest

__all__ = ["POLICIES", "POLICY_COLUMNS", "Policy", "keep_order"]

#: Of several copies the kept one has the smallest id (``first``), the most characters
#: (``longest``), the earliest date (``oldest``; copies without one come last), or the
#: source with the fewest documents in the corpus (``rarest``; documents without a source
#: count as one source). Ties go to the smallest id.
Policy = Literal["first", "longest", "oldest", "rarest"]
POLICIES: tuple[Policy, ...] = get_args(Policy)

#: The corpus column a policy looks at, apart from ``id``.
POLICY_COLUMNS: dict[Policy, str] = {"longest": "text", "oldest": "date", "rarest": "source"}


def keep_order(policy: Policy, ids: pa.ChunkedArray, values: pa.ChunkedArray | None) -> NDArray[np.uint32]:
    """Return the documents' rows in the order in which the policy would keep them.

    Args:
        policy: The policy.
        ids: One id per document.
        values: What the policy looks at: characters (``longest``), ISO 8601 dates, which
            are compared as text, or sources; ``None`` for ``first``.

    Returns:
        Rows, the most wanted first, shape (documents,). It does not depend on the order
        of the documents, as long as their ids differ.

    Raises:
        ConfigError: The policy is unknown.
    """
    if policy not in POLICIES:
        raise ConfigError(f"unknown duplicate policy {policy!r}", cure=nearest(policy, POLICIES))
    if policy == "first" or values is None:
        return _rows(pc.sort_indices(ids))
    keys = {"longest": _lengths, "oldest": _dates, "rarest": _sources}[policy](values)
    table = pa.table({"key": keys, "id": ids})
    return _rows(pc.sort_indices(table, sort_keys=[("key", "ascending"), ("id", "ascending")]))


def _rows(indices: pa.Array) -> NDArray[np.uint32]:
    return np.asarray(indices.to_numpy(), dtype=np.uint32)


def _lengths(values: pa.ChunkedArray) -> NDArray[np.int64]:
    return -np.asarray(values.to_numpy(), dtype=np.int64)


def _dates(values: pa.ChunkedArray) -> NDArray[np.int64]:
    """Return the place of each date among all; what begins with no year comes last."""
    dated = pc.if_else(pc.match_substring_regex(values, r"^\d{4}"), values, None)
    known = dated.unique().drop_null()
    known = known.take(pc.sort_indices(known))
    return _codes(dated, known, missing=len(known))


def _sources(values: pa.ChunkedArray) -> NDArray[np.int64]:
    """Return how many documents there are of each one's source."""
    counted = pc.value_counts(values)
    known, counts = counted.field("values"), counted.field("counts").to_numpy()
    codes = pc.index_in(values, value_set=known).to_numpy()
    return np.asarray(counts[codes], dtype=np.int64)


def _codes(values: pa.ChunkedArray, known: Any, *, missing: int) -> NDArray[np.int64]:
    found = pc.fill_null(pc.index_in(values, value_set=known, skip_nulls=True), missing)
    return np.asarray(found.to_numpy(), dtype=np.int64)
