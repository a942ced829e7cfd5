"""Has the test set leaked into the training texts?

Three checks, from the bluntest: documents of held-out countries in the training set; gold
documents of evaluated questions in the training set; and n-gram overlap, as for GPT-3
(Brown et al. 2020, appendix C: 13 words), between training texts and each question followed
by its answer. Statements shorter than n words are looked for whole.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import pyarrow.parquet as pq

from hinterland.core.corpus import Corpus
from hinterland.core.places import check_country
from hinterland.eval.metrics.normalise import tokens
from hinterland.eval.task import Question

__all__ = ["Contamination", "Document", "Overlap", "corpus_documents", "find_contamination"]

_SHORTEST = 5  # words; shorter statements occur by chance


@dataclass(frozen=True, slots=True)
class Document:
    """A training text."""

    id: str
    text: str
    country: str | None = None


@dataclass(frozen=True, slots=True)
class Overlap:
    """Words of a question and its answer, found in a training text."""

    question: str
    document: str
    words: str


@dataclass(frozen=True, slots=True)
class Contamination:
    """What was checked and what was found.

    Attributes:
        documents: Training texts looked through.
        questions: Questions looked for.
        too_short: Questions with every statement under 5 words, which overlap cannot tell.
        n: Words in a row that count as overlap.
        overlaps: Each question and document once, with the first words found.
        gold_documents: Gold documents of the questions that are training texts.
        held_out: Training texts of held-out countries, by id.
    """

    documents: int
    questions: int
    too_short: int
    n: int
    overlaps: tuple[Overlap, ...]
    gold_documents: tuple[str, ...]
    held_out: tuple[str, ...]

    @property
    def questions_hit(self) -> int:
        """How many questions overlap with a training text."""
        return len({overlap.question for overlap in self.overlaps})

    @property
    def clean(self) -> bool:
        """Whether nothing was found."""
        return not (self.overlaps or self.gold_documents or self.held_out)

    @property
    def verdict(self) -> str:
        """The findings in a sentence."""
        if self.clean:
            short = f" ({self.too_short} too short to tell)" if self.too_short else ""
            return (
                f"no leak found: {self.questions} questions{short} against "
                f"{self.documents} training texts, {self.n} words in a row"
            )
        return (
            f"LEAK: {self.questions_hit} of {self.questions} questions overlap with training texts; "
            f"{len(self.gold_documents)} gold documents and {len(self.held_out)} texts of held-out "
            f"countries are among the {self.documents} training texts"
        )

    def as_dict(self, *, limit: int = 100) -> dict[str, Any]:
        """Return counts, the verdict, and the first ``limit`` offenders of each kind."""
        return {
            "documents": self.documents,
            "questions": self.questions,
            "too_short": self.too_short,
            "n": self.n,
            "questions_hit": self.questions_hit,
            "gold_documents_hit": len(self.gold_documents),
            "held_out_hit": len(self.held_out),
            "clean": self.clean,
            "verdict": self.verdict,
            "overlaps": [asdict(overlap) for overlap in self.overlaps[:limit]],
            "gold_documents": list(self.gold_documents[:limit]),
            "held_out": list(self.held_out[:limit]),
        }


def corpus_documents(corpus: Corpus) -> Iterator[Document]:
    """Yield a corpus's texts, a batch in memory at a time.

    Raises:
        CorpusError: A shard is missing or corrupt.
    """
    for path, _ in corpus.shards():
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches(columns=["id", "text", "country"]):
                for row in batch.to_pylist():
                    yield Document(row["id"], row["text"], row["country"])


def _grams(questions: Sequence[Question], n: int) -> tuple[dict[tuple[str, ...], set[str]], int]:
    """Return the word sequences to look for with their questions, and how many have none."""
    grams: dict[tuple[str, ...], set[str]] = {}
    too_short = 0
    for question in questions:
        statements = [tokens(f"{question.question} {answer}") for answer in question.answers]
        statements = [words for words in statements if len(words) >= min(_SHORTEST, n)]
        too_short += not statements
        for words in statements:
            for start in range(max(1, len(words) - n + 1)):
                grams.setdefault(tuple(words[start : start + n]), set()).add(question.id)
    return grams, too_short


def find_contamination(
    questions: Sequence[Question],
    documents: Iterable[Document],
    *,
    n: int = 13,
    held_out: Collection[str] = (),
) -> Contamination:
    """Look for the questions in the training texts.

    Args:
        questions: The evaluated questions.
        documents: The training texts, gone through once.
        n: Words in a row that count as overlap.
        held_out: ISO 3166-1 alpha-3 codes of countries kept out of training.

    Raises:
        CorpusError: A held-out country code is unknown.
        ValueError: ``n`` is below 1.
    """
    if n < 1:
        raise ValueError(f"n is at least 1, found {n}")
    codes = {check_country(code, where="held_out") for code in held_out}
    gold = {document for question in questions for document in question.gold_documents}
    grams, too_short = _grams(questions, n)
    # One window slides over each text: the first words of the shortest gram lead to the grams.
    head = min(map(len, grams), default=1)
    by_head: dict[tuple[str, ...], list[tuple[str, ...]]] = {}
    for gram in grams:
        by_head.setdefault(gram[:head], []).append(gram)
    overlaps: dict[tuple[str, str], Overlap] = {}
    gold_found, held_found, count = [], [], 0
    for document in documents:
        count += 1
        if document.id in gold:
            gold_found.append(document.id)
        if document.country is not None and document.country in codes:
            held_found.append(document.id)
        words = tokens(document.text) if grams else []
        for start in range(len(words) - head + 1):
            for gram in by_head.get(tuple(words[start : start + head]), ()):
                if tuple(words[start : start + len(gram)]) == gram:
                    for question in sorted(grams[gram]):
                        overlaps.setdefault(
                            (question, document.id), Overlap(question, document.id, " ".join(gram))
                        )
    return Contamination(
        documents=count,
        questions=len(questions),
        too_short=too_short,
        n=n,
        overlaps=tuple(overlaps.values()),
        gold_documents=tuple(gold_found),
        held_out=tuple(held_found),
    )
