from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hinterland.core.errors import StorageError
from hinterland.core.files import hash_tree, write_text
from hinterland.core.run import Run, StageRecord, fingerprint, package_versions, peak_rss_mb


class Work:
    """Writes one file and counts how often it is asked to."""

    def __init__(self, content: str = "content") -> None:
        self.content, self.times = content, 0

    def __call__(self, folder: Path) -> Mapping[str, Any]:
        self.times += 1
        write_text(folder / "deep" / "out.txt", self.content)
        (folder / ".scratch").write_text("not an output")
        return {"rows": 3, "path": folder / "x", 1: (2, 3)}


def new(folder: Path, **options: Any) -> Run:
    return Run(folder, command="test", config={"a": 1}, **options)


def test_a_stage_is_done_once_and_says_the_same_again(tmp_path: Path) -> None:
    work, seen = Work(), list[StageRecord]()
    first = new(tmp_path, on_stage=seen.append).stage("s", work, depends={"a": 1})
    again = new(tmp_path, on_stage=seen.append).stage("s", work, depends={"a": 1})
    assert work.times == 1
    assert (first.reused, again.reused) == (False, True)
    assert first.result == again.result == {"rows": 3, "path": str(tmp_path / "s" / "x"), "1": [2, 3]}
    assert list(first.outputs) == ["deep/out.txt"]
    assert seen == [first, again]
    assert first.seconds > 0
    assert first.peak_rss_mb > 10


def test_changed_inputs_run_again_in_an_empty_folder(tmp_path: Path) -> None:
    work = Work()
    new(tmp_path).stage("s", work, depends={"a": 1})
    (tmp_path / "s" / "stale.txt").write_text("from before")
    record = new(tmp_path).stage("s", work, depends={"a": 2}, keep_partial=True)
    assert work.times == 2
    assert list(record.outputs) == ["deep/out.txt"]
    assert not (tmp_path / "s" / "stale.txt").exists()
    new(tmp_path).stage("other", work, depends={"a": 2})
    assert work.times == 3


@pytest.mark.parametrize("keep_partial", [False, True])
@pytest.mark.parametrize("harm", ["change", "delete"])
def test_tampered_outputs_run_again_and_are_not_built_on(
    tmp_path: Path, *, keep_partial: bool, harm: str
) -> None:
    class Careful(Work):
        """Takes a file that is there for finished, as engines do with shards."""

        def __call__(self, folder: Path) -> Mapping[str, Any]:
            return {} if (folder / "deep" / "out.txt").exists() else super().__call__(folder)

    work = Careful()
    first = new(tmp_path).stage("s", work, depends={}, keep_partial=keep_partial)
    out = tmp_path / "s" / "deep" / "out.txt"
    if harm == "change":
        out.write_text("forged")
    else:
        out.unlink()
    again = new(tmp_path).stage("s", work, depends={}, keep_partial=keep_partial)
    assert work.times == 2
    assert again.outputs == first.outputs
    assert out.read_text() == "content"


@pytest.mark.parametrize("marker", ["", "{", "[]", "{}", '{"name": "s"}', "null"])
def test_a_spoilt_marker_runs_again(tmp_path: Path, marker: str) -> None:
    work = Work()
    new(tmp_path).stage("s", work, depends={})
    (tmp_path / "s" / "stage.json").write_text(marker)
    assert new(tmp_path).stage("s", work, depends={}).reused is False
    assert work.times == 2


def test_a_failed_stage_has_no_marker_and_may_go_on(tmp_path: Path) -> None:
    def half(folder: Path) -> Mapping[str, Any]:
        (folder / "part-0").write_text("done")
        (folder / ".part-1.123.tmp").write_text("torn")
        (folder / ".corpus.abc.tmp").mkdir()
        (folder / ".corpus.abc.tmp" / "part").write_text("torn")
        raise ZeroDivisionError

    def rest(folder: Path) -> Mapping[str, Any]:
        found = sorted(path.name for path in folder.iterdir())
        (folder / "part-1").write_text("done")
        return {"found": found}

    with pytest.raises(ZeroDivisionError):
        new(tmp_path).stage("s", half, depends={}, keep_partial=True)
    assert not (tmp_path / "s" / "stage.json").exists()
    record = new(tmp_path).stage("s", rest, depends={}, keep_partial=True)
    # What was finished is kept, what was torn is gone, and neither counts as output.
    assert record.result == {"found": [".begun", "part-0"]}
    assert list(record.outputs) == ["part-0", "part-1"]

    with pytest.raises(ZeroDivisionError):
        new(tmp_path).stage("t", half, depends={}, keep_partial=True)
    assert new(tmp_path).stage("t", rest, depends={"other": 1}, keep_partial=True).result == {
        "found": [".begun"]
    }
    with pytest.raises(ZeroDivisionError):
        new(tmp_path).stage("u", half, depends={})
    assert new(tmp_path).stage("u", rest, depends={}).result == {"found": [".begun"]}


def test_a_result_that_json_cannot_hold_is_not_recorded(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="JSON compliant"):
        new(tmp_path).stage("s", lambda folder: {"x": float("nan")}, depends={})
    assert not (tmp_path / "s" / "stage.json").exists()


