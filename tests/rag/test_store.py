"""Answers from a vector store: Qdrant without a server, filled from an index, by config."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from hinterland.core.config import parse_config
from hinterland.core.errors import ConfigError, IndexBundleError
from hinterland.core.system import System
from hinterland.indexes.embed import EmbedConfig
from hinterland.indexes.foreign_fill import fill_store
from hinterland.indexes.search import Index
from hinterland.indexes.vector_stores import StoreConfig, open_store
from hinterland.rag.answer import RetrievalAugmented
from hinterland.rag.open import SystemConfig, describe_system, open_system

QUESTION = "What is the capital of Kenya?"


@pytest.fixture(scope="module")
def store(index_root: Path, tmp_path_factory: pytest.TempPathFactory) -> StoreConfig:
    folder = tmp_path_factory.mktemp("qdrant")
    config = StoreConfig(
        settings={"path": str(folder), "collection": "places"},
        embed=EmbedConfig(dtype="float32", device="cpu"),
    )
    searcher = open_store(config, create=True)
    fill_store(index_root, searcher.store)
    searcher.close()
    return config


def test_answers_rest_on_the_store_as_on_the_index(
    endpoint: Any, make_client: Any, store: StoreConfig, index_root: Path
) -> None:
    client = make_client()
    with open_store(store) as searcher:
        system = RetrievalAugmented(client, searcher, k=2)
        assert isinstance(system, System)
        answer = system.answer(QUESTION)
        expected = RetrievalAugmented(client, Index.open(index_root), k=2).retrieve(QUESTION)
        assert (answer.text, answer.citations) == ("Nairobi", (0,))
        assert [passage.chunk_id for passage in answer.passages] == [passage.chunk_id for passage in expected]
        assert [passage.text for passage in answer.passages] == [passage.text for passage in expected]
        narrow = RetrievalAugmented(client, searcher, k=2, allow={"per", "isl"})
        assert {passage.document_id for passage in narrow.retrieve(QUESTION)} == {"per", "isl"}
        assert len({system.fingerprint, narrow.fingerprint}) == 2


def test_a_config_names_the_store(endpoint: Any, store: StoreConfig) -> None:
    served = {"base_url": endpoint.url, "model": "scripted-1"}
    values = {"store": store.model_dump(mode="json"), "k": 1, "endpoint": served}
    config = parse_config(SystemConfig, values)
    described = describe_system(config)
    assert (described["store"], described["settings"]["collection"], described["k"]) == (
        "qdrant",
        "places",
        1,
    )
    with open_system(config) as system:
        answer = system.answer(QUESTION)
    assert [passage.document_id for passage in answer.passages] == ["ken"]
    with open_system(config) as system:  # the folder is free again
        assert system.name == "retrieval"
    wrong = {**values, "store": {"settings": {**store.settings, "collection": "nowhere"}}}
    with (
        pytest.raises(IndexBundleError, match="no collection"),
        open_system(parse_config(SystemConfig, wrong)),
    ):
        pass
    with pytest.raises(ConfigError, match="either index or store"):
        parse_config(SystemConfig, {**values, "index": "x"})
