"""Tuning a published index, and checking the promise after changes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from published_vectors import publish_vectors
from tests.support.changing_index import EMBEDDER, build

from hinterland.core.config import parse_config
from hinterland.core.errors import ConfigError, IndexBundleError, StorageError
from hinterland.core.seeds import generator
from hinterland.indexes import tune_command
from hinterland.indexes.bundle import DENSE, open_bundle, writer_lock
from hinterland.indexes.embed import SentenceEmbedder
from hinterland.indexes.search import Index
from hinterland.indexes.tune import Tuning, check_promise
from hinterland.indexes.tune import tune as tune_index
from hinterland.indexes.tune_note import promise_note
from hinterland.indexes.tune_open import open_measured
from hinterland.indexes.tune_queries import sentences_of
from hinterland.indexes.version import republish

pytest.importorskip("faiss")


def made(rows: int, name: str = "rows") -> NDArray[np.float32]:
    centres = generator(0, "centres").standard_normal((30, 24))
    random = generator(0, name)
    raw = centres[random.integers(0, 30, rows)] + 0.8 * random.standard_normal((rows, 24))
    return np.asarray(raw / np.linalg.norm(raw, axis=1, keepdims=True), dtype=np.float32)


DATA = made(3000)


def tune(index: Path | Index, **given: Any) -> Tuning:
    """Tune on chunks, because no encoder made these vectors."""
    return tune_index(index, stand_in="chunks", **given)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return publish_vectors(tmp_path / "index", DATA, "IVF32,Flat", parameters={"nprobe": 1})


def test_the_choice_is_written_and_searched_with(root: Path) -> None:
    before = open_bundle(root)
    tuning = tune(root, recall=0.9, seed=3)
    assert tuning.met
    assert tuning.verified
    assert tuning.recall.estimate >= 0.89
    assert [point.recall for point in tuning.curve] == sorted(point.recall for point in tuning.curve)
    after = open_bundle(root)
    assert after.version != before.version
    assert after.manifest["index"]["parameters"] == tuning.parameters
    assert (after.folder / DENSE).samefile(before.folder / DENSE)  # linked, not copied
    assert after.manifest["tuning"] == {**tuning.as_dict(), "changes": 0, "stale": False}
    assert open_measured(root).backend.describe()["parameters"] == tuning.parameters
    assert promise_note(after.manifest).startswith("recall@10 of 0.9 promised")

    # The recall that is stated is that of other vectors of the same kind.
    backend, queries = open_measured(root).backend, made(2000, "fresh")
    exact = np.argsort(-(queries @ DATA.T), axis=1)[:, :10]
    found = backend.search(queries, 10)[1]
    fresh = np.mean([np.isin(a, b).mean() for a, b in zip(found, exact, strict=True)])
    assert fresh >= 0.89
    assert abs(fresh - tuning.recall.estimate) < 0.02


def test_the_seed_decides(root: Path) -> None:
    first, second = (tune(root, recall=0.9, seed=1, write=False) for _ in range(2))
    assert first.parameters == second.parameters
    assert first.recall == second.recall
    assert [(p.parameters, p.recall, p.lower) for p in first.curve] == [
        (p.parameters, p.recall, p.lower) for p in second.curve
    ]
    assert tune(root, recall=0.9, seed=2, write=False).recall != first.recall


def test_nothing_is_measured_beside_a_writer(root: Path) -> None:
    tune(root, recall=0.9, seed=1)
    with writer_lock(root), pytest.raises(StorageError, match="another process"):
        check_promise(root, write=False)  # it may write vectors into the cache


def test_exact_search_has_nothing_to_tune(tmp_path: Path) -> None:
    root = publish_vectors(tmp_path / "index", DATA[:50], "Flat")
    tuning = tune(root)
    assert (tuning.exact, tuning.met, tuning.recall.estimate, tuning.parameters) == (True, True, 1.0, {})
    assert "searched exactly" in tuning.note
    assert promise_note(open_bundle(root).manifest) == "exact search: recall 1"
    assert check_promise(root).holds


def test_one_chunk_and_few(tmp_path: Path) -> None:
    one = publish_vectors(tmp_path / "one", DATA[:1], "HNSW8")
    assert "one chunk" in tune(one).note
    assert check_promise(one).holds
    few = tune(publish_vectors(tmp_path / "few", DATA[:6], "HNSW8"), k=50)
    assert few.recall.estimate == 1.0
    assert "only 5 neighbours" in few.note
    assert "too few to halve" in few.note


def test_a_promise_that_nothing_keeps(tmp_path: Path) -> None:
    root = publish_vectors(tmp_path / "index", DATA, "IVF32,Flat")
    tuning = tune(root, recall=1.0)
    assert not tuning.met
    assert tuning.parameters == {"nprobe": 32} or tuning.recall.estimate > 0.999
    assert "no setting" in promise_note(open_bundle(root).manifest)
    config = parse_config(tune_command.CommandConfig, {"index": root, "recall": 1.0, "stand_in": "chunks"})
    with pytest.raises(IndexBundleError, match=r"no setting keeps recall@10 of 1"):
        tune_command.run(config)


def test_dead_rows_are_neither_found_nor_true(tmp_path: Path) -> None:
    live = np.flatnonzero(generator(0, "live").random(len(DATA)) < 0.5)
    root = publish_vectors(tmp_path / "index", DATA, "IVF32,Flat", live=live)
    opened = open_measured(root)
    np.testing.assert_array_equal(opened.vectors, DATA[live])
    tuning = tune(root, recall=0.95)
    assert tuning.met
    backend, queries = open_measured(root).backend, made(500, "fresh")
    exact = live[np.argsort(-(queries @ DATA[live].T), axis=1)[:, :10]]
    found = backend.search(queries, 10, opened.allow)[1]
    assert np.mean([np.isin(a, b).mean() for a, b in zip(found, exact, strict=True)]) > 0.93


def test_a_broken_promise_is_found(root: Path, tmp_path: Path) -> None:
    tune(root, recall=0.95)
    assert check_promise(root).holds
    made_before = open_bundle(root).manifest
    other = publish_vectors(tmp_path / "other", DATA, "IVF32,Flat", parameters={"nprobe": 1})
    with pytest.raises(IndexBundleError, match="never tuned"):
        check_promise(other)
    # The same promise over an index whose lists are looked into less.
    opened = open_measured(other)
    republish(other, opened.bundle, {"tuning": {**made_before["tuning"], "stale": True}})
    assert "before the last changes" in promise_note(open_bundle(other).manifest)
    check = check_promise(other)
    assert not check.holds
    assert check.recall.high < 0.95
    assert "broken" in promise_note(open_bundle(other).manifest)
    with pytest.raises(IndexBundleError, match="the promise is broken"):
        tune_command.run(parse_config(tune_command.CommandConfig, {"index": other, "check": True}))
    tune(other, recall=0.95)
    assert "broken" not in promise_note(open_bundle(other).manifest)
    assert check_promise(other).holds


def test_own_queries_and_the_command(built: Path, embedder: SentenceEmbedder, tmp_path: Path) -> None:
    import shutil

    root = tmp_path / "copy"
    shutil.copytree(built, root)
    file = tmp_path / "queries.jsonl"
    file.write_text('{"_id": "1", "text": "capital of Peru"}\n\n{"query": "yen"}\n"copper"\n', "utf-8")
    files = open_bundle(root).manifest["files"]
    tuned = tune(Index.open(root, embedder=embedder), queries=file)
    assert tuned.exact
    assert open_bundle(root).manifest["files"] == files
    config = parse_config(tune_command.CommandConfig, {"index": root, "queries": file})
    assert tune_command.plan(config)["points_at_most"] == 0
    result = tune_command.run(config)
    json.dumps(result)
    assert "nothing to tune" in tune_command.render(result)


def test_the_command_over_a_tuned_curve(root: Path, tmp_path: Path) -> None:
    config = parse_config(
        tune_command.CommandConfig,
        {"index": root, "recall": 0.9, "stand_in": "chunks", "plot": tmp_path / "curve.svg"},
    )
    planned = tune_command.plan(config)
    assert planned["queries"] == 2000
    assert planned["parameters_tried"] == {"nprobe": [1, 2, 4, 8, 16, 32]}
    assert open_bundle(root).manifest.get("tuning") is None
    result = tune_command.run(config)
    json.dumps(result)
    text = tune_command.render(result)
    assert "keeps recall@10 of 0.9" in text.splitlines()[0]
    assert sum(line.startswith("* ") for line in text.splitlines()) == 1
    assert (tmp_path / "curve.svg").read_text("utf-8").startswith("<svg")
    checked = tune_command.run(parse_config(tune_command.CommandConfig, {"index": root, "check": True}))
    assert tune_command.render(checked).startswith("the promise holds")


def test_bad_promises(root: Path) -> None:
    for bad in ({"recall": 0.0}, {"recall": 1.5}, {"k": 0}):
        with pytest.raises(ConfigError, match="cannot be promised"):
            tune(root, **bad)
    with pytest.raises(ConfigError, match="no queries"):
        tune(root, queries=[])


def test_sentences_stand_in_for_queries(tmp_path: Path) -> None:
    root = tmp_path / "index"
    build(root, factory="IVF4,Flat")
    tuning = tune_index(root, recall=0.8, embedder=EMBEDDER, sample=15)
    assert tuning.queries == {"kind": "sentences", "seed": 0, "count": 15}
    assert "measured on sentences" in tuning.note
    opened = open_measured(root, EMBEDDER)
    sentences = sentences_of(opened.chunks["text"].to_pylist(), 15, 0)
    queries = EMBEDDER.queries(sentences)
    exact = np.argsort(-(queries @ opened.vectors.T), axis=1, kind="stable")[:, :10]
    backend = opened.backend.tuned(tuning.parameters)
    found = opened.live_of[backend.search(queries, 10, opened.allow)[1]]
    share = np.mean([np.isin(a, b).mean() for a, b in zip(found, exact, strict=True)])
    assert tuning.recall.estimate == pytest.approx(share, abs=1e-6)  # ties apart, which there are none of
    check = check_promise(root, embedder=EMBEDDER, sample=15)
    assert check.queries["kind"] == "sentences"
    assert check.recall == tuning.recall


def test_a_sentence_of_each_sampled_text() -> None:
    texts = ["One is here. Two is there.", "no end", "", "A. B. C."]
    found = sentences_of(texts, 4, 0)
    assert found == sentences_of(texts, 9, 0)
    assert [text in whole for text, whole in zip(found, texts, strict=True)] == [True] * 4
    assert found[0] in ("One is here.", "Two is there.")
    assert found[1:3] == ["no end", ""]
    assert len(sentences_of(texts, 2, 0)) == 2
    drawn = {sentences_of(texts, 4, seed)[0] for seed in range(20)}
    assert drawn == {"One is here.", "Two is there."}
