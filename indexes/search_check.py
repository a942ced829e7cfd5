"""Whether an index will be able to rank as a config says, before the index is there."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from hinterland.core.errors import ConfigError
from hinterland.indexes.rerank import CrossEncoderReranker
from hinterland.indexes.rules import compile_rules, condition_mask
from hinterland.indexes.search_config import SearchConfig

__all__ = ["as_told", "check_mode", "check_search"]


def as_told(how: SearchConfig | None) -> dict[str, Any]:
    """Return what a manifest holds of a way to rank: what was set, and no defaults.

    So `index tune` sees what the user chose and what may still be chosen.

    >>> as_told(SearchConfig(depth=50))
    {'search': {'depth': 50}}
    >>> as_told(None)
    {}
    """
    told = {} if how is None else how.model_dump(mode="json", exclude_unset=True)
    return {"search": told} if told else {}


def check_mode(how: SearchConfig | None, *, words: bool) -> None:
    """Refuse to rank by words where none are indexed.

    Raises:
        ConfigError: Words are to be searched, and bm25 is left out.
    """
    if how is not None and how.mode != "dense" and not words:
        raise ConfigError(
            f"mode {how.mode} needs words, and bm25 is left out",
            where="search.mode",
            cure="index words (bm25), or write mode: dense",
        )


def check_search(how: SearchConfig | None, chunks: pa.Table, *, words: bool) -> None:
    """Refuse a way to rank that these chunks cannot be ranked by.

    Args:
        how: The way to rank.
        chunks: The chunks, or some with the same columns.
        words: Whether words will be indexed.

    Raises:
        ConfigError: A condition cannot be read or names a column that is not there, a date is
            none, or words are to be searched and will not be there.
        ModelSourceError: There is no such cross-encoder; a hub is not asked for one.
    """
    if how is None:
        return
    check_mode(how, words=words)
    condition_mask(how.where, chunks, where="search.where")
    compile_rules(how.rules, chunks)
    if how.rerank is not None:
        CrossEncoderReranker(how.rerank)  # looks for the model, and does not load it
