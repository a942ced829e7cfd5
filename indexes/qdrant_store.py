"""Qdrant through langchain-qdrant: a server by its address, or a folder without a server."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pydantic import model_validator

from hinterland.core.config import Config, parse_config
from hinterland.core.errors import IndexBundleError, StorageError
from hinterland.core.imports import require
from hinterland.indexes.embed import Embedder
from hinterland.indexes.vector_stores import VECTOR_STORES

if TYPE_CHECKING:
    from hinterland.indexes.foreign import StoreSearcher

__all__ = ["QdrantSettings", "open_qdrant"]

_CURE = "pip install langchain-qdrant"


class QdrantSettings(Config):
    """Where a Qdrant collection is.

    Attributes:
        collection: Its name.
        url: The server's address.
        path: A folder, for Qdrant without a server: one process at a time, for tries and tests.
        api_key_env: The environment variable that holds the server's key.
        deepest: How many passages are asked for at most where conditions are applied afterwards.
    """

    collection: str
    url: str | None = None
    path: str | None = None
    api_key_env: str = "QDRANT_API_KEY"
    deepest: int = 1024

    @model_validator(mode="after")
    def _one_place(self) -> QdrantSettings:
        if (self.url is None) == (self.path is None):
            raise ValueError("give either url or path")
        return self


@VECTOR_STORES.register("qdrant")
def open_qdrant(settings: Mapping[str, Any], embedder: Embedder, *, create: bool = False) -> StoreSearcher:
    """Open a collection with cosine similarity. See `StoreFactory`."""
    given = parse_config(QdrantSettings, settings, where="store.settings")
    client_module = require("qdrant_client", cure=_CURE)
    models = client_module.models

    from hinterland.indexes.foreign import StoreSearcher

    place = given.url or given.path or ""
    key = os.environ.get(given.api_key_env) if given.url else None
    client = None
    try:
        client = client_module.QdrantClient(
            url=given.url, path=given.path, api_key=key, check_compatibility=False
        )
        store = _collection(client, given, embedder, create=create)
    except (OSError, RuntimeError, client_module.http.exceptions.ApiException) as error:
        _close(client)
        raise StorageError(
            f"Qdrant does not answer: {' '.join(str(error).split())[:300]}",
            where=place,
            cure=f"check the address and the key in {given.api_key_env}"
            if given.url
            else "close what else has the folder open, or give another",
        ) from error
    except IndexBundleError:
        _close(client)
        raise

    def allow_filter(ids: list[str]) -> Any:
        match = models.FieldCondition(key="metadata.document_id", match=models.MatchAny(any=ids))
        return models.Filter(must=[match])

    return StoreSearcher(
        store,
        name=f"{place}/{given.collection}",
        encoder=embedder.space,
        allow_filter=allow_filter,
        deepest=given.deepest,
        distances=False,
        close=client.close,
    )


def _close(client: Any) -> None:
    if client is not None:
        client.close()


def _collection(client: Any, given: QdrantSettings, embedder: Embedder, *, create: bool) -> Any:
    """Return LangChain's store over a collection, which is made if it may be."""
    qdrant = require("langchain_qdrant", cure=_CURE)
    models = require("qdrant_client", cure=_CURE).models

    from hinterland.indexes.langchain_embed import as_embeddings

    place = given.url or given.path or ""
    if not client.collection_exists(given.collection):
        if not create:
            raise IndexBundleError(
                f"there is no collection {given.collection!r}",
                where=place,
                cure="fill it: hinterland index fill-store INDEX, or correct the name",
            )
        shape = models.VectorParams(size=embedder.dimension, distance=models.Distance.COSINE)
        client.create_collection(given.collection, vectors_config=shape)
    try:
        return qdrant.QdrantVectorStore(client, given.collection, embedding=as_embeddings(embedder))
    except qdrant.qdrant.QdrantVectorStoreError as error:
        raise IndexBundleError(
            " ".join(str(error).split()), where=place, cure="open it with the encoder that filled it"
        ) from error
