"""`hinterland index receipt` says whether what was removed is still gone."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest
from click.testing import CliRunner, Result
from tests.support.changing_index import EMBEDDER, build, documents

from hinterland.core.cli import cli
from hinterland.core.errors import ConfigError, IndexBundleError, StorageError
from hinterland.core.files import hash_tree
from hinterland.indexes.bundle import open_bundle, writer_lock
from hinterland.indexes.change import Rule, add_documents, lift_rule, remove
from hinterland.indexes.change_state import state_of

WEB = Rule.make(columns={"source": ["web"]})


@pytest.fixture
def root(tmp_path: Path) -> Path:
    build(tmp_path / "index")
    return tmp_path / "index"


def command(*arguments: object) -> Result:
    return CliRunner().invoke(cli, ["index", "receipt", *map(str, arguments)])


def test_gone(root: Path) -> None:
    first = Path(remove(root, WEB)["receipt"])
    second = remove(root, Rule.make(ids=["document-with-number-001"]))
    before = hash_tree(root)
    done = command(root)
    assert done.exit_code == 0, done.output
    lines = done.output.splitlines()
    assert f"{first.stem}: 4 documents, 8 chunks; rule {WEB.id} in force" in lines[:2]
    told = f"{Path(second['receipt']).stem}: 1 documents, 2 chunks; rule {second['rule_id']} in force"
    assert told in lines[:2]
    version = open_bundle(root).version
    files = sum(each.is_file() and each.name != ".lock" for each in root.rglob("*"))
    assert lines[2] == (
        f"  none of 5 ids and 10 texts is in version {version} or in a string of {files} files"
    )
    assert lines[3:] == ["  not looked for: pieces of texts, words and vectors: a receipt has hashes only"]
    assert hash_tree(root) == before
    for name in (first, first.name, first.stem):
        told = json.loads(command(root, name, "--json").stdout)
        assert (told["looked_for"], told["found"]) == ({"documents": 4, "chunks": 8}, [])
        assert [each["receipt"] for each in told["receipts"]] == [first.stem]
    assert "documents: 5" in command(root, "--dry-run").output


def test_come_back_after_the_rule_was_lifted(root: Path) -> None:
    remove(root, WEB)
    lift_rule(root, WEB.id)
    assert "lifted" in command(root).output
    add_documents(root, documents(6, 8), EMBEDDER)
    done = command(root)
    assert done.exit_code == 1
    assert isinstance(done.exception, IndexBundleError)
    assert done.exception.found.startswith("what was removed is there: 2 removed documents")
    assert done.exception.where == str(open_bundle(root).folder / "chunks.parquet")
    assert WEB.id in done.exception.cure


@pytest.mark.parametrize(
    ("name", "plant"),
    [
        ("notes.json", lambda path, _: path.write_text('["document-with-number-007"]')),
        ("document-with-number-007", lambda path, _: path.write_text("x")),
        ("copy.json", lambda path, text: path.write_text(json.dumps({"a": [text]}))),
    ],
)
def test_a_copy_is_found(root: Path, name: str, plant: Callable[[Path, str], object]) -> None:
    chunks = state_of(root).chunks
    text = dict(zip(chunks["document_id"].to_pylist(), chunks["text"].to_pylist(), strict=True))
    remove(root, WEB)
    plant(root / name, text["document-with-number-007"])
    done = command(root)
    assert done.exit_code == 1
    assert isinstance(done.exception, IndexBundleError)
    assert done.exception.where == str(root / name)
    assert "delete that file" in done.exception.cure


def test_older_versions_and_equal_texts_are_told(root: Path) -> None:
    twin = documents(6, 7, source="shelf").set_column(0, "id", pa.array(["twin"]))
    twin = twin.set_column(twin.column_names.index("meta"), "meta", documents(6, 7)["meta"])
    add_documents(root, twin, EMBEDDER)
    before = open_bundle(root).version
    remove(root, WEB, keep_versions=True)
    done = command(root)
    assert done.exit_code == 0
    assert "  2 chunks of other documents have such a text word for word" in done.output.splitlines()
    assert f"  version {before}, which is not served, has 4 of the documents" in done.output.splitlines()
    assert f"  not looked for: versions/{before}: an older version" in done.output.splitlines()


def test_vectors_left(root: Path) -> None:
    remove(root, WEB, compact=False)
    assert "vectors are dead until: hinterland index compact" in command(root).output


def test_receipts_that_cannot_be_used(root: Path, tmp_path: Path) -> None:
    def refused(kind: type[Exception], *arguments: object) -> Exception:
        done = command(root, *arguments)
        assert done.exit_code == 1
        assert isinstance(done.exception, kind)
        return done.exception

    assert "there is no receipt" in str(refused(ConfigError))
    path = Path(remove(root, WEB)["receipt"])
    assert f"Known: {path.stem}" in str(refused(ConfigError, "other"))
    (tmp_path / "other.json").write_text("{}")
    assert "changed" in str(refused(StorageError, tmp_path / "other.json"))
    with writer_lock(root):
        refused(StorageError)
    path.write_text(path.read_text().replace('"documents": 4', '"documents": 3'))
    assert "receipt was changed" in str(refused(StorageError))
