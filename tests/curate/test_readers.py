"""Each format: its fields are found, and what is written is what is read."""

from __future__ import annotations

import bz2
import gzip
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet as pq
import pytest
from damage.archives import record
from damage.documents import PAGE, pdf
from damage.kinds import around, line
from damage.packed import zstd
from hypothesis import given
from hypothesis import strategies as st

from hinterland.core.config import parse_config
from hinterland.core.corpus import Corpus
from hinterland.core.engine import LocalEngine
from hinterland.core.errors import ConfigError, CorpusError, MissingDependencyError
from hinterland.curate.part import read_part
from hinterland.curate.read import ReadConfig, count_rows, read_corpus
from hinterland.curate.readers import READERS, Unreadable, known_suffixes, reader_for
from hinterland.curate.readers.jsonl import parse
from hinterland.curate.readers.jsonvalues import values
from hinterland.curate.readers.stream import BlockStream, lines, recoded
from hinterland.curate.record import RowSource, to_records


def _read(path: Path | str, out: Path, **config: Any) -> list[dict[str, Any]]:
    result = read_corpus([path], out, ReadConfig(**config), engine=LocalEngine(), work=out / "work")
    rows = Corpus.open(result.corpus).read().to_pylist()
    return [{name: value for name, value in row.items() if value is not None} for row in rows]


def _write(path: Path, *rows: dict[str, Any]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


FULL = {
    "id": "d1", "text": "The tide", "source": "gazette", "url": "http://a.org", "date": "2020-01-02",
    "license": "CC0-1.0", "lang": "en", "country": "KEN", "admin1": "Lamu", "lat": -2.3, "lon": 40.9,
}  # fmt: skip


def test_the_usual_names_are_found(tmp_path: Path) -> None:
    row = {
        "Doc-ID": "d1", "Raw Content": "The tide", "publisher": "gazette", "link": "http://a.org",
        "created": "2020-01-02", "licence": "CC0-1.0", "language": "en", "iso3": "KEN", "province": "Lamu",
        "latitude": "-2.3", "lng": 40.9, "views": 7,
    }  # fmt: skip
    assert _read(_write(tmp_path / "a.jsonl", row), tmp_path) == [{**FULL, "meta": '{"views": 7}'}]


def test_a_mapping_wins_over_the_usual_names(tmp_path: Path) -> None:
    row = {
        "text": "a summary",
        "words": "The tide",
        "origin": {"page": {"at": "http://a.org"}},
        "country": "XXX",
    }
    config = {"text": "words", "url": "origin.page.at", "country": "nowhere"}
    [found] = _read(_write(tmp_path / "a.jsonl", row), tmp_path, columns=config)
    assert (found["text"], found["url"], "country" in found) == ("The tide", "http://a.org", False)
    assert json.loads(found["meta"])["text"] == "a summary"
    with pytest.raises(ConfigError, match=r"'txet'.*did you mean 'text'"):
        parse_config(ReadConfig, {"columns": {"txet": "a"}})
    for name in ("klingon", "hex", "rot13", "undefined"):
        with pytest.raises(ConfigError, match="unknown encoding"):
            parse_config(ReadConfig, {"encoding": name})


def test_the_second_name_stands_in_where_the_first_is_null(tmp_path: Path) -> None:
    rows = [{"text": "one", "body": "other"}, {"text": None, "body": "two"}, {"body": "three"}]
    found = _read(_write(tmp_path / "a.jsonl", *rows), tmp_path)
    assert [row["text"] for row in found] == ["one", "two", "three"]
    assert [row.get("meta") for row in found] == ['{"body": "other"}', None, None]


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ("ken", "KEN"),
        ("KE", "KEN"),
        ("Kenya", "KEN"),
        (" uk ", "GBR"),
        ("NA", "NAM"),
        ("United States", "USA"),
    ],
)
def test_countries_become_alpha_3(given: str, code: str, tmp_path: Path) -> None:
    assert (
        _read(_write(tmp_path / "a.jsonl", {"text": "t", "country": given}), tmp_path)[0]["country"] == code
    )


