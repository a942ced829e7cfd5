"""Add and upsert embed only what is new; compaction keeps rows right; readers go on; versions go back."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.support.changing_index import EMBEDDER, build, documents
from tests.support.letter_embedder import LetterEmbedder

from hinterland.core.config import parse_config
from hinterland.core.corpus import write_corpus
from hinterland.core.errors import ConfigError, CorpusError, IndexBundleError, StorageError
from hinterland.core.files import read_json, write_json
from hinterland.indexes import change_command, compact_command, versions_command
from hinterland.indexes.build import build_index
from hinterland.indexes.bundle import CHUNKS, CURRENT, MANIFEST, open_bundle, writer_lock
from hinterland.indexes.change import add_documents, compact, compact_in_background, upsert
from hinterland.indexes.change_faiss import vectors_of
from hinterland.indexes.change_state import state_of
from hinterland.indexes.search import Index
from hinterland.indexes.version import passages_of
from hinterland.indexes.versions import rollback, versions

FACTORIES = ["Flat", "HNSW8", "IVF2,Flat", "IVF2,SQ8", "PCA16,Flat", "SQ8,RFlat", "PCA16,HNSW8"]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    build(tmp_path / "index")
    return tmp_path / "index"


def found(root: Path, query: str, k: int = 5) -> list[str]:
    return [hit.document_id for hit in Index.open(root, embedder=EMBEDDER).search_documents([query], k)[0]]


def vectors_are_right(root: Path, least: float) -> None:
    """Each live chunk's row holds the vector of its own passage."""
    state = state_of(root)
    there = vectors_of(state.backend, state.rows)
    true = EMBEDDER.passages(passages_of(state.chunks))
    cosines = (there * true).sum(axis=1) / np.linalg.norm(there, axis=1)
    assert cosines.min() > least


def by_chunk(root: Path) -> dict[str, np.ndarray]:
    state = state_of(root)
    return dict(zip(state.chunks["id"].to_pylist(), vectors_of(state.backend, state.rows), strict=True))


@pytest.mark.parametrize("factory", FACTORIES)
def test_every_kind_of_index_changes(tmp_path: Path, factory: str) -> None:
    root = tmp_path / "index"
    # 8-bit ranges are of the vectors that trained them; what is added later may lie outside.
    least = 0.0 if "PCA" in factory else 0.95 if factory == "IVF2,SQ8" else 0.999
    build(root, factory=factory)
    seen = EMBEDDER.seen
    told = add_documents(root, documents(10, 14, source="forum"), EMBEDDER)
    assert EMBEDDER.seen - seen == told["embedded"] == told["chunks_added"] > 0
    assert told["added"] == 4
    vectors_are_right(root, least)
    upsert(root, documents(2, 8, source="shelf"), EMBEDDER)
    state = state_of(root)
    assert state.dead > 0
    vectors_are_right(root, least)
    before = by_chunk(root)
    told = compact(root)
    assert told["vectors_dropped"] == state.dead
    after = state_of(root)
    assert after.dead == 0
    assert after.rows.tolist() == list(range(after.chunks.num_rows))
    vectors_are_right(root, least)
    for name, vector in by_chunk(root).items() if factory != "PCA16,HNSW8" else ():  # that is trained anew
        np.testing.assert_allclose(vector, before[name], atol=1e-5)
    passages = passages_of(after.chunks)
    hits = Index.open(root, embedder=EMBEDDER).search(passages, 1)
    own = [hit[0].chunk_id == name for hit, name in zip(hits, after.chunks["id"].to_pylist(), strict=True)]
    assert np.mean(own) > (0.5 if "SQ8" in factory or "PCA" in factory else 0.9)
    assert compact(root)["how"] == "nothing"


def test_adding_equals_building(root: Path, tmp_path: Path) -> None:
    add_documents(root, documents(10, 12), EMBEDDER)
    whole = pa.concat_tables([documents(0, 6, source="books"), documents(6, 12)])
    build_index(
        write_corpus(tmp_path / "whole", whole),
        tmp_path / "fresh",
        EMBEDDER,
        chunk_tokens=64,
        lexical=None,
    )
    changed, fresh = open_bundle(root).folder, open_bundle(tmp_path / "fresh").folder
    for name in ("dense.faiss", CHUNKS):
        assert (changed / name).read_bytes() == (fresh / name).read_bytes()


