"""Queries that a language model writes for passages (doc2query, InPars), kept if they lead back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from hinterland.core.progress import track
from hinterland.core.seeds import generator
from hinterland.indexes.adapt_retriever.documents import Passage
from hinterland.indexes.adapt_retriever.pairs import Pair
from hinterland.indexes.adapt_retriever.settings import GeneratedSettings
from hinterland.indexes.lexical import LexicalConfig, LexicalIndex

__all__ = ["Generated", "clean_query", "generated_pairs", "query_prompt"]

_LONGEST = 40  # words of a query
#: Three examples in the wording of InPars (Bonifacio et al. 2022, arXiv:2202.05144), texts of ours.
_EXAMPLES = (
    (
        "The Great Rift Valley runs through Kenya from north to south. Its lakes, some of them salty, "
        "feed millions of flamingos.",
        "Where do flamingos feed in Kenya?",
    ),
    (
        "Copper conducts electricity better than any metal but silver, and costs a fraction of it; that "
        "is why most wires are made of it.",
        "Why are electric wires made of copper?",
    ),
    (
        "In the trial, patients who were given the drug within six hours of the stroke walked again "
        "sooner than those who were given it later.",
        "Does the time of treatment matter after a stroke?",
    ),
)


@dataclass(frozen=True, slots=True)
class Generated:
    """Generated pairs.

    Attributes:
        pairs: What was kept.
        asked: Passages that a query was asked for.
        unusable: Answers that were empty, too long or copied from the passage.
        lost: Queries that do not lead back to their passage.
    """

    pairs: tuple[Pair, ...]
    asked: int
    unusable: int
    lost: int


def query_prompt(passage: str) -> str:
    """Return the prompt that asks for a query to a passage."""
    shown = [f"Document: {text}\nRelevant query: {query}" for text, query in _EXAMPLES]
    return "\n\n".join([*shown, f"Document: {' '.join(passage.split())}\nRelevant query:"])


def clean_query(answer: str, passage: str) -> str:
    """Return the query in a model's answer, or an empty string if there is no usable one.

    Its first line that is not empty counts, without a label and quotes. A query of under three
    or over 40 words, and one that stands in the passage word for word, is not usable.

    >>> clean_query('Relevant query: "Who drills for oil in Chad?"', "Chad has oil.")
    'Who drills for oil in Chad?'
    """
    line = next((line.strip() for line in answer.splitlines() if line.strip()), "")
    for label in ("relevant query:", "query:", "question:"):
        if line.lower().startswith(label):
            line = line[len(label) :].strip()
    line = " ".join(line.strip("\"'“”*` ").split())
    usable = (
        3 <= len(line.split()) <= _LONGEST and line.casefold() not in " ".join(passage.split()).casefold()
    )
    return line if usable else ""


def generated_pairs(
    passages: Sequence[Passage],
    generate: Callable[[str], str],
    settings: GeneratedSettings,
    *,
    seed: int,
    lexical: LexicalConfig | None = None,
) -> Generated:
    """Ask for a query to each of some passages.

    Args:
        passages: What to draw from.
        generate: The language model: a prompt in, its answer out.
        settings: How many, and which are kept.
        seed: Draws the passages.
        lexical: How words are indexed for the way back.
    """
    order = generator(seed, "retriever", "generated").permutation(len(passages))
    chosen = order[: settings.passages].tolist()
    found, unusable = [], 0
    for row in track(chosen, "queries"):
        query = clean_query(generate(query_prompt(passages[row].shown)), passages[row].shown)
        if query:
            found.append(Pair("generated", query, passages[row].shown, row))
        else:
            unusable += 1
    kept = found
    if settings.round_trip is not None and found:
        index = LexicalIndex.build([passage.shown for passage in passages], lexical or LexicalConfig())
        _, rows = index.search([pair.query for pair in found], settings.round_trip)
        kept = [pair for pair, back in zip(found, rows.tolist(), strict=True) if pair.passage in back]
    return Generated(tuple(kept), len(chosen), unusable, len(found) - len(kept))
