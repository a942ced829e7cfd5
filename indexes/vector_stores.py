"""From a config to a vector store: by a registered name, never by the name of a class."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

from pydantic import Field

from hinterland.core.config import Config
from hinterland.core.registry import Registry
from hinterland.indexes.embed import EmbedConfig, Embedder, SentenceEmbedder

if TYPE_CHECKING:
    from hinterland.indexes.foreign import StoreSearcher

__all__ = ["VECTOR_STORES", "StoreConfig", "StoreFactory", "open_store", "store_factory"]


class StoreFactory(Protocol):
    """Opens one kind of store."""

    def __call__(self, settings: Mapping[str, Any], embedder: Embedder, *, create: bool) -> StoreSearcher:
        """Open the store.

        Args:
            settings: What the config says under ``settings``. Keys and passwords are named by
                environment variable, never written there.
            embedder: Embeds queries, and passages where the store is filled.
            create: Whether an empty collection may be made where there is none.

        Raises:
            ConfigError: The settings cannot be used.
            IndexBundleError: There is no such collection, or it is not made for this encoder.
            StorageError: The store does not answer.
            MissingDependencyError: The store's package is not installed.
        """
        ...


#: Kinds of stores; other packages add theirs by an entry point in ``hinterland.vector_store``.
VECTOR_STORES: Registry[StoreFactory] = Registry("vector_store")


class StoreConfig(Config):
    """A vector store that somebody serves.

    Attributes:
        kind: A name in `VECTOR_STORES`.
        settings: Where it is and which collection; what they are is the kind's affair.
        embed: The encoder that the collection was filled with.
    """

    kind: str = "qdrant"
    settings: dict[str, Any] = Field(default_factory=dict)
    embed: EmbedConfig = Field(default_factory=EmbedConfig)


def store_factory(kind: str) -> StoreFactory:
    """Return what opens a kind of store.

    Raises:
        RegistryError: There is no such kind.
    """
    import hinterland.indexes.qdrant_store  # noqa: F401 - files itself in VECTOR_STORES

    return VECTOR_STORES.get(kind)


def open_store(
    config: StoreConfig, *, embedder: Embedder | None = None, create: bool = False
) -> StoreSearcher:
    """Open a store.

    Args:
        config: Which.
        embedder: The encoder if it is at hand; ``None`` loads ``config.embed``.
        create: Whether an empty collection may be made where there is none.

    Raises:
        RegistryError: There is no such kind.
        ConfigError: The settings cannot be used.
        IndexBundleError: There is no such collection, or it is not made for this encoder.
        StorageError: The store does not answer.
        MissingDependencyError: The store's package is not installed.
        ModelSourceError: The encoder cannot be had.
    """
    return store_factory(config.kind)(
        config.settings, embedder or SentenceEmbedder(config.embed), create=create
    )
