"""`hinterland index fill-store` sends an index or a corpus to Qdrant, here without a server."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from hinterland.core.cli import cli
from hinterland.core.corpus import Corpus
from hinterland.core.errors import ConfigError, CorpusError, RegistryError, StorageError
from hinterland.indexes import fill_command
from hinterland.indexes.bundle import open_bundle
from hinterland.indexes.embed import SentenceEmbedder
from hinterland.indexes.search import Index
from hinterland.indexes.vector_stores import StoreConfig, open_store

QUESTIONS = ["What is the capital of Kenya?", "Which metals does Peru sell abroad?"]


@pytest.fixture(autouse=True)
def _loaded_once(monkeypatch: pytest.MonkeyPatch, embedder: SentenceEmbedder) -> None:
    """The encoder that both ways lead to is loaded by now."""
    monkeypatch.setattr(fill_command, "SentenceEmbedder", lambda _: embedder)
    monkeypatch.setattr(fill_command, "encoder", lambda _: embedder)


def command(source: Path, folder: Path, *arguments: str) -> Result:
    given = ["index", "fill-store", str(source), "--path", str(folder), "--collection", "places", *arguments]
    return CliRunner().invoke(cli, given)


def found(folder: Path, embedder: SentenceEmbedder) -> list[list[str]]:
    config = StoreConfig(settings={"path": str(folder), "collection": "places"})
    with open_store(config, embedder=embedder) as searcher:
        return [[hit.chunk_id for hit in result] for result in searcher.search(QUESTIONS, 7)]


def test_an_index(built: Path, embedder: SentenceEmbedder, tmp_path: Path) -> None:
    store = tmp_path / "store"
    planned = command(built, store, "--dry-run", "--json", "--set", "batch=3")
    assert planned.exit_code == 0, planned.exception
    plan = json.loads(planned.stdout)
    chunks = open_bundle(built).manifest["chunks"]
    assert (plan["chunks"], plan["requests"], plan["vector_bytes"]) == (7, 3, 7 * 384 * 4)
    assert plan["chunks"] == chunks
    assert plan["seconds_estimated"] >= 0
    assert not store.exists()
    done = command(built, store, "--set", "batch=3")
    assert done.exit_code == 0, done.output
    lines = [line for line in done.stdout.splitlines() if "sent to" in line or "were there" in line]
    assert lines[0] == f"7 of 7 chunks of {built} sent to {store}/places"
    assert lines[1].startswith("  0 were there, ")
    exact = Index.open(built, embedder=embedder).search(QUESTIONS, 7)
    assert found(store, embedder) == [[hit.chunk_id for hit in result] for result in exact]
    again = json.loads(command(built, store, "--json").stdout)
    assert (again["uploaded"], again["there"], again["resumable"]) == (0, 7, True)


def test_a_corpus(corpus: Corpus, built: Path, embedder: SentenceEmbedder, tmp_path: Path) -> None:
    told = json.loads(command(Path(corpus.path), tmp_path / "store", "--json").stdout)
    assert (told["chunks"], told["uploaded"]) == (7, 7)
    exact = Index.open(built, embedder=embedder).search(QUESTIONS, 7)
    assert found(tmp_path / "store", embedder) == [[hit.chunk_id for hit in result] for result in exact]


def test_a_store_that_fails_is_gone_on_with(
    built: Path, embedder: SentenceEmbedder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from langchain_qdrant import QdrantVectorStore

    real, sent = QdrantVectorStore.add_documents, []

    def failing(store: QdrantVectorStore, documents: list[Any], **more: Any) -> list[str]:
        if sent:
            raise ConnectionError("the line is down")
        sent.extend(documents)
        return list(real(store, documents, **more))

    with monkeypatch.context() as patch:
        patch.setattr(QdrantVectorStore, "add_documents", failing)
        done = command(built, tmp_path / "store", "--set", "batch=3")
    assert done.exit_code == 1
    assert isinstance(done.exception, StorageError)
    assert done.exception.found == "the store failed: the line is down"
    assert "run the same command again" in done.exception.cure
    told = json.loads(command(built, tmp_path / "store", "--json").stdout)
    assert (told["uploaded"], told["there"]) == (4, 3)
    assert len(found(tmp_path / "store", embedder)[0]) == 7


def test_bad_input(built: Path, tmp_path: Path) -> None:
    def refused(kind: type[Exception], *arguments: str) -> str:
        done = CliRunner().invoke(cli, ["index", "fill-store", *arguments])
        assert done.exit_code == 1
        assert isinstance(done.exception, kind), done.exception
        return str(done.exception)

    place = ["--collection", "places", "--path", str(tmp_path / "store")]
    assert "no corpus here" in refused(CorpusError, str(tmp_path), *place)
    assert "did you mean 'qdrant'" in refused(RegistryError, str(built), "--kind", "qdrand", *place)
    assert "either url or path" in refused(ConfigError, str(built), "--collection", "places")
    url = ["--collection", "places", "--url", "http://127.0.0.1:9"]
    assert "does not answer" in refused(StorageError, str(built), *url)
    assert not (tmp_path / "store").exists()


def test_a_store_that_cannot_say_what_it_has() -> None:
    told = {"uploaded": 7, "chunks": 7, "source": "a", "store": "b", "there": 0, "resumable": False}
    assert fill_command.render({**told, "seconds": 1.0}).splitlines()[-1] == (
        "  (the store cannot say what it has: all are sent each time)"
    )
