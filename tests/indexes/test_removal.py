"""What is removed is gone from every file, is said in a receipt, and does not come back."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from tests.support.changing_index import EMBEDDER, build, documents, secret

from hinterland.core.config import parse_config
from hinterland.core.corpus import write_corpus
from hinterland.core.errors import ConfigError, CorpusError, IndexBundleError, StorageError
from hinterland.core.files import hash_file
from hinterland.indexes import remove_command
from hinterland.indexes.build import build_index
from hinterland.indexes.bundle import open_bundle
from hinterland.indexes.change import (
    Rule,
    add_documents,
    compact,
    lift_rule,
    plan_removal,
    remove,
    upsert,
)
from hinterland.indexes.change_compact import compact_state
from hinterland.indexes.change_faiss import centroids_of
from hinterland.indexes.change_state import next_version, state_of
from hinterland.indexes.fusion_tuning import tune_fusion
from hinterland.indexes.lexical import LexicalConfig
from hinterland.indexes.removal_finish import PENDING
from hinterland.indexes.removal_receipt import check_receipt
from hinterland.indexes.removal_rules import LEDGER, digest, rules_in_force
from hinterland.indexes.search import Index
from hinterland.indexes.versions import rollback, versions

WEB = Rule.make(columns={"source": ["web"]})
FACTORIES = ["Flat", "HNSW8", "IVF2,Flat", "IVF2,SQ8", "SQ8,RFlat"]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    build(tmp_path / "index")
    return tmp_path / "index"


def holds(root: Path, text: str) -> list[str]:
    """Return the files in which a text stands as bytes, or in Parquet as a string."""
    import pyarrow.parquet as pq

    found = []
    for path in sorted(each for each in root.rglob("*") if each.is_file()):
        data = path.read_bytes()
        if data[:4] == b"PAR1":
            data += json.dumps(pq.read_table(path).to_pylist()).encode()
        if text.encode() in data:
            found.append(path.name)
    return found


@pytest.mark.parametrize("factory", FACTORIES)
def test_nothing_is_left_of_a_source(tmp_path: Path, factory: str) -> None:
    root = tmp_path / "index"
    build(root, factory=factory)
    add_documents(root, documents(10, 12, source="forum"), EMBEDDER)
    piece = "quokka7x3 whispers"
    assert holds(root, piece) == ["chunks.parquet", "chunks.parquet"]
    receipt = remove(root, WEB)
    assert holds(root, piece) == holds(root, "document-with-number-007") == []
    assert (receipt["documents"], receipt["complete"], receipt["dead_vectors"]) == (4, True, 0)
    assert receipt["documents_by_source"] == {"web": 4}
    assert receipt["residue"]["clean"]
    assert min(receipt["residue"]["looked_for"].values()) > 0
    assert receipt["vectors"]["dropped"] == receipt["vectors"]["compared"] == receipt["chunks"]
    assert len(versions(root)) == 1
    index = Index.open(root, embedder=EMBEDDER)
    assert "document-with-number-007" not in {hit.document_id for hit in index.search([secret(7)], 50)[0]}
    assert len(index) == state_of(root).backend.size


def test_the_receipt(root: Path) -> None:
    before = open_bundle(root).version
    receipt = remove(root, Rule.make(ids=["document-with-number-007"]))
    path = Path(receipt["receipt"])
    stored = check_receipt(path)
    assert (stored["version_before"], stored["version_after"]) == (before, open_bundle(root).version)
    (document,) = stored["hashes"]
    assert document["id_sha256"] == digest("document-with-number-007")
    assert len(document["chunks_sha256"]) == stored["chunks"]
    folder = open_bundle(root).folder
    assert stored["files"] == {name: hash_file(folder / name) for name in stored["files"]}
    assert "manifest.json" in stored["files"]
    assert "document-with-number-007" not in path.read_text() + (root / LEDGER).read_text()
    path.write_text(path.read_text().replace('"documents": 1', '"documents": 0'))
    with pytest.raises(StorageError, match="receipt was changed"):
        check_receipt(path)


@pytest.mark.parametrize(
    ("rule", "gone"),
    [
        (Rule.make(ids=["document-with-number-001", "unknown"]), {1}),
        (Rule.make(columns={"license": ["CC0"], "source": ["web"]}), {6, 8}),
        (Rule.make(columns={"country": ["KEN", "PER"]}), {0, 1, 4, 5, 8, 9}),
        (Rule.make(where="country == 'ISL' and source in ['books']"), {2}),
        (Rule.make(where="document_id > 'document-with-number-007'"), {8, 9}),
        (Rule.make(columns={"url": ["https://example.org/web/9"]}), {9}),
    ],
)
def test_rules(root: Path, rule: Rule, gone: set[int]) -> None:
    assert plan_removal(root, rule)["documents"] == len(gone)
    remove(root, rule)
    left = set(state_of(root).chunks["document_id"].to_pylist())
    assert left == {f"document-with-number-{number:03d}" for number in set(range(10)) - gone}


def test_a_removal_holds(root: Path, tmp_path: Path) -> None:
    remove(root, WEB)
    for change in (add_documents, upsert):
        told = change(root, documents(6, 10), EMBEDDER)
        assert (told["withheld"], told["published"]) == (4, False)
        assert told["withheld_by_rule"] == {WEB.id: 4}
    corpus = write_corpus(tmp_path / "again", documents(6, 10))
    with pytest.raises(IndexBundleError, match="rules of removal withhold all 4 documents"):
        build_index(corpus, root, EMBEDDER, chunk_tokens=64)
    both = pa.concat_tables([documents(6, 10), documents(20, 22, source="books")])
    told = build_index(write_corpus(tmp_path / "both", both), root, EMBEDDER, chunk_tokens=64)
    assert told["withheld"] == 4
    assert set(state_of(root).chunks["source"].to_pylist()) == {"books"}
    lift_rule(root, WEB.id)
    assert add_documents(root, documents(6, 10), EMBEDDER)["added"] == 4
    with pytest.raises(ConfigError, match="no rule"):
        lift_rule(root, WEB.id)


def test_a_rollback_cannot_bring_it_back(root: Path) -> None:
    remove(root, WEB)
    with pytest.raises(ConfigError, match="no other version is on disk"):
        rollback(root)


def test_kept_versions_are_not_served_while_the_rule_holds(root: Path) -> None:
    before = open_bundle(root).version
    receipt = remove(root, WEB, keep_versions=True)
    assert receipt["residue"]["clean"]
    with pytest.raises(IndexBundleError, match=f"holds what rule {WEB.id} removed"):
        rollback(root, before)
    lift_rule(root, WEB.id)
    assert rollback(root, before)["version"] == before


def test_compaction_later(root: Path) -> None:
    receipt = remove(root, WEB, compact=False)
    assert (receipt["complete"], receipt["dead_vectors"]) == (False, receipt["chunks"])
    assert holds(root, "quokka7x3 whispers") == []
    assert (root / PENDING).exists()
    index = Index.open(root, embedder=EMBEDDER)
    assert "web" not in {hit.source for hit in index.search([secret(7)], 50)[0]}
    told = compact(root)
    assert told["vectors_dropped"] == receipt["chunks"]
    stored = check_receipt(Path(receipt["receipt"]))
    assert (stored["complete"], stored["dead_vectors"]) == (True, 0)
    assert not (root / PENDING).exists()
    assert state_of(root).dead == 0


def test_removing_everything_serves_an_empty_index(root: Path) -> None:
    receipt = remove(root, Rule.make(columns={"source": ["web", "books"]}))
    assert receipt["vectors"]["how"] == "emptied"
    index = Index.open(root, embedder=EMBEDDER)
    (result,) = index.search(["hidden ledger"], 3)
    assert (len(index), len(result)) == (0, 0)
    assert "0 found" in result.note
    assert add_documents(root, documents(20, 22, source="new"), EMBEDDER)["added"] == 2
    assert len(Index.open(root, embedder=EMBEDDER).search(["hidden ledger"], 3)[0]) == 3


PLANTED: list[tuple[str, Callable[[Path], object]]] = [
    ("notes.txt", lambda path: path.write_text(f"… {secret(7)[200:260]} …")),
    ("backup.json", lambda path: path.write_text(json.dumps({"ids": ["document-with-number-007"]}))),
    ("vectors.npy", lambda path: np.save(path, PLANTED_VECTORS)),
]
PLANTED_VECTORS = EMBEDDER.passages([f"Ledger 7 of web\n{secret(7)[:60]}"])


@pytest.mark.parametrize(("name", "plant"), PLANTED[:2])
def test_a_removal_that_leaves_something_fails_loudly_until_it_is_gone(
    root: Path, name: str, plant: Callable[[Path], object]
) -> None:
    plant(root / name)
    with pytest.raises(IndexBundleError, match="what was removed is still there") as error:
        remove(root, WEB)
    assert name in str(error.value)
    assert "web" not in set(state_of(root).chunks["source"].to_pylist())
    with pytest.raises(IndexBundleError, match="still there"):
        add_documents(root, documents(20, 21, source="new"), EMBEDDER)
    (root / name).unlink()
    add_documents(root, documents(20, 21, source="new"), EMBEDDER)
    (receipt,) = (root / "receipts").iterdir()
    assert check_receipt(receipt)["residue"]["clean"]
    assert not holds(root, "quokka7x3 whispers")


def test_a_copy_between_the_versions_is_found(root: Path) -> None:
    served = open_bundle(root).folder
    copy = served.with_name("copy.parquet")
    copy.write_bytes((served / "chunks.parquet").read_bytes())
    with pytest.raises(IndexBundleError, match="what was removed is still there") as error:
        remove(root, WEB)
    assert "copy.parquet" in str(error.value)


def test_a_version_that_cannot_be_deleted_leaves_the_removal_open(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from hinterland.indexes import bundle

    with monkeypatch.context() as patch:  # as on a file system that refuses
        patch.setattr(bundle.shutil, "rmtree", lambda *_, **__: None)
        with pytest.raises(StorageError, match="a version cannot be deleted"):
            remove(root, WEB)
    assert (root / PENDING).is_file()
    compact(root)
    assert not holds(root, "quokka7x3 whispers")


def test_vectors_of_removed_chunks_under_wrong_rows_are_found(root: Path) -> None:
    from hinterland.indexes.change_compact import _check

    state = state_of(root)
    own = state.backend.reconstruct(state.rows)
    dead = own[3:4] / np.linalg.norm(own[3:4])
    left = np.arange(len(own)) != 3
    good = compact_state(state_of(next_gone(root, left)))
    assert good.near == 0
    swapped = state_of(root).backend
    swapped.remove(np.asarray([5]))
    with pytest.raises(IndexBundleError, match="a removed vector is still there"):
        _check(swapped, own[left], dead, state)


def next_gone(root: Path, left: np.ndarray) -> Path:
    state = state_of(root)
    next_version(state, state.chunks.filter(pa.array(left)), {"what": "test"})
    return root


def test_a_list_trained_on_a_removed_vector_is_trained_anew(root: Path) -> None:
    build(root.with_name("lists"), factory="IVF20,Flat")  # as many lists as chunks: each has one as centre
    lists = root.with_name("lists")
    receipt = remove(lists, WEB)
    assert receipt["vectors"]["how"] == "rebuilt"
    assert receipt["residue"]["clean"]
    assert not len(centroids_of(state_of(lists).backend))


def test_rules_that_cannot_be_used(root: Path) -> None:
    with pytest.raises(ConfigError, match="no document matches") as error:
        remove(root, Rule.make(columns={"source": ["wep"]}))
    assert "did you mean 'web'" in str(error.value)
    with pytest.raises(ConfigError, match="no column 'sauce'") as error:
        remove(root, Rule.make(where="sauce == 'web'"))
    assert "did you mean 'source'" in str(error.value)
    with pytest.raises(ConfigError, match="no column 'contry'"):
        remove(root, Rule.make(columns={"contry": ["KEN"]}))
    with pytest.raises(ConfigError, match="says nothing"):
        Rule.make()
    remove(root, WEB)
    with pytest.raises(ConfigError, match=f"rule {WEB.id} is in force"):
        remove(root, WEB)


def test_a_rule_over_lists_or_bytes_is_refused(root: Path) -> None:
    chunks = state_of(root).chunks
    for values in ([["a"]] * chunks.num_rows, [b"\xff"] * chunks.num_rows):
        table = chunks.append_column("tags", pa.array(values))
        with pytest.raises(ConfigError, match="its values cannot be named"):
            Rule.make(columns={"tags": ["a"]}).matches(table)


def test_a_rule_in_advance(root: Path) -> None:
    rule = Rule.make(columns={"source": ["forum"]})
    assert remove(root, rule, in_advance=True)["documents"] == 0
    assert add_documents(root, documents(20, 22, source="forum"), EMBEDDER)["withheld"] == 2


def test_the_mix_is_tuned_on_an_empty_index_too(root: Path) -> None:
    remove(root, Rule.make(where="source in ['web', 'books']"))
    index = Index.open(root, embedder=EMBEDDER)
    _, curve = tune_fusion(index, {"a": "ledger"}, {"a": {"document": 1.0}})
    assert not curve.by_query.any()


def test_what_only_an_older_version_holds_goes_with_it(root: Path) -> None:
    corpus = write_corpus(root.with_name("books"), documents(0, 6, source="books"))
    build_index(corpus, root, EMBEDDER, chunk_tokens=64)
    assert "chunks.parquet" in holds(root, "quokka7x3 whispers")
    config = parse_config(remove_command.CommandConfig, {"index": root, "source": ["web"]}, where="test")
    told = remove_command.run(config)
    assert (told["documents"], told["versions_deleted"]) == (0, 1)
    assert "1 older versions that held it are deleted" in remove_command.render(told)
    assert not holds(root, "quokka7x3 whispers")
    assert len(versions(root)) == 1
    assert upsert(root, documents(6, 10), EMBEDDER)["withheld"] == 4


def test_a_rule_over_a_column_that_documents_lack_lets_nothing_in(root: Path) -> None:
    state = state_of(root)
    region = pa.array([str(number % 2) for number in range(state.chunks.num_rows)])
    by_document = state.chunks.append_column("region", region)
    next_version(state, by_document, {"what": "test"})
    remove(root, Rule.make(columns={"region": ["1"]}))
    with pytest.raises(CorpusError, match="cannot be checked on these documents: there is no column"):
        add_documents(root, documents(20, 22), EMBEDDER)


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (lambda text: text.replace('"web"', '"wax"'), "edited by hand"),
        (lambda text: "\n".join(text.splitlines()[1:]) + "\n", "edited by hand"),
        (lambda text: text.splitlines()[0] + "\n", "cut off at the end"),
        (lambda text: text[: len(text) // 2], "a line that is no rule"),
        (lambda text: text.replace('"format": 1', '"format": 2'), "a newer version"),
        (lambda _: "", "cut off at the end"),
    ],
)
def test_rules_edited_by_hand(root: Path, edit: Callable[[str], str], message: str) -> None:
    remove(root, WEB)
    remove(root, Rule.make(ids=["document-with-number-001"]))
    (root / LEDGER).write_text(edit((root / LEDGER).read_text()))
    with pytest.raises(StorageError, match=message) as error:
        add_documents(root, documents(20, 22), EMBEDDER)
    assert LEDGER in str(error.value)


def test_a_rule_is_known_again() -> None:
    rule = Rule.make(ids=["a", "b"], columns={"source": ["y", "x"]}, where="country == 'KEN'")
    assert Rule.from_dict(json.loads(json.dumps(rule.as_dict()))) == rule
    assert rule.id == Rule.make(ids=["b", "a"], columns={"source": ["x", "y"]}, where="country == 'KEN'").id
    assert str(rule) == "2 ids and source in ['x', 'y'] and (country == 'KEN')"


def test_the_command(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remove_command, "encoder", lambda *_: EMBEDDER)
    queries = [{"_id": f"q{number}", "text": secret(number)[:80]} for number in (3, 7)]
    (tmp_path / "queries.jsonl").write_text("\n".join(map(json.dumps, queries)))
    (tmp_path / "qrels.tsv").write_text(
        "query-id\tcorpus-id\tscore\nq3\tdocument-with-number-003\t1\nq7\tdocument-with-number-007\t1\n"
    )
    given = {
        "index": root,
        "source": ["web"],
        "queries": tmp_path / "queries.jsonl",
        "qrels": tmp_path / "qrels.tsv",
    }
    before = hash_file(root / "CURRENT"), len(list(root.rglob("*")))
    planned = remove_command.plan(parse_config(remove_command.CommandConfig, given))
    assert (planned["documents"], planned["documents_by_source"], planned["chunks"]) == (4, {"web": 4}, 8)
    assert planned["cost"]["recall@10"]["before"] == 1.0
    assert planned["cost"]["recall@10"]["after"] == 0.5
    assert planned["cost"]["recall@10"]["difference"]["estimate"] == -0.5
    assert (hash_file(root / "CURRENT"), len(list(root.rglob("*")))) == before
    told = remove_command.run(parse_config(remove_command.CommandConfig, given))
    json.dumps(told)
    assert told["cost"] == planned["cost"]
    lines = remove_command.render(told).splitlines()
    assert lines[0] == f"4 documents (4 of web), 8 chunks removed from {root}"
    assert any("no trace found" in line for line in lines)
    lifted = remove_command.run(
        parse_config(remove_command.CommandConfig, {"index": root, "lift": told["rule_id"]})
    )
    assert "no longer holds" in remove_command.render(lifted)
    assert not rules_in_force(root)
    with pytest.raises(ConfigError, match="qrels without queries"):
        remove_command.run(parse_config(remove_command.CommandConfig, {**given, "queries": None}))


def test_words_are_counted_anew(root: Path) -> None:
    remove(root, WEB)
    build(root.with_name("fresh"), lexical=LexicalConfig())
    words = json.loads((open_bundle(root).folder / "bm25" / "vocab.index.json").read_text())
    assert "quokka3x3" in words
    assert not [word for word in words if word.startswith(("quokka6", "quokka7", "quokka8", "quokka9"))]
