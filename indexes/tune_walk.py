"""Walk the settings of an index from fast to thorough, and pick the fastest that keeps a promise.

FAISS has a walk of its own, ``ParameterSpace.explore``. It is not used here, for four reasons: it
sets parameters on the index itself, which other searches share; it knows nothing of dead rows and
of ``qb``; it reports one mean, where a promise needs the recall of every query; and its powers of
two are so coarse that the next setting after 0.94 may have 0.98. The ranges here are FAISS's, and
between the last setting that misses the promise and the first that keeps it, every number is
tried by bisection.

**Rule.** A setting keeps the promise if the one-sided 95 % lower bound of its mean recall does
(`tune_recall.lower_bound`).
Recall grows with each parameter, so that along one line of settings only the first that keeps the
promise can be in doubt: testing from the thorough end down and stopping at the first failure needs
no correction for the many settings seen (fixed-sequence testing; Angelopoulos et al. 2021, Learn
then Test, arXiv:2110.01052). Where the index has several parameters, each combination of the
others is a line of its own, and the lines share the 5 %.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

__all__ = ["Measure", "Point", "choose", "lines_of", "walk"]

_FULL = 0.9995  # recall above which more effort shows nothing
_CLOSE = 1.05  # times this near are equal


@dataclass(frozen=True, slots=True)
class Point:
    """What was measured at one setting.

    Attributes:
        parameters: The setting.
        recall: Mean recall@k over the queries.
        lower: Its one-sided lower confidence bound.
        milliseconds: The median time of one query searched alone.
        per_second: Queries a second, searched in a batch.
    """

    parameters: dict[str, int]
    recall: float
    lower: float
    milliseconds: float
    per_second: float

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON-able values, rounded as far as they mean something."""
        told = asdict(self)
        digits = {"recall": 5, "lower": 5, "milliseconds": 4, "per_second": 1}
        return {name: round(value, digits[name]) if name in digits else value for name, value in told.items()}


#: Measures one setting.
Measure = Callable[[Mapping[str, int]], Point]


def lines_of(grid: Mapping[str, Sequence[int]]) -> list[dict[str, int]]:
    """Return the combinations of all parameters but the first.

    >>> lines_of({"nprobe": [1, 2], "k_factor": [1, 4]})
    [{'k_factor': 1}, {'k_factor': 4}]
    """
    others = list(grid)[1:]
    return [
        dict(zip(others, values, strict=True))
        for values in itertools.product(*(grid[name] for name in others))
    ]


def walk(grid: Mapping[str, Sequence[int]], measure: Measure, promise: float) -> list[Point]:
    """Return the points of the curve, by rising effort within each line.

    Args:
        grid: The parameters, each from fast to thorough; the first is walked.
        measure: Measures a setting.
        promise: The recall that is wanted.
    """
    if not grid:
        return [measure({})]
    first = next(iter(grid))
    points: list[Point] = []
    for rest in lines_of(grid):
        points += _line(first, list(grid[first]), rest, measure, promise)
    return points


def _line(
    name: str, values: list[int], rest: dict[str, int], measure: Measure, promise: float
) -> list[Point]:
    last = measure({name: values[-1], **rest})
    if last.lower < promise:  # the thorough end fails, so does the line
        return [last]
    found: dict[int, Point] = {}
    for value in values[:-1]:
        found[value] = measure({name: value, **rest})
        if found[value].recall >= _FULL:
            break
    else:
        found[values[-1]] = last
    if name not in ("efSearch", "nprobe"):
        return [found[value] for value in values if value in found]
    # Between two of these every number is a setting: close in on the first that keeps the promise.
    kept = {value for value, point in found.items() if point.lower >= promise}
    high = min(kept, default=values[-1])
    low = max((value for value in found if value < high), default=high)
    while high - low > max(1, high // 32):
        middle = (low + high) // 2
        found[middle] = measure({name: middle, **rest})
        low, high = (low, middle) if found[middle].lower >= promise else (middle, high)
    return [found[value] for value in sorted(found)]


def choose(points: Sequence[Point], promise: float) -> tuple[Point, bool]:
    """Return the fastest point that keeps the promise, or the best, and whether it is kept.

    Of points within a twentieth of the fastest, the one with the highest recall is taken.
    """
    keeping = [point for point in points if point.lower >= promise]
    if not keeping:
        return max(points, key=lambda point: (point.recall, -point.milliseconds)), False
    limit = _CLOSE * min(point.milliseconds for point in keeping)
    near = [point for point in keeping if point.milliseconds <= limit]
    if len(near[0].parameters) == 1:  # one line: the least effort is the fastest, whatever the clock says
        return keeping[0], True
    return max(near, key=lambda point: point.recall), True
