"""Even out a plain score: one threshold for each group, and no rules behind it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hinterland.core.errors import ConfigError
from hinterland.core.places import UNKNOWN
from hinterland.curate.debias.arrays import Groups, Ids, as_grouping, as_numbers, tie_breaks
from hinterland.curate.debias.counted import counted
from hinterland.curate.debias.equalize import Mode, equalize
from hinterland.curate.debias.result import Result

__all__ = ["best_share", "equalize_scores"]

Floats = NDArray[np.float64]


def equalize_scores(
    score: ArrayLike,
    group: Groups,
    tokens: ArrayLike,
    *,
    rate: float | None = None,
    threshold: float | None = None,
    lower_is_better: bool = False,
    mode: Mode = "rate",
    disparity: float = 0.95,
    target: float | None = None,
    max_loss: float = 1.0,
    locked_out: ArrayLike | None = None,
    ids: Ids | None = None,
    seed: int = 0,
    min_documents: int = 30,
    exempt: Sequence[str] = (UNKNOWN,),
) -> Result:
    """Choose one threshold of a score for each group.

    What one threshold for all would keep is the starting point: the best ``rate`` of all
    documents, or those at ``threshold`` or better. From there it is `equalize`, with the
    distance to that threshold as severity and the score as quality, so each group keeps
    its best documents. Each group's own threshold is in ``groups[label].score``;
    which documents at it are kept is a draw from their ids and the seed.

    Args:
        score: The score, shape (documents,). NaN is never kept.
        group: Label of each document.
        tokens: Tokens of each document.
        rate: The share of documents that one threshold for all keeps. In mode "rate" it is
            also what each group keeps.
        threshold: The one threshold for all; either this or ``rate``.
        lower_is_better: Keep low scores.
        mode: See `equalize`.
        disparity: See `equalize`.
        target: See `equalize`; in mode "rate" the ``rate`` by default.
        max_loss: See `equalize`.
        locked_out: Documents that are never kept.
        ids: With the seed they decide between equals; the position does by default.
        seed: Another seed decides otherwise between equals.
        min_documents: See `equalize`.
        exempt: Groups that keep what one threshold for all keeps.

    Raises:
        ConfigError: Neither or both of ``rate`` and ``threshold`` are given, or out of range.
        CorpusError: The arrays differ in length, or tokens are negative or missing.
    """
    if (rate is None) == (threshold is None):
        raise ConfigError(
            "give either a rate or a threshold", where="debias", cure="rate=0.5 keeps the best half"
        )
    if rate is not None and not 0 <= rate <= 1:
        raise ConfigError(f"rate is {rate}", where="debias", cure="give a share from 0 to 1")
    grouping = as_grouping(group)
    size = len(grouping)
    given = as_numbers(score, size, "scores")
    good = np.where(np.isfinite(given), -given if lower_is_better else given, np.nan)
    open_to = np.isfinite(good)
    if locked_out is not None:
        open_to &= ~np.asarray(locked_out, dtype=bool)
    if rate is not None:
        kept = best_share(good, open_to, rate, ids, seed)
        bound = float(good[kept].min()) if kept.any() else float(good[open_to].max(initial=0.0))
    else:
        bound = -float(threshold or 0.0) if lower_is_better else float(threshold or 0.0)
        kept = open_to & (good >= bound)
    result = equalize(
        np.maximum(bound - good, 0.0),
        kept,
        grouping,
        tokens,
        mode=mode,
        disparity=disparity,
        target=rate if mode == "rate" and target is None else target,
        quality=good,
        locked_out=~open_to & np.isfinite(good),
        ids=ids,
        seed=seed,
        min_documents=min_documents,
        exempt=exempt,
        max_loss=max_loss,
    )
    least = np.full(len(grouping.labels), np.inf)
    np.minimum.at(least, grouping.codes[result.keep], good[result.keep])
    least = np.where(np.isfinite(least), -least if lower_is_better else least, np.nan)
    groups = {
        label: replace(change, score=float(own))
        for (label, change), own in zip(result.groups.items(), least, strict=True)
    }
    bare = int(np.isnan(good).sum())
    notes = result.notes
    if bare:
        one, several = "document has no score and is not kept.", "documents have no score and are not kept."
        notes += (counted(bare, one, several),)
    return replace(result, groups=groups, notes=notes)


def best_share(
    good: Floats, open_to: NDArray[np.bool_], rate: float, ids: Ids | None, seed: int = 0
) -> NDArray[np.bool_]:
    """Return which documents are the best share of all; between equals `tie_breaks` decides.

    Args:
        good: Higher is better, shape (documents,).
        open_to: Which may be chosen.
        rate: The share of all documents, rounded down to a whole number.
        ids: Ids of the documents, or ``None``.
        seed: Decides between equals, with the ids.
    """
    rows = np.flatnonzero(open_to)
    order = rows[np.lexsort((tie_breaks(ids, len(good), seed)[rows], -good[rows]))]
    kept = np.zeros(len(good), dtype=bool)
    kept[order[: int(np.floor(rate * len(good) + 1e-9))]] = True
    return kept