@pytest.mark.parametrize(
    ("given", "date"),
    [
        (1577923200, "2020-01-02T00:00:00Z"),
        (1577923200000, "2020-01-02T00:00:00Z"),
        (2020, "2020"),
        ("2 January 2020", "2 January 2020"),
        (-5, None),
    ],
)
def test_numbers_become_dates(given: object, date: str | None, tmp_path: Path) -> None:
    [row] = _read(_write(tmp_path / "a.jsonl", {"text": "t", "timestamp": given}), tmp_path)
    assert row.get("date") == date


def test_parquet_gives_what_jsonl_gives(tmp_path: Path) -> None:
    rows = [{**FULL, "metadata": {"k": [1, 2], "score": 0.5}}, {"id": "d2", "text": "Ebb", "lat": None}]
    _write(tmp_path / "j" / "a.jsonl", *rows)
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "a.parquet")
    expected = _read(tmp_path / "j", tmp_path / "1")
    assert _read(tmp_path / "a.parquet", tmp_path / "2") == expected
    assert json.loads(expected[0]["meta"]) == {"k": [1, 2], "score": 0.5}


def test_arrow_feather_and_odd_types(tmp_path: Path) -> None:
    import datetime as dt

    table = pa.table(
        {
            "content": pa.array(["One", "Two"]).dictionary_encode(),
            "created": pa.array([dt.datetime(2020, 1, 2, tzinfo=dt.UTC), None], pa.timestamp("ns", "UTC")),
            "_id": pa.array([7, 8]),
            "image": pa.array([b"\x00\xff", None]),
        }
    )
    pa.feather.write_feather(table, tmp_path / "a.feather", compression="zstd")
    rows = _read(tmp_path / "a.feather", tmp_path)
    assert [row["id"] for row in rows] == ["7", "8"]
    assert rows[0]["date"] == "2020-01-02T00:00:00+00:00"
    assert rows[0]["meta"] == '{"image": "2 bytes"}'
    assert count_rows(tmp_path / "a.feather") == 2


def test_values_that_python_cannot_hold_do_not_stop_the_reading(tmp_path: Path) -> None:
    table = pa.table(
        {
            "text": ["One"],
            "date": pa.array([10**15], pa.timestamp("s")),  # far beyond the year 9999
            "source": pa.array([b"\xff"], pa.binary()),
        }
    )
    pq.write_table(table, tmp_path / "a.parquet")
    [row] = _read(tmp_path / "a.parquet", tmp_path)
    assert "source" not in row
    assert "bad_source" in (tmp_path / "rejects" / "rejects.jsonl").read_text()


@pytest.mark.parametrize("pack", ["", ".gz", ".bz2", ".zst"])
def test_dolma_documents_with_attributes(pack: str, tmp_path: Path) -> None:
    def write(path: Path, *rows: object) -> None:
        path.parent.mkdir(parents=True)
        content = "".join(json.dumps(row) + "\n" for row in rows).encode()
        zstd = pa.compress(content, codec="zstd", asbytes=True)
        packed = {"": content, ".gz": gzip.compress(content), ".bz2": bz2.compress(content), ".zst": zstd}
        path.write_bytes(packed[pack])

    name = f"part/0.json{pack}"
    write(
        tmp_path / "v1" / "documents" / name,
        {
            "id": "1",
            "text": "One",
            "source": "wiki",
            "created": "2020",
            "metadata": {"url": "http://a", "n": 1},
        },
        {"id": "2", "text": "Two", "source": "wiki"},
    )
    write(
        tmp_path / "v1" / "attributes" / "tox" / name,
        {"id": "1", "attributes": {"tox__s": [[0, 3, 0.1]]}},
        {"id": "2", "attributes": {}},
    )
    rows = _read(tmp_path / "v1", tmp_path / "out")
    assert [row["text"] for row in rows] == ["One", "Two"]
    assert (rows[0]["url"], rows[0]["date"]) == ("http://a", "2020")
    assert json.loads(rows[0]["meta"]) == {"n": 1, "attributes": {"tox": {"tox__s": [[0, 3, 0.1]]}}}


