"""The encoder that belongs to a version: opened from its manifest, or given and held against it."""

from __future__ import annotations

from hinterland.core.errors import IndexBundleError
from hinterland.indexes.bundle import Bundle
from hinterland.indexes.embed import EmbedConfig, Embedder, SentenceEmbedder

__all__ = ["LANGCHAIN", "check_space", "encoder"]

#: Before the class of LangChain embeddings, which a manifest names but cannot make again.
LANGCHAIN = "langchain:"
#: What of a manifest's encoder is read again. The number format and the device are the reader's own.
_NAMED = ("model", "query_prompt", "passage_prompt", "max_tokens")


def encoder(bundle: Bundle, config: EmbedConfig | None = None) -> SentenceEmbedder:
    """Return an encoder for a version; it is loaded when it is first used.

    Args:
        bundle: The version.
        config: The encoder to take; ``None``: the one that the manifest names.

    Raises:
        IndexBundleError: The manifest names LangChain's embeddings.
        ModelSourceError: There is no such encoder.
    """
    if config is not None:
        return SentenceEmbedder(config)
    made = bundle.manifest["embedder"]
    if str(made["model"]).startswith(LANGCHAIN):
        raise IndexBundleError(
            f"the index was made with LangChain's {made['model'].rpartition('.')[2]}",
            where=str(bundle.folder.parents[1]),
            cure="open it as HinterlandVectorStore and give that as embedding",
        )
    return SentenceEmbedder(EmbedConfig(**{name: made[name] for name in _NAMED if name in made}))


def check_space(embedder: Embedder, bundle: Bundle, *, to: str = "add") -> None:
    """Refuse an encoder whose vectors do not belong beside those of a version.

    Args:
        embedder: The encoder.
        bundle: The version.
        to: What it is wanted for, a verb for the cure.

    Raises:
        IndexBundleError: Its dimension or its space differs.
    """
    made = bundle.manifest["embedder"]
    if embedder.dimension != made["dimension"]:
        problem = f"the encoder gives {embedder.dimension} dimensions, the index has {made['dimension']}"
    elif embedder.space != made["space"]:
        problem = f"the encoder's fingerprint is {embedder.space}, the index was built with {made['space']}"
    else:
        return
    raise IndexBundleError(
        problem,
        where=str(bundle.folder.parents[1]),
        cure=f"{to} with the model, prompts and length it was built with ({made['model']}), or build again",
    )