def test_unchanged_documents_change_nothing(root: Path) -> None:
    version = open_bundle(root).version
    told = upsert(root, documents(6, 10), EMBEDDER)
    assert not told["published"]
    assert (told["unchanged"], told["version"], told["embedded"]) == (4, version, 0)
    assert [each["version"] for each in versions(root)] == [version]


def test_a_new_source_needs_no_new_vector(root: Path) -> None:
    table = documents(6, 10)
    where = table.schema.get_field_index("license")
    told = upsert(root, table.set_column(where, "license", pa.array(["MIT"] * 4)), EMBEDDER)
    assert (told["replaced"], told["embedded"]) == (4, 0)
    state = state_of(root)
    assert state.dead == 0
    assert set(state.chunks["license"].to_pylist()) >= {"MIT"}
    vectors_are_right(root, 0.999)


def test_adding_what_is_there_with_another_text_is_refused(root: Path) -> None:
    with pytest.raises(CorpusError, match="2 of the documents are in the index with another content"):
        add_documents(root, documents(4, 6, source="web"), EMBEDDER)


def test_another_encoder_is_refused(root: Path) -> None:
    with pytest.raises(IndexBundleError, match="gives 16 dimensions, the index has 32"):
        add_documents(root, documents(10, 12), LetterEmbedder(16))
    other = LetterEmbedder()
    other.space = "other"
    with pytest.raises(IndexBundleError, match="fingerprint is other"):
        upsert(root, documents(10, 12), other)


def test_readers_go_on_while_versions_come_and_go(root: Path) -> None:
    reader = Index.open(root, embedder=EMBEDDER)
    before = [hit.chunk_id for hit in reader.search(["hidden ledger 3"], 5)[0]]
    for number in range(3):
        add_documents(root, documents(10 + number, 11 + number), EMBEDDER, keep=1)
    assert not reader.bundle.folder.exists()
    assert [hit.chunk_id for hit in reader.search(["hidden ledger 3"], 5)[0]] == before