def test_datatrove_output(tmp_path: Path) -> None:
    row = {
        "text": "One",
        "id": "<urn:1>",
        "media": [],
        "metadata": {"url": "http://a", "date": "2020", "dump": "CC"},
    }
    expected = {"id": "<urn:1>", "text": "One", "url": "http://a", "date": "2020", "meta": '{"dump": "CC"}'}
    assert _read(_write(tmp_path / "a.jsonl", row), tmp_path / "1") == [expected]
    pq.write_table(pa.Table.from_pylist([row]), tmp_path / "a.parquet")
    assert _read(tmp_path / "a.parquet", tmp_path / "2") == [expected]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", 'id,text\n1,"One, with\nnewline"\n2,Two\n'),
        ("a.csv", 'id|text\r\n1|"One, with\nnewline"\r\n\r\n2|Two'),
        ("a.tsv", 'id\ttext\n1\t"One, with\nnewline"\n2\tTwo\n'),
    ],
)
def test_csv_dialects(name: str, content: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content.encode())
    rows = _read(tmp_path / name, tmp_path)
    assert [(row["id"], row["text"].replace("\r", "")) for row in rows] == [
        ("1", "One, with\nnewline"),
        ("2", "Two"),
    ]
    assert count_rows(tmp_path / name) >= 2


