"""What another threshold would keep of each group, from the scores and without rescoring.

A threshold's curve needs no bootstrap and no sorting by group: the documents are dealt into
the intervals between the thresholds looked at, counted by group, and added up. All other
rules stay as they are.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import ArrayLike, NDArray

from hinterland.core.errors import CorpusError
from hinterland.core.progress import track
from hinterland.curate.audit.groups import Grouping
from hinterland.curate.audit.parts import Curve
from hinterland.curate.rule import Rule
from hinterland.curate.score_columns import Columns

__all__ = ["curve_of", "curves_of_rules"]

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]


def curve_of(
    score: ArrayLike,
    keep_side: str,
    current: float | None,
    others_keep: Bools | None,
    tokens: ArrayLike,
    grouping: Grouping,
    ranked: Sequence[str],
    *,
    filter: str,  # noqa: A002 - the name that the result has
    column: str,
    points: int = 101,
    bound: float = 0.95,
) -> Curve:
    """Return retention by group over the range of one threshold.

    A document without the score (null or NaN) is kept at every threshold, as in deciding
    (`curate.rule.Rule`): what was not measured is no reason.

    Args:
        score: Scores, shape (documents,).
        keep_side: ">=" or "<=": on which side of the threshold a document is kept; on it, too.
        current: The threshold in force.
        others_keep: Documents that every other rule keeps, shape (documents,); all by default.
        tokens: Tokens of each document, shape (documents,).
        grouping: The groups.
        ranked: Labels of the groups that are large enough to be compared.
        filter: The filter's name.
        column: The score's name.
        points: How many quantiles of the measured scores are looked at (values that occur, each
            once); the threshold in force is added.
        bound: The least disparity asked for.

    Returns:
        The curve. Without two ranked groups, and where none of them keeps a document, the
        disparity is NaN.

    Raises:
        CorpusError: The arrays differ in length.
        ValueError: ``keep_side`` is neither.
    """
    axis = _Axis.of(np.asarray(score, dtype=np.float64), keep_side, current, points=points)
    keeps = np.ones(len(axis.place), dtype=bool) if others_keep is None else others_keep
    return _curve(
        axis, keeps, np.asarray(tokens, np.float64), grouping, ranked, name=(filter, column), bound=bound
    )


def curves_of_rules(
    columns: Columns,
    rules: Sequence[Rule],
    groupings: Mapping[str, Grouping],
    ranked: Mapping[str, Sequence[str]],
    *,
    keep: ArrayLike,
    tokens: ArrayLike,
    reasons: pa.Array | pa.ChunkedArray | None = None,
    points: int = 101,
    bound: float = 0.95,
) -> tuple[Curve, ...]:
    """Return a curve for every bound of every rule and every grouping.

    A score with at most two values (a flag, such as the first of its duplicates) has no range and no
    curve. While one bound moves, everything else is held: the rule's other bound, the other
    rules, and what `keep` and `reasons` say beyond the rules (documents without a word,
    expressions, caps). Caps and samples are not drawn again, and no other copy of a
    duplicate takes the place of one that goes. What is kept although the rule drops it was
    let back in, and stays. So at the threshold in force a curve gives what is kept now;
    weights do not count.

    Args:
        columns: The scores; they are read one at a time, twice. Memory: a few numbers a document.
        rules: The rules in force; those over columns that are not there are left out.
        groupings: By name.
        ranked: For each grouping the groups that are large enough to be compared.
        keep: What was decided, shape (documents,).
        tokens: Tokens of each document, shape (documents,).
        reasons: All reasons of every document, lists of shape (documents,). Without them, a
            document that a rule drops is taken to be dropped by rules alone.
        points: See `curve_of`.
        bound: See `curve_of`.

    Raises:
        CorpusError: The arrays differ in length, or a score column holds strings.
    """
    kept = np.asarray(keep, dtype=bool)
    counts = np.asarray(tokens, dtype=np.float64)
    bounded = [
        rule
        for rule in rules
        if rule.column in columns.names and (rule.low is not None or rule.high is not None)
    ]
    movable = [rule for rule in bounded if _has_range(columns, rule)]
    fails = np.zeros(len(columns), dtype=np.int16)
    for rule in bounded if reasons is None else movable:
        fails += ~rule.passes(columns[rule.column])
    if reasons is None:
        blocked = (fails == 0) & ~kept
    else:
        blocked = _has_other_reason(reasons, {rule.reason for rule in movable})
    curves = []
    for rule in track(movable, "thresholds"):
        score = columns[rule.column]
        passes = rule.passes(score)
        others = kept | (~blocked & (fails == ~passes))
        let_back = kept & ~passes
        for side, current, opposite in (
            (">=", rule.low, Rule(rule.column, rule.reason, high=rule.high)),
            ("<=", rule.high, Rule(rule.column, rule.reason, low=rule.low)),
        ):
            if current is None:
                continue
            axis = _Axis.of(score, side, current, points=points)
            axis.place[let_back] = len(axis.thresholds)
            held = others & (opposite.passes(score) | let_back)
            curves += [
                _curve(axis, held, counts, each, ranked[name], name=(rule.filter, rule.column), bound=bound)
                for name, each in groupings.items()
            ]
    return tuple(curves)


@dataclass(frozen=True)
class _Axis:
    """The thresholds of one score, and where each document lies among them.

    Attributes:
        side: ">=" or "<=".
        current: The threshold in force; NaN without one.
        thresholds: Ascending, shape (points,).
        place: How many thresholds keep the document, shape (documents,): the lowest ones
            for ">=", the highest for "<=".
        unmeasured: Documents without the score.
    """

    side: str
    current: float
    thresholds: Floats
    place: NDArray[np.int64]
    unmeasured: int

    @classmethod
    def of(cls, score: Floats, side: str, current: float | None, *, points: int) -> _Axis:
        """Look at quantiles that occur, and at the threshold in force."""
        if side not in (">=", "<="):
            raise ValueError(f"a document is kept at >= or <= the threshold, not {side!r}")
        now = math.nan if current is None else float(current)
        order = np.argsort(score)  # NaN comes last
        ascending = score[order]
        n = len(score) - int(np.isnan(score).sum())
        measured = ascending[:n]
        finite = measured[np.isfinite(measured)]
        # The value at each rank, not one between two: scores with few values have few thresholds.
        ranks = np.unique(np.linspace(0, max(len(finite) - 1, 0), max(points, 2)).round().astype(np.int64))
        seen = finite[ranks] if len(finite) else finite
        thresholds = np.unique(np.append(seen, now if math.isfinite(now) else []))
        m = len(thresholds)
        edges = np.searchsorted(measured, thresholds, side="left" if side == ">=" else "right")
        steps = np.diff(edges, prepend=0, append=n)
        place = np.full(len(score), m, dtype=np.int64)
        place[order[:n]] = np.repeat(np.arange(m + 1) if side == ">=" else np.arange(m, -1, -1), steps)
        return cls(side, now, thresholds, place, len(score) - n)

    def sums(self, codes: NDArray[np.int64], groups: int, values: Floats | None) -> Floats:
        """Return the sum over documents that each threshold keeps, by group: shape (points, groups)."""
        m = len(self.thresholds)
        cells = np.bincount(self.place * groups + codes, weights=values, minlength=(m + 1) * groups)
        # A document in place p is kept by p thresholds.
        at_least = cells.reshape(m + 1, groups)[::-1].cumsum(axis=0)[::-1][1:].astype(np.float64)
        return at_least if self.side == ">=" else at_least[::-1]


def _curve(
    axis: _Axis,
    others_keep: Bools,
    tokens: Floats,
    grouping: Grouping,
    ranked: Sequence[str],
    *,
    name: tuple[str, str],
    bound: float,
) -> Curve:
    size = len(axis.place)
    if not size == len(others_keep) == len(tokens) == len(grouping):
        raise CorpusError(
            f"{size} scores, {len(others_keep)} decisions, {len(tokens)} token counts,"
            f" {len(grouping)} labels",
            where=f"threshold of {name[1]}",
            cure="give one of each for every document",
        )
    groups = max(len(grouping.labels), 1)
    rows = np.flatnonzero(others_keep)
    part = _Axis(axis.side, axis.current, axis.thresholds, axis.place[rows], axis.unmeasured)
    n = np.bincount(grouping.codes, minlength=groups).astype(np.float64)
    counted = part.sums(grouping.codes[rows], groups, None)
    token_sums = part.sums(np.zeros(len(rows), dtype=np.int64), 1, tokens[rows])[:, 0]
    rates = np.divide(counted, n, out=np.full(counted.shape, math.nan), where=n > 0)
    compared = [g for g, label in enumerate(grouping.labels) if label in set(ranked)]
    disparity = _disparity(rates[:, compared])
    kept = counted.sum(axis=1) / max(size, 1)
    total = tokens.sum()
    return Curve(
        filter=name[0],
        column=name[1],
        keep=axis.side,
        grouping=grouping.name,
        current=axis.current,
        thresholds=_floats(axis.thresholds),
        kept=_floats(kept),
        tokens=_floats(token_sums / total if total > 0 else np.full(len(token_sums), math.nan)),
        groups={label: _floats(rates[:, g]) for g, label in enumerate(grouping.labels)},
        ranked=tuple(grouping.labels[g] for g in compared),
        disparity=_floats(disparity),
        bound=bound,
        best=_best(axis, kept, disparity, bound),
        unmeasured=axis.unmeasured,
    )


def _disparity(rates: Floats) -> Floats:
    """Return worst over best at each threshold, shape (points,)."""
    none = np.full(len(rates), math.nan)
    if rates.shape[1] < 2 or not len(rates):
        return none
    best = rates.max(axis=1)
    return np.asarray(np.divide(rates.min(axis=1), best, out=none, where=best > 0))


def _best(axis: _Axis, kept: Floats, disparity: Floats, bound: float) -> float:
    """Return the threshold that keeps most at the bound; of equals the one in force, else the laxest."""
    allowed = np.flatnonzero(disparity >= bound)
    if not allowed.size:
        return math.nan
    most = axis.thresholds[allowed[kept[allowed] == kept[allowed].max()]]
    if axis.current in most:
        return axis.current
    return float(most[0] if axis.side == ">=" else most[-1])


def _has_range(columns: Columns, rule: Rule) -> bool:
    """Whether a score takes more than two values.

    Raises:
        CorpusError: It holds strings.
    """
    score = columns[rule.column]
    if score.dtype == object:
        raise CorpusError(
            f"score column {rule.column!r} holds strings", where="thresholds", cure="score the corpus again"
        )
    seen = score[~np.isnan(score)]
    return bool(seen.size and ((seen != seen.min()) & (seen != seen.max())).any())


def _has_other_reason(reasons: pa.Array | pa.ChunkedArray, names: set[str]) -> Bools:
    """Return which documents have a reason that is not among the names, shape (documents,)."""
    lists = reasons.combine_chunks() if isinstance(reasons, pa.ChunkedArray) else reasons
    encoded = pc.list_flatten(lists).dictionary_encode()
    strange = np.array([reason not in names for reason in encoded.dictionary.to_pylist()], dtype=bool)
    rows = pc.list_parent_indices(lists).to_numpy(zero_copy_only=False)
    out = np.zeros(len(lists), dtype=bool)
    if strange.any():
        out[rows[strange[encoded.indices.to_numpy(zero_copy_only=False)]]] = True
    return out


def _floats(values: Floats) -> tuple[float, ...]:
    return tuple(values.tolist())
