"""A removal says what it looked for and what not, also when it was interrupted."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from tests.support.changing_index import EMBEDDER, build, documents, secret

from hinterland.core.corpus import write_corpus
from hinterland.core.errors import IndexBundleError
from hinterland.indexes import removal_finish, remove_command
from hinterland.indexes.build import build_index
from hinterland.indexes.bundle import open_bundle
from hinterland.indexes.change import Rule, add_documents, compact, remove
from hinterland.indexes.change_state import state_of
from hinterland.indexes.lexical import LexicalConfig
from hinterland.indexes.removal_receipt import check_receipt

WEB = Rule.make(columns={"source": ["web"]})
TEXTS = "pieces of texts, words and cached vectors: looked for before, and known no more by now"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    build(tmp_path / "index")
    return tmp_path / "index"


def stored(root: Path) -> dict[str, object]:
    (receipt,) = (root / "receipts").iterdir()
    return dict(check_receipt(receipt)["residue"])


def test_a_whole_removal_leaves_nothing_out(root: Path) -> None:
    residue = remove(root, WEB)["residue"]
    assert residue["not_looked_for"] == []
    assert "again" not in residue


def test_what_is_kept_is_named(root: Path) -> None:
    before = open_bundle(root).version
    receipt = remove(root, WEB, keep_versions=True)
    assert receipt["residue"]["not_looked_for"] == [
        f"versions/{each.name}: an older version"
        for each in (root / "versions").iterdir()
        if each.name != open_bundle(root).version
    ]
    assert before in str(receipt["residue"]["not_looked_for"])


def test_a_second_look_after_compaction(root: Path) -> None:
    first = remove(root, WEB, compact=False)["residue"]
    (left,) = first["not_looked_for"]
    assert left.endswith("dense.faiss: the removed vectors, until index compact")
    compact(root)
    residue = stored(root)
    assert residue["looked_for"] == first["looked_for"]
    again = residue["again"]
    assert again["clean"]
    assert again["looked_for"]["vectors"] == first["looked_for"]["vectors"] == 8
    assert again["looked_for"]["strings"] == 4 + 8  # documents and chunks
    assert again["looked_for"]["pieces"] == again["looked_for"]["words"] == 0
    assert again["not_looked_for"] == [TEXTS]
    shown = remove_command._looked(residue)
    assert [line.split(":")[0].strip() for line in shown] == [
        "no trace found",
        "no trace found by a second look",
        "not looked for",
    ]


def removed_vectors(root: Path) -> np.ndarray:
    state = state_of(root)
    return state.backend.reconstruct(np.flatnonzero(state.chunks["source"].to_numpy() == "web"))


@pytest.mark.parametrize(
    ("name", "plant"),
    [
        ("vectors.npy", lambda path, vectors, _: np.save(path, vectors)),
        ("backup.json", lambda path, _, text: path.write_text(json.dumps([text]))),
        ("ids.json", lambda path, *_: path.write_text('["document-with-number-007"]')),
        ("document-with-number-008", lambda path, *_: path.write_text("x")),
    ],
)
def test_a_second_look_finds_what_came_meanwhile(
    root: Path, name: str, plant: Callable[[Path, np.ndarray, str], object]
) -> None:
    vectors = removed_vectors(root)
    text = state_of(root).chunks.filter(np.asarray(state_of(root).chunks["source"]) == "web")["text"][0]
    remove(root, WEB, compact=False)
    plant(root / name, vectors, text.as_py())
    with pytest.raises(IndexBundleError, match="still there") as error:
        compact(root)
    assert name in str(error.value)
    (root / name).unlink()
    add_documents(root, documents(20, 21, source="new"), EMBEDDER)
    assert stored(root)["again"]["clean"]  # type: ignore[index]


def test_killed_before_the_second_look(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        real, calls = removal_finish.look, []

        def once(*arguments: object) -> None:
            calls.append(1)
            if len(calls) > 1:
                raise KeyboardInterrupt
            real(*arguments)  # type: ignore[arg-type]

        patch.setattr(removal_finish, "look", once)
        with pytest.raises(KeyboardInterrupt):
            remove(root, WEB)
    assert state_of(root).dead == 0
    compact(root)
    residue = stored(root)
    again = residue["again"]
    assert residue["clean"]
    assert again["not_looked_for"] == [TEXTS, "vectors: dropped before this look, and known no more"]
    assert again["looked_for"] == {"pieces": 0, "strings": 12, "words": 0, "vectors": 0, "cached": 0}


def test_a_version_deleted_by_hand(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = open_bundle(root).folder
    with monkeypatch.context() as patch:
        patch.setattr(removal_finish, "look", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            remove(root, WEB)
    shutil.rmtree(before)
    compact(root)
    residue = stored(root)
    assert (residue["clean"], residue["why"]) == (None, "the version before was deleted by hand")
    assert residue["again"]["looked_for"]["vectors"] == 8  # type: ignore[index]
    assert "deleted by hand" in remove_command._looked(residue)[0]


@pytest.mark.parametrize("name", ["ledger", "KEN", "quokka2x3", "removal", "letters", "2", "manifest.json"])
def test_an_id_that_is_a_word_too_holds_nothing_up(tmp_path: Path, name: str) -> None:
    table = documents(0, 5)
    table = table.set_column(0, "id", [[name, *table["id"].to_pylist()[1:]]])
    root = tmp_path / "index"
    build_index(write_corpus(tmp_path / "c", table), root, EMBEDDER, chunk_tokens=64, lexical=LexicalConfig())
    residue = remove(root, Rule.make(ids=[name]))["residue"]
    assert residue["clean"]
    shared = [each for each in residue["not_looked_for"] if "which kept data has too" in each]
    assert len(shared) == (name == "KEN")
    assert secret(0)[:40] not in (open_bundle(root).folder / "chunks.parquet").read_bytes().decode("latin1")


def test_such_an_id_is_still_found_elsewhere(tmp_path: Path) -> None:
    table = documents(0, 5)
    table = table.set_column(0, "id", [["ledger", *table["id"].to_pylist()[1:]]])
    root = tmp_path / "index"
    build_index(write_corpus(tmp_path / "c", table), root, EMBEDDER, chunk_tokens=64, lexical=LexicalConfig())
    (root / "notes.json").write_text('{"seen": ["ledger"]}')
    with pytest.raises(IndexBundleError, match="an id or a short text"):
        remove(root, Rule.make(ids=["ledger"]))
