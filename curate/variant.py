"""A filter that exists in several readings: the paper's, and those of published tools."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from hinterland.core.errors import RegistryError, nearest
from hinterland.curate.filter import Scores
from hinterland.curate.rule import Rule
from hinterland.curate.words import Batch

__all__ = ["Measures", "Reading", "VariantFilter", "each_document"]

#: Measures by name, each of shape (documents,).
Measures = Scores


@dataclass(frozen=True)
class Reading:
    """One tool's reading of a filter.

    Attributes:
        measure: From a batch to its measures, without the filter's name.
        rules: The bounds, over measures without the filter's name.
    """

    measure: Callable[[Batch], Measures]
    rules: tuple[Rule, ...]


@dataclass(frozen=True)
class VariantFilter:
    """What the filters with variants share; see `curate.filter.Filter`.

    Args:
        variant: Whose reading: ``paper`` or a tool's name. All but the paper's stand in
            the name of the filter and of its columns: ``c4@datatrove.sentences``.
    """

    variant: str = "paper"

    base: ClassVar[str]
    readings: ClassVar[Mapping[str, Reading]]

    def __post_init__(self) -> None:
        if self.variant not in self.readings:
            raise RegistryError(
                f"the filter {self.base!r} has no variant {self.variant!r}",
                cure=nearest(self.variant, self.readings),
            )

    @property
    def name(self) -> str:
        """The filter's name, with the variant behind it unless it is the paper's."""
        return self.base if self.variant == "paper" else f"{self.base}@{self.variant}"

    @property
    def rules(self) -> tuple[Rule, ...]:
        """The variant's rules over this filter's columns."""
        return tuple(
            replace(rule, column=f"{self.name}.{rule.column}", reason=f"{self.name}.{rule.reason}")
            for rule in self.readings[self.variant].rules
        )

    def score(self, texts: Sequence[str]) -> Scores:
        """See `Filter.score`."""
        return {f"{self.name}.{key}": values for key, values in self.measure(Batch.of(texts)).items()}

    def measure(self, batch: Batch) -> Measures:
        """Return the measures of a batch, without the filter's name."""
        return self.readings[self.variant].measure(batch)


def each_document(measure: Callable[[str], Mapping[str, float]]) -> Callable[[Batch], Measures]:
    """Return a measure of batches made from one of single texts, which returns the same keys for all."""

    def measures(batch: Batch) -> Measures:
        rows = [measure(text) for text in batch]
        return {
            key: np.array([row[key] for row in rows], dtype=np.float64)
            for key in (rows[0] if rows else measure(""))
        }

    return measures
