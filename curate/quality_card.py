"""The classifier's card: what it was trained on, how well it tells the two apart, its limits."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hinterland.core.seeds import generator
from hinterland.curate.hashing import VERSION
from hinterland.curate.quality_features import PARTS, Chosen, Store

__all__ = ["Outcome", "make_card", "render_card"]

Floats = NDArray[np.float64]

_RESAMPLES = 2000
_LEVEL_Z = 1.959964  # the normal distribution's 97.5 % point
_SOURCES_LISTED = 50
_ALPHA = 9.0  # GPT-3's

LIMITS = (
    "The score says how much a text resembles the positives, in words and pairs of words; it does not"
    " read for truth, skill or usefulness.",
    "Whatever sets the two piles apart is learnt, wanted or not: topic, place, dialect, format, length"
    " of line. Trained on the usual positives, such a classifier prefers the school newspapers of"
    " larger, richer, urban schools (Gururangan et al. 2022).",
    "The metrics hold for documents like the ones tested, drawn from the same sources; on others the"
    " probability is not calibrated.",
    "Look at who would be left out, by place and source, with `hinterland audit` before deciding by it.",
)
REFERENCES = (
    "Brown et al. 2020, Language Models are Few-Shot Learners, arXiv:2005.14165, appendix A",
    "Gururangan et al. 2022, Whose Language Counts as High Quality?, arXiv:2201.10474",
    "McMahan et al. 2013, Ad click prediction: a view from the trenches, KDD",
)


@dataclass(frozen=True)
class Outcome:
    """Scores of documents with known labels.

    Attributes:
        labels: 1 or 0, shape (documents,).
        sources: Numbers of sources, shape (documents,).
        scores: Probabilities of a positive, shape (documents,).
    """

    labels: NDArray[np.uint8]
    sources: NDArray[np.int32]
    scores: Floats

    def log_loss(self) -> float:
        """Return the mean log loss; NaN without documents."""
        chance = np.clip(np.where(self.labels == 1, self.scores, 1 - self.scores), 1e-9, 1)
        return float(-np.log(chance).mean()) if len(chance) else math.nan


def metrics(tested: Outcome, *, seed: int) -> dict[str, dict[str, float | None]]:
    """Return accuracy, F1 and AUC with their 95 % intervals.

    Accuracy has Wilson's interval (1927), AUC DeLong's (1988), F1 the percentiles of 2,000
    resamples of the four cells. A document counts as positive from a score of 0.5.
    """
    truth, said = tested.labels == 1, tested.scores >= 0.5
    cells = np.array(
        [(truth & said).sum(), (~truth & said).sum(), (truth & ~said).sum(), (~truth & ~said).sum()]
    )
    drawn = generator(seed, "train-quality", "f1").multinomial(
        cells.sum(), cells / max(cells.sum(), 1), size=_RESAMPLES
    )
    low, high = np.quantile(_f1(drawn), [0.025, 0.975])
    return {
        "accuracy": _interval(*_wilson(int(cells[0] + cells[3]), int(cells.sum()))),
        "f1": _interval(float(_f1(cells[None])[0]), float(low), float(high)),
        "auc": _interval(*_auc(tested.scores[truth], tested.scores[~truth])),
    }


def _interval(estimate: float, low: float, high: float) -> dict[str, float | None]:
    values = {"estimate": estimate, "low": low, "high": high}
    return {name: round(value, 4) if math.isfinite(value) else None for name, value in values.items()}


def _f1(cells: NDArray[Any]) -> Floats:
    hits, false, missed, _ = cells.T
    return np.asarray(2 * hits / np.maximum(2 * hits + false + missed, 1))


def _wilson(right: int, total: int) -> tuple[float, float, float]:
    if not total:
        return math.nan, math.nan, math.nan
    share, z2 = right / total, _LEVEL_Z**2
    middle = (share + z2 / (2 * total)) / (1 + z2 / total)
    half = _LEVEL_Z / (1 + z2 / total) * math.sqrt(share * (1 - share) / total + z2 / (4 * total**2))
    return share, max(middle - half, 0.0), min(middle + half, 1.0)


def _auc(positive: Floats, negative: Floats) -> tuple[float, float, float]:
    """Return the area under the ROC curve with DeLong's interval, by midranks."""
    m, n = len(positive), len(negative)
    if m < 2 or n < 2:
        return math.nan, math.nan, math.nan
    ordered_negative, ordered_positive = np.sort(negative), np.sort(positive)
    above = (
        np.searchsorted(ordered_negative, positive) + np.searchsorted(ordered_negative, positive, "right")
    ) / 2
    below = (
        m
        - (np.searchsorted(ordered_positive, negative) + np.searchsorted(ordered_positive, negative, "right"))
        / 2
    )
    area = float(above.mean() / n)
    half = _LEVEL_Z * math.sqrt((above / n).var(ddof=1) / m + (below / m).var(ddof=1) / n)
    return area, max(area - half, 0.0), min(area + half, 1.0)