def test_opening_survives_a_version_pruned_under_it(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real, done = pq.read_table, []

    def late(*args: object, **kwargs: object) -> pa.Table:
        if not done:
            done.append(1)
            add_documents(root, documents(10, 12), EMBEDDER, keep=1)
        return real(*args, **kwargs)

    monkeypatch.setattr(pq, "read_table", late)
    index = Index.open(root, embedder=EMBEDDER)
    assert done
    assert index.bundle.version == open_bundle(root).version


def test_a_plan_survives_a_version_pruned_under_it(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real, done = pq.read_table, []

    def late(*args: object, **kwargs: object) -> pa.Table:
        if not done:
            done.append(1)
            add_documents(root, documents(10, 12), EMBEDDER, keep=1)
        return real(*args, **kwargs)

    monkeypatch.setattr(pq, "read_table", late)
    config = parse_config(compact_command.CommandConfig, {"index": root}, where="test")
    assert compact_command.plan(config)["version"] == open_bundle(root).version
    assert done


def test_compaction_in_the_background(root: Path) -> None:
    upsert(root, documents(0, 3, source="shelf"), EMBEDDER)
    reader, dead = Index.open(root, embedder=EMBEDDER), state_of(root).dead
    future = compact_in_background(root)
    assert len(reader.search(["hidden ledger"], 3)[0]) == 3
    assert future.result(timeout=30)["vectors_dropped"] == dead
    assert len(Index.open(root, embedder=EMBEDDER)) == len(reader)


def test_versions_go_back_and_forth(root: Path) -> None:
    first = open_bundle(root).version
    second = add_documents(root, documents(10, 12), EMBEDDER)["version"]
    assert [(each["version"], each["served"]) for each in versions(root)] == [(second, True), (first, False)]
    assert rollback(root)["version"] == first
    assert found(root, "Ledger 10 of web")[0] != "document-with-number-010"
    assert rollback(root, second[:6])["version"] == second
    with pytest.raises(ConfigError, match="no other version 'zz'"):
        rollback(root, "zz")
    (root / "versions" / first / MANIFEST).write_text("{")
    assert versions(root)[1]["changed"]["what"].startswith("damaged")
    with pytest.raises(IndexBundleError, match="corrupt"):
        rollback(root, first)
    third = add_documents(root, documents(12, 13), EMBEDDER)["version"]
    assert {each["version"] for each in versions(root)} == {second, third}


def test_a_promise_of_tuning_is_marked_stale(root: Path) -> None:
    folder = open_bundle(root).folder
    manifest = read_json(folder / MANIFEST)
    write_json(folder / MANIFEST, {**manifest, "tuning": {"recall": 0.95, "changes": 0}})
    from hinterland.core.files import hash_file

    version = hash_file(folder / MANIFEST)[:24]
    folder.rename(folder.with_name(version))
    (root / CURRENT).write_text(version)
    add_documents(root, documents(10, 12), EMBEDDER)
    tuning = open_bundle(root).manifest["tuning"]
    assert (tuning["stale"], tuning["recall"]) == (True, 0.95)
    assert tuning["why"] == "4 chunks added (20.0 % of 20)"


def test_two_writers(root: Path) -> None:
    with writer_lock(root):
        with pytest.raises(StorageError, match="another process is writing this index"):
            add_documents(root, documents(10, 12), EMBEDDER)
        with pytest.raises(StorageError, match=r"waited 0\.2 s"):
            upsert(root, documents(10, 12), EMBEDDER, wait_seconds=0.2)
        waiting = compact_in_background(root, wait_seconds=30)
    assert waiting.result(timeout=30)["how"] == "nothing"


def test_a_damaged_file_is_named(root: Path) -> None:
    path = open_bundle(root).folder / "dense.faiss"
    path.write_bytes(path.read_bytes()[:100])
    for act in (lambda: add_documents(root, documents(10, 12), EMBEDDER), lambda: compact(root)):
        with pytest.raises(IndexBundleError, match="corrupt") as error:
            act()
        assert "dense.faiss" in str(error.value)


def test_a_full_disk_leaves_the_old_version(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from hinterland.indexes import version

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device", "chunks.parquet")

    before = open_bundle(root).version
    monkeypatch.setattr(version.pq, "write_table", full)
    with pytest.raises(StorageError, match="disk is full"):
        upsert(root, documents(0, 3, source="shelf"), EMBEDDER)
    monkeypatch.undo()
    assert open_bundle(root).version == before
    assert compact(root)["version"] == before


def test_the_commands(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(change_command, "encoder", lambda *_: EMBEDDER)
    corpus = write_corpus(tmp_path / "more", documents(9, 12))
    given = {"index": root, "corpus": corpus.path}
    planned = change_command.plan(parse_config(change_command.CommandConfig, given))
    assert (planned["documents"], planned["withheld_by_rule"]) == (3, {})
    told = change_command.run(parse_config(change_command.CommandConfig, given))
    assert change_command.render(told).startswith("2 documents added, 0 replaced, 1 unchanged in ")
    told = change_command.run(parse_config(change_command.CommandConfig, {**given, "replace": True}))
    assert "nothing changed" in change_command.render(told)
    upsert(root, documents(0, 2, source="shelf"), EMBEDDER)
    config = parse_config(compact_command.CommandConfig, {"index": root})
    assert compact_command.plan(config)["dead_vectors"] == 4
    assert compact_command.render(compact_command.run(config)).startswith("4 dead vectors dropped")
    assert compact_command.render(compact_command.run(config)).startswith("no vector is dead")
    config = parse_config(versions_command.CommandConfig, {"index": root})
    lines = versions_command.render(versions_command.run(config)).splitlines()
    assert [line[0] for line in lines] == ["*", " "]
    assert "compact: vectors dropped 4" in lines[0]
    config = parse_config(versions_command.CommandConfig, {"index": root, "rollback": True})
    assert "is served instead of" in versions_command.render(versions_command.run(config))
