"""What makes a regression impossible, found and named before it is fitted."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from hinterland.core.errors import CorpusError

__all__ = ["check_terms", "separating", "variance_inflation"]

Floats = NDArray[np.float64]
_TOLERANCE = 1e-9
#: Rows that the search for a separating direction starts with and adds each time, and how often.
_BLOCK, _ROUNDS = 5_000, 50


def check_terms(terms: Floats, names: Sequence[str], *, where: str) -> Floats:
    """Return the terms in standard deviations from their means; refuse what has no coefficient.

    Args:
        terms: Shape (rows, terms).
        names: Their names.
        where: The model, for errors.

    Raises:
        CorpusError: There are no more rows than terms, a term is constant, or a term is a linear
            combination of others, which are named.
    """
    rows = len(terms)
    if rows <= terms.shape[1] + 1:
        raise CorpusError(
            f"{rows} rows for {terms.shape[1]} terms and a constant",
            where=where,
            cure="give more rows, or leave out terms",
        )
    mean, spread = terms.mean(axis=0), terms.std(axis=0)
    flat = spread <= _TOLERANCE * np.maximum(np.abs(mean), np.finfo(np.float64).tiny)
    if flat.any():
        at = int(flat.argmax())
        raise CorpusError(
            f"{names[at]!r} is {mean[at]:g} in all {rows} rows", where=where, cure="leave this term out"
        )
    scaled = (terms - mean) / spread
    _check_collinear(scaled, names, where)
    return np.asarray(scaled, dtype=np.float64)


def _check_collinear(scaled: Floats, names: Sequence[str], where: str) -> None:
    """Refuse a term that others determine; the first such by a pivoted QR decomposition."""
    from scipy.linalg import qr  # type: ignore[import-untyped]

    upper, order = qr(scaled, mode="r", pivoting=True, check_finite=False)
    size = np.abs(np.diag(upper))
    dependent = order[size <= 1e-8 * size[0]]
    if not dependent.size:
        return
    free = [each for each in range(len(names)) if each not in dependent]
    target = int(dependent[0])
    weights = np.linalg.lstsq(scaled[:, free], scaled[:, target], rcond=None)[0]
    others = [names[each] for each, weight in zip(free, weights, strict=True) if abs(weight) > 1e-6]
    raise CorpusError(
        f"{names[target]!r} follows exactly from {', '.join(repr(each) for each in others)}",
        where=where,
        cure="leave one of them out: together they have no coefficients of their own",
    )


def variance_inflation(scaled: Floats) -> Floats:
    """Return each term's variance inflation factor, shape (terms,).

    The diagonal of the inverse of the terms' correlations (Belsley, Kuh and Welsch 1980, ch. 3):
    1 is a term unrelated to the others; above 5 to 10 its coefficient is hard to tell from theirs.

    Args:
        scaled: Terms in standard deviations from their means, shape (rows, terms).
    """
    return np.asarray(np.diag(np.linalg.inv(scaled.T @ scaled / len(scaled))), dtype=np.float64)


def separating(scaled: Floats, outcome: Floats) -> Floats | None:
    """Return weights of the terms under which no row of one outcome lies among those of the other.

    With such weights a logit has no finite maximum (Albert and Anderson 1984, Biometrika 71). They
    are found by a linear programme (Konis 2007): largest sum of margins, none negative. It starts
    with some rows and adds those that its solution puts on the wrong side, until there is none or
    there is no solution.

    Args:
        scaled: Terms in standard deviations from their means, shape (rows, terms).
        outcome: 0 or 1, shape (rows,).

    Returns:
        The constant's weight and each term's, shape (1 + terms,); ``None`` where the outcomes
        overlap.
    """
    from scipy.optimize import linprog  # type: ignore[import-untyped]

    signed = np.column_stack([np.ones(len(scaled)), scaled]) * np.where(outcome == 1, 1.0, -1.0)[:, None]
    chosen = np.unique(np.linspace(0, len(signed) - 1, min(_BLOCK, len(signed))).astype(np.int64))
    for _ in range(_ROUNDS):
        some = signed[chosen]
        found = linprog(-some.sum(axis=0), A_ub=-some, b_ub=np.zeros(len(some)), bounds=(-1, 1))
        if not found.success or -found.fun <= 1e-7 * len(some):
            return None
        margins = signed @ found.x
        wrong = np.flatnonzero(margins < -1e-7)
        if not wrong.size:
            return np.asarray(found.x, dtype=np.float64)
        worst = wrong[np.argsort(margins[wrong], kind="stable")[:_BLOCK]]
        chosen = np.union1d(chosen, worst)
    return None
