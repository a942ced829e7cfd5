"""A rule: the range of a score in which a document is kept."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hinterland.core.config import Config
from hinterland.core.errors import ConfigError, nearest

__all__ = ["Bounds", "Rule", "above", "below", "override_rules"]

Floats = NDArray[np.float64]


def above(bound: float) -> float:
    """Return the smallest float above ``bound``: the low end where "≤ bound" is out."""
    return math.nextafter(bound, math.inf)


def below(bound: float) -> float:
    """Return the largest float below ``bound``: the high end where "≥ bound" is out."""
    return math.nextafter(bound, -math.inf)


class Bounds(Config):
    """A config's new bounds for a rule; a bound that is not given stays, null removes it.

    Attributes:
        low: The smallest value that is kept.
        high: The largest value that is kept.
    """

    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class Rule:
    """Keep a document if ``low <= value <= high``; NaN is unmeasured and passes.

    Attributes:
        column: The score column, ``<filter>.<measure>``. It is also the rule's name.
        reason: What goes into a document's reasons if the rule drops it.
        low: The smallest value that is kept; ``None`` is no bound.
        high: The largest value that is kept; ``None`` is no bound.
    """

    column: str
    reason: str
    low: float | None = None
    high: float | None = None

    @property
    def filter(self) -> str:
        """The filter that writes the column."""
        return self.column.partition(".")[0]

    def violation(self, values: ArrayLike) -> Floats:
        """Return how far each value lies outside, without a unit; 0 passes.

        The measure is the distance to the bound divided by the larger of the value's and
        the bound's size: ``1 − value/low`` below a low bound and ``1 − high/value`` above
        a high one. For scores and bounds that are not negative it lies between 0 and 1,
        grows with the distance, and depends on the ratio of value and bound alone: half
        the low bound and twice the high bound are both 0.5. It is a function of the one
        value, so it does not change with the documents beside it. Any value above a high
        bound of zero is 1.

        Args:
            values: Scores (floats or booleans), shape (n,).

        Returns:
            Violations, shape (n,); NaN scores give 0.
        """
        array = np.asarray(values, dtype=np.float64)
        worst = np.zeros(array.shape)
        if self.low is not None:
            worst = np.where(array < self.low, _relative(array, self.low), worst)
        if self.high is not None:
            worst = np.where(array > self.high, np.maximum(worst, _relative(array, self.high)), worst)
        return worst

    def passes(self, values: ArrayLike) -> NDArray[np.bool_]:
        """Return which values are kept, shape (n,): those whose violation is 0."""
        array = np.asarray(values, dtype=np.float64)
        out = np.zeros(array.shape, dtype=bool)
        if self.low is not None:
            out |= array < self.low
        if self.high is not None:
            out |= array > self.high
        return ~out

    def to_dict(self) -> dict[str, Any]:
        """Return the rule for a manifest."""
        return asdict(self)


def _relative(values: Floats, bound: float) -> Floats:
    """Return |value − bound| over the larger of |value| and |bound|; infinite values give 1."""
    with np.errstate(invalid="ignore", divide="ignore"):
        distance = np.abs(values - bound) / np.maximum(np.abs(values), abs(bound))
    return np.where(np.isinf(values), 1.0, distance)


def override_rules(rules: Iterable[Rule], thresholds: Mapping[str, Bounds]) -> tuple[Rule, ...]:
    """Return ``rules`` with the bounds that a config gives by rule name.

    Raises:
        ConfigError: No rule has the name, or a low bound lies above the high one.
    """
    rules = tuple(rules)
    for name in thresholds:
        if name not in {rule.column for rule in rules}:
            raise ConfigError(
                f"no rule {name!r}", where="thresholds", cure=nearest(name, (rule.column for rule in rules))
            )
    changed = []
    for rule in rules:
        given = thresholds.get(rule.column)
        if given is not None:
            rule = replace(rule, **{key: getattr(given, key) for key in given.model_fields_set})  # noqa: PLW2901
        if rule.low is not None and rule.high is not None and rule.low > rule.high:
            raise ConfigError(
                f"low {rule.low} is above high {rule.high}",
                where=f"thresholds.{rule.column}",
                cure="swap them",
            )
        changed.append(rule)
    return tuple(changed)
