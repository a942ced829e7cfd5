"""What one training needs, made of passages: pairs, negatives, and the columns the trainer reads."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from hinterland.core.errors import CorpusError
from hinterland.indexes.adapt_retriever.documents import Passage
from hinterland.indexes.adapt_retriever.generated import generated_pairs
from hinterland.indexes.adapt_retriever.negatives import hard_negatives
from hinterland.indexes.adapt_retriever.pairs import (
    Pair,
    balanced,
    body_without_title,
    cloze_pairs,
    neighbour_pairs,
    title_pairs,
)
from hinterland.indexes.adapt_retriever.settings import AdaptSettings
from hinterland.indexes.adapt_retriever.vectors import Known, Vectors, passage_vectors
from hinterland.indexes.embed import Embedder

__all__ = ["Material", "all_pairs", "columns_of", "prepare"]


@dataclass(frozen=True, slots=True)
class Material:
    """What a training is fed.

    Attributes:
        columns: Texts by kind of pair and column.
        counts: Pairs by kind, and what was met on the way.
    """

    columns: dict[str, dict[str, list[str]]]
    counts: dict[str, Any]


def all_pairs(
    passages: Sequence[Passage], settings: AdaptSettings, generate: Callable[[str], str] | None = None
) -> tuple[dict[str, list[Pair]], dict[str, int]]:
    """Return all pairs by kind, and what generation met.

    Kinds that the passages do not give (no titles, one passage to each document) are empty.
    """
    kinds, seed = settings.pairs.kinds, settings.seed
    pairs: dict[str, list[Pair]] = {}
    met: dict[str, int] = {}
    if "title" in kinds:
        pairs["title"] = title_pairs(passages)
    if "neighbour" in kinds:
        pairs["neighbour"] = neighbour_pairs(passages)
    if "cloze" in kinds:
        wanted = settings.train.steps * settings.train.batch
        each = min(8, 1 + wanted // max(len(passages), 1))
        pairs["cloze"] = cloze_pairs(passages, keep=settings.pairs.keep_sentence, seed=seed, each=each)
    if generate is not None and "generated" in kinds:
        made = generated_pairs(passages, generate, settings.pairs.generated, seed=seed)
        pairs["generated"] = list(made.pairs)
        met = {"queries_asked": made.asked, "queries_unusable": made.unusable, "queries_lost": made.lost}
    return pairs, met


def prepare(
    passages: Sequence[Passage],
    settings: AdaptSettings,
    embedder: Embedder,
    generate: Callable[[str], str] | None = None,
    *,
    known: Known | None = None,
) -> Material:
    """Make pairs, draw those that the steps can use, and mine their negatives.

    Raises:
        CorpusError: There are fewer pairs than a batch holds, or all are of one document.
    """
    pairs, met = all_pairs(passages, settings, generate)
    wanted = settings.train.steps * settings.train.batch
    chosen = balanced(pairs, wanted, seed=settings.seed, most=settings.pairs.most)
    made = ", ".join(f"{len(found)} {kind}" for kind, found in sorted(pairs.items())) or "none"
    if len(chosen) < settings.train.batch or len({passages[pair.passage].document for pair in chosen}) < 2:
        raise CorpusError(
            f"too few pairs to learn from: {made}; a batch holds {settings.train.batch}",
            cure="give more documents, ones with titles or several sentences, or lower train.batch",
        )
    counts: dict[str, Any] = {
        "passages": len(passages),
        "pairs_made": {kind: len(found) for kind, found in sorted(pairs.items())},
        "pairs_used": {kind: sum(pair.kind == kind for pair in chosen) for kind in sorted(pairs)},
        **met,
    }
    rows: list[list[int]] = [[] for _ in chosen]
    if settings.negatives.per_query:
        table = [passage.shown for passage in passages]

        def similar(queries: Sequence[str], rows: Sequence[int]) -> tuple[Vectors, Vectors]:
            texts = [table[row] for row in rows]
            return embedder.queries(queries), passage_vectors(texts, embedder, label="base", known=known)

        mined = hard_negatives(chosen, passages, settings.negatives, seed=settings.seed, embed=similar)
        rows = mined.rows.tolist()
        counts |= {"negatives_too_close": mined.too_close, "negatives_drawn": mined.drawn}
    return Material(columns_of(chosen, rows, passages), counts)


def columns_of(
    pairs: Sequence[Pair], negatives: Sequence[Sequence[int]], passages: Sequence[Passage]
) -> dict[str, dict[str, list[str]]]:
    """Return columns by kind of pair; negatives have a title only where positives have one."""
    columns: dict[str, dict[str, list[str]]] = {}
    for pair, rows in zip(pairs, negatives, strict=True):
        bare = pair.kind in ("title", "neighbour")
        shown = [body_without_title(passages[row]) if bare else passages[row].shown for row in rows]
        named = {"anchor": pair.query, "positive": pair.positive}
        named |= {f"negative_{number}": text for number, text in enumerate(shown)}
        for name, text in named.items():
            columns.setdefault(pair.kind, {}).setdefault(name, []).append(text)
    return columns
