"""From a config to a system that answers: the endpoint, the index, and what holds them open."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from pydantic import Field, model_validator

from hinterland.core.config import Config
from hinterland.core.system import System
from hinterland.indexes.bundle import open_bundle
from hinterland.indexes.embed import EmbedConfig, SentenceEmbedder
from hinterland.indexes.search import Index
from hinterland.indexes.search_config import SearchConfig
from hinterland.indexes.searcher import Searcher
from hinterland.indexes.vector_stores import StoreConfig, open_store
from hinterland.rag.answer import ClosedBook, RetrievalAugmented
from hinterland.rag.client import ChatClient, EndpointConfig
from hinterland.rag.local import LocalModelConfig, serve_local
from hinterland.rag.prompt import CITING, PromptConfig

__all__ = ["SystemConfig", "describe_system", "open_system"]


class SystemConfig(Config):
    """A model, and an index if it is to answer from one.

    Attributes:
        index: The index's folder; without it and ``store`` the model is asked alone.
        store: A served vector store to answer from, instead of an index.
        k: Passages to a question.
        search: How an index ranks; ``null``: as its manifest says, else by vectors.
        where: A condition that passages must fit, such as ``license == 'CC0'``.
        endpoint: Any OpenAI-compatible endpoint; ``null`` serves ``local``.
        local: The model that is served on this machine where no endpoint is given.
        prompt: The wording; ``null`` asks an endpoint's model to cite, and spares a small local one.
        embed: Another encoder than the one the index names; a store names its own.
    """

    index: Path | None = None
    store: StoreConfig | None = None
    k: int = Field(default=3, ge=1, le=50)
    search: SearchConfig | None = None
    where: str = ""
    endpoint: EndpointConfig | None = None
    local: LocalModelConfig = Field(default_factory=LocalModelConfig)
    prompt: PromptConfig | None = None
    embed: EmbedConfig | None = None

    @model_validator(mode="after")
    def _one_place(self) -> SystemConfig:
        if self.index is not None and self.store is not None:
            raise ValueError("give either index or store")
        if self.search is not None and self.index is None:
            raise ValueError("search says how an index ranks, and no index is given")
        return self


def describe_system(config: SystemConfig) -> dict[str, Any]:
    """Say what would be opened; checks the index, starts nothing."""
    described: dict[str, Any] = {
        "model": config.endpoint.model if config.endpoint else config.local.model,
        "endpoint": config.endpoint.base_url if config.endpoint else "served on this machine",
        "index": None,
    }
    if config.index is not None:
        bundle = open_bundle(config.index)
        described |= {
            "index": str(config.index),
            "version": bundle.version,
            "chunks": bundle.manifest["chunks"],
            "k": config.k,
            "mode": (config.search or SearchConfig(**bundle.manifest.get("search") or {})).mode,
        }
    if config.store is not None:
        described |= {"store": config.store.kind, "settings": config.store.settings, "k": config.k}
    if config.where:
        described["where"] = config.where
    return described


@contextmanager
def open_system(config: SystemConfig) -> Iterator[System]:
    """Open the index and the endpoint, and yield the system over them.

    Raises:
        EndpointError: The key is not set, or the local server did not come up.
        ConfigError: A condition cannot be read, or names a column that is not there.
        IndexBundleError: The index is missing, damaged or without words to search, or the store has no
            such collection.
        StorageError: The store does not answer.
        ModelSourceError: The encoder or the local model cannot be had.
    """
    with ExitStack() as stack:
        index: Searcher | None = None
        if config.index is not None:  # first, because it fails fast
            embedder = SentenceEmbedder(config.embed) if config.embed else None
            opened = Index.open(config.index, embedder=embedder).using(config.search)
            if config.where:
                opened.where(config.where)  # refused now, not at the first question
            index = opened
        elif config.store is not None:
            index = stack.enter_context(open_store(config.store))
        endpoint = config.endpoint or stack.enter_context(serve_local(config.local))
        client = stack.enter_context(ChatClient(endpoint))
        prompt = config.prompt or (CITING if config.endpoint else PromptConfig())
        if index is None:
            yield ClosedBook(client, prompt=prompt)
        else:
            yield RetrievalAugmented(client, index, k=config.k, prompt=prompt, where=config.where)
