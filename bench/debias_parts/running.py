"""One run of the proof: split, classifier, filter, debiasing, and the models of every arm."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from debias_parts.coding import VOCABULARY, Coded
from debias_parts.ngram import KneserNey, Queries, windows
from debias_parts.selecting import (
    Stretches,
    Way,
    best_half,
    debiased,
    random_half,
    score,
    to_budget,
    train,
)
from debias_parts.speeches import Speeches
from hinterland.adapt.bits import BitsPerByte, DocumentBits
from hinterland.adapt.documents import Document
from hinterland.core.seeds import generator
from hinterland.curate.audit.audit import Audit, audit
from hinterland.curate.audit.covariates import Covariates
from hinterland.curate.audit.groups import Grouping, place_groupings
from hinterland.curate.debias.equalize import worst_disparity
from hinterland.curate.debias.result import Result

if TYPE_CHECKING:
    from debias_parts.tiny_gpt import Job

__all__ = ["BOUNDED", "BOUNDED_ARM", "GOAL", "GROUPINGS", "PRIMARY", "Material", "Run", "run_once"]

Bools = NDArray[np.bool_]

GROUPINGS = ("region", "subregion", "gdp_per_head")
#: What debiasing is asked for: the worst-kept group's retention over the best-kept one's.
GOAL = 0.95
#: The debiasing that was chosen before the first full run.
PRIMARY = Way("budget", "subregion")
#: The one added after it, and its arm: within both bounds, on the ratio and on what is dropped.
BOUNDED = Way("budget", "subregion", max_loss=0.05)
BOUNDED_ARM = "debiased, at most 5% dropped"
_WAYS = (
    PRIMARY,
    BOUNDED,
    Way("readmit", "subregion"),
    Way("budget", "region"),
    Way("budget", "region", max_loss=BOUNDED.max_loss),
    Way("readmit", "region"),
)
ORDER = 5


@dataclass(frozen=True)
class Material:
    """What all runs share.

    Attributes:
        speeches: The speeches and their passages.
        fold: In which run each speech is held out, shape (speeches,).
        coded: The passages as tokens.
        tokenizer: What coded them.
        piles: Positives and negatives for the quality classifier.
        covariates: Figures of countries, for income.
        gpt_tokens: Tokens that the transformer is adapted on; 0 goes without.
        resamples: For the audits.
    """

    speeches: Speeches
    fold: NDArray[np.int64]
    coded: Coded
    tokenizer: Any
    piles: tuple[Sequence[str], Sequence[str]]
    covariates: Covariates
    gpt_tokens: int
    resamples: int


@dataclass
class Run:
    """What one run found.

    Attributes:
        passages: Passages of the pool.
        pool_tokens: Their tokens.
        held_out: Speeches held out.
        ties: Passages with the score of the last one kept.
        classifier: The test figures of the classifier's card.
        retention: Grouping → group → share of passages kept by the filter.
        disparity: Decision → grouping → worst over best retention.
        results: What `equalize` did in each way.
        audits: Arm → its audit: of the filter and of both debiasings by subregion.
        arm_tokens: Training tokens of every arm of the n-gram model.
        gpt_arm_tokens: The same of the transformer; 0 without one.
        ngram: Arm → held-out speeches under the n-gram model.
        jobs: What is left to do for the transformer.
        gpt: Arm → a passage of each held-out speech under the transformer.
    """

    passages: int
    pool_tokens: int
    held_out: int
    ties: int
    classifier: dict[str, Any]
    retention: dict[str, dict[str, float]]
    disparity: dict[str, dict[str, float]]
    results: dict[Way, Result]
    audits: dict[str, Audit]
    arm_tokens: int = 0
    gpt_arm_tokens: int = 0
    ngram: dict[str, BitsPerByte] = field(default_factory=dict)
    jobs: list[Job] = field(default_factory=list)
    gpt: dict[str, BitsPerByte] = field(default_factory=dict)


def run_once(material: Material, number: int, *, seed: int, folder: Path) -> Run:
    """Do everything once, with the speeches of one fold held out.

    Args:
        material: What all runs share.
        number: The fold.
        seed: The run's own.
        folder: For the classifier.
    """
    speeches, coded = material.speeches, material.coded
    held = material.fold[speeches.speech] == number
    rows = np.flatnonzero(~held)
    card = train(*material.piles, folder, seed=seed)
    scores = score([speeches.passages[row] for row in rows], folder)
    tokens = coded.lengths[rows].astype(np.float64)
    countries = pa.array([speeches.countries[s] for s in speeches.speech[rows]], type=pa.string())
    groups = place_groupings(countries, GROUPINGS, covariates=material.covariates)
    kept = best_half(scores)
    results = {
        way: debiased(
            scores, kept, groups[way.grouping], tokens, mode=way.mode, goal=GOAL, max_loss=way.max_loss
        )
        for way in _WAYS
    }
    choices: dict[str, Bools] = {
        "random": random_half(len(rows), seed=seed),
        "filtered": kept,
        "debiased": results[PRIMARY].keep,
        BOUNDED_ARM: results[BOUNDED].keep,
        "debiased by region": results[Way("budget", "region")].keep,
    }
    audits = {
        arm: audit(
            decisions={"quality": choices[arm]},
            groups=groups,
            clusters=[speeches.codes[s] for s in speeches.speech[rows]],
            tokens=tokens,
            countries=countries,
            title=arm,
            seed=seed,
            resamples=material.resamples,
        )
        for arm in ("filtered", "debiased", BOUNDED_ARM)
    }
    found = Run(
        passages=len(rows),
        pool_tokens=int(tokens.sum()),
        held_out=int((material.fold == number).sum()),
        ties=int((scores == scores[kept].min()).sum()),
        classifier={**card["test"], "used": card["used"]},
        retention={name: _retention(kept, each) for name, each in groups.items()},
        disparity={
            arm: {name: worst_disparity(keep, each) for name, each in groups.items()}
            for arm, keep in choices.items()
        },
        results=results,
        audits=audits,
    )
    arms = {name: rows[keep] for name, keep in choices.items()}
    _ngram(material, number, arms, found, seed)
    if material.gpt_tokens:
        pair = {name: arms[name] for name in ("filtered", "debiased")}
        found.jobs = _jobs(material, number, pair, found, seed)
    return found


def _retention(kept: Bools, grouping: Grouping) -> dict[str, float]:
    size = np.bincount(grouping.codes, minlength=len(grouping.labels))
    held = np.bincount(grouping.codes[kept], minlength=len(grouping.labels))
    return {label: float(held[i] / size[i]) for i, label in enumerate(grouping.labels) if size[i]}


def _ngram(
    material: Material, number: int, arms: Mapping[str, NDArray[np.int64]], found: Run, seed: int
) -> None:
    """Train an n-gram model on each arm and score the held-out speeches."""
    coded, speeches = material.coded, material.speeches
    shape = {"order": ORDER, "vocabulary": VOCABULARY}
    held = np.flatnonzero(material.fold == number)
    first = np.searchsorted(speeches.speech, held)
    last = np.searchsorted(speeches.speech, held, side="right")
    starts, ends = coded.offsets[first], coded.offsets[last]
    queries = Queries(windows(coded.tokens, starts, ends, **shape), **shape)
    size = [int(coded.bytes[a:b].sum()) for a, b in zip(first, last, strict=True)]
    lengths = ends - starts
    begin = np.cumsum(lengths) - lengths
    cuts = to_budget(arms, coded.offsets, seed=seed)
    found.arm_tokens = _equal(cuts)
    for name, stretches in cuts.items():
        model = KneserNey(windows(coded.tokens, stretches.starts, stretches.ends, **shape), **shape)
        bits = np.add.reduceat(model.bits(queries), begin)
        found.ngram[name] = BitsPerByte(
            tuple(
                DocumentBits(speeches.ids[s], float(b), n, int(t), speeches.codes[s])
                for s, b, n, t in zip(held, bits, size, lengths, strict=True)
            )
        )


def _equal(cuts: Mapping[str, Stretches]) -> int:
    """Return the arms' tokens, which are the same."""
    sizes = {each.tokens for each in cuts.values()}
    if len(sizes) != 1:
        raise RuntimeError(f"the arms have different numbers of tokens: {sorted(sizes)}")
    return sizes.pop()


def _jobs(
    material: Material, number: int, arms: Mapping[str, NDArray[np.int64]], found: Run, seed: int
) -> list[Job]:
    """Return what the transformer is adapted on in each arm, and a passage of each held-out speech."""
    from debias_parts.tiny_gpt import Job, to_windows

    coded, speeches = material.coded, material.speeches
    draw = generator(seed, "proof", "passages")
    documents = []
    for s in np.flatnonzero(material.fold == number):
        passage = draw.choice(np.flatnonzero(speeches.speech == s))
        documents.append(Document(speeches.ids[s], speeches.passages[passage], country=speeches.codes[s]))
    cuts = to_budget(arms, coded.offsets, seed=seed, tokens=material.gpt_tokens)
    found.gpt_arm_tokens = _equal(cuts)
    jobs = []
    for name, stretches in cuts.items():
        pairs = zip(stretches.starts, stretches.ends, strict=True)
        stream = np.concatenate([coded.tokens[a:b] for a, b in pairs])
        jobs.append(Job(number, name, to_windows(stream), tuple(documents), seed))
    return jobs