def test_csv_in_another_encoding(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes("text\nCôte\n".encode("cp1252"))
    assert _read(tmp_path / "a.csv", tmp_path, encoding="cp1252")[0]["text"] == "Côte"


def test_csv_columns_of_one_name_are_kept_apart(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("text,note,note\nThe sea,one,two\n")
    row = _read(tmp_path / "a.csv", tmp_path)[0]
    assert json.loads(row["meta"]) == {"note": "one", "note_2": "two"}


def test_half_a_pair_in_utf_7_is_passed_on_to_be_rejected() -> None:
    assert list(recoded(iter([b"+2AA-"]), "utf-7")) == [b"\xed\xa0\x80", b""]


def test_pages_of_text(tmp_path: Path) -> None:
    folder = tmp_path / "pages"
    folder.mkdir()
    (folder / "a.txt.gz").write_bytes(gzip.compress(b"packed"))
    (folder / "b.MD").write_text("# Marked down")
    (folder / "c.html").write_text(PAGE, encoding="utf-8")
    (folder / "d.pdf").write_bytes(pdf("Paged"))
    rows = _read(folder, tmp_path)
    assert [row["source"] for row in rows] == ["a.txt.gz", "b.MD", "c.html", "d.pdf"]
    assert [row["text"].partition("\n")[0] for row in rows] == ["packed", "# Marked down", "Title", "Paged"]
    assert rows[3]["meta"] == '{"pages": 1}'
    assert [count_rows(path) for path in sorted(folder.iterdir())] == [1] * 4


def test_web_archives(tmp_path: Path) -> None:
    conversion = (
        b"WARC/1.0\r\nWARC-Type: conversion\r\nWARC-Target-URI: http://b.org/\r\nContent-Type: text/plain\r\n"
        b"WARC-Date: 2024-02-03T00:00:00Z\r\nContent-Length: 5\r\n\r\nplain\r\n\r\n"
    )
    request = record().replace(b"response", b"request ")
    (tmp_path / "a.warc.gz").write_bytes(b"".join(map(gzip.compress, [request, record(), conversion])))
    rows = _read(tmp_path / "a.warc.gz", tmp_path)
    assert [(row["url"], row["date"]) for row in rows] == [
        ("http://example.org/page", "2024-01-02T03:04:05Z"),
        ("http://b.org/", "2024-02-03T00:00:00Z"),
    ]
    assert rows[1]["text"] == "plain"
    assert count_rows(tmp_path / "a.warc.gz") >= 1


def test_data_sets_saved_and_streamed(tmp_path: Path) -> None:
    import datasets

    datasets.disable_progress_bars()
    table = datasets.Dataset.from_dict({"text": ["One", "Two"], "n": [1, 2]})
    datasets.DatasetDict({"test": table, "train": table.select([1])}).save_to_disk(str(tmp_path / "saved"))
    assert [row["text"] for row in _read(tmp_path / "saved", tmp_path / "1")] == ["One", "Two", "Two"]
    spec = f"hf:{tmp_path / 'saved'}::test"
    assert [row["meta"] for row in _read(spec, tmp_path / "2")] == ['{"n": 1}', '{"n": 2}']
    for number in range(3):
        _write(tmp_path / "files" / f"train-{number}.jsonl", {"text": f"t{number}"})
    assert [row["text"] for row in _read(f"hf:{tmp_path / 'files'}", tmp_path / "3")] == ["t0", "t1", "t2"]
    assert count_rows(Path(spec)) == 0  # its card does not say
    with pytest.raises(CorpusError, match="cannot be loaded"):
        _read(f"hf:{tmp_path / 'files'}::validation", tmp_path / "4")


def test_a_hub_that_is_not_reached(tmp_path: Path) -> None:
    code = (
        "from pathlib import Path\nfrom hinterland.core.errors import CorpusError\n"
        "from hinterland.curate.readers.hub import pieces\n"
        "try:\n    pieces(Path('hf:nobody/nothing'))\nexcept CorpusError as error:\n    print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={"HF_HUB_OFFLINE": "1", "HF_HOME": str(tmp_path), "PATH": ""},
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    assert "hf:nobody/nothing" in done.stdout
    assert "without a connection give a local folder" in done.stdout


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "pypdf", None)
    (tmp_path / "a.pdf").write_bytes(pdf("x"))
    with pytest.raises(MissingDependencyError, match=r"hinterland\[curate\]"):
        _read(tmp_path / "a.pdf", tmp_path)


def test_readers_are_found_by_suffix() -> None:
    assert {".jsonl", ".parquet", ".csv", ".html", ".pdf", ".warc", ".arrow", ".txt"} <= set(known_suffixes())
    assert reader_for(Path("A.JSONL.GZ")) is READERS.get("jsonl")
    with pytest.raises(Unreadable, match="unknown_kind"):
        reader_for(Path("a.docx"))


@given(
    st.recursive(
        st.none() | st.integers() | st.floats(allow_nan=False) | st.text(),
        lambda s: st.lists(s) | st.dictionaries(st.text(), s),
        max_leaves=8,
    )
)
def test_json_is_read_as_python_reads_it(value: object) -> None:
    text = json.dumps({"value": value})
    assert parse(text.encode()) == json.loads(text)


def test_without_orjson_the_same_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [
        b'{"a": 123456789012345678901}',
        b'{"a": 1e400}',
        b'{"a": [1.5, {"b": "\\u00e9"}]}',
        b'{"a": 1, "a": 2}',
    ]
    fast = [parse(row) for row in rows]
    monkeypatch.setattr("hinterland.curate.readers.jsonl._fast", lambda: None)
    assert [parse(row) for row in rows] == fast
    assert fast[0] == {"a": 123456789012345678901}


@given(
    st.lists(
        st.dictionaries(
            st.text(max_size=3), st.text(max_size=6) | st.integers() | st.lists(st.text(max_size=2))
        )
    ),
    st.integers(1, 9),
    st.booleans(),
)
def test_arrays_and_joined_objects_are_cut_into_their_values(
    rows: list[object], size: int, joined: bool
) -> None:
    text = ("\n".join(map(json.dumps, rows)) if joined else json.dumps(rows)).encode()
    source = iter([text[start : start + size] for start in range(0, len(text), size)])
    found = list(values(source, 10_000))
    assert [json.loads(value) for _, value in found if isinstance(value, bytes)] == rows
    assert [number for number, _ in found] == list(range(1, len(rows) + 1))


@given(st.binary(max_size=200), st.integers(1, 50), st.integers(1, 30))
def test_lines_do_not_depend_on_blocks(data: bytes, size: int, limit: int) -> None:
    source = iter([data[start : start + size] for start in range(0, len(data), size)])
    expected = data.split(b"\n")
    expected = expected if expected[-1] else expected[:-1]
    found = list(lines(source, limit))
    assert [number for number, _ in found] == list(range(1, len(expected) + 1))
    for (_, read), wanted in zip(found, expected, strict=True):
        assert read == wanted if len(wanted) <= limit else isinstance(read, Unreadable)


@given(st.text(), st.sampled_from(["utf-8-sig", "utf-16", "utf-32", "utf-16-le"]), st.integers(1, 7))
def test_text_is_recoded_whatever_the_blocks(text: str, encoding: str, size: int) -> None:
    text = "ab" + text
    data = text.encode(encoding)
    source = iter([data[start : start + size] for start in range(0, len(data), size)])
    assert b"".join(recoded(source, None)).decode() == text


def test_a_stream_only_goes_forward() -> None:
    stream = BlockStream(iter([b"abc", b"defgh"]))
    assert (stream.read(2), stream.tell(), stream.seek(5), stream.read(), stream.tail) == (
        b"ab",
        2,
        5,
        b"fgh",
        b"efgh",
    )
    with pytest.raises(OSError, match="forward"):
        stream.seek(0)


def test_a_header_over_two_lines(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text('"the\nnumber",text\n1,One\n')
    [row] = _read(tmp_path / "a.csv", tmp_path)
    assert (row["text"], row["meta"]) == ("One", '{"the\\nnumber": "1"}')


def _samples() -> dict[str, bytes]:
    table = pa.table({"text": [f"text {n} " * 3 for n in range(40)], "meta": [{"n": n} for n in range(40)]})
    packed, plain = pa.BufferOutputStream(), pa.BufferOutputStream()
    pq.write_table(table, packed, row_group_size=10)
    with pa.ipc.new_stream(plain, table.schema) as writer:
        writer.write_table(table, max_chunksize=10)
    rows = b"".join(each for each in around(line("x")).splitlines(keepends=True) * 9)
    return {
        "a.parquet": packed.getvalue().to_pybytes(),
        "a.arrow": plain.getvalue().to_pybytes(),
        "a.jsonl": rows,
        "a.json": b"[" + b",".join(rows.splitlines()) + b"]",
        "a.jsonl.gz": gzip.compress(rows, mtime=0),
        "a.jsonl.zst": zstd(rows),
        "a.csv": b'n,text\n1,"One, two"\n2,Three\n',
        "a.pdf": pdf("Paged"),
        "a.html": PAGE.encode(),
        "a.warc": record() + record(b"plain", kind="text/plain"),
    }


@pytest.mark.parametrize("name", list(_samples()))
def test_bytes_spoilt_at_random_are_never_an_error(name: str, tmp_path: Path) -> None:
    import random

    rng = random.Random(name)
    for number in range(25):
        data = bytearray(_samples()[name])
        for _ in range(rng.choice([1, 2, 20])):
            place = rng.randrange(len(data) or 1)
            data[place : place + rng.choice([0, 1, 1, 30])] = rng.randbytes(rng.choice([0, 1, 1, 5]))
        (tmp_path / name).write_bytes(data)
        part = tmp_path / str(number)
        read_part((tmp_path / name,), part, config=ReadConfig(max_document_bytes=100_000))
        counts = json.loads((part / "part.json").read_text())["counts"]
        assert counts["in"] == counts["read"] + counts["rejected"]


def test_texts_in_chunks_are_read_as_one_column(monkeypatch: pytest.MonkeyPatch) -> None:
    # Over 2 GB of text do not fit into one Arrow array of strings.
    texts = ["Tide", "Ebb\0", None, "", "Neap"]
    source = RowSource([{"text": text} for text in texts])
    whole = to_records(source, ReadConfig())
    pieces = pa.chunked_array(
        [pa.array(texts[:2]), pa.array(texts[2:]).slice(0, 1), pa.array(texts).slice(3)]
    )
    monkeypatch.setattr("hinterland.curate.record.as_texts", lambda values: (pieces, {}))
    found = to_records(source, ReadConfig())
    assert found.table.equals(whole.table)
    assert found.entries == whole.entries
    assert [reason for _, reason, _, _ in found.entries] == ["nul_removed", "null_text", "empty_text"]


def test_parquet_in_batches_of_any_size_gives_the_same_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [
        {"id": f"d{number}", "text": f"Tide {number}" * (number % 7), "k": number} for number in range(999)
    ]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "a.parquet", row_group_size=400)
    parts = []
    for most in (1, 128, 8192):
        monkeypatch.setattr("hinterland.core.parquet._MOST_ROWS", most)
        part = tmp_path / str(most)
        read_part((tmp_path / "a.parquet",), part, config=ReadConfig(shard_bytes=5000))
        parts.append({path.name: path.read_bytes() for path in part.iterdir()})
    assert parts[0] == parts[1] == parts[2]
    assert len(parts[0]) > 5
