"""Reading whole inputs: groups, shards, ids, resuming; in = read + rejected whatever comes."""

from __future__ import annotations

import gzip
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hinterland.core.corpus import Corpus, write_corpus
from hinterland.core.engine import LocalEngine
from hinterland.core.errors import CorpusError
from hinterland.core.files import hash_tree
from hinterland.core.record import BASE_SCHEMA, content_id
from hinterland.curate.read import ReadConfig, ReadResult, count_rows, find_inputs, read_corpus
from hinterland.curate.unique import repeats


def _jsonl(path: Path, *lines: object) -> Path:
    path.write_bytes(
        b"".join((line if isinstance(line, bytes) else json.dumps(line).encode()) + b"\n" for line in lines)
    )
    return path


def _read(paths: list[Path], out: Path, *, workers: int = 1, **config: Any) -> tuple[ReadResult, pa.Table]:
    result = read_corpus(paths, out, ReadConfig(**config), engine=LocalEngine(workers), work=out / "work")
    return result, Corpus.open(result.corpus).read()


def _ledger(result: ReadResult) -> list[tuple[str, int, str, bool]]:
    entries = map(json.loads, result.rejects.read_text(encoding="ascii").splitlines())
    return [(Path(e["file"]).name, e["position"], e["reason"], e["kept"]) for e in entries]


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
    result, table = _read([path], tmp_path / "out")
    assert [entry[1:] for entry in _ledger(result)] == [
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
    assert result.counts == {"in": 11, "read": 3, "rejected": 8}
    assert result.reasons["unknown_country"] == 1
    rows = table.to_pylist()
    assert table.schema.names == BASE_SCHEMA.names
    assert [row["id"] for row in rows] == ["one", content_id("Far away"), "7"]
    assert [row["country"] for row in rows] == ["KEN", None, None]
    assert rows[0]["lat"] == 1.5
    assert json.loads(rows[0]["meta"]) == {"rank": 3}


def test_all_kinds_of_files_in_a_folder(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    _jsonl(folder / "a.jsonl", {"text": "One"})
    with gzip.open(folder / "b.jsonl.gz", "wt") as handle:
        handle.write('{"content": "Two"}\n')
    pq.write_table(pa.table({"text": ["Three", None]}), folder / "c.parquet")
    (folder / "d.txt").write_bytes(b"\xef\xbb\xbfFour")
    (folder / "e.txt").write_bytes(b"\xff")
    (folder / "f.docx").write_text("Five")
    (folder / ".hidden.txt").write_text("not mine")
    result, table = _read([folder], tmp_path)
    assert [count_rows(path) for path in find_inputs([folder])] == [1, 1, 2, 1, 1, 0]
    assert table["text"].to_pylist() == ["One", "Two", "Three", "Four"]
    assert [entry[:3] for entry in _ledger(result)] == [
        ("c.parquet", 2, "null_text"),
        ("e.txt", 0, "not_utf8"),
        ("f.docx", 0, "unknown_kind"),
    ]
    assert (result.files, result.text_bytes) == (6, 15)


def test_a_truncated_archive_gives_what_was_whole(tmp_path: Path) -> None:
    whole = gzip.compress(b"".join(b'{"text": "line %d"}\n' % i for i in range(5000)), mtime=0)
    (tmp_path / "a.jsonl.gz").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "b.jsonl").write_text('{"text": "after"}\n')
    result, table = _read([tmp_path / "a.jsonl.gz", tmp_path / "b.jsonl"], tmp_path)
    assert table["text"][-1].as_py() == "after"
    read = table.num_rows - 1
    assert 0 < read < 5000
    assert _ledger(result) == [("a.jsonl.gz", read + 1, "broken_file", False)]


def test_equal_texts_and_ids_stay_apart(tmp_path: Path) -> None:
    _jsonl(tmp_path / "a.jsonl", {"text": "Same"}, {"text": "Same"}, {"id": "x", "text": "A"})
    _jsonl(tmp_path / "b.jsonl", {"id": "x", "text": "B"}, {"id": "x", "text": "B"}, {"text": "Same"})
    same, taken = content_id("Same"), f"x-{content_id('B')[:8]}"
    expected = [same, f"{same}-2", "x", taken, f"{taken}-2", f"{same}-3"]
    for shard_bytes in (1, 1000):
        out = tmp_path / str(shard_bytes)
        result, table = _read([tmp_path / "a.jsonl", tmp_path / "b.jsonl"], out, shard_bytes=shard_bytes)
        assert table["id"].to_pylist() == expected
        assert result.reasons == {"id_taken": 2}
        assert _ledger(result) == [("b.jsonl", 1, "id_taken", True), ("b.jsonl", 2, "id_taken", True)]


def test_an_id_that_is_made_may_be_taken_too(tmp_path: Path) -> None:
    made = f"x-{content_id('B')[:8]}"
    rows = [{"id": "x", "text": "A"}, {"id": "x", "text": "B"}, {"id": made, "text": "C"}]
    _, table = _read([_jsonl(tmp_path / "a.jsonl", *rows)], tmp_path)
    assert table["id"].to_pylist() == ["x", f"{made}-2", made]


@given(st.lists(st.integers(0, 5), max_size=30))
def test_repeats_are_those_a_dictionary_finds(keys: list[int]) -> None:
    hashes = np.array([[key // 2, key % 2] for key in keys], np.uint64).reshape(-1, 2)
    seen: dict[int, int] = {}
    expected = []
    for row, key in enumerate(keys):
        if seen.setdefault(key, 0):
            expected.append((row, seen[key]))
        seen[key] += 1
    rows, times = repeats(hashes)
    assert list(zip(rows.tolist(), times.tolist(), strict=True)) == expected


def test_shards_end_where_they_are_full(tmp_path: Path) -> None:
    path = _jsonl(tmp_path / "a.jsonl", *({"text": f"{n:010d}"} for n in range(25)))
    result, table = _read([path], tmp_path, shard_bytes=100)
    shards = Corpus.open(result.corpus).manifest["shards"]
    assert [shard["rows"] for shard in shards] == [10, 10, 5]
    assert table["text"].to_pylist() == [f"{n:010d}" for n in range(25)]


def _many(folder: Path) -> Path:
    folder.mkdir()
    for number in range(12):
        rows = [{"id": f"{n % 40}", "text": f"{number} {n} " * 20} for n in range(50)]
        _jsonl(folder / f"{number:02d}.jsonl", *rows, b"{broken")
    return folder


def test_workers_do_not_change_the_bytes(tmp_path: Path) -> None:
    folder = _many(tmp_path / "in")
    one, _ = _read([folder], tmp_path / "1", shard_bytes=20_000)
    two, _ = _read([folder], tmp_path / "2", shard_bytes=20_000, workers=2)
    assert hash_tree(one.corpus) == hash_tree(two.corpus)
    assert one.rejects.read_bytes() == two.rejects.read_bytes()
    assert len(Corpus.open(one.corpus).manifest["shards"]) >= 5


_KILLED = """
import sys, time
from pathlib import Path
from hinterland.core.engine import LocalEngine
from hinterland.curate import part, read
write = part.PartWriter.write
def slow(self, table, where):
    time.sleep(0.15)
    write(self, table, where)
part.PartWriter.write = slow
out, CONFIG = Path(sys.argv[2]), read.ReadConfig(shard_bytes=20_000)
read.read_corpus([sys.argv[1]], out, CONFIG, engine=LocalEngine(), work=out / "work")
"""


def test_a_killed_run_goes_on_and_ends_the_same(tmp_path: Path) -> None:
    folder, out = _many(tmp_path / "in"), tmp_path / "out"
    running = subprocess.Popen([sys.executable, "-c", _KILLED, str(folder), str(out)], stderr=subprocess.PIPE)
    parts = out / "work" / "parts"
    waited = time.monotonic()
    while not (parts.is_dir() and sum(not p.name.startswith(".") for p in parts.iterdir()) >= 2):
        assert time.monotonic() - waited < 60
        assert running.poll() is None
        time.sleep(0.01)
    os.kill(running.pid, signal.SIGKILL)
    running.communicate()
    assert not (out / "corpus").exists()
    finished = {path: path.stat().st_ino for path in parts.iterdir() if not path.name.startswith(".")}
    again, _ = _read([folder], out, shard_bytes=20_000)
    whole, _ = _read([folder], tmp_path / "whole", shard_bytes=20_000)
    assert all(path.stat().st_ino == number for path, number in finished.items())
    assert hash_tree(again.corpus) == hash_tree(whole.corpus)
    assert again.rejects.read_bytes() == whole.rejects.read_bytes()


def test_a_changed_file_is_read_again(tmp_path: Path) -> None:
    path = _jsonl(tmp_path / "a.jsonl", {"text": "One"})
    assert _read([path], tmp_path / "out")[1]["text"].to_pylist() == ["One"]
    _jsonl(path, {"text": "Two or more"})
    assert _read([path], tmp_path / "out")[1]["text"].to_pylist() == ["Two or more"]


def test_a_corpus_is_passed_on_with_its_scores(tmp_path: Path) -> None:
    table = pa.table({"id": ["a", "b"], "text": ["One", "Two"], "f.x": [0.5, 1.5]})
    corpora = [write_corpus(tmp_path / name, table, rows_per_shard=1).path for name in ("c", "d")]
    assert count_rows(corpora[0]) == 2
    result, read = _read(corpora[:1], tmp_path / "1")
    assert read["f.x"].to_pylist() == [0.5, 1.5]
    assert result.counts == {"in": 2, "read": 2, "rejected": 0}
    result, read = _read(corpora, tmp_path / "2")
    assert read["id"].to_pylist() == [
        "a",
        "b",
        *(f"{i}-{content_id(t)[:8]}" for i, t in (("a", "One"), ("b", "Two"))),
    ]
    assert _ledger(result)[0] == ("part-00000.parquet", 1, "id_taken", True)


def test_a_corpus_among_files(tmp_path: Path) -> None:
    table = pa.table({"id": ["a"], "text": ["One"], "meta": ['{"k": 1}'], "f.x": [0.5]})
    write_corpus(tmp_path / "in" / "c", table)
    (tmp_path / "in" / "d.txt").write_text("Two")
    _, read = _read([tmp_path / "in"], tmp_path)
    assert read["id"][0].as_py() == "a"
    assert read["meta"].to_pylist() == ['{"f.x": 0.5, "k": 1}', None]


def test_a_corpus_read_alone_is_read_again_among_files(tmp_path: Path) -> None:
    rows = pa.table({"id": ["a"], "text": ["The sea"], "c4.sentences": [1.0]})
    write_corpus(tmp_path / "in", rows)
    _, alone = _read([tmp_path / "in"], tmp_path / "out")
    assert "c4.sentences" in alone.column_names
    path = _jsonl(tmp_path / "b.jsonl", {"text": "Far away"})
    _, both = _read([tmp_path / "in", path], tmp_path / "out")  # the finished groups are still there
    assert both.schema.names == BASE_SCHEMA.names
    assert "c4.sentences" in both["meta"][0].as_py()


def test_a_damaged_corpus_is_an_error(tmp_path: Path) -> None:
    corpus = write_corpus(tmp_path / "c", pa.table({"id": ["a"], "text": ["One"]}))
    (corpus.path / "part-00000.parquet").write_bytes(b"PAR1")
    with pytest.raises(CorpusError, match="corrupt"):
        _read([corpus.path], tmp_path)
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "manifest.json").write_text("{half")
    with pytest.raises(Exception, match="JSON"):
        _read([tmp_path / "d"], tmp_path)


@pytest.mark.parametrize("meta", ["plain words", ["a"], {"k": 1}])
def test_meta_of_any_kind_is_kept_as_json(tmp_path: Path, meta: object) -> None:
    _, table = _read([_jsonl(tmp_path / "a.jsonl", {"text": "One", "meta": meta})], tmp_path)
    found = json.loads(table["meta"][0].as_py())
    assert found == (meta if isinstance(meta, dict) else {"meta": meta})


def test_inputs_are_found(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="no such file"):
        find_inputs([tmp_path / "missing"])
    with pytest.raises(CorpusError, match="nothing to read"):
        find_inputs([tmp_path])
    with pytest.raises(CorpusError, match="pattern"):
        find_inputs([tmp_path / "*.jsonl"])
    for name in ("b/2.jsonl", "a/1.jsonl.gz", "a/3.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("{}")
    names = ["1.jsonl.gz", "3.txt", "2.jsonl"]
    assert [path.name for path in find_inputs([tmp_path])] == names
    assert [path.name for path in find_inputs([f"{tmp_path}/**/*.jsonl*"])] == ["1.jsonl.gz", "2.jsonl"]
    assert find_inputs(["hf:org/name:en"]) == [Path("hf:org/name:en")]


def test_a_pattern_takes_folders_too(tmp_path: Path) -> None:
    write_corpus(tmp_path / "corpus", pa.table({"id": ["a"], "text": ["The sea"]}))
    (tmp_path / "more" / "deep").mkdir(parents=True)
    below = _jsonl(tmp_path / "more" / "deep" / "b.jsonl", {"text": "Far away"})
    beside = _jsonl(tmp_path / "a.jsonl", {"text": "Near"})
    assert find_inputs([tmp_path / "*"]) == [beside, tmp_path / "corpus", below]
    assert find_inputs([f"{tmp_path}/**/*.jsonl"]) == [beside, below]


def test_nothing_readable_gives_an_empty_corpus(tmp_path: Path) -> None:
    result, table = _read([_jsonl(tmp_path / "a.jsonl", b"{half")], tmp_path)
    assert (table.num_rows, result.counts) == (0, {"in": 1, "read": 0, "rejected": 1})


def test_a_line_of_100_mb_is_passed_over_in_little_memory(tmp_path: Path) -> None:
    with (tmp_path / "a.jsonl").open("wb") as handle:
        handle.write(b'{"text": "before"}\n{"text": "')
        for _ in range(100):
            handle.write(b"x" * 1_000_000)
        handle.write(b'"}\n{"text": "after"}\n')
    code = (
        "import resource, sys\nfrom pathlib import Path\nfrom hinterland.core.engine import LocalEngine\n"
        "from hinterland.curate.read import read_corpus\nout = Path(sys.argv[2])\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "result = read_corpus([sys.argv[1]], out, engine=LocalEngine(), work=out / 'work')\n"
        "print(result.reasons, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)\n"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "a.jsonl"), str(tmp_path / "out")]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    reasons, _, kilobytes = printed.rpartition(" ")
    assert reasons == "{'too_large': 1}"
    assert int(kilobytes) < 250_000


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.one_of(st.binary(max_size=30), st.just(b'{"text": "fine"}')), max_size=6))
def test_whatever_the_bytes_nothing_disappears(tmp_path: Path, lines: list[bytes]) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(b'{"text": "first"}\n' + b"\n".join(lines))
    result, table = _read([path], tmp_path)
    filled = [line for line in path.read_bytes().split(b"\n") if line.strip()]
    assert result.counts["in"] == len(filled) == table.num_rows + result.counts["rejected"]
    ledger = result.rejects.read_text().splitlines()
    assert sum(json.loads(line)["documents"] for line in ledger) == result.counts["rejected"]
