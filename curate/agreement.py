"""How far the readings of one filter agree: the same thresholds, the same documents, other decisions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from hinterland.curate.filter import FILTERS, make_filters
from hinterland.curate.words import batches

__all__ = ["Agreement", "agreement", "readings_of"]

Flags = NDArray[np.bool_]


def readings_of(base: str) -> tuple[str, ...]:
    """Return a filter's name in each of its readings: ``c4``, ``c4@datatrove`` and so on.

    Raises:
        RegistryError: There is no such filter.
    """
    import hinterland.curate.filters  # noqa: F401 - registers the ones that ship with the kit

    readings: Mapping[str, Any] = getattr(FILTERS.get(base), "readings", {})
    return tuple(base if name == "paper" else f"{base}@{name}" for name in readings) or (base,)


@dataclass
class Agreement:
    """Decisions of several readings on the same documents.

    Attributes:
        documents: How many.
        keeps: What each reading keeps, by its name; each of shape (documents,).
        reasons: For each reading, how many documents each rule drops.
    """

    documents: int
    keeps: dict[str, Flags]
    reasons: dict[str, dict[str, int]] = field(default_factory=dict)

    def kept(self, name: str) -> float:
        """Return the share of documents that a reading keeps; NaN without documents."""
        return float(self.keeps[name].mean()) if self.documents else float("nan")

    def agree(self, one: str, other: str) -> float:
        """Return the share of documents on which two readings decide alike."""
        return float((self.keeps[one] == self.keeps[other]).mean()) if self.documents else float("nan")

    def kappa(self, one: str, other: str) -> float:
        """Return Cohen's kappa: agreement beyond what the two shares would give by chance.

        1 is full agreement, 0 what chance gives; NaN if both keep all or nothing.
        Cohen (1960), Educational and Psychological Measurement 20(1).
        """
        a, b = self.kept(one), self.kept(other)
        chance = a * b + (1 - a) * (1 - b)
        return (self.agree(one, other) - chance) / (1 - chance) if chance < 1 else float("nan")

    def to_dict(self) -> dict[str, Any]:
        """Return shares, agreement of each pair, and reasons; shares rounded to 6 decimals."""
        return {
            "documents": self.documents,
            "kept": {name: _rounded(self.kept(name)) for name in self.keeps},
            "pairs": [
                {
                    "readings": [one, other],
                    "agreement": _rounded(self.agree(one, other)),
                    "kappa": _rounded(self.kappa(one, other)),
                    "only_first_keeps": int((self.keeps[one] & ~self.keeps[other]).sum()),
                    "only_second_keeps": int((self.keeps[other] & ~self.keeps[one]).sum()),
                }
                for one, other in combinations(self.keeps, 2)
            ],
            "reasons": self.reasons,
        }


def _rounded(value: float) -> float | None:
    return round(value, 6) if np.isfinite(value) else None


def agreement(texts: Iterable[pa.ChunkedArray], names: Sequence[str]) -> Agreement:
    """Score texts with each reading and decide by its own rules.

    Args:
        texts: String columns, gone through once.
        names: Readings of a filter, or filters.

    Raises:
        RegistryError: A filter or a variant is unknown.
    """
    filters = make_filters(names)
    keeps: dict[str, list[Flags]] = {each.name: [] for each in filters}
    reasons: dict[str, dict[str, int]] = {each.name: {} for each in filters}
    documents = 0
    for column in texts:
        for batch in batches(column):
            documents += len(batch)
            for each in filters:
                scores, keep = each.score(batch), np.ones(len(batch), dtype=bool)
                for rule in each.rules:
                    passes = rule.passes(scores[rule.column])
                    short = rule.reason.partition(".")[2]
                    reasons[each.name][short] = reasons[each.name].get(short, 0) + int((~passes).sum())
                    keep &= passes
                keeps[each.name].append(keep)
    joined = {name: np.concatenate([np.empty(0, bool), *parts]) for name, parts in keeps.items()}
    return Agreement(documents, joined, reasons)
