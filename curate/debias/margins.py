"""One margin of raking: a reference's shares, what the bounds allow, and what came of it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hinterland.core.errors import ConfigError, CorpusError
from hinterland.curate.audit.groups import Grouping
from hinterland.curate.debias.counted import counted
from hinterland.curate.debias.ipf import scale_groups

__all__ = ["Margin", "MarginRow", "margin_rows", "read_margin"]

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]
#: A distance from a share that is rounding.
_ROUNDING = 1e-9


@dataclass(frozen=True, slots=True)
class MarginRow:
    """One group of a margin.

    Attributes:
        group: The label.
        documents: Kept documents.
        reference: The share wanted, of what is in groups of the reference; NaN where the
            reference does not name the group.
        before: Its share before: of what is in groups of the reference, or, where the
            reference does not name it, of all.
        after: The same after.
        mean_weight: The mean weight of its documents (by tokens, where shares are of tokens).
        needed: The mean weight with which the margin alone would be met without bounds; NaN
            where it cannot be, or need not.
    """

    group: str
    documents: int
    reference: float
    before: float
    after: float
    mean_weight: float
    needed: float


@dataclass(frozen=True)
class Margin:
    """A grouping and the sums that its groups should have.

    Attributes:
        name: The margin's name.
        labels: The groups.
        codes: Each document's group; those in groups that the reference does not name are
            in one more, at the end, shape (documents,).
        wanted: Each group's sum, and that of the others, shape (groups + 1,).
        free: The same without bounds on the weights.
        size: Each group's amount, unweighted.
        listed: Which groups the reference names and which have documents, shape (groups,).
        shares: The reference's shares by label, summing to 1.
        others: Documents in groups that the reference does not name.
    """

    name: str
    labels: tuple[str, ...]
    codes: Codes
    wanted: Floats
    free: Floats
    size: Floats
    listed: NDArray[np.bool_]
    shares: dict[str, float]
    others: int


def read_margin(
    name: str,
    group: Grouping,
    reference: Mapping[str, float],
    before: Floats,
    amount: Floats,
    bounds: tuple[float, float],
) -> Margin:
    """Turn a reference's shares into the sums that its groups can have within the bounds.

    Args:
        name: The margin.
        group: Each document's group.
        reference: Group → share, on any scale.
        before: Weights before, 0 where not kept.
        amount: What a document counts.
        bounds: The smallest and the largest weight.

    Raises:
        ConfigError: No weights within the bounds keep the total.
        CorpusError: A share is negative or missing, or no group with documents has one.
    """
    shares = _shares(name, reference)
    groups, held = len(group.labels), before > 0
    size = np.bincount(group.codes[held], weights=amount[held], minlength=groups).astype(np.float64)
    mass = np.bincount(group.codes, weights=before * amount, minlength=groups).astype(np.float64)
    listed = np.array([label in shares for label in group.labels], dtype=bool) & (size > 0)
    share = np.array([shares.get(label, 0.0) for label in group.labels])
    if not share[listed].sum() > 0:
        raise CorpusError(
            f"no group with documents has a share in the reference of {name!r}",
            where="rake",
            cure=f"its groups are {', '.join(group.labels[:20]) or 'none'}",
        )
    codes = np.where(listed[group.codes], group.codes, groups)
    total, rest = float(mass[listed].sum()), float(mass[~listed].sum())
    free = np.append(np.where(listed, share, 0.0) / share[listed].sum() * total, rest)
    wanted = np.zeros(groups + 1)
    wanted[:groups][listed] = _within(name, share[listed], size[listed], total, bounds)
    wanted[groups] = np.clip(rest, bounds[0] * size[~listed].sum(), bounds[1] * size[~listed].sum())
    return Margin(
        name, group.labels, codes, wanted, free, size, listed, shares, int((held & (codes == groups)).sum())
    )


def _shares(name: str, reference: Mapping[str, float]) -> dict[str, float]:
    shares = {str(label): float(share) for label, share in reference.items()}
    for label, share in shares.items():
        if not (math.isfinite(share) and share >= 0):
            raise CorpusError(
                f"the reference share of {label!r} is negative or missing",
                where=f"rake: {name}",
                cure="correct it",
            )
    total = math.fsum(shares.values())
    if not total > 0:
        raise CorpusError(
            "the reference's shares sum to 0", where=f"rake: {name}", cure="give at least one above 0"
        )
    return {label: share / total for label, share in shares.items()}


def _within(name: str, share: Floats, size: Floats, total: float, bounds: tuple[float, float]) -> Floats:
    """Return sums in proportion to the shares, of mean weights within the bounds, with the given total.

    Raises:
        ConfigError: There are none.
    """
    low, high = bounds
    carried = size[share > 0].sum()
    most, least = high * carried + low * size[share <= 0].sum(), low * size.sum()
    if most < total * (1 - 1e-12):
        raise ConfigError(
            f"with max_weight {high:g} the groups with a share cannot make up for those with none",
            where=f"rake: {name}",
            cure=f"give at least {total / carried:.2f}",
        )
    if least > total * (1 + 1e-12):
        raise ConfigError(
            f"min_weight {low:g} is above the mean weight before", where=f"rake: {name}", cure="give less"
        )
    raw = share / size
    factor = scale_groups(raw, size, np.zeros(len(size), dtype=np.int64), np.array([total]), low, high)
    return np.asarray(np.clip(raw * factor[0], low, high) * size)


def margin_rows(
    margin: Margin,
    group: Grouping,
    before: Floats,
    after: Floats,
    amount: Floats,
    bounds: tuple[float, float],
    tolerance: float,
    converged: bool,
) -> tuple[tuple[MarginRow, ...], dict[str, str]]:
    """Say what came of a margin.

    Returns:
        A row for each group with documents or a share, and the groups off their share, and why.
    """
    groups, held = len(margin.labels), before > 0
    n = np.bincount(group.codes[held], minlength=groups)
    mass, now = (np.bincount(group.codes, weights=w * amount, minlength=groups) for w in (before, after))
    total, total_now, everything = mass[margin.listed].sum(), now[margin.listed].sum(), mass.sum()
    rows, unmet = [], {}
    for g, label in enumerate(margin.labels):
        if not n[g]:
            continue
        listed = bool(margin.listed[g])
        needed = float(margin.free[g] / margin.size[g]) if listed else math.nan
        rows.append(
            MarginRow(
                group=label,
                documents=int(n[g]),
                reference=margin.shares[label] if listed else math.nan,
                before=float(mass[g] / (total if listed else everything)),
                after=float(now[g] / (total_now if listed else now.sum())) if now.sum() else math.nan,
                mean_weight=float(now[g] / margin.size[g]) if margin.size[g] else math.nan,
                needed=needed,
            )
        )
        if listed:
            why = _why(rows[-1], margin, g, float(now[g]), bounds, tolerance, converged)
            if why:
                unmet[label] = why
    present = {row.group for row in rows if not math.isnan(row.reference)}
    for label, share in margin.shares.items():
        if label not in present:
            rows.append(MarginRow(label, 0, share, 0.0, 0.0, math.nan, math.nan))
            if share > 0:
                unmet[label] = f"it has no documents to weigh to {share:.1%}"
    return tuple(rows), unmet


def _why(
    row: MarginRow,
    margin: Margin,
    g: int,
    now: float,
    bounds: tuple[float, float],
    tolerance: float,
    converged: bool,
) -> str:
    """Return why a group is off its share; "" where it is not, or only makes up for another."""
    low, high = bounds
    documents = counted(row.documents, "document")
    reached = f"it reaches {row.after:.1%}, not {row.reference:.1%}"
    short = row.after < row.reference - max(tolerance, _ROUNDING)
    if row.needed > high * (1 + _ROUNDING) and short:
        return f"its {documents} would need weight {row.needed:.1f}, above {high:g}; {reached}"
    if row.needed < low * (1 - _ROUNDING):
        return f"its {documents} would need weight {row.needed:.2g}, below {low:g}; {reached}"
    off = abs(now - margin.wanted[g]) / margin.wanted.sum()
    if not converged and off > max(tolerance, _ROUNDING):
        return f"the margins conflict: with weights from {low:g} to {high:g} {reached}"
    return ""
