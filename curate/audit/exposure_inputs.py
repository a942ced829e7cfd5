"""Results, judgements and queries for an exposure audit, from files or a live index."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from hinterland.core.errors import CorpusError
from hinterland.core.registry import Registry

__all__ = [
    "RETRIEVERS",
    "OpenIndex",
    "Results",
    "Retrieve",
    "read_qrels",
    "read_queries",
    "read_results",
    "retrieve",
]

#: Queries and how many documents to each → ranked document ids for every query.
Retrieve: TypeAlias = Callable[[list[str], int], list[list[str]]]
#: A folder → what searches the index in it.
OpenIndex: TypeAlias = Callable[[Path], Retrieve]
#: Kinds of index that can be audited; others are added by entry point (``hinterland.retriever``).
RETRIEVERS: Registry[OpenIndex] = Registry("retriever")

_RUN = "a run has six fields: query, Q0, document, rank, score, name"
_JSONL = 'a line is {"query_id": "1", "ids": ["a", "b"], "cited": ["a"]}; "cited" may be missing'


@dataclass(frozen=True)
class Results:
    """What was found for some queries.

    Attributes:
        queries: Their ids, in the order of the file.
        documents: Document ids for each query, best first.
        cited: Ids of the documents cited in each answer; ``None`` where the file has none.
    """

    queries: tuple[str, ...]
    documents: tuple[tuple[str, ...], ...]
    cited: tuple[tuple[str, ...], ...] | None = None

    def relevant(self, judged: Mapping[str, Sequence[str]]) -> list[Sequence[str]]:
        """Return the relevant documents of each query, in this order; none where it is not judged.

        Raises:
            CorpusError: None of the queries is judged.
        """
        if not any(query in judged for query in self.queries):
            raise CorpusError(
                f"none of the {len(self.queries)} queries is judged; {self.queries[0]!r} is one"
                if self.queries
                else "no query",
                where="audit exposure",
                cure="give results and judgements of the same queries, under the same ids",
            )
        return [judged.get(query, ()) for query in self.queries]


def _lines(path: Path) -> Iterator[tuple[str, str]]:
    """Yield where each line that is not blank stands, and the line."""
    try:
        with path.open(encoding="utf-8-sig") as handle:
            for number, line in enumerate(handle, 1):
                if line.strip():
                    yield f"{path}, line {number}", line.rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        raise CorpusError(
            f"the file cannot be read: {error}", where=str(path), cure="give a text file in UTF-8"
        ) from error


def _nothing(path: Path, what: str) -> CorpusError:
    return CorpusError(f"no {what} in the file", where=str(path), cure="give a file with at least one")


def read_results(path: Path) -> Results:
    """Read a TREC run, or JSON Lines (``.jsonl``, ``.json``).

    A run is ranked by score as trec_eval does, ties by document id downwards; its ranks are
    not looked at. A line of JSON has ``query_id`` and ``ids`` or ``documents``, best first, as
    words or as objects with ``document_id`` or ``id``; ``cited`` may follow, likewise.

    Raises:
        CorpusError: The file cannot be read, a line is wrong, or it has no result.
    """
    made = _from_json(path) if path.suffix.lower() in (".jsonl", ".json") else _from_run(path)
    if not made.queries:
        raise _nothing(path, "result")
    return made


def _from_run(path: Path) -> Results:
    scored: dict[str, dict[str, float]] = {}
    for where, line in _lines(path):
        fields = line.split()
        if len(fields) != 6:
            raise CorpusError(f"{len(fields)} fields", where=where, cure=_RUN)
        query, _, document, _, score, _ = fields
        if document in scored.setdefault(query, {}):
            raise CorpusError(
                f"document {document!r} occurs twice for query {query!r}", where=where, cure="leave one line"
            )
        scored[query][document] = _number(score, where=where, what="score")
    ranked = tuple(
        tuple(sorted(sorted(found, reverse=True), key=lambda document: -found[document]))
        for found in scored.values()
    )
    return Results(tuple(scored), ranked)


def _number(text: str, *, where: str, what: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if math.isnan(value):
        raise CorpusError(f"the {what} {text!r} is no number", where=where, cure="write a number")
    return value


def _from_json(path: Path) -> Results:
    documents: dict[str, tuple[str, ...]] = {}
    cited: list[tuple[str, ...]] = []
    any_cited = False
    for where, line in _lines(path):
        row = _object(line, where, _JSONL)
        query = row.get("query_id")
        key = next((each for each in ("ids", "documents") if each in row), None)
        if not isinstance(query, str | int) or key is None:
            missing = "ids" if isinstance(query, str | int) else "query_id"
            raise CorpusError(f"no {missing!r} that can be used", where=where, cure=_JSONL)
        if str(query) in documents:
            raise CorpusError(f"query {str(query)!r} occurs twice", where=where, cure="leave one line")
        documents[str(query)] = _ids(row[key], key, where)
        any_cited = any_cited or row.get("cited") is not None
        cited.append(_ids(row.get("cited") or [], "cited", where))
    return Results(tuple(documents), tuple(documents.values()), tuple(cited) if any_cited else None)


def _object(line: str, where: str, cure: str) -> dict[str, Any]:
    try:
        row = json.loads(line)
    except ValueError as error:
        raise CorpusError(f"not JSON: {error}", where=where, cure=cure) from error
    if not isinstance(row, dict):
        raise CorpusError(f"a {type(row).__name__} where an object is needed", where=where, cure=cure)
    return row


def _ids(value: Any, key: str, where: str) -> tuple[str, ...]:
    """Return document ids from a list of words or of objects."""
    found = value if isinstance(value, list) else [None]
    ids = [each.get("document_id", each.get("id")) if isinstance(each, dict) else each for each in found]
    if not all(isinstance(each, str | int) and not isinstance(each, bool) for each in ids):
        raise CorpusError(f"{key!r} is no list of document ids", where=where, cure=_JSONL)
    return tuple(str(each) for each in ids)


def read_qrels(path: Path) -> dict[str, tuple[str, ...]]:
    """Read which documents are relevant to which query: those judged above 0.

    Four fields are TREC's (query, iteration, document, relevance), three are query, document
    and relevance, with a header where the relevance of the first line is no number.

    Raises:
        CorpusError: The file cannot be read, a line is wrong, a pair is judged twice, or there
            is no judgement.
    """
    seen: set[tuple[str, str]] = set()
    relevant: dict[str, list[str]] = {}
    for number, (where, line) in enumerate(_lines(path)):
        fields = line.split("\t") if "\t" in line else line.split()
        if len(fields) not in (3, 4):
            raise CorpusError(
                f"{len(fields)} fields", where=where, cure="write query, document, relevance, or TREC's four"
            )
        query, document, relevance = (each.strip() for each in (fields[0], *fields[-2:]))
        if number == 0 and _is_header(relevance):
            continue
        if (query, document) in seen:
            raise CorpusError(
                f"document {document!r} is judged twice for query {query!r}",
                where=where,
                cure="leave one line",
            )
        seen.add((query, document))
        judged = relevant.setdefault(query, [])
        if _number(relevance, where=where, what="relevance") > 0:
            judged.append(document)
    if not seen:
        raise _nothing(path, "judgement")
    return {query: tuple(documents) for query, documents in relevant.items()}


def _is_header(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return True
    return False


def read_queries(path: Path) -> dict[str, str]:
    """Read queries from JSON Lines or from lines of an id, a tab and the query.

    JSON has ``query_id`` (or ``_id``, ``id``) and ``query`` or ``text``. A query without an id
    has its number in the file, from 1.

    Returns:
        Query id → query, in the order of the file.

    Raises:
        CorpusError: The file cannot be read, a line is wrong, an id occurs twice, or there is none.
    """
    queries: dict[str, str] = {}
    cure = 'write {"query_id": "1", "query": "…"}'
    for number, (where, line) in enumerate(_lines(path), 1):
        if path.suffix.lower() in (".jsonl", ".json"):
            row = _object(line, where, cure)
            name = next((row[key] for key in ("query_id", "_id", "id") if row.get(key) is not None), number)
            text = next((row[key] for key in ("query", "text") if isinstance(row.get(key), str)), "")
        else:
            before, tab, after = line.partition("\t")
            name, text = (before, after) if tab else (number, before)
        if not text.strip():
            raise CorpusError("no query", where=where, cure=cure)
        if str(name) in queries:
            raise CorpusError(f"query {str(name)!r} occurs twice", where=where, cure="leave one line")
        queries[str(name)] = text
    if not queries:
        raise _nothing(path, "query")
    return queries


def retrieve(kind: str, path: Path, queries: Mapping[str, str], k: int) -> Results:
    """Search an index for documents.

    Args:
        kind: One of `RETRIEVERS`; "hinterland" for an index of the kit.
        path: The index.
        queries: Query id → query.
        k: How many documents to each.

    Raises:
        RegistryError: There is no such kind of index.
        CorpusError: It does not answer every query.
    """
    found = RETRIEVERS.get(kind)(path)(list(queries.values()), k)
    if len(found) != len(queries):
        raise CorpusError(
            f"{len(found)} lists of results for {len(queries)} queries",
            where=f"retriever {kind!r}",
            cure="return one list for every query",
        )
    return Results(tuple(queries), tuple(tuple(each) for each in found))
