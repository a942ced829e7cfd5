"""Queries that a user gives, and which documents answer them: plain lines, JSON Lines, BEIR's layout.

BEIR (Thakur et al. 2021, https://arxiv.org/abs/2104.08663) keeps a collection's queries in
``queries.jsonl``, one ``{"_id": …, "text": …}`` to a line, and judgements in ``qrels/….tsv``: query-id,
corpus-id and score with tabs between them, under a header.
"""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Iterator
from pathlib import Path

from hinterland.core.errors import ConfigError

__all__ = ["query_texts", "read_judgements", "read_queries"]

_IDS, _TEXTS = ("_id", "query_id", "id"), ("text", "query", "question")
_JSON = (".jsonl", ".json", ".ndjson")
_QUERIES = 'write a query a line, or JSON Lines with "text" (and "_id", where judgements name it)'
_QRELS = "write query-id, corpus-id and score, with tabs between them, as BEIR has it"


def read_queries(path: Path) -> dict[str, str]:
    """Return queries by id, in the order of the file.

    Args:
        path: JSON Lines: ``text`` (or ``query``, ``question``) with ``_id`` (or ``query_id``, ``id``), or
            a string alone; else plain text, one query to a line; or a folder with ``queries.jsonl``.
            A query without an id has the number of its line, from 1. Blank ones are passed over.

    Raises:
        ConfigError: The file cannot be read, a line holds no query, two queries have one id, or there
            is none.
    """
    found: dict[str, str] = {}
    for where, name, text in _queries(path):
        if found.setdefault(name, text) != text:
            raise ConfigError(
                f"two queries have the id {name!r}", where=where, cure="leave one, or rename it"
            )
    return found


def query_texts(path: Path) -> list[str]:
    """Return the queries of a file, each once, in its order; ids are not looked at.

    Args:
        path: As for `read_queries`.

    Raises:
        ConfigError: The file cannot be read, a line holds no query, or there is none.
    """
    return list(dict.fromkeys(text for _, _, text in _queries(path)))


def read_judgements(path: Path) -> dict[str, dict[str, float]]:
    """Return relevance by document id, by query id.

    Args:
        path: Lines of query id, document id and relevance with tabs between them; a header is passed
            over. Of a pair that is judged twice the last line counts.

    Raises:
        ConfigError: The file cannot be read, a line is no judgement, or there is none.
    """
    found: dict[str, dict[str, float]] = {}
    try:
        with path.open(encoding="utf-8-sig", newline="") as handle:
            rows = csv.reader(handle, delimiter="\t")
            for row in rows:
                if not row or row[0] == "query-id" or (rows.line_num == 1 and row[-1].strip() == "score"):
                    continue
                query, document, relevance = _judgement(row, f"{path}, line {rows.line_num}")
                found.setdefault(query, {})[document] = relevance
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ConfigError(f"judgements cannot be read: {error}", where=str(path), cure=_QRELS) from error
    if not found:
        raise ConfigError("no judgement in the file", where=str(path), cure=_QRELS)
    return found


def _judgement(row: list[str], where: str) -> tuple[str, str, float]:
    if len(row) != 3:
        raise ConfigError(f"{len(row)} fields where a judgement has three", where=where, cure=_QRELS)
    try:
        relevance = float(row[2])
    except ValueError:
        relevance = math.nan
    if not math.isfinite(relevance):
        raise ConfigError(f"the relevance {row[2]!r} is no number", where=where, cure=_QRELS)
    return row[0], row[1], relevance


def _queries(path: Path) -> Iterator[tuple[str, str, str]]:
    """Yield where each query stands, its id and its text.

    Raises:
        ConfigError: The file cannot be read, a line holds no query, or there is none.
    """
    file = path / "queries.jsonl" if path.is_dir() else path
    as_json, none = file.suffix.lower() in _JSON, True
    try:
        # Line by line, not by `splitlines`: U+2028 and its like may stand inside a JSON string.
        with file.open(encoding="utf-8-sig") as handle:
            for number, line in enumerate(handle, 1):
                if not line.strip():
                    continue
                where = f"{file}, line {number}"
                as_json |= none and line.lstrip().startswith('{"')
                name, text = _from_json(line, where) if as_json else (None, line)
                if text.strip():
                    none = False
                    yield where, str(number) if name is None else name, text.strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"queries cannot be read: {error}", where=str(file), cure=_QUERIES) from error
    if none:
        raise ConfigError("no query in the file", where=str(file), cure=_QUERIES)


def _from_json(line: str, where: str) -> tuple[str | None, str]:
    """Return a line's id, if it has one, and its query."""
    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"not JSON: {error}", where=where, cure=_QUERIES) from error
    if isinstance(row, str):
        return None, row
    fields = row if isinstance(row, dict) else {}
    text = next((fields[key] for key in _TEXTS if isinstance(fields.get(key), str)), None)
    if text is None:
        raise ConfigError("the line holds no query", where=where, cure=_QUERIES)
    name = next((fields[key] for key in _IDS if fields.get(key) is not None), None)
    return None if name is None else str(name), text
