"""How passages are ranked and filtered is part of a system, and of its fingerprint."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from hinterland.core.config import parse_config
from hinterland.core.errors import ConfigError, IndexBundleError
from hinterland.indexes.search import Index
from hinterland.indexes.search_config import MmrConfig, SearchConfig
from hinterland.rag.answer import RetrievalAugmented
from hinterland.rag.client import EndpointConfig
from hinterland.rag.open import SystemConfig, describe_system, open_system

ENDPOINT = EndpointConfig(base_url="http://127.0.0.1:9/v1", model="x")


def test_filters_and_ranking_reach_the_index(index_root: Path) -> None:
    config = SystemConfig(
        index=index_root,
        k=3,
        endpoint=ENDPOINT,
        where="document_id == 'per'",
        search=SearchConfig(mmr=MmrConfig()),
    )
    described = describe_system(config)
    assert (described["mode"], described["where"]) == ("dense", "document_id == 'per'")
    with open_system(config) as system:
        assert isinstance(system, RetrievalAugmented)
        (passage,) = system.retrieve("What is the capital of Kenya?")
    assert passage.document_id == "per"


def test_what_cannot_be_searched_is_refused_at_once(index_root: Path) -> None:
    with (
        pytest.raises(ConfigError, match="did you mean 'source'"),
        open_system(SystemConfig(index=index_root, endpoint=ENDPOINT, where="sorce == 'x'")),
    ):
        pass
    bare = SystemConfig(index=index_root, endpoint=ENDPOINT, search=SearchConfig(mode="bm25"))
    with pytest.raises(IndexBundleError, match="built without them"), open_system(bare):
        pass
    with pytest.raises(ConfigError, match="no index is given"):
        parse_config(SystemConfig, {"search": {"mode": "bm25"}})


def test_fingerprints(make_client: Any, index_root: Path) -> None:
    client, index = make_client(), Index.open(index_root)
    systems = [
        RetrievalAugmented(client, index),
        RetrievalAugmented(client, index, where="source == 'Factbook'"),
        RetrievalAugmented(client, index.using(SearchConfig(mmr=MmrConfig()))),
        RetrievalAugmented(client, index.using(SearchConfig(mmr=MmrConfig(relevance=0.5)))),
    ]
    assert len({system.fingerprint for system in systems}) == 4
    assert RetrievalAugmented(client, index, where=" ").fingerprint == systems[0].fingerprint
