"""Files of queries and judgements: what is read, and which line is to blame."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hinterland.core.errors import ConfigError
from hinterland.indexes.queries import query_texts, read_judgements, read_queries

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1).filter(str.strip)


def write(path: Path, text: str) -> Path:
    path.write_bytes(text.encode())
    return path


def test_json_lines_with_and_without_ids(tmp_path: Path) -> None:
    lines = [
        '{"_id": "a", "text": " capital of Peru ", "metadata": {}}',
        "",
        '{"query_id": 7, "query": "yen"}',
        '{"question": "copper"}',
        '"yen"',
        '{"_id": "blank", "text": " "}',
    ]
    file = write(tmp_path / "queries.jsonl", "\ufeff" + "\r\n".join(lines))
    assert read_queries(file) == {"a": "capital of Peru", "7": "yen", "4": "copper", "5": "yen"}
    assert read_queries(tmp_path) == read_queries(file)  # a folder in BEIR's layout
    assert query_texts(file) == ["capital of Peru", "yen", "copper"]
    # Objects are read as such under any name.
    assert read_queries(write(tmp_path / "objects.txt", lines[0] + "\n")) == {"a": "capital of Peru"}


def test_a_query_a_line(tmp_path: Path) -> None:
    file = write(tmp_path / "queries.txt", '\nyen\n "Kenya" 2024\nyen\n[1]')
    assert read_queries(file) == {"2": "yen", "3": '"Kenya" 2024', "4": "yen", "5": "[1]"}
    assert query_texts(file) == ["yen", '"Kenya" 2024', "[1]"]


@given(st.dictionaries(st.text("abc0", min_size=1), TEXTS, min_size=1))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_text_comes_back(tmp_path: Path, queries: dict[str, str]) -> None:
    # U+2028 and other separators of lines may stand inside a query.
    lines = [
        json.dumps({"_id": name, "text": text}, ensure_ascii=False) + "\n" for name, text in queries.items()
    ]
    file = write(tmp_path / "queries.jsonl", "".join(lines))
    assert read_queries(file) == {name: text.strip() for name, text in queries.items()}


@pytest.mark.parametrize(
    ("text", "found", "place"),
    [
        ("", "no query in the file", "queries.jsonl)"),
        ('{"text": ""}', "no query in the file", "queries.jsonl)"),
        ('"yen"\n\n{"a": 1}', "the line holds no query", "queries.jsonl, line 3)"),
        ('{"text": 5}', "the line holds no query", "queries.jsonl, line 1)"),
        ("\n{oops", "not JSON: Expecting property name", "queries.jsonl, line 2)"),
        ("[" * 100_000, "not JSON: ", "queries.jsonl, line 1)"),
        ('{"_id": 1, "text": "a"}\n{"_id": "1", "text": "b"}', "two queries have the id '1'", "line 2)"),
    ],
)
def test_bad_queries(tmp_path: Path, text: str, found: str, place: str) -> None:
    file = write(tmp_path / "queries.jsonl", text)
    with pytest.raises(ConfigError) as caught:
        read_queries(file)
    assert str(caught.value).startswith(found)
    assert place in str(caught.value)
    assert "→ write a query a line, or" in str(caught.value) or "rename it" in str(caught.value)


def test_judgements(tmp_path: Path) -> None:
    rows = ["query-id\tcorpus-id\tscore", "q1\td1\t2", "q1\td2\t-1", "", 'q2\t"d 3"\t0.5', "q1\td1\t1"]
    file = write(tmp_path / "qrels.tsv", "\n".join(rows))
    assert read_judgements(file) == {"q1": {"d1": 1.0, "d2": -1.0}, "q2": {"d 3": 0.5}}
    assert read_judgements(write(tmp_path / "bare.tsv", "q\td\t1")) == {"q": {"d": 1.0}}
    assert read_judgements(write(tmp_path / "other.tsv", "qid\tdid\tscore\nq\td\t1\n")) == {"q": {"d": 1.0}}


@pytest.mark.parametrize(
    ("text", "found", "place"),
    [
        ("query-id\tcorpus-id\tscore\n", "no judgement in the file", "qrels.tsv)"),
        ("q\td\t1\nq d 1\n", "1 fields where a judgement has three", "qrels.tsv, line 2)"),
        ("q\t0\td\t1", "4 fields where", "qrels.tsv, line 1)"),
        ("q\td\t1\n\nq\te\tyes", "the relevance 'yes' is no number", "qrels.tsv, line 3)"),
        ("q\td\tnan", "the relevance 'nan' is no number", "line 1)"),
        ("q\td\tinf", "the relevance 'inf' is no number", "line 1)"),
        (f"q\t{'d' * 200_000}\t1", "judgements cannot be read: field larger than", "qrels.tsv)"),
    ],
)
def test_bad_judgements(tmp_path: Path, text: str, found: str, place: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read_judgements(write(tmp_path / "qrels.tsv", text))
    assert str(caught.value).startswith(found)
    assert place in str(caught.value)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "latin").write_bytes(b"caf\xe9\n")
    for path in (tmp_path / "none", tmp_path / "latin"):
        for read in (read_queries, query_texts):
            with pytest.raises(ConfigError, match="queries cannot be read"):
                read(path)
        with pytest.raises(ConfigError, match="judgements cannot be read"):
            read_judgements(path)
    with pytest.raises(ConfigError, match="queries cannot be read"):
        read_queries(tmp_path)  # no queries.jsonl in it
    with pytest.raises(ConfigError, match="judgements cannot be read"):
        read_judgements(tmp_path)
