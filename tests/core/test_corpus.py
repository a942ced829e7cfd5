from __future__ import annotations

import hashlib
import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hinterland.core.corpus import Corpus, Shard, conform, publish_corpus, write_corpus, write_shard
from hinterland.core.errors import CorpusError, StorageError
from hinterland.core.files import hash_file, hash_tree
from hinterland.core.record import BASE_SCHEMA

ROWS = [{"id": f"d{n}", "text": f"text {n}", "country": "KEN", "score": n / 2} for n in range(10)]


@pytest.fixture
def corpus(tmp_path: Path) -> Corpus:
    return write_corpus(
        tmp_path / "corpus", pa.Table.from_pylist(ROWS), rows_per_shard=4, manifest={"parents": ["x"]}
    )


def test_what_is_written_is_read(corpus: Corpus) -> None:
    assert len(corpus) == 10
    assert corpus.manifest["parents"] == ["x"]
    assert [shard["rows"] for shard in corpus.manifest["shards"]] == [4, 4, 2]
    table = corpus.read()
    assert table.column_names == [*BASE_SCHEMA.names, "score"]
    assert [{key: row[key] for key in ROWS[0]} for row in table.to_pylist()] == ROWS
    assert corpus.read(["id", "score"]).column_names == ["id", "score"]
    assert table["url"].null_count == 10


def test_other_tools_open_it_as_it_is(corpus: Corpus) -> None:
    import datasets

    files = [str(path) for path, _ in corpus.shards()]
    assert pq.read_table(corpus.path / "part-00001.parquet").num_rows == 4
    loaded = datasets.Dataset.from_parquet(files, cache_dir=str(corpus.path.parent / "cache"))
    assert loaded["text"][:] == [row["text"] for row in ROWS]


def test_the_same_rows_give_the_same_bytes(corpus: Corpus, tmp_path: Path) -> None:
    again = write_corpus(
        tmp_path / "again", pa.Table.from_pylist(ROWS), rows_per_shard=4, manifest={"parents": ["x"]}
    )
    assert hash_tree(again.path) == hash_tree(corpus.path)
    assert again.fingerprint == corpus.fingerprint


@pytest.mark.parametrize("changed", [0, 69, 79])
def test_the_fingerprint_follows_every_shard(tmp_path: Path, changed: int) -> None:
    rows = [{"id": str(n), "text": f"t{n}"} for n in range(80)]
    before = write_corpus(tmp_path / "a", pa.Table.from_pylist(rows), rows_per_shard=1).fingerprint
    rows[changed]["text"] = "changed"
    assert write_corpus(tmp_path / "a", pa.Table.from_pylist(rows), rows_per_shard=1).fingerprint != before


def test_an_empty_corpus_is_a_corpus(tmp_path: Path) -> None:
    nothing = pa.array([], pa.string())
    corpus = write_corpus(tmp_path / "c", pa.table({"id": nothing, "text": nothing}))
    assert len(corpus) == 0
    assert corpus.read().num_rows == 0
    assert corpus.read().schema.names == BASE_SCHEMA.names


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ({"text": ["a"]}, "no column 'id'"),
        ({"id": ["a"]}, "no column 'text'"),
        ({"id": ["a", None], "text": ["a", "b"]}, "1 nulls in column 'id'"),
        ({"id": ["a", "b", "a", "a"], "text": ["a"] * 4}, "2 ids occur more than once"),
        ({"id": ["a"], "text": ["a"], "lat": ["north"]}, "column 'lat' is string, not double"),
        ({"id": ["a"], "text": ["a"], "lat": [[1.0]]}, "column 'lat' is list"),
    ],
)
def test_tables_that_do_not_fit_are_refused(tmp_path: Path, rows: dict[str, Any], message: str) -> None:
    with pytest.raises(CorpusError, match=message):
        write_corpus(tmp_path / "c", pa.table(rows))
    assert not (tmp_path / "c").exists()


def test_columns_are_cast_and_ordered() -> None:
    table = conform(pa.table({"score": [1], "lat": pa.array([1], pa.int8()), "text": ["t"], "id": ["a"]}))
    assert table.column_names[:2] == ["id", "text"]
    assert table.column_names[-1] == "score"
    assert table["lat"].type == pa.float64()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25, deadline=None)
@given(st.lists(st.text(st.characters(codec="utf-8")), max_size=12), st.integers(1, 5))
def test_any_texts_survive_any_sharding(tmp_path: Path, texts: list[str], size: int) -> None:
    ids = pa.array([str(n) for n in range(len(texts))], pa.string())
    table = pa.table({"id": ids, "text": pa.array(texts, pa.string())})
    corpus = write_corpus(tmp_path / "any", table, rows_per_shard=size)
    assert corpus.read(["text"])["text"].to_pylist() == texts


