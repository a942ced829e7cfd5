"""The encoder of a version: the one its manifest names, or another that fits."""

from __future__ import annotations

from pathlib import Path

import pytest
from langchain_core.embeddings import DeterministicFakeEmbedding

from hinterland.core.config import parse_config
from hinterland.core.errors import IndexBundleError
from hinterland.indexes import search_command
from hinterland.indexes.bundle import open_bundle
from hinterland.indexes.embed import EmbedConfig, SentenceEmbedder
from hinterland.indexes.encoder import check_space, encoder
from hinterland.indexes.langchain_store import HinterlandVectorStore
from hinterland.indexes.search import Index


def test_the_manifest_names_it(built: Path, embedder: SentenceEmbedder) -> None:
    bundle = open_bundle(built)
    made = encoder(bundle)
    told = bundle.manifest["embedder"]
    # Prompts and length are those of the build; the number format is this machine's own.
    assert made.config == EmbedConfig(
        model=told["model"], query_prompt="", passage_prompt="", max_tokens=told["max_tokens"]
    )
    assert made.space == embedder.space
    check_space(made, bundle)
    given = EmbedConfig(query_prompt="query: ")
    assert encoder(bundle, given).config == given
    with pytest.raises(IndexBundleError, match="fingerprint is") as caught:
        check_space(encoder(bundle, given), bundle, to="search")
    assert caught.value.cure.startswith("search with the model, prompts and length")


def test_langchain_s_embedding_cannot_be_made_again(tmp_path: Path) -> None:
    HinterlandVectorStore.from_texts(["Lima"], DeterministicFakeEmbedding(size=6), root=tmp_path / "store")
    root = tmp_path / "store"
    search = parse_config(search_command.CommandConfig, {"index": root, "query": "Lima"})
    for opened in (
        lambda: HinterlandVectorStore(root),
        lambda: Index.open(root),
        lambda: search_command.run(search),
        lambda: encoder(open_bundle(root)),
    ):
        with pytest.raises(
            IndexBundleError, match="made with LangChain's DeterministicFakeEmbedding"
        ) as found:
            opened()
        assert found.value.where == str(root)
