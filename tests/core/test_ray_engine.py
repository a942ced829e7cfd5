"""Ray Data's cluster against processes of our own: the same bytes, also after a kill."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from hinterland.core.corpus import write_corpus
from hinterland.core.engine import ENGINES, LocalEngine, RayEngine
from hinterland.core.errors import CorpusError, EngineError, MissingDependencyError
from hinterland.core.files import hash_tree

STAGES = '''
"""Stage functions that Ray's workers import."""
import os, signal
from functools import partial
from pathlib import Path
import pyarrow as pa
from hinterland.core.errors import CorpusError
from hinterland.core.seeds import integer

def noise(table, marks=None):
    if marks is not None:
        mark = Path(marks) / table["id"][0].as_py()
        if not mark.exists():
            mark.touch()
            os.kill(os.getpid(), signal.SIGKILL)
    return table.append_column("noise", pa.array([integer(3, row.as_py()) for row in table["id"]]))

def refuse(item, temporary):
    temporary.write_text("half")
    if item >= 1:
        raise CorpusError(f"item {item} is refused", where="worker", cure="none")

def die(item, temporary):
    temporary.write_text("half")
    os.kill(os.getpid(), signal.SIGKILL)

def make_folder(item, temporary):
    temporary.mkdir()
    (temporary / "here.txt").write_text(f"{item} {Path(item).read_text()}")
'''

pytestmark = [
    pytest.mark.ray,
    pytest.mark.timeout(180),
    # Ray's own: deprecated settings that it reads itself.
    pytest.mark.filterwarnings("ignore::DeprecationWarning:ray.*"),
]


@pytest.fixture(scope="module")
def stages(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    folder = tmp_path_factory.mktemp("modules")
    (folder / "ray_stages.py").write_text(STAGES)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(folder))
        import ray_stages  # type: ignore[import-not-found]

        yield ray_stages
        del sys.modules["ray_stages"]


@pytest.fixture(scope="module")
def engine(stages: Any) -> Iterator[RayEngine]:
    pytest.importorskip("ray", reason="Ray is not installed: pip install 'hinterland[ray]'")
    engine = RayEngine(workers=2, retries=1)
    before = signal.getsignal(signal.SIGTERM)
    with engine.started():
        yield engine
    import ray

    assert not ray.is_initialized()
    assert signal.getsignal(signal.SIGTERM) is before
    assert "RAY_USAGE_STATS_ENABLED" not in os.environ


@pytest.fixture
def shards(tmp_path: Path) -> list[Path]:
    rows = pa.table({"id": [str(n) for n in range(30)], "text": ["x" * n for n in range(30)]})
    return [path for path, _ in write_corpus(tmp_path / "corpus", rows, rows_per_shard=5).shards()]


# Before the tests that hold a cluster, because a process is in one cluster at most.
def test_where_no_cluster_answers_it_says_so(tmp_path: Path) -> None:
    pytest.importorskip("ray", reason="Ray is not installed: pip install 'hinterland[ray]'")
    with pytest.raises(EngineError, match="no Ray cluster answers") as caught:
        RayEngine(address="127.0.0.1:1").produce(print, [1], [tmp_path / "a"], label="x")
    assert caught.value.where == "127.0.0.1:1"


def test_killed_workers_tasks_are_done_again_with_the_same_bytes(
    engine: RayEngine, stages: Any, shards: list[Path], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    marks = tmp_path / "marks"
    marks.mkdir()
    for shard in (0, 1, 3, 5):  # two shards kill the worker that sees them first
        (marks / str(shard * 5)).touch()
    done = engine.map_shards(partial(stages.noise, marks=str(marks)), shards, tmp_path / "ray", label="noise")
    LocalEngine().map_shards(stages.noise, shards, tmp_path / "local", label="noise")
    assert {path.name for path in marks.iterdir()} == {str(n * 5) for n in range(6)}
    assert [path.name for path in done] == [path.name for path in shards]
    assert hash_tree(tmp_path / "ray") == hash_tree(tmp_path / "local")
    assert "noise: 6 in" in capfd.readouterr().err


def test_the_first_error_arrives_as_it_was_raised(engine: RayEngine, stages: Any, tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="item 1 is refused") as caught:
        engine.produce(stages.refuse, range(3), [tmp_path / "out" / str(n) for n in range(3)], label="x")
    assert (caught.value.where, caught.value.cure) == ("worker", "none")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["0"]


def test_a_task_that_always_kills_its_worker_ends_the_run(
    engine: RayEngine, stages: Any, tmp_path: Path
) -> None:
    with pytest.raises(EngineError, match="died 2 times") as caught:
        engine.produce(stages.die, [1], [tmp_path / "out" / "1"], label="x")
    assert "fewer workers" in caught.value.cure
    assert list((tmp_path / "out").iterdir()) == []


def test_relative_paths_mean_the_same_there(
    engine: RayEngine, stages: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a.txt").write_text("content")
    engine.produce(stages.make_folder, ["a.txt"], [Path("out/a")], label="x")
    assert (tmp_path / "out" / "a" / "here.txt").read_text() == "a.txt content"


def test_a_cluster_that_runs_is_used_and_left_running(engine: RayEngine, stages: Any, tmp_path: Path) -> None:
    import ray

    (tmp_path / "a.txt").write_text("content")
    program = f"""
from pathlib import Path
from hinterland.core.engine import RayEngine
import sys
sys.path.append({str(Path(stages.__file__).parent)!r})
import ray_stages
RayEngine().produce(ray_stages.make_folder, ["a.txt"], [Path("out/a")], label="x")
"""
    environment = {**os.environ, "RAY_ADDRESS": ray.get_runtime_context().gcs_address}
    subprocess.run([sys.executable, "-c", program], cwd=tmp_path, env=environment, check=True, timeout=90)
    assert (tmp_path / "out" / "a" / "here.txt").is_file()
    engine.produce(stages.make_folder, [str(tmp_path / "a.txt")], [tmp_path / "out" / "b"], label="x")
    assert (tmp_path / "out" / "b" / "here.txt").is_file()


def test_what_is_finished_needs_no_cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    (tmp_path / "a").write_text("there")
    RayEngine().produce(print, [1], [tmp_path / "a"], label="x")
    with pytest.raises(MissingDependencyError, match="ray") as caught:
        RayEngine().produce(print, [1], [tmp_path / "b"], label="x")
    assert caught.value.cure == "pip install 'hinterland[ray]'"


def test_it_goes_by_name() -> None:
    assert ENGINES.get("ray") is RayEngine