def test_a_locked_folder_is_refused_while_it_is_held(tmp_path: Path) -> None:
    with new(tmp_path).locked():
        other = f"""
from pathlib import Path
from hinterland.core.run import Run
with Run(Path({str(tmp_path)!r}), command="x", config={{}}).locked():
    pass
"""
        done = subprocess.run([sys.executable, "-c", other], capture_output=True, text=True, check=False)
        assert done.returncode == 1
        assert "StorageError: another run is writing here" in done.stderr
        with pytest.raises(StorageError, match="another run"), new(tmp_path).locked():
            pass
    with new(tmp_path).locked():
        pass
    assert subprocess.run([sys.executable, "-c", other], check=False).returncode == 0


def test_the_manifest_tells_the_whole_run(tmp_path: Path) -> None:
    run = new(tmp_path)
    run.stage("s", Work(), depends={"a": 1})
    run.finish(parents=["p"])
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    assert (manifest["kind"], manifest["command"], manifest["config"]) == ("run", "test", {"a": 1})
    assert manifest["parents"] == ["p"]
    assert manifest["stages"]["s"]["outputs"].keys() == {"deep/out.txt"}
    assert manifest["packages"]["hinterland"]
    assert manifest["seconds"] >= 0


def test_unwritable_and_full_disks_are_named(unwritable: Path) -> None:
    with pytest.raises(StorageError, match="no permission to write"):
        new(unwritable / "run")
    with pytest.raises(StorageError, match="no permission to write"):
        new(unwritable).stage("s", Work(), depends={})
    with pytest.raises(StorageError, match="no permission to write"), new(unwritable).locked():
        pass


def test_a_full_disk_leaves_no_finished_stage(tiny_disk: Path) -> None:
    with pytest.raises(StorageError, match="the disk is full"):
        new(tiny_disk).stage("s", Work("x" * 100_000), depends={})
    assert not (tiny_disk / "s" / "stage.json").exists()
    assert new(tiny_disk).stage("s", Work(), depends={}).result["rows"] == 3


def test_a_file_in_the_way_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="a file stands where a folder is needed"):
        new(tmp_path / "file")


SCRIPT = """
import sys, time
from pathlib import Path
import pyarrow as pa
from hinterland.core.corpus import Corpus, write_corpus
from hinterland.core.engine import LocalEngine
from hinterland.core.run import Run

def score(table):
    time.sleep(float(sys.argv[2]))
    return table.append_column("length", pa.array([len(t.as_py()) for t in table["text"]]))

def corpus(folder):
    rows = pa.table({"id": [str(n) for n in range(12)], "text": ["x" * n for n in range(12)]})
    return {"documents": len(write_corpus(folder / "corpus", rows, rows_per_shard=1))}

def scores(folder):
    shards = [path for path, _ in Corpus.open(root / "corpus" / "corpus").shards()]
    return {"shards": [p.name for p in LocalEngine().map_shards(score, shards, folder, label="score")]}

root = Path(sys.argv[1])
run = Run(root, command="x", config={})
with run.locked():
    first = run.stage("corpus", corpus, depends={})
    run.stage("scores", scores, depends={"parent": first.fingerprint}, keep_partial=True)
    run.finish()
print([record.reused for record in run.records])
"""


def test_a_killed_run_reuses_what_is_finished_and_ends_with_the_same_bytes(tmp_path: Path) -> None:
    def start(folder: str, seconds: float) -> subprocess.Popen[str]:
        command = [sys.executable, "-c", SCRIPT, str(tmp_path / folder), str(seconds)]
        return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)

    def finish(folder: str) -> str:
        process = start(folder, 0)
        out, _ = process.communicate(timeout=120)
        assert process.returncode == 0
        return out.strip()

    def data(folder: str) -> dict[str, str]:
        """The shards' and corpora's hashes; markers hold timings."""
        return {part: hash_tree(tmp_path / folder / part) for part in parts}

    parts = ["corpus/corpus", *(f"scores/part-{n:05d}.parquet" for n in range(12))]
    assert finish("whole") == "[False, False]"

    with start("killed", 0.3) as process:
        scored = tmp_path / "killed" / "scores"
        while len(list(scored.glob("part-*.parquet"))) < 3:
            assert process.poll() is None
        process.send_signal(signal.SIGKILL)
    kept = {path: path.stat().st_mtime_ns for path in scored.glob("part-*.parquet")}
    assert 3 <= len(kept) < 12
    assert finish("killed") == "[True, False]"
    assert all(path.stat().st_mtime_ns == stamp for path, stamp in kept.items())  # not done again
    assert data("killed") == data("whole")
    outputs = [
        json.loads((tmp_path / folder / "scores" / "stage.json").read_text())["outputs"]
        for folder in ("killed", "whole")
    ]
    assert outputs[0] == outputs[1]
    assert finish("killed") == "[True, True]"


VALUES = st.recursive(
    st.none() | st.integers() | st.text(), lambda inner: st.lists(inner, max_size=3), max_leaves=5
)


@given(st.dictionaries(st.text(), VALUES, max_size=4))
def test_a_fingerprint_ignores_the_order_of_keys(values: dict[str, Any]) -> None:
    assert fingerprint(values) == fingerprint(dict(reversed(values.items())))
    assert fingerprint(values) != fingerprint({**values, "more": 1, "and more": 2})


def test_versions_and_memory_are_real() -> None:
    assert package_versions()["python"].startswith("3.")
    assert "numpy" in package_versions()
    assert 1 < peak_rss_mb() < 1e6
