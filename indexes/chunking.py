"""The ways to cut documents, chosen by one config."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal

from pydantic import Field

from hinterland.core.config import Config
from hinterland.core.errors import ConfigError
from hinterland.indexes.chunk import chunk_documents
from hinterland.indexes.chunk_headings import heading_sections
from hinterland.indexes.chunk_tokens import windows
from hinterland.indexes.chunk_types import Chunk, ChunkCounts, Document, Tokenizer

__all__ = ["ChunkConfig", "chunking_of", "cut_documents"]


class ChunkConfig(Config):
    """How documents are cut.

    Attributes:
        by: ``sentences``: whole sentences up to the budget. ``headings``: the same inside each
            section of Markdown or HTML, with the headings in the title path. ``tokens``: windows.
        tokens: Tokens to a chunk, title and special tokens included; no more than the encoder reads.
        overlap: Tokens that a window shares with the one before; for ``tokens`` alone.
    """

    by: Literal["sentences", "headings", "tokens"] = "sentences"
    tokens: int = Field(default=128, ge=1)
    overlap: int = Field(default=0, ge=0)

    def check(self) -> ChunkConfig:
        """Return the config.

        Raises:
            ConfigError: The overlap is more than half of the budget, or goes with whole sentences.
        """
        if self.overlap and self.by != "tokens":
            raise ConfigError(
                f"chunks by {self.by} do not overlap",
                where="chunking.overlap",
                cure="leave overlap out, or write by: tokens",
            )
        if self.overlap > self.tokens // 2:
            raise ConfigError(
                f"an overlap of {self.overlap} is more than half of {self.tokens} tokens",
                where="chunking.overlap",
                cure=f"give at most {self.tokens // 2}",
            )
        return self


def chunking_of(manifest: Mapping[str, Any]) -> ChunkConfig:
    """Return how a version's chunks were cut, from its manifest."""
    made = manifest.get("chunking", {})
    return ChunkConfig(**{name: made[name] for name in ChunkConfig.model_fields if name in made})


def cut_documents(
    documents: Iterable[Document], tokenizer: Tokenizer, config: ChunkConfig
) -> tuple[list[Chunk], ChunkCounts]:
    """Cut documents as the config says; see `chunk_documents`.

    Raises:
        ConfigError: The budget leaves too few tokens for text, or the overlap does not fit.
    """
    config.check()
    try:
        if config.by == "headings":
            return chunk_documents(documents, tokenizer, budget=config.tokens, sections=heading_sections)
        if config.by == "tokens":
            return chunk_documents(documents, tokenizer, budget=config.tokens, cut=windows(config.overlap))
        return chunk_documents(documents, tokenizer, budget=config.tokens)
    except ValueError as error:
        raise ConfigError(
            str(error), where="chunking.tokens", cure="give more tokens, or another encoder"
        ) from error
