from __future__ import annotations

import errno
import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hinterland.core.errors import StorageError
from hinterland.core.files import (
    atomic_dir,
    atomic_path,
    hash_file,
    hash_tree,
    read_json,
    storage_errors,
    sweep_half_written,
    write_json,
    write_text,
)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_file_appears_whole_and_alone(tmp_path: Path) -> None:
    target = tmp_path / "deep" / "file.txt"
    with atomic_path(target) as temporary:
        temporary.write_text("half")
        assert not target.exists()
        temporary.write_text("whole")
    assert target.read_text() == "whole"
    assert names(target.parent) == ["file.txt"]


def test_on_an_error_the_old_file_stays_and_nothing_else(tmp_path: Path) -> None:
    target = tmp_path / "file.txt"
    write_text(target, "old")
    with pytest.raises(ZeroDivisionError), atomic_path(target) as temporary:
        _ = temporary.write_text("half") / 0
    assert target.read_text() == "old"
    assert names(tmp_path) == ["file.txt"]


def test_a_folder_replaces_the_old_one_or_leaves_it(tmp_path: Path) -> None:
    target = tmp_path / "deep" / "folder"
    with atomic_dir(target) as temporary:
        (temporary / "a").write_text("1")
    with atomic_dir(target) as temporary:
        (temporary / "b").write_text("2")
    assert names(target) == ["b"]
    with pytest.raises(ZeroDivisionError), atomic_dir(target) as temporary:
        _ = (temporary / "c").write_text("3") / 0
    assert names(target) == ["b"]
    assert names(target.parent) == ["folder"]
    assert target.stat().st_mode & 0o777 == 0o755


def test_a_file_in_the_way_of_a_folder_is_kept(tmp_path: Path) -> None:
    target = tmp_path / "thing"
    target.write_text("mine")
    with pytest.raises(StorageError, match="a file stands where a folder is needed"), atomic_dir(target):
        pass
    assert target.read_text() == "mine"
    assert names(tmp_path) == ["thing"]
    with pytest.raises(StorageError, match="a file stands where a folder is needed"):
        write_text(target / "below.txt", "x")
    (tmp_path / "folder").mkdir()
    with pytest.raises(StorageError, match="a folder stands where a file is needed"):
        write_text(tmp_path / "folder", "x")
    assert names(tmp_path) == ["folder", "thing"]


def test_when_the_new_folder_cannot_take_its_place_the_old_one_comes_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "folder"
    target.mkdir()
    (target / "old").write_text("1")
    rename = Path.rename

    def failing(self: Path, to: Path) -> Path:
        if self.suffix == ".tmp":
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self))
        return rename(self, to)

    monkeypatch.setattr(Path, "rename", failing)
    with pytest.raises(StorageError, match="the disk is full"), atomic_dir(target) as temporary:
        (temporary / "new").write_text("2")
    assert names(target) == ["old"]
    assert names(tmp_path) == ["folder"]


def test_an_unwritable_folder_is_named(unwritable: Path) -> None:
    for write in (
        lambda: write_text(unwritable / "x.txt", "x"),
        lambda: write_text(unwritable / "deep" / "x.txt", "x"),
        lambda: write_text(unwritable / "inside", "x"),
    ):
        with pytest.raises(StorageError, match="no permission to write") as caught:
            write()
        assert str(unwritable) in caught.value.where
        assert "give a folder you may write to" in caught.value.cure
    with pytest.raises(StorageError, match="no permission to write"), atomic_dir(unwritable / "folder"):
        pass
    assert (unwritable / "inside").read_text() == "kept"


def test_a_full_disk_is_named_and_leaves_no_half_file(tiny_disk: Path) -> None:
    write_text(tiny_disk / "kept.txt", "kept")
    with pytest.raises(StorageError, match="the disk is full") as caught:
        write_text(tiny_disk / "big.txt", "x" * 100_000)
    assert "free some space" in caught.value.cure
    assert str(tiny_disk) in caught.value.where
    with pytest.raises(StorageError, match="the disk is full"), atomic_dir(tiny_disk / "folder") as temporary:
        (temporary / "big").write_bytes(b"x" * 100_000)
    assert names(tiny_disk) == ["kept.txt"]
    write_text(tiny_disk / "small.txt", "fits")


