"""`hinterland index search`: queries in, passages with their documents and sources out."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import Any

from pydantic import Field

from hinterland.core.config import Config
from hinterland.core.errors import ConfigError
from hinterland.indexes.bundle import open_bundle
from hinterland.indexes.embed import EmbedConfig, SentenceEmbedder
from hinterland.indexes.search import Index
from hinterland.indexes.search_config import SearchConfig

__all__ = ["CommandConfig", "plan", "render", "run"]


class CommandConfig(Config):
    """What to look for, and where.

    Attributes:
        index: The index's folder.
        query: One query.
        queries: Several queries.
        k: How many passages to each.
        how: How to rank (`SearchConfig`); ``null``: as the index's manifest says, else by vectors.
        where: A condition that passages must fit, such as ``country == 'KEN'``; applied before the search.
        embed: Another encoder than the one the index names (its folder moved, say); it is
            refused unless it gives the same vectors.
    """

    index: Path
    query: str = ""
    queries: tuple[str, ...] = ()
    k: int = Field(default=5, ge=1)
    how: SearchConfig | None = None
    where: str = ""
    embed: EmbedConfig | None = None

    @property
    def asked(self) -> list[str]:
        """All queries that are not empty."""
        return [query for query in (self.query, *self.queries) if query.strip()]


def _need_queries(config: CommandConfig) -> list[str]:
    if not config.asked:
        raise ConfigError("no query", where="query", cure='give one: --set query="…"')
    return config.asked


def plan(config: CommandConfig) -> dict[str, Any]:
    """Check the index and say what would be searched; no encoder is loaded."""
    queries = _need_queries(config)
    bundle = open_bundle(config.index)
    how = config.how or SearchConfig(**bundle.manifest.get("search") or {})
    return {
        "queries": len(queries),
        "version": bundle.version,
        "chunks": bundle.manifest["chunks"],
        "encoder": bundle.manifest["embedder"]["model"],
        "factory": bundle.manifest["index"].get("factory", ""),
        "how": {"mode": how.mode, **how.model_dump(mode="json", exclude_defaults=True)},
        "where": config.where,
    }


def run(config: CommandConfig) -> dict[str, Any]:
    """Search."""
    queries = _need_queries(config)
    embedder = SentenceEmbedder(config.embed) if config.embed else None
    index = Index.open(config.index, embedder=embedder)
    results = index.search(queries, config.k, where=config.where or None, how=config.how)
    return {"version": index.fingerprint, "results": [result.as_dict() for result in results]}


def render(result: dict[str, Any]) -> str:
    """Return each query's passages, best first."""
    lines = []
    for found in result["results"]:
        lines.append(found["query"])
        for rank, hit in enumerate(found["hits"], 1):
            known = (hit["source"], hit["license"], hit["date"], hit["country"])
            origin = ", ".join(part for part in known if part)
            lines.append(
                f"  {rank}. {hit['score']:.3f}  {hit['title'] or hit['document_id']}  "
                f"[{hit['document_id']} {hit['start']}–{hit['end']}{'; ' + origin if origin else ''}]"
            )
            if len(hit["parts"]) > 1:
                parts = ", ".join(f"{name} {value:.3f}" for name, value in hit["parts"].items())
                lines.append(f"     {parts}")
            body = textwrap.shorten(hit["text"], 240, placeholder=" …")
            lines.append(textwrap.indent(textwrap.fill(body, 92), "     "))
        if found["note"]:
            lines.append(f"  ({found['note']})")
    return "\n".join(lines)
