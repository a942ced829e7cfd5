"""Post-stratification: weights that bring the groups' shares to those of a reference.

Kalton and Flores-Cervantes (2003), "Weighting methods". A weight says how often a
document counts in training or indexing.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hinterland.core.errors import ConfigError, CorpusError
from hinterland.curate.audit.groups import Grouping, encode

__all__ = ["Weights", "effective_sample_size", "post_stratify"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Weights:
    """Weights and what they do.

    Attributes:
        weight: One for each document, 0 where it is not kept, shape (documents,).
        by_group: The weight of each group's documents.
        shares_before: Each group's share of the kept documents.
        shares_after: Its share of the weights.
        effective_sample_size: Kish's (Σw)² / Σw².
        largest_repeat: The largest weight.
        trimmed: Groups at ``max_weight``.
        unmet: Groups that do not reach their reference share, and why.
    """

    weight: Floats
    by_group: dict[str, float]
    shares_before: dict[str, float]
    shares_after: dict[str, float]
    effective_sample_size: float
    largest_repeat: float
    trimmed: tuple[str, ...]
    unmet: dict[str, str]

    def to_dict(self) -> dict[str, Any]:
        """Return all but the array as JSON-able values."""
        return {
            "by_group": self.by_group,
            "shares_before": self.shares_before,
            "shares_after": self.shares_after,
            "effective_sample_size": self.effective_sample_size,
            "largest_repeat": self.largest_repeat,
            "trimmed": list(self.trimmed),
            "unmet": self.unmet,
        }


def effective_sample_size(weight: ArrayLike) -> float:
    """Return Kish's effective sample size (Σw)² / Σw², 0 where all weights are 0.

    >>> effective_sample_size([1, 1, 1, 1]), effective_sample_size([2, 0])
    (4.0, 1.0)
    """
    w = np.asarray(weight, dtype=np.float64)
    squares = float(np.sum(w * w))
    return float(w.sum()) ** 2 / squares if squares else 0.0


def post_stratify(
    group: Grouping | Sequence[str] | NDArray[np.str_],
    reference: Mapping[str, float],
    *,
    kept: ArrayLike | None = None,
    max_weight: float = 5.0,
) -> Weights:
    """Weigh kept documents so that their groups have the reference's shares.

    The weights sum to the number of kept documents. Groups that are not in the reference
    (`UNKNOWN`, say) keep weight 1, and the reference is spread over the others. What
    trimming takes from one group goes to the others in proportion.

    Args:
        group: Label of each document, shape (documents,).
        reference: Share of each group; any scale.
        kept: Which documents are kept, shape (documents,); all by default.
        max_weight: The largest weight; at least 1.

    Raises:
        ConfigError: ``max_weight`` is below 1, or no weights under it keep the sum.
        CorpusError: A share is negative or missing, all are 0, no group is in the
            reference, or the arrays differ in length.
    """
    codes, labels = (group.codes, group.labels) if isinstance(group, Grouping) else encode(group)
    held = np.ones(len(codes), bool) if kept is None else np.asarray(kept, dtype=bool)
    if len(held) != len(codes):
        raise CorpusError(
            f"{len(held)} decisions for {len(codes)} documents", where="reweight", cure="give one each"
        )
    if not max_weight >= 1:
        raise ConfigError(f"max_weight is {max_weight}", where="reweight", cure="give 1 or more")
    shares = {label: float(share) for label, share in reference.items()}
    if not all(math.isfinite(share) and share >= 0 for share in shares.values()):
        raise CorpusError("a reference share is negative or missing", where="reweight", cure="correct it")
    n = np.bincount(codes[held], minlength=len(labels)).astype(np.float64)
    listed = np.array([label in shares and n[i] > 0 for i, label in enumerate(labels)], dtype=bool)
    wanted = np.array([shares.get(label, 0.0) for label in labels])
    if not wanted[listed].sum() > 0:
        raise CorpusError(
            "no group with documents has a share in the reference",
            where="reweight",
            cure=f"the groups are {', '.join(labels) or 'none'}",
        )
    by_group = np.where(n > 0, 1.0, 0.0)
    by_group[listed] = _trim(wanted[listed], n[listed], max_weight)
    weight = np.where(held, by_group[codes], 0.0)
    total = float(n.sum())
    unmet = {
        label: "it has no documents to weigh"
        for label, share in shares.items()
        if share > 0 and (label not in labels or n[labels.index(label)] == 0)
    }
    free = wanted * listed / wanted[listed].sum() * n[listed].sum()
    capped = [int(i) for i in np.flatnonzero(listed) if by_group[i] >= max_weight * (1 - 1e-12)]
    for i in (i for i in capped if free[i] > by_group[i] * n[i] * (1 + 1e-9)):
        unmet[labels[i]] = (
            f"its {n[i]:.0f} documents would need weight {free[i] / n[i]:.1f}, above {max_weight:g}"
        )
    return Weights(
        weight=weight,
        by_group={label: float(by_group[i]) for i, label in enumerate(labels)},
        shares_before={label: float(n[i] / total) for i, label in enumerate(labels)},
        shares_after={label: float(by_group[i] * n[i] / total) for i, label in enumerate(labels)},
        effective_sample_size=effective_sample_size(weight),
        largest_repeat=float(weight.max(initial=0.0)),
        trimmed=tuple(labels[i] for i in capped),
        unmet=unmet,
    )


def _trim(wanted: Floats, n: Floats, most: float) -> Floats:
    """Return weights proportional to wanted / n, at most ``most``, that sum to n over documents.

    Raises:
        ConfigError: Groups with a share of 0 leave too few documents for the rest to carry.
    """
    raw = wanted / n
    if n[raw > 0].sum() * most < n.sum() * (1 - 1e-12):
        raise ConfigError(
            f"with max_weight {most:g} the groups with a share cannot make up for those with none",
            where="reweight",
            cure=f"give at least {n.sum() / n[raw > 0].sum():.2f}",
        )
    weight, loose = np.zeros(len(n)), raw > 0
    left = float(n.sum())
    while loose.any():
        scale = left / float((raw * n)[loose].sum())
        over = loose & (raw * scale >= most)
        if not over.any():
            weight[loose] = raw[loose] * scale
            break
        weight[over] = most
        left -= float(most * n[over].sum())
        loose &= ~over
    return weight
