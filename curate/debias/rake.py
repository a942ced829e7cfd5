"""Raking: weights with which the kept documents have the shares of several references at once.

Deming and Stephan (1940); trimmed inside the iteration (`ipf`). A weight says how often a
document counts in training; weight 0 leaves it out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hinterland.core.errors import ConfigError, CorpusError
from hinterland.curate.audit.groups import Grouping
from hinterland.curate.debias.arrays import (
    Groups,
    as_grouping,
    as_optional,
    as_tokens,
    as_weights,
    check_lengths,
)
from hinterland.curate.debias.cost import measure_cost
from hinterland.curate.debias.counted import counted
from hinterland.curate.debias.ipf import Fit, fit_weights
from hinterland.curate.debias.margins import Margin, MarginRow, margin_rows, read_margin
from hinterland.curate.debias.result import Outcome

__all__ = ["Weights", "post_stratify", "rake"]

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class Weights(Outcome):
    """Weights and what they do.

    Attributes:
        of: What the shares are shares of: "documents" or "tokens".
        margins: For each margin its groups: the share wanted, before and after.
        min_weight: The smallest weight allowed.
        max_weight: The largest weight allowed.
        converged: Whether all margins that can be met one by one are met together.
        iterations: Sweeps over all margins.
        error: The largest distance of a share from the one wanted, of those that the
            bounds allow.
        at_most: Documents at ``max_weight``.
        at_least: Documents at ``min_weight``, where that is above 0.
        trimmed: Groups of which every document is at ``max_weight``.
    """

    of: str
    margins: dict[str, tuple[MarginRow, ...]]
    min_weight: float
    max_weight: float
    converged: bool
    iterations: int
    error: float
    at_most: int
    at_least: int
    trimmed: tuple[str, ...]
    method: str = "rake"

    @property
    def by_group(self) -> dict[str, float]:
        """The mean weight of each group's documents, of the first margin."""
        return {row.group: row.mean_weight for row in self._first()}

    @property
    def shares_before(self) -> dict[str, float]:
        """Each group's share before, of the first margin."""
        return {row.group: row.before for row in self._first()}

    @property
    def shares_after(self) -> dict[str, float]:
        """Each group's share after, of the first margin."""
        return {row.group: row.after for row in self._first()}

    @property
    def effective_sample_size(self) -> float:
        """Kish's (Σw)² / Σw²."""
        return self.cost.effective_sample_size

    @property
    def design_effect(self) -> float:
        """1 + CV² of the weights."""
        return self.cost.design_effect

    @property
    def largest_repeat(self) -> float:
        """The largest weight."""
        return self.cost.largest_repeat

    def _first(self) -> list[MarginRow]:
        return [row for row in next(iter(self.margins.values())) if row.documents]


def rake(
    groups: Mapping[str, Groups],
    references: Mapping[str, Mapping[str, float]],
    *,
    kept: ArrayLike | None = None,
    weight: ArrayLike | None = None,
    tokens: ArrayLike | None = None,
    quality: ArrayLike | None = None,
    of: Literal["documents", "tokens"] = "documents",
    min_weight: float = 0.0,
    max_weight: float = 5.0,
    max_iterations: int = 1000,
    tolerance: float = 1e-6,
    min_documents: int = 30,
) -> Weights:
    """Weigh kept documents so that their groups have the shares of every reference at once.

    The total of the weights (times tokens, with ``of="tokens"``) stays. Documents of a
    group that a reference does not name (`UNKNOWN`, say) keep their share of the total,
    and the reference is spread over the others. Where bounds keep a group from its share,
    the other groups of the margin take it in proportion to theirs. Where the margins
    cannot all be met together, the last sweep's weights are returned, the last margin is
    met, and `Weights.unmet` and `Weights.converged` say so.

    Args:
        groups: Label of every document, shape (documents,), by margin.
        references: Share of each group on any scale, by margin; as many margins as there
            are references are used.
        kept: Which documents are kept; all by default.
        weight: Weights of the kept documents to start from; 1 by default.
        tokens: Tokens of each document.
        quality: Higher is better, for the cost.
        of: Whether shares are of documents or of tokens.
        min_weight: The smallest weight of a kept document, 0 to 1.
        max_weight: The largest weight, at least 1: how often a document may be repeated.
        max_iterations: The most sweeps over all margins.
        tolerance: The distance from a share within which it is met.
        min_documents: Smaller groups do not count for the cost's disparity.

    Raises:
        ConfigError: A bound is out of range, no margin is given, or no weights within the
            bounds keep the total.
        CorpusError: A reference names no group with documents, holds a share that is
            negative or missing, or sums to 0; no document is kept; the arrays differ in length.
    """
    _check(references, groups, min_weight, max_weight)
    made = {name: as_grouping(groups[name], name) for name in references}
    size = len(next(iter(made.values())))
    check_lengths({name: len(each) for name, each in made.items()})
    before, token_counts = as_weights(kept, weight, size), as_tokens(tokens, size)
    worth = as_optional(quality, size, "qualities")
    amount = token_counts if of == "tokens" else np.ones(size)
    if not (before * amount).sum() > 0:
        raise CorpusError(
            "no document is kept that could be weighed: the weights sum to 0",
            where="rake",
            cure="loosen the filters, or count tokens anew",
        )
    margins = [
        read_margin(name, made[name], references[name], before, amount, (min_weight, max_weight))
        for name in references
    ]
    unit_of, base, sums = _units(before, amount, margins)
    codes = [_per_unit(margin.codes, unit_of, len(base)) for margin in margins]
    fit = fit_weights(
        base,
        sums,
        [(each, margin.wanted) for each, margin in zip(codes, margins, strict=True)],
        min_weight,
        max_weight,
        max_iterations=max_iterations,
        tolerance=tolerance,
    )
    after = np.where(before > 0, fit.weight[np.maximum(unit_of, 0)], 0.0)
    rows: dict[str, tuple[MarginRow, ...]] = {}
    unmet: dict[str, str] = {}
    for margin in margins:
        rows[margin.name], missed = margin_rows(
            margin,
            made[margin.name],
            before,
            after,
            amount,
            (min_weight, max_weight),
            tolerance,
            fit.converged,
        )
        unmet |= {_key(margin.name, label, margins): why for label, why in missed.items()}
    first = made[margins[0].name]
    return Weights(
        before=before > 0,
        keep=after > 0,
        weight=after,
        cost=measure_cost(
            before, after, token_counts, quality=worth, group=first, min_documents=min_documents
        ),
        unmet=unmet,
        notes=_notes(margins, fit),
        of=of,
        margins=rows,
        min_weight=min_weight,
        max_weight=max_weight,
        converged=fit.converged,
        iterations=fit.iterations,
        error=fit.error,
        at_most=int((after >= max_weight * (1 - 1e-12)).sum()),
        at_least=int(((before > 0) & (after <= min_weight * (1 + 1e-12))).sum()) if min_weight else 0,
        trimmed=tuple(
            _key(margin.name, label, margins)
            for margin in margins
            for label in _at_most(made[margin.name], before, after, max_weight)
        ),
    )