def test_a_size_limit_is_named_and_leaves_no_half_file(tmp_path: Path) -> None:
    # Works for everyone: the system refuses the write in the middle, as a full disk does.
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, hard))
    try:
        with pytest.raises(StorageError, match="larger than allowed"):
            write_text(tmp_path / "big.txt", "x" * 100_000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert names(tmp_path) == []


@pytest.mark.parametrize(
    ("number", "found"),
    [
        (errno.ENOSPC, "the disk is full"),
        (errno.EDQUOT, "quota"),
        (errno.EROFS, "read-only"),
        (errno.EPERM, "no permission"),
    ],
)
def test_refusals_become_storage_errors(tmp_path: Path, number: int, found: str) -> None:
    with pytest.raises(StorageError, match=found) as caught, storage_errors(tmp_path):
        raise OSError(number, os.strerror(number))
    assert caught.value.where == str(tmp_path)
    with pytest.raises(FileNotFoundError), storage_errors(tmp_path):
        raise FileNotFoundError(errno.ENOENT, "no such file")


WRITER = """
import sys, time
from pathlib import Path
from hinterland.core.files import atomic_dir, atomic_path
target = Path(sys.argv[2])
if sys.argv[1] == "file":
    with atomic_path(target) as temporary, temporary.open("w") as handle:
        handle.write("half of it"); handle.flush(); print("go", flush=True); time.sleep(60)
else:
    with atomic_dir(target) as temporary:
        (temporary / "half").write_text("x"); print("go", flush=True); time.sleep(60)
"""


@pytest.mark.parametrize("kind", ["file", "dir"])
def test_a_killed_writer_leaves_the_old_content(tmp_path: Path, kind: str) -> None:
    target = tmp_path / "target"
    if kind == "file":
        write_text(target, "old")
    else:
        with atomic_dir(target) as temporary:
            (temporary / "old").write_text("old")
    before = hash_tree(target)
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, kind, str(target)], stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"go\n"
        process.send_signal(signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL
    assert hash_tree(target) == before
    assert [name for name in names(tmp_path) if not name.startswith(".")] == ["target"]


def test_json_is_readable_and_complete(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    write_json(path, {"b": "ü", "a": [1, None], "path": Path("p")})
    assert path.read_text(encoding="utf-8").startswith('{\n  "b": "ü",')
    assert read_json(path) == {"b": "ü", "a": [1, None], "path": "p"}
    with pytest.raises(ValueError, match="JSON compliant"):
        write_json(path, float("nan"))
    assert read_json(path)["b"] == "ü"


def test_json_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    with pytest.raises(StorageError, match="no such file"):
        read_json(path)
    for content in (b"{", b"", b"\xff\xfe"):
        path.write_bytes(content)
        with pytest.raises(StorageError, match="not readable as JSON"):
            read_json(path)
    with pytest.raises(StorageError, match="not readable as JSON"):
        read_json(tmp_path)


def test_hashes_by_hand(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"abc")
    known = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"  # FIPS 180-2
    assert hash_file(tmp_path / "f") == known
    assert hash_tree(tmp_path / "f") == known


TREES = st.dictionaries(st.sampled_from(["a", "b", "d/a", "d/b", "d/e/a"]), st.binary(max_size=4), max_size=4)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
@given(TREES, TREES)
def test_trees_hash_alike_exactly_when_they_are_alike(
    tmp_path: Path, one: dict[str, bytes], two: dict[str, bytes]
) -> None:
    roots = []
    for tree in (one, two):
        root = tmp_path / f"{time.monotonic_ns()}"
        root.mkdir()
        for name, content in tree.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_bytes(content)
        roots.append(root)
    assert (hash_tree(roots[0]) == hash_tree(roots[1])) == (one == two)


def test_what_killed_writers_left_is_swept_up(tmp_path: Path) -> None:
    inside = tmp_path / "a" / ".folder.1.tmp"
    inside.mkdir(parents=True)
    for file in (inside / ".file.1.tmp", tmp_path / ".file.2.old", tmp_path / "kept.tmp"):
        file.write_text("x")
    (tmp_path / "busy").mkdir()
    (tmp_path / "busy" / ".file.3.tmp").write_text("x")
    sweep_half_written(tmp_path, spare=tmp_path / "busy")
    left = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*")}
    assert left == {"a", "busy", "busy/.file.3.tmp", "kept.tmp"}
    sweep_half_written(tmp_path)
    assert not list((tmp_path / "busy").iterdir())
    sweep_half_written(tmp_path / "none")
