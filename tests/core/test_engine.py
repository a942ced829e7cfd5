from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
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
from pathlib import Path
import pyarrow as pa
from hinterland.core.errors import CorpusError
from hinterland.core.seeds import integer

def noise(table):
    return table.append_column("noise", pa.array([integer(3, row.as_py()) for row in table["id"]]))

def refuse(table):
    raise CorpusError("refused", where="worker", cure="none")

def die(table):
    os.kill(os.getpid(), signal.SIGKILL)

def make_file(item, temporary):
    assert not temporary.exists()
    temporary.write_text(f"{item} {integer(3, item)}")

def make_folder(item, temporary):
    (temporary / "below").mkdir(parents=True)
    (temporary / "below" / "file.txt").write_text(str(item))

def make_half_and_fail(item, temporary):
    temporary.write_text("half")
    if item == 2:
        raise ValueError("two is refused")

def make_half_folder_and_die(item, temporary):
    temporary.mkdir()
    (temporary / "half.txt").write_text("half")
    os.kill(os.getpid(), signal.SIGKILL)

class Odd(Exception):
    def __init__(self, one, two):
        super().__init__(f"{one} and {two}")

def make_odd_error(item, temporary):
    raise Odd("one", "two")

def make_nothing(item, temporary):
    pass
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


@pytest.mark.parametrize("workers", [1, 2])
def test_it_makes_files_and_folders(stages: Any, tmp_path: Path, workers: int) -> None:
    engine, out = LocalEngine(workers), tmp_path / "out"
    targets = [out / f"{name}.txt" for name in "abc"]
    engine.produce(stages.make_file, ["a", "b", "c"], targets, label="x")
    engine.produce(stages.make_folder, [1, 2], [out / "one", out / "deep" / "two"], label="x")
    assert targets[1].read_text().startswith("b ")
    assert (out / "deep" / "two" / "below" / "file.txt").read_text() == "2"
    assert not list(out.rglob(".*"))


@pytest.mark.parametrize("workers", [1, 2])
def test_what_is_there_is_not_made_again(stages: Any, tmp_path: Path, workers: int) -> None:
    (tmp_path / "1").write_text("there")
    (tmp_path / "2").mkdir()
    (tmp_path / f".3.{'a' * 32}.tmp").write_text("left by a killed run")
    (tmp_path / ".other.7.tmp").write_text("not ours")
    targets = [tmp_path / str(n) for n in (1, 2, 3, 4)]
    LocalEngine(workers).produce(stages.make_file, [1, 2, 3, 4], targets, label="x")
    assert targets[0].read_text() == "there"
    assert targets[1].is_dir()
    assert targets[3].is_file()
    assert [path.name for path in tmp_path.glob(".*")] == [".other.7.tmp"]


@pytest.mark.parametrize("workers", [1, 2])
def test_an_error_leaves_nothing_half_made(stages: Any, tmp_path: Path, workers: int) -> None:
    targets = [tmp_path / "out" / str(n) for n in (1, 2)]
    with pytest.raises(ValueError, match="two is refused"):
        LocalEngine(workers).produce(stages.make_half_and_fail, [1, 2], targets, label="x")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["1"]


def test_a_killed_worker_leaves_nothing_half_made(stages: Any, tmp_path: Path) -> None:
    targets = [tmp_path / "out" / str(n) for n in (1, 2)]
    with pytest.raises(EngineError, match="a worker process died"):
        LocalEngine(2).produce(stages.make_half_folder_and_die, [1, 2], targets, label="x")
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.parametrize("workers", [1, 2])
def test_an_error_that_cannot_be_sent_arrives_in_words(stages: Any, tmp_path: Path, workers: int) -> None:
    with pytest.raises(EngineError, match="Odd: one and two"):
        LocalEngine(workers).produce(
            stages.make_odd_error, [1, 2], [tmp_path / "a", tmp_path / "b"], label="x"
        )


def test_a_function_that_writes_nothing_is_named(stages: Any, tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="nothing was written"):
        LocalEngine().produce(stages.make_nothing, [1], [tmp_path / "a"], label="x")


def test_targets_must_differ_and_be_as_many_as_items(stages: Any, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="the same target"):
        LocalEngine().produce(stages.make_file, [1, 2], [tmp_path / "a", tmp_path / "a"], label="x")
    with pytest.raises(ValueError, match="shorter"):
        LocalEngine().produce(stages.make_file, [1, 2], [tmp_path / "a"], label="x")


PROGRAM = """
import os, sys, time
from pathlib import Path
from hinterland.core.engine import LocalEngine

def make_slowly(item, temporary):
    (Path(item) / f"{os.getpid()}.pid").touch()
    time.sleep(60)

if __name__ == "__main__":
    folder = Path(sys.argv[1])
    LocalEngine(2).produce(make_slowly, [folder, folder], [folder / "a", folder / "b"], label="slow")
"""


def test_workers_end_with_the_process_that_started_them(tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text(PROGRAM)
    process = subprocess.Popen(
        [sys.executable, str(tmp_path / "program.py"), str(tmp_path)], stderr=subprocess.DEVNULL
    )
    try:
        _wait_for(lambda: len(list(tmp_path.glob("*.pid"))) == 2)
    finally:
        process.kill()
        process.wait()
    workers = [int(file.stem) for file in tmp_path.glob("*.pid")]
    assert len(workers) == 2
    _wait_for(lambda: not any(_runs(worker) for worker in workers))


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    status = Path(f"/proc/{pid}/stat")  # who has ended but was not waited for does not run
    return not status.exists() or status.read_text().rpartition(")")[2].split()[0] != "Z"


def _wait_for(condition: Callable[[], bool], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.05)
