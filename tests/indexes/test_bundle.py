"""A version is published whole, or the old one stays; damage is named; writers exclude each other."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from hinterland.core.errors import IndexBundleError, StorageError
from hinterland.core.files import hash_file, read_json, write_json
from hinterland.core.seeds import generator
from hinterland.indexes.bundle import CURRENT, MANIFEST, open_bundle, writer_lock
from hinterland.indexes.faiss_backend import FaissBackend, FaissType
from hinterland.indexes.version import publish_version

WRITER = """
    import sys
    from pathlib import Path
    import numpy as np, pyarrow as pa
    from hinterland.indexes.bundle import writer_lock
    from hinterland.indexes.faiss_backend import FaissType
    from hinterland.indexes.version import publish_version
    number = 0
    print("ready", flush=True)
    while True:
        number += 1
        vectors = np.random.default_rng(number).standard_normal((2000, 32), dtype=np.float32)
        chunks = pa.table({"id": [f"{number}-{row}" for row in range(2000)]})
        with writer_lock(Path(sys.argv[1])):
            dense = FaissType().build(vectors)
            publish_version(Path(sys.argv[1]), dense, chunks, {"number": number}, lexical=None)
"""


def backend(seed: int = 0) -> FaissBackend:
    return FaissType().build(generator(seed, "bundle").standard_normal((5, 4), dtype=np.float32))


def chunks(word: str = "a") -> pa.Table:
    return pa.table({"id": [f"{word}{row}" for row in range(5)]})


def published(root: Path, word: str = "a") -> str:
    with writer_lock(root):
        return publish_version(root, backend(), chunks(word), {"embedder": {}}, lexical=None).version


def test_equal_content_is_an_equal_version(tmp_path: Path) -> None:
    first = published(tmp_path / "one")
    assert published(tmp_path / "two") == first == published(tmp_path / "one")
    assert open_bundle(tmp_path / "one").version == first
    assert [p.name for p in (tmp_path / "one" / "versions").iterdir()] == [first]


def test_the_version_before_stays_and_older_ones_go(tmp_path: Path) -> None:
    versions = []
    for number, word in enumerate("abc"):
        versions.append(published(tmp_path, word))
        os.utime(tmp_path / "versions" / versions[-1], (number, number))
    assert {p.name for p in (tmp_path / "versions").iterdir()} == set(versions[1:])
    assert (tmp_path / CURRENT).read_text().strip() == versions[2]


@pytest.mark.parametrize("name", ["dense.faiss", "chunks.parquet", "manifest.json"])
@pytest.mark.parametrize("damage", ["cut", "flip", "missing"])
def test_damage_is_named_and_building_again_cures_it(tmp_path: Path, name: str, damage: str) -> None:
    version = published(tmp_path)
    file = tmp_path / "versions" / version / name
    data = file.read_bytes()
    if damage == "missing":
        file.unlink()
    elif damage == "cut":
        file.write_bytes(data[: len(data) // 2])
    else:
        file.write_bytes(data[:20] + bytes([data[20] ^ 1]) + data[21:])
    with pytest.raises(IndexBundleError, match="missing" if damage == "missing" else "corrupt") as error:
        open_bundle(tmp_path)
    assert name in str(error.value)
    assert "build the index again" in str(error.value)
    assert published(tmp_path) == version
    assert open_bundle(tmp_path).version == version


def rewrite_manifest(root: Path, **changes: object) -> None:
    """Publish a changed manifest as another tool would, with a name that fits its content."""
    folder = root / "versions" / (root / CURRENT).read_text().strip()
    write_json(folder / MANIFEST, {**read_json(folder / MANIFEST), **changes})
    version = hash_file(folder / MANIFEST)[:24]
    folder.rename(folder.with_name(version))
    (root / CURRENT).write_text(version)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"format": 99}, "format 99, this version reads up to 2"),
        ({"kind": "corpus"}, "not an index"),
        ({"files": {"../x": "0"}}, "outside of the version"),
    ],
)
def test_what_is_not_an_index_of_this_format(tmp_path: Path, changes: dict, message: str) -> None:
    published(tmp_path)
    rewrite_manifest(tmp_path, **changes)
    with pytest.raises(IndexBundleError, match=message):
        open_bundle(tmp_path)


def test_no_index(tmp_path: Path) -> None:
    with pytest.raises(IndexBundleError, match="no index here"):
        open_bundle(tmp_path / "nowhere")


def test_two_writers(tmp_path: Path) -> None:
    with writer_lock(tmp_path), pytest.raises(StorageError, match="another process"), writer_lock(tmp_path):
        pass
    with writer_lock(tmp_path):
        pass


def test_an_unwritable_place(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(StorageError), writer_lock(tmp_path / "file"):
        pass


def test_a_full_disk_leaves_the_old_version(tmp_path: Path) -> None:
    old = published(tmp_path)

    class Full(FaissBackend):
        def save(self, path: Path) -> None:
            path.write_bytes(b"half")
            raise OSError(28, "No space left on device", str(path))

    full = Full(backend(1)._index, "Flat", {})
    with pytest.raises(StorageError, match="disk is full"), writer_lock(tmp_path):
        publish_version(tmp_path, full, chunks("b"), {}, lexical=None)
    assert open_bundle(tmp_path).version == old
    assert [p.name for p in (tmp_path / "versions").iterdir()] == [old]


def test_a_writer_killed_at_any_moment_leaves_a_whole_version(tmp_path: Path) -> None:
    root = tmp_path / "index"
    published(root)
    random = generator(0, "kills")
    for _ in range(6):
        writer = subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(WRITER), str(root)], stdout=subprocess.PIPE
        )
        assert writer.stdout is not None
        writer.stdout.readline()
        time.sleep(float(random.uniform(0, 0.2)))
        writer.send_signal(signal.SIGKILL)
        writer.wait()
        writer.stdout.close()
        bundle = open_bundle(root)
        assert set(json.loads((bundle.folder / MANIFEST).read_text())["files"]) == {
            "dense.faiss",
            "chunks.parquet",
        }
    published(root, "last")
    assert not list((root / "versions").glob(".new*"))
    shutil.rmtree(root)
