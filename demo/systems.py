"""The systems that the demo asks: a closed model, retrieval over it, the adapted model."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from hinterland.demo.pipeline import Workspace
from hinterland.indexes.search import Index
from hinterland.rag.answer import ClosedBook, RetrievalAugmented
from hinterland.rag.client import ChatClient, EndpointConfig
from hinterland.rag.local import LocalModelConfig, serve_local

__all__ = ["ADAPTED", "CLOSED_BOOK", "RETRIEVAL", "adapted_model", "closed_model", "open_index"]

CLOSED_BOOK, RETRIEVAL, ADAPTED = "closed-book", "retrieval", "adapted"
#: The longest answer, in tokens; a name, a currency or a few languages fit.
_MAX_TOKENS = 32


def open_index(work: Workspace) -> Index:
    """Open the demo's index."""
    return Index.open(work.of("index") / "index")


@contextmanager
def _serve(work: Workspace, model: str, **settings: Any) -> Iterator[ChatClient]:
    local = LocalModelConfig(model=model, threads=work.config.threads, **settings)
    with serve_local(local) as endpoint, _client(endpoint) as client:
        yield client


@contextmanager
def _client(endpoint: EndpointConfig) -> Iterator[ChatClient]:
    with ChatClient(endpoint.model_copy(update={"max_tokens": _MAX_TOKENS})) as client:
        yield client


@contextmanager
def closed_model(work: Workspace, index: Index) -> Iterator[tuple[ClosedBook, RetrievalAugmented]]:
    """Yield the closed model alone and with retrieval.

    The model answers at the configured address; without one, the stand-in is served on
    loopback for as long as the context lasts.

    Raises:
        EndpointError: The model does not answer.
    """
    settings = work.config.closed_model
    if settings.base_url is None:
        source = _serve(work, work.config.model, weights="q8_0")
    else:
        source = _client(
            EndpointConfig(base_url=settings.base_url, model=settings.model, api_key_env=settings.api_key_env)
        )
    with source as client:
        yield (
            ClosedBook(client, name=CLOSED_BOOK),
            RetrievalAugmented(client, index, k=work.config.evaluate.passages, name=RETRIEVAL),
        )


@contextmanager
def adapted_model(work: Workspace) -> Iterator[ClosedBook]:
    """Yield the adapted model, served as the closed one's stand-in is."""
    file = work.of("adapt") / "dapt" / "model" / "model.gguf"
    with _serve(work, str(file)) as client:
        yield ClosedBook(client, name=ADAPTED)