def test_a_corrupt_shard_is_named(corpus: Corpus) -> None:
    shard = corpus.path / "part-00001.parquet"
    content = bytearray(shard.read_bytes())
    content[len(content) // 2] ^= 1
    shard.write_bytes(content)
    with pytest.raises(CorpusError, match="SHA-256 differs") as caught:
        corpus.read()
    assert caught.value.where == str(shard)
    assert [path.name for path, _ in corpus.shards(verify=False)][1] == "part-00001.parquet"
    shard.write_bytes(content[:50])
    with pytest.raises(CorpusError, match="corrupt"):
        corpus.read(["id"])
    shard.unlink()
    with pytest.raises(CorpusError, match="a shard is missing"):
        corpus.read()


def test_a_shard_that_was_never_parquet_is_named(corpus: Corpus) -> None:
    shard = corpus.path / "part-00000.parquet"
    shard.write_bytes(b"not parquet at all")
    corpus.manifest["shards"][0]["sha256"] = hash_file(shard)
    with pytest.raises(CorpusError, match="cannot be read"):
        corpus.read()


def test_a_missing_column_is_named(corpus: Corpus) -> None:
    with pytest.raises(CorpusError, match="no column perplexity") as caught:
        corpus.read(["id", "perplexity"])
    assert caught.value.cure == "score the corpus first"


def test_what_is_no_corpus_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match=r"manifest\.json is missing"):
        Corpus.open(tmp_path)
    for content, message in (
        ('{"kind": "run"}', "not a corpus manifest"),
        ("[]", "not a corpus manifest"),
        ('{"kind": "corpus", "format": 99, "shards": []}', "format 99, this version reads up to 1"),
        ('{"kind": "corpus", "shards": {}}', "no usable shards"),
        ('{"kind": "corpus", "shards": [{"file": "x"}]}', "no usable shards"),
    ):
        (tmp_path / "manifest.json").write_text(content)
        with pytest.raises(CorpusError, match=message):
            Corpus.open(tmp_path)
    (tmp_path / "manifest.json").write_text("{")
    with pytest.raises(StorageError, match="not readable as JSON"):
        Corpus.open(tmp_path)


def test_a_folder_with_other_files_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("three years of work")
    with pytest.raises(CorpusError, match="files in it that are not a corpus"):
        write_corpus(tmp_path, pa.Table.from_pylist(ROWS))
    assert (tmp_path / "thesis.tex").read_text() == "three years of work"
    (tmp_path / "manifest.json").write_text(json.dumps({"kind": "run"}))
    with pytest.raises(CorpusError, match="not a corpus"):
        write_corpus(tmp_path, pa.Table.from_pylist(ROWS))
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / ".begun").write_text("a stage's own")
    assert len(write_corpus(tmp_path / "empty", pa.Table.from_pylist(ROWS))) == 10


def test_a_full_disk_leaves_no_corpus(tiny_disk: Path) -> None:
    # Hashes, because they do not compress.
    rows = [
        {"id": str(n), "text": hashlib.sha256(bytes([n % 256, n // 256])).hexdigest()} for n in range(20_000)
    ]
    with pytest.raises(StorageError, match="the disk is full"):
        write_corpus(tiny_disk / "c", pa.Table.from_pylist(rows))
    assert list(tiny_disk.iterdir()) == []


WRITER = """
import os, sys
from pathlib import Path
import pyarrow as pa
import hinterland.core.corpus as corpus
real = corpus.pq.write_table
def slow(table, where, **options):
    real(table, where, **options)
    if where.name == "part-00002.parquet":
        print("go", flush=True)
        sys.stdin.read()
corpus.pq.write_table = slow
table = pa.table({"id": [str(n) for n in range(10)], "text": ["new"] * 10})
corpus.write_corpus(Path(sys.argv[1]), table, rows_per_shard=1)
"""


def test_a_killed_writer_leaves_the_old_corpus(corpus: Corpus) -> None:
    before = hash_tree(corpus.path)
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, str(corpus.path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"go\n"
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert hash_tree(corpus.path) == before
    assert len(Corpus.open(corpus.path).read()) == 10


def _shards(folder: Path, count: int = 3) -> list[Shard]:
    folder.mkdir()
    tables = [conform(pa.table({"id": [f"d{n}"], "text": [f"text {n}"]})) for n in range(count)]
    return [write_shard(folder / f"{n}.parquet", table) for n, table in enumerate(tables)]


def test_shards_are_published_as_a_corpus(tmp_path: Path) -> None:
    shards = _shards(tmp_path / "work")
    assert Shard.measure(shards[0].path) == shards[0]
    corpus = publish_corpus(tmp_path / "c", shards, manifest={"counts": {"in": 3}})
    assert corpus.read(["id", "text"]).to_pylist() == [{"id": f"d{n}", "text": f"text {n}"} for n in range(3)]
    assert (len(corpus), corpus.manifest["counts"]) == (3, {"in": 3})
    assert corpus.manifest["columns"] == {field.name: str(field.type) for field in BASE_SCHEMA}
    again = publish_corpus(tmp_path / "c", shards[:2])
    assert [path.name for path, _ in again.shards()] == ["part-00000.parquet", "part-00001.parquet"]


def test_shards_are_copied_where_links_are_not_allowed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError

    monkeypatch.setattr("os.link", refuse)
    shards = _shards(tmp_path / "work")
    corpus = publish_corpus(tmp_path / "c", shards)
    assert len(corpus.read()) == 3
    assert shards[0].path.stat().st_nlink == 1


def test_only_shards_of_one_corpus_are_published(tmp_path: Path) -> None:
    shards = _shards(tmp_path / "work")
    with pytest.raises(CorpusError, match="needs a shard"):
        publish_corpus(tmp_path / "c", [])
    scored = write_shard(tmp_path / "x.parquet", pq.read_table(shards[0].path).append_column("x", [[1.0]]))
    with pytest.raises(CorpusError, match="differ in their columns"):
        publish_corpus(tmp_path / "c", [*shards, scored])
    bare = write_shard(tmp_path / "y.parquet", pa.table({"id": ["a"], "text": ["b"]}))
    with pytest.raises(CorpusError, match="do not start with"):
        publish_corpus(tmp_path / "c", [bare])
    with pytest.raises(CorpusError, match="cannot be read"):
        Shard.measure(tmp_path / "none.parquet")
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "mine.txt").write_text("x")
    with pytest.raises(CorpusError, match="not a corpus"):
        publish_corpus(tmp_path / "d", shards)
