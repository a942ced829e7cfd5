"""What the scores allow to be said: means, paired differences, groups, plain verdicts.

NaN is unmeasured: it enters no mean, and is counted and shown. A difference is claimed
only if a randomisation test says so after Holm's correction over all pairs and metrics of
the comparison, and the bootstrap interval of the difference leaves out zero.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from hinterland.core.errors import ConfigError, nearest
from hinterland.core.stats import Interval, bootstrap_mean, paired_difference
from hinterland.eval.significance import holm, label_permutation, sign_flip

__all__ = ["GroupScore", "Pair", "Score", "breakdown", "compare", "score", "short_name"]

#: Metric → (its short name, what it means to have more of it).
_WORDS = {
    "exact_match": ("EM", "answers more questions than"),
    "contains": ("contains", "says the answer more often than"),
    "f1": ("F1", "comes closer to the gold answers than"),
}


def short_name(metric: str) -> str:
    """Return the metric's name in tables."""
    return _WORDS.get(metric, (metric, ""))[0]


@dataclass(frozen=True, slots=True)
class Score:
    """A system's mean.

    Attributes:
        system: The system.
        metric: The metric.
        mean: Over the measured questions, with its bootstrap interval.
        n: Measured questions.
        unmeasured: Questions without a value.
    """

    system: str
    metric: str
    mean: Interval
    n: int
    unmeasured: int


@dataclass(frozen=True, slots=True)
class Pair:
    """Two systems on the questions that both were measured on.

    Attributes:
        metric: The metric.
        first: The baseline, if there is one.
        second: The other.
        difference: Mean of second − first, with its paired bootstrap interval.
        p: Two-sided, by sign flips; NaN if they have no question in common.
        p_holm: Corrected over all pairs and metrics compared together.
        n: Questions in common.
        unmeasured: Questions that either lacks.
        different: Whether a difference may be claimed.
        verdict: The same in words.
    """

    metric: str
    first: str
    second: str
    difference: Interval
    p: float
    p_holm: float
    n: int
    unmeasured: int
    different: bool
    verdict: str


@dataclass(frozen=True, slots=True)
class GroupScore:
    """A system's mean on one group of questions.

    Attributes:
        group: The group's name.
        score: The mean there.
        worst: Whether it is the lowest of the groups that have enough questions.
        p_rest: For the worst, the p-value of it against all other questions (label
            permutation), times the number of groups it was picked from; else NaN.
    """

    group: str
    score: Score
    worst: bool
    p_rest: float


def score(
    system: str,
    metric: str,
    values: Sequence[float],
    *,
    resamples: int = 2000,
    seed: int = 0,
    level: float = 0.95,
) -> Score:
    """Return the mean of one system's values on one metric."""
    measured = int(np.isfinite(np.asarray(values, dtype=np.float64)).sum())
    mean = bootstrap_mean(values, resamples=resamples, seed=seed, level=level)
    return Score(system, metric, mean, measured, len(values) - measured)


def _verdict(metric: str, first: str, second: str, difference: Interval, n: int, *, different: bool) -> str:
    """Say what the pair shows, and no more."""
    short, more = _WORDS.get(metric, (metric, "scores higher than"))
    if not n:
        return f"{first} and {second} have no measured question in common ({short})"
    if not different:
        return (
            f"no evidence of a difference between {first} and {second} "
            f"({difference.estimate:+.2f} [{difference.low:.2f}, {difference.high:.2f}] {short}, n = {n})"
        )
    better, worse, low, high = second, first, difference.low, difference.high
    if difference.estimate < 0:
        better, worse, low, high = first, second, -high, -low
    return (
        f"{better} {more} {worse} ({abs(difference.estimate):+.2f} [{low:.2f}, {high:.2f}] {short}, n = {n})"
    )


def compare(
    values: Mapping[str, Mapping[str, Sequence[float]]],
    *,
    baseline: str | None = None,
    resamples: int = 2000,
    seed: int = 0,
    level: float = 0.95,
) -> list[Pair]:
    """Compare systems pairwise on the same questions.

    Args:
        values: metric → system → one value per question, in the same order for all.
        baseline: Compare the others with this system only; else all pairs.
        resamples: Bootstrap resamples.
        seed: Of all resampling.
        level: Of the intervals; 1 − level is the chance of any false claim.

    Raises:
        ConfigError: The baseline is not among the systems of a metric.
        ValueError: Systems have different numbers of values.
    """
    pairs, p_values = [], []
    for metric, systems in values.items():
        if baseline is not None and baseline not in systems:
            raise ConfigError(
                f"no system is called {baseline!r}", where=metric, cure=nearest(baseline, systems)
            )
        chosen = (
            list(combinations(systems, 2))
            if baseline is None
            else [(baseline, system) for system in systems if system != baseline]
        )
        for first, second in chosen:
            a = np.asarray(systems[first], dtype=np.float64)
            b = np.asarray(systems[second], dtype=np.float64)
            difference = paired_difference(a, b, resamples=resamples, seed=seed, level=level)
            n = int(np.isfinite(b - a).sum())
            pairs.append((metric, first, second, difference, n, len(a) - n))
            p_values.append(sign_flip(b - a, seed=seed) if n else float("nan"))
    result = []
    for (metric, first, second, difference, n, lacking), p, adjusted in zip(
        pairs, p_values, holm(p_values), strict=True
    ):
        different = bool(adjusted <= 1 - level) and difference.excludes(0.0)
        verdict = _verdict(metric, first, second, difference, n, different=different)
        result.append(Pair(metric, first, second, difference, p, adjusted, n, lacking, different, verdict))
    return result


def breakdown(
    system: str,
    metric: str,
    values: Sequence[float],
    groups: Sequence[str],
    *,
    least: int = 5,
    resamples: int = 2000,
    seed: int = 0,
    level: float = 0.95,
) -> list[GroupScore]:
    """Return one system's mean per group, groups in alphabetical order.

    Args:
        system: The system.
        metric: The metric.
        values: One value per question.
        groups: Each question's group.
        least: Measured questions a group needs to be called the worst.
        resamples: Bootstrap resamples.
        seed: Of all resampling.
        level: Of the intervals.

    Raises:
        ValueError: There are not as many groups as values.
    """
    members: dict[str, list[int]] = {}
    for index, (_, group) in enumerate(zip(values, groups, strict=True)):
        members.setdefault(group, []).append(index)
    array = np.asarray(values, dtype=np.float64)
    scores = {
        group: score(
            system, metric, array[members[group]].tolist(), resamples=resamples, seed=seed, level=level
        )
        for group in sorted(members)
    }
    enough = {group: found.mean.estimate for group, found in scores.items() if found.n >= least}
    # Where all are alike none is the worst.
    worst = min(enough, key=lambda group: enough[group]) if len(set(enough.values())) > 1 else None
    result = []
    for group, found in scores.items():
        p = float("nan")
        if group == worst:
            rest = np.delete(array, members[group])
            p = min(1.0, len(enough) * label_permutation(array[members[group]], rest, seed=seed))
        result.append(GroupScore(group, found, group == worst, p))
    return result