def post_stratify(
    group: Groups,
    reference: Mapping[str, float],
    *,
    kept: ArrayLike | None = None,
    max_weight: float = 5.0,
) -> Weights:
    """Weigh kept documents by one reference alone: `rake` with one margin.

    Kalton and Flores-Cervantes (2003), "Weighting methods".

    Args:
        group: Label of each document, shape (documents,).
        reference: Share of each group; any scale.
        kept: Which documents are kept; all by default.
        max_weight: The largest weight; at least 1.

    Raises:
        ConfigError: See `rake`.
        CorpusError: See `rake`.
    """
    grouping = as_grouping(group)
    return rake({grouping.name: grouping}, {grouping.name: reference}, kept=kept, max_weight=max_weight)


def _check(references: Mapping[str, object], groups: Mapping[str, Groups], low: float, high: float) -> None:
    if not references:
        raise ConfigError("no margin to rake to", where="rake", cure="give a reference for a grouping")
    for name in references:
        if name not in groups:
            raise ConfigError(
                f"no groups for the margin {name!r}", where="rake", cure="give every document's label"
            )
    if not high >= 1:
        raise ConfigError(f"max_weight is {high}", where="rake", cure="give 1 or more")
    if not 0 <= low <= 1:
        raise ConfigError(f"min_weight is {low}", where="rake", cure="give a number from 0 to 1")


def _key(margin: str, label: str, margins: list[Margin]) -> str:
    """Return how a group is named: with its margin, where there are several."""
    return label if len(margins) == 1 else f"{margin}: {label}"


def _at_most(group: Grouping, before: Floats, after: Floats, most: float) -> list[str]:
    """Return the groups of which every kept document has the largest weight."""
    groups, held = len(group.labels), before > 0
    n = np.bincount(group.codes[held], minlength=groups)
    full = np.bincount(group.codes[held & (after >= most * (1 - 1e-12))], minlength=groups)
    return [label for g, label in enumerate(group.labels) if n[g] and n[g] == full[g]]


def _notes(margins: list[Margin], fit: Fit) -> tuple[str, ...]:
    notes = [
        f"{counted(margin.others, 'kept document is', 'kept documents are')} in no group of the reference of"
        f" {margin.name}: {'it keeps its share' if margin.others == 1 else 'they keep their share together'}."
        for margin in margins
        if margin.others
    ]
    if not fit.converged:
        notes.append(
            f"The margins cannot all be met together: after {counted(fit.iterations, 'sweep')} the largest"
            f" distance from a share is {fit.error:.2%}. The last margin is the one met."
        )
    return tuple(notes)


def _units(before: Floats, amount: Floats, margins: list[Margin]) -> tuple[Codes, Floats, Floats]:
    """Put documents that cannot differ in their weights together: same groups, same base weight.

    Returns:
        Each document's unit, −1 where it is not kept, and each unit's base weight and amount.
    """
    rows = np.flatnonzero(before > 0)
    unit = np.unique(before[rows], return_inverse=True)[1].astype(np.int64)
    for margin in margins:
        unit = np.unique(unit * (len(margin.wanted) + 1) + margin.codes[rows], return_inverse=True)[1].astype(
            np.int64
        )
    unit_of = np.full(len(before), -1, dtype=np.int64)
    unit_of[rows] = unit
    count = int(unit.max(initial=-1)) + 1
    base = np.zeros(count)
    base[unit] = before[rows]
    return unit_of, base, np.bincount(unit, weights=amount[rows], minlength=count).astype(np.float64)


def _per_unit(codes: Codes, unit_of: Codes, units: int) -> Codes:
    found = np.zeros(units, dtype=np.int64)
    found[unit_of[unit_of >= 0]] = codes[unit_of >= 0]
    return found