def _by_source(store: Store, train: NDArray[np.int64], tested: Outcome) -> list[dict[str, Any]]:
    """Return a row per source, the largest first; beyond 50 they are one row."""
    right = (tested.scores >= 0.5) == (tested.labels == 1)
    size = len(store.sources)
    test = np.bincount(tested.sources, minlength=size)
    table = np.column_stack(
        [
            train,
            test,
            np.bincount(tested.sources, weights=tested.labels, minlength=size),
            np.bincount(tested.sources, weights=right, minlength=size),
            np.bincount(tested.sources, weights=tested.scores, minlength=size),
        ]
    ).astype(np.float64)
    order = sorted(range(size), key=lambda at: (-(table[at, 0] + table[at, 1]), store.sources[at]))
    named = [(store.sources[at], table[at]) for at in order if table[at, :2].any()]
    rest = named[_SOURCES_LISTED:]
    if rest:
        named[_SOURCES_LISTED:] = [(f"{len(rest)} more", np.sum([row for _, row in rest], axis=0))]
    return [
        {
            "source": name,
            "train": int(row[0]),
            "test": int(row[1]),
            "positive": round(row[2] / row[1], 4) if row[1] else None,
            "accuracy": round(row[3] / row[1], 4) if row[1] else None,
            "mean_score": round(row[4] / row[1], 4) if row[1] else None,
        }
        for name, row in named
    ]


def make_card(
    *,
    store: Store,
    chosen: Chosen,
    train_sources: NDArray[np.int64],
    tested: Outcome,
    settings: dict[str, Any],
    history: list[dict[str, float]],
    nonzero: int,
) -> dict[str, Any]:
    """Return the card as JSON-able values."""
    keep = (2 - tested.scores) ** -_ALPHA
    return {
        "kind": "quality classifier card",
        "hashing": VERSION,
        "settings": settings,
        "read": {kind: dict(sorted(counts.items())) for kind, counts in sorted(store.counts.items())},
        "used": {
            "positive": chosen.documents[1],
            "negative": chosen.documents[0],
            "left_out": {
                "copies": chosen.copies,
                "in_both_classes": chosen.in_both,
                "for_balance": len(store.keys) - chosen.copies - chosen.in_both - sum(chosen.documents),
            },
            "parts": PARTS,
            "test": {"positive": int(tested.labels.sum()), "negative": int((tested.labels == 0).sum())},
        },
        "history": history,
        "nonzero_weights": nonzero,
        "test": {**metrics(tested, seed=settings["seed"]), "log_loss": _finite(tested.log_loss())},
        "expected_keep": {
            "rule": f"P(keep) = (2 - score)^-{_ALPHA:g}",
            "positive": _finite(float(keep[tested.labels == 1].mean()))
            if (tested.labels == 1).any()
            else None,
            "negative": _finite(float(keep[tested.labels == 0].mean()))
            if (tested.labels == 0).any()
            else None,
        },
        "by_source": _by_source(store, train_sources, tested),
        "limits": list(LIMITS),
        "references": list(REFERENCES),
    }


def _finite(value: float) -> float | None:
    return round(value, 4) if math.isfinite(value) else None


def _shown(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def render_card(card: dict[str, Any]) -> str:
    """Return the card as Markdown."""
    used, test, keep, settings = card["used"], card["test"], card["expected_keep"], card["settings"]
    lines = [
        "# Quality classifier",
        "",
        "Logistic regression on 2^20 hashed lower-case words and pairs of words"
        f" (`{card['hashing']}`), {card['nonzero_weights']:,} weights not zero, solver"
        f" `{settings['solver']}`, counts `{settings['counts']}`, seed {settings['seed']}.",
        "",
        "## Trained on",
        "",
        f"{used['positive']:,} positive and {used['negative']:,} negative documents, 80 % to train, 10 % to"
        " choose the number of passes, 10 % to test. Left out: "
        + ", ".join(f"{number:,} {name.replace('_', ' ')}" for name, number in used["left_out"].items())
        + ".",
        "",
        "| class | documents | characters | no text | unreadable |",
        "|---|---:|---:|---:|---:|",
        *(
            f"| {kind} | {counts.get('documents', 0):,} | {counts.get('characters', 0):,}"
            f" | {counts.get('no_text', 0):,} | {counts.get('unreadable', 0):,} |"
            for kind, counts in card["read"].items()
        ),
        "",
        f"## Test ({used['test']['positive']:,} positive, {used['test']['negative']:,} negative)",
        "",
        "| measure | value | 95 % interval |",
        "|---|---:|---|",
        *(
            f"| {name} | {_shown(value['estimate'])} | {_shown(value['low'])} to {_shown(value['high'])} |"
            for name, value in (("F1", test["f1"]), ("accuracy", test["accuracy"]), ("AUC", test["auc"]))
        ),
        "",
        f"GPT-3's rule, {keep['rule']}, would keep {_shown(keep['positive'])} of the test's positives and"
        f" {_shown(keep['negative'])} of its negatives in expectation.",
        "",
        "## By source",
        "",
        "| source | train | test | share positive | accuracy | mean score |",
        "|---|---:|---:|---:|---:|---:|",
        *(
            f"| {row['source'].replace('|', '/')} | {row['train']:,} | {row['test']:,}"
            f" | {_shown(row['positive'])} | {_shown(row['accuracy'])} | {_shown(row['mean_score'])} |"
            for row in card["by_source"]
        ),
        "",
        "## Limits",
        "",
        *(f"- {limit}" for limit in card["limits"]),
        "",
        "## Sources",
        "",
        *(f"- {reference}" for reference in card["references"]),
        "",
    ]
    return "\n".join(lines)
