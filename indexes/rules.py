"""Rules of a config over an index's chunks: weights, age, caps. Relevance is multiplied, never replaced."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from hinterland.core.columns import TableValues
from hinterland.core.errors import ConfigError
from hinterland.core.expressions import parse
from hinterland.indexes.search_config import DecayConfig, RuleConfig

__all__ = ["Cap", "Caps", "Rules", "compile_rules", "condition_mask", "decay", "years_of"]

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

_DATE = re.compile(r"\s*(\d{4})(?:-(\d{1,2}))?(?:-(\d{1,2}))?(?:[T ].*)?\s*", re.DOTALL)
_YEAR = 365.2425 * 86400  # seconds


def years_of(date: str | None) -> float:
    """Return a date as years, or NaN where it cannot be read.

    A day is ISO 8601, with or without a time, which is ignored. A month or a year alone stands for its
    middle.

    >>> years_of("2020-07-02") - years_of("2020"), years_of("June 2020")
    (0.0, nan)
    """
    match = _DATE.fullmatch(date or "")
    if match is None:
        return float("nan")
    year, month, day = match.groups()
    try:
        if month is None:
            when = datetime(int(year), 7, 2, tzinfo=UTC)
        else:
            when = datetime(int(year), int(month), int(day or 16), tzinfo=UTC)
    except ValueError:  # a thirteenth month, the year 0
        return float("nan")
    return (when - datetime(1, 1, 1, tzinfo=UTC)).total_seconds() / _YEAR


def decay(ages: Floats, config: DecayConfig) -> Floats:
    """Return what age leaves: max(floor, 0.5^(age / half-life)); 1 for the future.

    Args:
        ages: Years, NaN for unknown.
        config: Half-life, floor, and what is left where no date is known.
    """
    left = np.maximum(config.floor, 0.5 ** (np.maximum(ages, 0) / config.half_life_years))
    return np.where(np.isnan(ages), config.unknown, left)


def condition_mask(text: str, table: pa.Table, *, where: str) -> Mask:
    """Return for which rows a condition holds, shape (rows,); an empty one holds for all.

    Raises:
        ConfigError: It cannot be read, or names a column that is not there.
    """
    if not text.strip():
        return np.ones(table.num_rows, dtype=np.bool_)
    return parse(text, where=where).holds(TableValues(table))[0]


@dataclass(frozen=True)
class Cap:
    """At most ``most`` of each source among the chunks that ``fits`` marks, shape (chunks,)."""

    fits: Mask
    most: int


@dataclass(frozen=True)
class Rules:
    """Rules worked out for each chunk of an index.

    Attributes:
        factors: What relevance is multiplied by, shape (chunks,); ``None`` where it is 1 for all.
        caps: How many of each source may be returned.
        sources: Each chunk's source as a number, shape (chunks,); no source is one too.
    """

    factors: Floats | None
    caps: tuple[Cap, ...]
    sources: NDArray[np.int64]

    @property
    def left_in(self) -> Mask | None:
        """Which chunks have a factor above 0; ``None`` where all have."""
        return None if self.factors is None or (self.factors > 0).all() else self.factors > 0


class Caps:
    """Counts what was returned for one query, and says what may still be.

    Args:
        rules: The rules.
    """

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._taken: list[dict[int, int]] = [{} for _ in rules.caps]

    def admits(self, row: int) -> bool:
        """Whether a chunk may be returned."""
        source = int(self._rules.sources[row])
        return all(
            not cap.fits[row] or taken.get(source, 0) < cap.most
            for cap, taken in zip(self._rules.caps, self._taken, strict=True)
        )

    def take(self, row: int) -> None:
        """Count a chunk that is returned."""
        source = int(self._rules.sources[row])
        for cap, taken in zip(self._rules.caps, self._taken, strict=True):
            if cap.fits[row]:
                taken[source] = taken.get(source, 0) + 1

    def shut(self, row: int, rows: NDArray[np.int64]) -> Mask:
        """Count a chunk that is returned, and say which chunks may no longer be.

        Args:
            row: The chunk.
            rows: Chunks that could be returned before.

        Returns:
            Which of them are of its source and would be too many, shape (rows,).
        """
        self.take(row)
        source = int(self._rules.sources[row])
        full = np.zeros(len(rows), dtype=np.bool_)
        for cap, taken in zip(self._rules.caps, self._taken, strict=True):
            if taken.get(source, 0) >= cap.most:
                full |= cap.fits[rows]
        full &= self._rules.sources[rows] == source
        return full


def compile_rules(rules: Sequence[RuleConfig], table: pa.Table, *, where: str = "search") -> Rules:
    """Work out the rules for each chunk. Every rule that fits applies; factors are multiplied.

    Args:
        rules: The rules.
        table: The chunks, with ``source`` and ``date``.
        where: Their place in the config, for errors.

    Raises:
        ConfigError: A condition cannot be read, names a column that is not there, or ``now`` is no date.
    """
    factors, caps = np.ones(table.num_rows), []
    years: Floats | None = None
    for number, rule in enumerate(rules):
        fits = condition_mask(rule.when, table, where=f"{where}.rules[{number}].when")
        factors[fits] *= rule.weight
        if rule.decay is not None:
            years = _years(table) if years is None else years
            now = _now(rule.decay, years, f"{where}.rules[{number}].decay.now")
            factors[fits] *= decay(now - years[fits], rule.decay)
        if rule.most is not None:
            caps.append(Cap(fits, rule.most))
    sources = table["source"].combine_chunks().dictionary_encode(null_encoding="encode")
    indices = np.asarray(sources.indices.to_numpy(zero_copy_only=False), dtype=np.int64)
    return Rules(None if (factors == 1).all() else factors, tuple(caps), indices)


def _years(table: pa.Table) -> Floats:
    dates = table["date"].cast(pa.string()).combine_chunks().dictionary_encode()
    known = np.array([*(years_of(date) for date in dates.dictionary.to_pylist()), np.nan])
    indices = dates.indices.cast(pa.int64()).fill_null(len(known) - 1)
    return np.asarray(known[indices.to_numpy(zero_copy_only=False)])


def _now(config: DecayConfig, years: Floats, where: str) -> float:
    if config.now is None:
        known = years[~np.isnan(years)]
        return float(known.max()) if len(known) else 0.0
    now = years_of(config.now)
    if np.isnan(now):
        raise ConfigError(
            f"{config.now!r} is no date", where=where, cure="write a year, a month or a day: 2026-11-22"
        )
    return now
