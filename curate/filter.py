"""The seam for filters: each scores every document and brings default rules."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from hinterland.core.registry import Registry
from hinterland.curate.rule import Rule
from hinterland.curate.words import Document, documents

__all__ = ["FILTERS", "Filter", "Scores", "make_filters", "measure_each"]

#: Columns by name, each of shape (documents,), floats or booleans.
Scores = dict[str, NDArray[Any]]


class Filter(Protocol):
    """Scores documents; it never drops one."""

    @property
    def name(self) -> str:
        """The first part of its columns' names."""
        ...

    @property
    def variant(self) -> str:
        """Whose reading of the rules this is ("paper")."""
        ...

    @property
    def rules(self) -> tuple[Rule, ...]:
        """The default rules over its columns; measures without a rule are for information."""
        ...

    def score(self, texts: Sequence[str]) -> Scores:
        """Return the columns ``<filter>.<measure>``, one value per text.

        A measure that is not defined for a text (a share of no lines) is NaN. A value
        depends on its own text alone. Given a `curate.words.Batch`, the texts are split
        once for all filters.
        """
        ...


#: Each entry makes a filter with its default parameters.
FILTERS: Registry[Callable[[], Filter]] = Registry("filter")


def make_filters(names: Iterable[str]) -> tuple[Filter, ...]:
    """Return the filters called ``names``, in that order, each once.

    Raises:
        RegistryError: There is no such filter.
    """
    import hinterland.curate.filters  # noqa: F401 - registers the ones that ship with the kit

    return tuple(FILTERS.get(name)() for name in dict.fromkeys(names))


def measure_each(
    texts: Sequence[str], name: str, measure: Callable[[Document], Mapping[str, float]], empty: Iterable[str]
) -> Scores:
    """Apply a measure of one document to each text and return the columns.

    Args:
        texts: The documents.
        name: The filter's name, put before each measure's.
        measure: Returns the same keys for every document.
        empty: The keys, for a batch without documents.
    """
    rows = [measure(document) for document in documents(texts)]
    keys = list(rows[0]) if rows else list(empty)
    return {f"{name}.{key}": np.array([row[key] for row in rows], dtype=np.float64) for key in keys}
