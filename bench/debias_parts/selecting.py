"""Which passages each arm has: the filter, the debiased choices, the random half, equal tokens."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hinterland.core.files import write_text
from hinterland.core.seeds import generator
from hinterland.curate.audit.groups import Grouping
from hinterland.curate.debias.equalize import Mode, equalize
from hinterland.curate.debias.result import Result
from hinterland.curate.filters.classifier import Quality
from hinterland.curate.train_quality import TrainQualityConfig, train_quality

__all__ = ["Stretches", "Way", "best_half", "debiased", "random_half", "score", "to_budget", "train"]

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


def train(positives: Sequence[str], negatives: Sequence[str], folder: Path, *, seed: int) -> dict[str, Any]:
    """Train the project's quality classifier into ``folder``; return its card."""
    for name, texts in (("positive", positives), ("negative", negatives)):
        rows = (json.dumps({"text": text}) for text in texts)
        write_text(folder / f"{name}.jsonl", "".join(f"{row}\n" for row in rows))
    files = (folder / "positive.jsonl",), (folder / "negative.jsonl",)
    return train_quality(*files, folder / "model", TrainQualityConfig(seed=seed))


def score(texts: Sequence[str], folder: Path) -> Floats:
    """Return the filter's quality score of each text, shape (texts,)."""
    return np.asarray(Quality(str(folder / "model")).score(list(texts))["quality.score"])


def best_half(scores: Floats) -> Bools:
    """Return which half of the documents has the best scores; ties go by position."""
    keep = np.zeros(len(scores), dtype=bool)
    keep[np.argsort(-scores, kind="stable")[: len(scores) // 2]] = True
    return keep


def random_half(size: int, *, seed: int) -> Bools:
    """Return a half of the documents, drawn under the seed."""
    keep = np.zeros(size, dtype=bool)
    keep[generator(seed, "proof", "random half").permutation(size)[: size // 2]] = True
    return keep


@dataclass(frozen=True)
class Way:
    """A way to debias.

    Attributes:
        mode: The mode of `equalize`.
        grouping: What is evened out.
        max_loss: The largest share of the tokens kept before that may be dropped; 1 sets no bound.
    """

    mode: Mode
    grouping: str
    max_loss: float = 1.0


def debiased(
    scores: Floats,
    kept: Bools,
    group: Grouping,
    tokens: Floats,
    *,
    mode: Mode,
    goal: float,
    max_loss: float = 1.0,
) -> Result:
    """Even out the filter's decision over the groups with the project's `equalize`.

    Severity is by how much a document misses the score of the last one kept.
    """
    severity = np.where(kept, 0.0, np.maximum(scores[kept].min() - scores, 0.0))
    return equalize(
        severity, kept, group, tokens, mode=mode, disparity=goal, quality=scores, max_loss=max_loss
    )


@dataclass(frozen=True)
class Stretches:
    """Stretches of the token stream that a model is trained on.

    Attributes:
        starts: Where each begins, shape (stretches,).
        ends: Where it ends.
    """

    starts: Integers
    ends: Integers

    @property
    def tokens(self) -> int:
        """Tokens in all of them."""
        return int((self.ends - self.starts).sum())


def to_budget(
    arms: Mapping[str, Integers], offsets: Integers, *, seed: int, tokens: int | None = None
) -> dict[str, Stretches]:
    """Cut every arm to exactly as many tokens as the smallest has.

    Passages come in one random order, the same for all arms, and the last is cut short: so
    what two arms have in common stays in common.

    Args:
        arms: Passages of each arm.
        offsets: Where each passage begins in the token stream and the last ends.
        seed: For the order.
        tokens: Take so many, if that is less.
    """
    order = generator(seed, "proof", "order").permutation(len(offsets) - 1)
    place = np.empty_like(order)
    place[order] = np.arange(len(order))
    lengths = np.diff(offsets)
    budget = min(int(lengths[rows].sum()) for rows in arms.values())
    budget = budget if tokens is None else min(budget, tokens)
    found = {}
    for name, given in arms.items():
        drawn = given[np.argsort(place[given])]
        ends = np.cumsum(lengths[drawn])
        rows = drawn[: int(np.searchsorted(ends, budget)) + 1]
        stop = offsets[rows + 1].copy()
        stop[-1] -= max(int(ends[len(rows) - 1]) - budget, 0)
        found[name] = Stretches(offsets[rows], stop)
    return found
