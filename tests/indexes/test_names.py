"""Names in an index's files that were edited by hand do not reach out of the index's folder."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from tests.support.changing_index import EMBEDDER, build, documents

from hinterland.core.errors import HinterlandError, IndexBundleError
from hinterland.core.files import hash_tree, read_json, write_json
from hinterland.indexes.bundle import CURRENT, MANIFEST, open_bundle, serve
from hinterland.indexes.change import Rule, add_documents, compact, remove
from hinterland.indexes.change_state import next_version, state_of
from hinterland.indexes.names import is_plain
from hinterland.indexes.removal_look import PENDING

OUTSIDE = ["../../outside", "../outside", "..", ".", "", "/tmp", "a/../../outside", "a\\b", "a\0b", 7, None]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    build(tmp_path / "index")
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "precious.vectors").write_text("not to be touched")
    return tmp_path / "index"


@pytest.mark.parametrize("name", OUTSIDE)
@pytest.mark.parametrize("key", ["name", "version_before"])
def test_the_open_removal(root: Path, key: str, name: object) -> None:
    remove(root, Rule.make(columns={"source": ["web"]}), compact=False)
    good = read_json(root / PENDING)
    write_json(root / PENDING, {**good, key: name})
    before = hash_tree(root.parent)
    for act in (lambda: compact(root), lambda: add_documents(root, documents(20, 21), EMBEDDER)):
        with pytest.raises(IndexBundleError, match="edited by hand") as error:
            act()
        assert error.value.where == str(root / PENDING)
        assert error.value.cure
    assert hash_tree(root.parent) == before
    write_json(root / PENDING, good)
    assert compact(root)["vectors_dropped"] == 8
    assert not (root / PENDING).exists()


@pytest.mark.parametrize("value", [[], {}, {"name": "a"}, "x"])
def test_an_open_removal_that_says_nothing(root: Path, value: Any) -> None:
    write_json(root / PENDING, value)
    with pytest.raises(IndexBundleError, match="edited by hand"):
        compact(root)


@pytest.mark.parametrize("fingerprint", ["../../outside", "..", "/tmp"])
def test_the_encoder_of_a_manifest(root: Path, fingerprint: str) -> None:
    """A manifest is served under its own hash, so whoever edits it by hand renames the folder too."""
    lists = root.with_name("lists")
    build(lists, factory="IVF20,Flat")  # compaction trains afresh, with vectors from the cache
    state = state_of(lists)
    left = state.chunks.filter(pa.array([each != "web" for each in state.chunks["source"].to_pylist()]))
    folder = next_version(state, left, {"what": "test"}).folder
    manifest = read_json(folder / MANIFEST)
    made = {**manifest["embedder"], "fingerprint": fingerprint}
    write_json(folder / MANIFEST, {**manifest, "embedder": made})
    name = hashlib.sha256((folder / MANIFEST).read_bytes()).hexdigest()[:24]
    folder.rename(folder.with_name(name))
    serve(lists, name)
    before = hash_tree(root.with_name("outside"))
    with pytest.raises(IndexBundleError, match="leads out of the index") as error:
        compact(lists)
    assert error.value.where == str(open_bundle(lists).folder / MANIFEST)
    assert hash_tree(root.with_name("outside")) == before


@pytest.mark.parametrize("name", ["../../outside", "..", "."])
def test_what_is_being_published_and_what_is_served(root: Path, name: str) -> None:
    before = hash_tree(root.with_name("outside"))
    (root / ".publishing").write_text(name)
    add_documents(root, documents(20, 21), EMBEDDER)
    assert hash_tree(root.with_name("outside")) == before
    (root / CURRENT).write_text(name)
    with pytest.raises(HinterlandError):
        open_bundle(root)


def test_plain_names() -> None:
    assert not [name for name in OUTSIDE if is_plain(name)]
    assert all(map(is_plain, ["letters-32", "20261122T085406Z-86b8a071d947-99b1d74a019b", "..a", "a b"]))
