"""Weights by which groups have the shares of a corpus that are wanted."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from hinterland.core.errors import ConfigError, CorpusError, nearest
from hinterland.curate.decisions_config import Mixing
from hinterland.curate.sampling import amounts, group_report
from hinterland.curate.score_columns import Columns

__all__ = ["mix"]

Floats = NDArray[np.float64]


def mix(columns: Columns, config: Mixing, weight: Floats) -> tuple[NDArray[np.bool_], Floats, dict[str, Any]]:
    """Give each group one factor, so that its share of the weighted total is the one wanted.

    Args:
        columns: The corpus.
        config: The shares.
        weight: The documents' weights so far, shape (documents,); 0 is out.

    Returns:
        Which documents are out because their group has no share, the new weights, and a
        report: the total, the group that limits it (``None`` if it is as large as wanted),
        and for each group the share and amount before and after, and the factor.

    Raises:
        ConfigError: A share is for a group that the corpus does not have.
        CorpusError: Nothing is left of a group that should have a share, or of all groups
            without a named one while the named shares add up to less than 1.
    """
    codes, names = columns.codes(config.by)
    amount = amounts(columns, config.of, where="mixing.of")
    size: Floats = np.bincount(codes, weight * amount, len(names)).astype(np.float64)
    if not size.sum():
        return np.zeros(len(weight), dtype=bool), weight, {"total": 0.0, "limited_by": None, "groups": {}}
    shares = _shares(config, names, size)
    wanted = config.total if config.total is not None else float(size.sum())
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        reach = np.where(shares > 0, config.most * size / shares, np.inf)
        tightest = int(np.argmin(reach))
        total = min(wanted, float(reach[tightest]))
        factor = np.where(size > 0, shares * total / size, 0.0)
    named = np.isin(names, list(config.shares))
    if (rest := size[~named].sum()) > 0:  # the same for all of them, also those that count nothing
        factor[~named] = shares[~named].sum() * total / rest
    out = (weight > 0) & (factor[codes] == 0)
    mixed = weight * factor[codes]
    groups = group_report(codes, names, amount, weight, mixed)
    for code, name in enumerate(names):
        if name in groups:
            groups[name] |= {
                "share_before": float(size[code] / size.sum()),
                "share": groups[name]["amount"] / total,
                "factor": float(factor[code]),
            }
    limited = total < wanted * (1 - 1e-12)
    return out, mixed, {"total": total, "limited_by": names[tightest] if limited else None, "groups": groups}


def _shares(config: Mixing, names: list[str], size: Floats) -> Floats:
    """Return every group's share of the total, shape (groups,)."""
    shares = np.zeros(len(names))
    for name, share in config.shares.items():
        if name not in names:
            raise ConfigError(
                f"no group {name!r}", where=f"mixing.shares, by {config.by}", cure=nearest(name, names)
            )
        shares[names.index(name)] = share
        if share > 0 and size[names.index(name)] == 0:
            raise CorpusError(
                f"nothing is left of the group {name!r}, which should be {share:.1%}",
                where="mixing.shares",
                cure="loosen the rules that drop it, or leave it out",
            )
    rest = 1 - sum(config.shares.values())
    other = np.where(np.isin(names, list(config.shares)), 0.0, size)
    if rest > 1e-9:
        if not other.sum():
            raise CorpusError(
                f"the shares add up to {1 - rest:.6g}, and no other group is left",
                where="mixing.shares",
                cure="have them add up to 1",
            )
        shares = shares + rest * other / other.sum()
    return shares
