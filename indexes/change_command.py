"""`hinterland index add` and `index upsert`: more documents into a published index."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from pydantic import Field

from hinterland.core.config import Config
from hinterland.core.corpus import Corpus
from hinterland.indexes.bundle import open_bundle
from hinterland.indexes.change_add import add_documents, upsert
from hinterland.indexes.corpus_rows import read_documents
from hinterland.indexes.embed import EmbedConfig
from hinterland.indexes.encoder import encoder
from hinterland.indexes.removal_rules import rules_in_force

__all__ = ["CommandConfig", "plan", "render", "run"]


class CommandConfig(Config):
    """What to add, and where.

    Attributes:
        index: The index's folder.
        corpus: The corpus's folder.
        replace: Documents whose ids the index has take the place of the old ones (upsert).
        only_kept: Leave out what the corpus's ``keep`` column rejects, and weights of 0.
        embed: Another encoder than the one the index names (its folder moved, say); it is
            refused unless it gives the same vectors.
        keep: Versions that stay on disk.
        wait_seconds: How long to wait for another writer.
    """

    index: Path
    corpus: Path
    replace: bool = False
    only_kept: bool = True
    embed: EmbedConfig | None = None
    keep: int = Field(default=2, ge=1)
    wait_seconds: float = Field(default=0.0, ge=0)


def plan(config: CommandConfig) -> dict[str, Any]:
    """Say how many documents would be looked at, and what keeps them out; nothing is embedded."""
    bundle = open_bundle(config.index)
    table = read_documents(Corpus.open(config.corpus), only_kept=config.only_kept)
    withheld = {name: int(rule.matches(table).sum()) for name, rule in rules_in_force(config.index).items()}
    return {
        "version": bundle.version,
        "chunks": bundle.manifest["chunks"],
        "documents": table.num_rows,
        "withheld_by_rule": {name: count for name, count in withheld.items() if count},
        "encoder": bundle.manifest["embedder"]["model"],
    }


def run(config: CommandConfig) -> dict[str, Any]:
    """Add the documents and publish."""
    start = time.perf_counter()
    embedder = encoder(open_bundle(config.index), config.embed)
    change = upsert if config.replace else add_documents
    told = change(
        config.index,
        Corpus.open(config.corpus),
        embedder,
        only_kept=config.only_kept,
        keep=config.keep,
        wait_seconds=config.wait_seconds,
    )
    return {**told, "seconds": round(time.perf_counter() - start, 2)}


def render(result: dict[str, Any]) -> str:
    """Return the result in a few lines."""
    lines = [
        f"{result['added']:,} documents added, {result['replaced']:,} replaced, "
        f"{result['unchanged']:,} unchanged in {result['index']}",
        f"  version {result['version']}, {result['chunks']:,} chunks, {result['embedded']:,} of them new "
        f"vectors, {result['seconds']:.1f} s",
    ]
    if not result["published"]:
        lines[1] = f"  nothing changed; version {result['version']} stays"
    for rule, count in result["withheld_by_rule"].items():
        lines.append(f"  {count:,} withheld by removal rule {rule}")
    return "\n".join(lines)
