"""The texts that every tool is given: SciFact, cut once into the units that all of them index."""

from __future__ import annotations

import csv
import gzip
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from gpu_parts.common import SEED

from hinterland.core.files import write_text
from hinterland.core.seeds import generator
from hinterland.indexes.chunk import chunk_documents
from hinterland.indexes.chunk_types import Document, Tokenizer

__all__ = ["Collection", "MissingDataError", "document_of", "ranked_documents", "read_collection"]

#: Between a document's id and the number of its passage.
_MARK = "#"
_NAMES = ("corpus.jsonl.gz", "queries.jsonl", "qrels/test.tsv")


class MissingDataError(Exception):
    """The collection is not there; the message says what is missing."""


@dataclass(frozen=True)
class Collection:
    """Passages, queries and which documents answer them.

    Attributes:
        documents: How many documents the passages were cut from.
        ids: Of the passages: the document's id and the passage's number.
        texts: The passages.
        queries: The queries' texts, by id.
        relevance: Of each query's documents.
    """

    documents: int
    ids: tuple[str, ...]
    texts: tuple[str, ...]
    queries: Mapping[str, str]
    relevance: Mapping[str, Mapping[str, float]]

    def write(self, path: Path) -> Path:
        """Write the passages as JSONL, one with ``id`` and ``text`` to a line."""
        rows = zip(self.ids, self.texts, strict=True)
        write_text(path, "".join(json.dumps({"id": key, "text": text}) + "\n" for key, text in rows))
        return path


def document_of(passage: str) -> str:
    """Return the id of a passage's document.

    >>> document_of("4983#2")
    '4983'
    """
    return passage.rpartition(_MARK)[0]


def ranked_documents(passages: Sequence[str]) -> list[str]:
    """Return the documents of ranked passages, each where its first passage stands.

    >>> ranked_documents(["b#1", "a#0", "b#0"])
    ['b', 'a']
    """
    return list(dict.fromkeys(document_of(passage) for passage in passages))


def read_collection(folder: Path, tokenizer: Tokenizer, *, budget: int, documents: int = 0) -> Collection:
    """Read a collection in BEIR's form and cut it.

    Args:
        folder: Where ``corpus.jsonl.gz``, ``queries.jsonl`` and ``qrels/test.tsv`` lie.
        tokenizer: The encoder's.
        budget: Tokens to a passage, with title and special tokens.
        documents: How many documents; 0 takes all. A part has as many of the queries as
            their answers fill a third of it, and other documents, both drawn under the seed.

    Raises:
        MissingDataError: A file is not there.
    """
    missing = [name for name in _NAMES if not (folder / name).is_file()]
    if missing:
        raise MissingDataError(f"{folder} lacks {', '.join(missing)}: give --data a folder with them")
    with gzip.open(folder / _NAMES[0], "rt", encoding="utf-8") as handle:
        rows = {row["_id"]: row for row in map(json.loads, handle)}
    lines = (folder / _NAMES[1]).read_text(encoding="utf-8").splitlines()
    texts = {row["_id"]: row["text"] for row in map(json.loads, lines)}
    relevance = _relevance(folder / _NAMES[2])
    if 0 < documents < len(rows):
        relevance = _some(relevance, most=documents // 3)
        rows = {key: rows[key] for key in _part(list(rows), relevance, documents)}
    cut, _ = chunk_documents(
        [
            Document(key, " ".join(row["text"].split()), " ".join(row.get("title", "").split()))
            for key, row in rows.items()
        ],
        tokenizer,
        budget=budget,
    )
    numbers: dict[str, int] = {}
    ids = []
    for chunk in cut:
        number = numbers.get(chunk.document_id, 0)
        numbers[chunk.document_id] = number + 1
        ids.append(f"{chunk.document_id}{_MARK}{number}")
    return Collection(
        len(rows),
        tuple(ids),
        tuple(chunk.passage for chunk in cut),
        {key: texts[key] for key in relevance},
        relevance,
    )


def _relevance(path: Path) -> dict[str, dict[str, float]]:
    found: dict[str, dict[str, float]] = {}
    with path.open(encoding="utf-8", newline="") as handle:
        for row in csv.DictReader(handle, delimiter="\t"):
            if float(row["score"]) > 0:
                found.setdefault(row["query-id"], {})[row["corpus-id"]] = float(row["score"])
    return found


def _some(relevance: Mapping[str, Mapping[str, float]], *, most: int) -> dict[str, dict[str, float]]:
    """Return queries, in an order drawn under the seed, while their answers are at most ``most``."""
    names = sorted(relevance)
    answers: set[str] = set()
    chosen: dict[str, dict[str, float]] = {}
    for place in generator(SEED, "index", "queries").permutation(len(names)):
        name = names[int(place)]
        if len(answers | set(relevance[name])) > most:
            break
        answers |= set(relevance[name])
        chosen[name] = dict(relevance[name])
    return chosen


def _part(keys: list[str], relevance: Mapping[str, Mapping[str, float]], wanted: int) -> list[str]:
    """Return all answers and other documents drawn under the seed, in the corpus's order."""
    answers = {key for found in relevance.values() for key in found}
    others = [key for key in keys if key not in answers]
    drawn = generator(SEED, "index", "documents").permutation(len(others))[: max(0, wanted - len(answers))]
    kept = answers | {others[int(place)] for place in drawn}
    return [key for key in keys if key in kept]
