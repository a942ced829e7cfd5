"""Reading: every document is read or listed with the place and the reason."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hinterland.core.corpus import write_corpus
from hinterland.core.errors import CorpusError
from hinterland.core.record import BASE_SCHEMA, content_id
from hinterland.curate.read import count_rows, find_inputs, read_inputs, write_rejects


def _jsonl(path: Path, *lines: object) -> Path:
    path.write_bytes(
        b"".join((line if isinstance(line, bytes) else json.dumps(line).encode()) + b"\n" for line in lines)
    )
    return path


def test_a_broken_file_is_read_around(tmp_path: Path) -> None:
    path = _jsonl(
        tmp_path / "a.jsonl",
        {"id": "one", "text": "The sea", "country": "KEN", "lat": "1.5", "rank": 3},
        b"{half",
        {"text": None},
        {"text": " \n"},
        b"",
        {"text": "Far away", "country": "XYZ"},
        {"title": "no text"},
        {"text": float("nan")},
        ["a", "list"],
        b'{"text": "\xff\xfe"}',
        b'{"text": "\\ud800 alone"}',
        {"id": 7, "text": "Numbers", "lat": 95, "lon": "east", "source": {"a": 1}},
    )
    reading = read_inputs([path])
    assert [(each.position, each.reason, each.kept) for each in reading.rejects] == [
        (2, "not_json", False),
        (3, "null_text", False),
        (4, "empty_text", False),
        (6, "unknown_country", True),
        (7, "no_text_column", False),
        (8, "text_not_a_string", False),
        (9, "not_an_object", False),
        (10, "not_utf8", False),
        (11, "lone_surrogate", False),
        (12, "bad_source", True),
        (12, "bad_lat", True),
        (12, "bad_lon", True),
    ]
    assert reading.counts == {"in": 11, "read": 3, "rejected": 8}
    assert reading.reasons["unknown_country"] == 1
    rows = reading.table.to_pylist()
    assert reading.table.schema == BASE_SCHEMA
    assert [row["id"] for row in rows] == ["one", content_id("Far away"), "7"]
    assert [row["country"] for row in rows] == ["KEN", None, None]
    assert rows[0]["lat"] == 1.5
    assert json.loads(rows[0]["meta"]) == {"rank": 3}


def test_all_kinds_of_files_in_a_folder(tmp_path: Path) -> None:
    _jsonl(tmp_path / "a.jsonl", {"text": "One"})
    with gzip.open(tmp_path / "b.jsonl.gz", "wt") as handle:
        handle.write('{"content": "Two"}\n')
    pq.write_table(pa.table({"text": ["Three", None]}), tmp_path / "c.parquet")
    (tmp_path / "d.txt").write_bytes(b"\xef\xbb\xbfFour")
    (tmp_path / "e.txt").write_bytes(b"\xff")
    (tmp_path / "f.docx").write_text("text\nFive\n")
    (tmp_path / ".hidden.txt").write_text("not mine")
    reading = read_inputs([tmp_path])
    assert [count_rows(path) for path in find_inputs([tmp_path])] == [1, 1, 2, 1, 1, 0]
    assert reading.table["text"].to_pylist() == ["One", "Two", "Three", "Four"]
    assert [(Path(each.file).name, each.position, each.reason) for each in reading.rejects] == [
        ("c.parquet", 2, "null_text"),
        ("e.txt", 0, "not_utf8"),
        ("f.docx", 0, "unknown_kind"),
    ]


def test_a_truncated_archive_gives_what_was_whole(tmp_path: Path) -> None:
    whole = gzip.compress(b"".join(b'{"text": "line %d"}\n' % i for i in range(5000)), mtime=0)
    (tmp_path / "a.jsonl.gz").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "b.jsonl").write_text('{"text": "after"}\n')
    reading = read_inputs([tmp_path / "a.jsonl.gz", tmp_path / "b.jsonl"])
    assert reading.table["text"][-1].as_py() == "after"
    read = reading.table.num_rows - 1
    assert 0 < read < 5000
    assert [(each.position, each.reason) for each in reading.rejects] == [(read + 1, "broken_file")]


def test_a_corrupt_parquet_file(tmp_path: Path) -> None:
    (tmp_path / "a.parquet").write_bytes(b"PAR1 nothing PAR1")
    reading = read_inputs([tmp_path / "a.parquet"])
    assert reading.table.num_rows == 0
    assert [each.reason for each in reading.rejects] == ["broken_file"]
    assert count_rows(tmp_path / "a.parquet") == 0


def test_equal_texts_and_ids_stay_apart(tmp_path: Path) -> None:
    path = _jsonl(
        tmp_path / "a.jsonl",
        {"text": "Same"},
        {"text": "Same"},
        {"id": "x", "text": "A"},
        {"id": "x", "text": "B"},
        {"id": "x", "text": "B"},
    )
    reading = read_inputs([path])
    ids = reading.table["id"].to_pylist()
    same, taken = content_id("Same"), f"x-{content_id('B')[:8]}"
    assert ids == [same, f"{same}-2", "x", taken, f"{taken}-2"]
    assert reading.reasons == {"id_taken": 2}


def test_a_corpus_is_read_as_it_is(tmp_path: Path) -> None:
    corpus = write_corpus(tmp_path / "c", pa.table({"id": ["a"], "text": ["One"], "f.x": [0.5]}))
    reading = read_inputs([corpus.path])
    assert reading.table["f.x"].to_pylist() == [0.5]
    assert reading.counts == {"in": 1, "read": 1, "rejected": 0}


def test_a_corpus_among_files(tmp_path: Path) -> None:
    write_corpus(tmp_path / "c", pa.table({"id": ["a"], "text": ["One"], "meta": ['{"k": 1}']}))
    (tmp_path / "d.txt").write_text("Two")
    table = read_inputs([tmp_path / "c", tmp_path / "d.txt"]).table
    assert table["id"][0].as_py() == "a"
    assert table["meta"].to_pylist() == ['{"k": 1}', None]


@pytest.mark.parametrize("meta", ["plain words", ["a"], {"k": 1}])
def test_meta_of_any_kind_is_kept_as_json(tmp_path: Path, meta: object) -> None:
    table = read_inputs([_jsonl(tmp_path / "a.jsonl", {"text": "One", "meta": meta})]).table
    found = json.loads(table["meta"][0].as_py())
    assert found == (meta if isinstance(meta, dict) else {"meta": meta})


def test_a_damaged_manifest_is_not_read_as_a_folder_of_files(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text("{half")
    (tmp_path / "a.txt").write_text("One")
    with pytest.raises(Exception, match="JSON"):
        read_inputs([tmp_path])


def test_nothing_to_read(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="no such file"):
        read_inputs([tmp_path / "missing"])
    with pytest.raises(CorpusError, match="nothing to read"):
        read_inputs([tmp_path])


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.one_of(st.binary(max_size=30), st.just(b'{"text": "fine"}')), max_size=6))
def test_whatever_the_bytes_nothing_disappears(tmp_path: Path, lines: list[bytes]) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(b"\n".join(lines))
    reading = read_inputs([path])
    filled = [line for line in path.read_bytes().split(b"\n") if line.strip()]
    assert reading.counts["in"] == len(filled)
    write_rejects(tmp_path / "rejects.jsonl", reading.rejects)
    ledger = [json.loads(line) for line in (tmp_path / "rejects.jsonl").read_text().splitlines()]
    assert sum(each["documents"] for each in ledger) == reading.counts["rejected"]
