from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from hinterland.core.corpus import write_corpus
from hinterland.core.engine import ENGINES, LocalEngine
from hinterland.core.errors import CorpusError, EngineError, RegistryError, StorageError
from hinterland.core.files import hash_tree

STAGES = '''
"""Stage functions that worker processes import."""
import os, signal
import pyarrow as pa
from hinterland.core.errors import CorpusError
from hinterland.core.seeds import integer

def noise(table):
    return table.append_column("noise", pa.array([integer(3, row.as_py()) for row in table["id"]]))

def refuse(table):
    raise CorpusError("refused", where="worker", cure="none")

def die(table):
    os.kill(os.getpid(), signal.SIGKILL)
'''


@pytest.fixture
def stages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    folder = tmp_path / "modules"
    folder.mkdir()
    (folder / "engine_stages.py").write_text(dedent(STAGES))
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.setenv("PYTHONPATH", f"{folder}{os.pathsep}{os.environ.get('PYTHONPATH', '')}")
    import engine_stages  # type: ignore[import-not-found]

    yield engine_stages
    del sys.modules["engine_stages"]


@pytest.fixture
def shards(tmp_path: Path) -> list[Path]:
    rows = pa.table({"id": [str(n) for n in range(20)], "text": ["x" * n for n in range(20)]})
    return [path for path, _ in write_corpus(tmp_path / "corpus", rows, rows_per_shard=5).shards()]


def test_one_worker_and_two_write_the_same_bytes(stages: Any, shards: list[Path], tmp_path: Path) -> None:
    one = LocalEngine(1).map_shards(stages.noise, shards, tmp_path / "one", label="x")
    two = LocalEngine(2).map_shards(stages.noise, shards, tmp_path / "two", label="x")
    assert [path.name for path in one] == [path.name for path in two] == [path.name for path in shards]
    assert hash_tree(tmp_path / "one") == hash_tree(tmp_path / "two")
    assert pq.read_table(one[3]).column_names[-1] == "noise"
    assert sorted(path.name for path in (tmp_path / "two").iterdir()) == [path.name for path in shards]


def test_finished_shards_are_not_done_again(stages: Any, shards: list[Path], tmp_path: Path) -> None:
    out = tmp_path / "out"
    LocalEngine().map_shards(stages.noise, shards[:2], out, label="x")
    stamps = [path.stat().st_mtime_ns for path in sorted(out.iterdir())]
    LocalEngine().map_shards(stages.noise, shards, out, label="x")
    assert [path.stat().st_mtime_ns for path in sorted(out.iterdir())][:2] == stamps


@pytest.mark.parametrize("workers", [1, 2])
def test_a_corrupt_shard_is_named_and_the_rest_is_kept(
    stages: Any, shards: list[Path], tmp_path: Path, workers: int
) -> None:
    shards[2].write_bytes(shards[2].read_bytes()[:100])
    out = tmp_path / "out"
    with pytest.raises(CorpusError, match="a shard cannot be read") as caught:
        LocalEngine(workers).map_shards(stages.noise, shards, out, label="x")
    assert caught.value.where == str(shards[2])
    assert shards[2].name not in {path.name for path in out.iterdir()}
    assert (out / shards[0].name).exists()
    with pytest.raises(CorpusError, match="a shard cannot be read"):
        LocalEngine().map_shards(stages.noise, [tmp_path / "none.parquet"], out, label="x")


def test_a_workers_error_arrives_whole(stages: Any, shards: list[Path], tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="refused") as caught:
        LocalEngine(2).map_shards(stages.refuse, shards, tmp_path / "out", label="x")
    assert (caught.value.where, caught.value.cure) == ("worker", "none")


def test_a_dead_worker_is_an_error_with_a_cure(stages: Any, shards: list[Path], tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="a worker process died") as caught:
        LocalEngine(2).map_shards(stages.die, shards, tmp_path / "out", label="x")
    assert "fewer workers" in caught.value.cure


def test_where_it_cannot_write_it_says_so(stages: Any, shards: list[Path], tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="a file stands where a folder is needed"):
        LocalEngine().map_shards(stages.noise, shards, tmp_path / "file", label="x")


def test_a_full_disk_is_named_and_leaves_no_half_shard(stages: Any, tiny_disk: Path, tmp_path: Path) -> None:
    rows = pa.table({"id": [os.urandom(16).hex() for _ in range(20_000)], "text": ["x"] * 20_000})
    shards = [path for path, _ in write_corpus(tmp_path / "corpus", rows).shards()]
    with pytest.raises(StorageError, match="the disk is full"):
        LocalEngine().map_shards(stages.noise, shards, tiny_disk / "out", label="x")
    assert list((tiny_disk / "out").iterdir()) == []


def test_engines_go_by_name() -> None:
    assert ENGINES.get("local") is LocalEngine
    with pytest.raises(RegistryError, match="did you mean 'local'"):
        ENGINES.get("locl")


def test_no_shards_are_no_work(stages: Any, tmp_path: Path) -> None:
    assert LocalEngine(2).map_shards(stages.noise, [], tmp_path / "out", label="x") == []
