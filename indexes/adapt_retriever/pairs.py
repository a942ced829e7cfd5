"""Pairs of a query and a passage that answers it, made without labels."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, pairwise, zip_longest

from hinterland.core.seeds import generator
from hinterland.indexes.adapt_retriever.documents import Passage
from hinterland.indexes.adapt_retriever.settings import Kind
from hinterland.indexes.chunk import sentence_spans
from hinterland.indexes.chunk_types import with_title

__all__ = [
    "Pair",
    "balanced",
    "body_without_title",
    "cloze_pairs",
    "neighbour_pairs",
    "title_pairs",
    "without",
]

_FEWEST = 5  # words of a query made of a sentence, and of what is left of its passage


@dataclass(frozen=True, slots=True)
class Pair:
    """A query and what it should find.

    Attributes:
        kind: How it was made.
        query: The query.
        positive: The passage's text, with the query taken out of it.
        passage: The passage's place in the list that the pairs were made from.
    """

    kind: Kind
    query: str
    positive: str
    passage: int


def without(text: str, span: tuple[int, int]) -> str:
    """Return ``text`` without a span, and the space around the gap as one blank.

    >>> without("One. Two. Three.", (5, 9))
    'One. Three.'
    """
    return f"{text[: span[0]].rstrip()} {text[span[1] :].lstrip()}".strip()


def body_without_title(passage: Passage) -> str:
    """Return a passage's text; a title that it begins with is cut off."""
    text, title = passage.text.lstrip(), passage.title
    if title and text[: len(title)].casefold() == title.casefold():
        return text[len(title) :].lstrip(" .:\n")
    return text


def title_pairs(passages: Sequence[Passage]) -> list[Pair]:
    """Return each titled passage with its title as query; the title is not shown beside it."""
    return [
        Pair("title", passage.title, body, row)
        for row, passage in enumerate(passages)
        if passage.title and _words(body := body_without_title(passage)) >= _FEWEST
    ]


def neighbour_pairs(passages: Sequence[Passage]) -> list[Pair]:
    """Return each passage as query for the next one of its document, both without the title.

    The title is the same for both: with it, the pair would be told by its first line.
    """
    numbered = sorted(enumerate(passages), key=lambda item: (item[1].document, item[1].number))
    return [
        Pair("neighbour", first.text, second.text, row)
        for (_, first), (row, second) in pairwise(numbered)
        if first.document == second.document
        and second.number == first.number + 1
        and min(_words(first.text), _words(second.text)) >= _FEWEST
    ]


def cloze_pairs(
    passages: Sequence[Passage], *, keep: float, seed: int, each: int = 1, name: str = "cloze"
) -> list[Pair]:
    """Return sentences with the rest of their passages (inverse cloze task, Lee et al. 2019, §4).

    Args:
        passages: What to make pairs of.
        keep: How often the sentence stays in its passage, so that word overlap is learnt as well.
        seed: Draws the sentences.
        each: The most sentences of a passage; no sentence is drawn twice.
        name: Names the random stream.
    """
    pairs = []
    for row, passage in enumerate(passages):
        draw = generator(seed, "retriever", name, passage.document, passage.number)
        spans = [
            span for span in sentence_spans(passage.text) if _words(passage.text[slice(*span)]) >= _FEWEST
        ]
        for number in draw.permutation(len(spans))[:each].tolist():
            span = spans[number]
            rest = without(passage.text, span)
            if _words(rest) < _FEWEST:
                continue
            body = passage.text if draw.random() < keep else rest
            pairs.append(Pair("cloze", passage.text[slice(*span)], with_title(passage.title, body), row))
    return pairs


def balanced(
    pairs: Mapping[str, Sequence[Pair]], count: int, *, seed: int, most: int | None = None
) -> list[Pair]:
    """Return up to ``count`` pairs, as evenly over the kinds as their numbers allow, shuffled.

    Args:
        pairs: Pairs by kind.
        count: How many are wanted.
        seed: Orders each kind, and the whole.
        most: The most of one kind.
    """
    drawn: list[list[Pair]] = []
    for kind in sorted(pairs):
        order = generator(seed, "retriever", "order", kind).permutation(len(pairs[kind]))
        drawn.append([pairs[kind][number] for number in order[:most].tolist()])
    turns: Iterable[Pair | None] = chain.from_iterable(zip_longest(*drawn))
    chosen = [pair for pair in turns if pair is not None][:count]
    mixed = generator(seed, "retriever", "order").permutation(len(chosen))
    return [chosen[number] for number in mixed.tolist()]


def _words(text: str) -> int:
    return len(text.split())
