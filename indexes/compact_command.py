"""`hinterland index compact`: drop the vectors that no chunk names any more."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from pydantic import Field

from hinterland.core.config import Config
from hinterland.indexes.change import compact
from hinterland.indexes.change_state import state_of

__all__ = ["CommandConfig", "plan", "render", "run"]


class CommandConfig(Config):
    """Which index.

    Attributes:
        index: The index's folder.
        keep: Versions that stay on disk; after a removal only the new one does.
        wait_seconds: How long to wait for another writer.
    """

    index: Path
    keep: int = Field(default=2, ge=1)
    wait_seconds: float = Field(default=0.0, ge=0)


def plan(config: CommandConfig) -> dict[str, Any]:
    """Say how many vectors are dead; nothing is written."""
    state = state_of(config.index)
    return {"version": state.bundle.version, "chunks": state.chunks.num_rows, "dead_vectors": state.dead}


def run(config: CommandConfig) -> dict[str, Any]:
    """Compact the index."""
    start = time.perf_counter()
    told = compact(config.index, keep=config.keep, wait_seconds=config.wait_seconds)
    return {**told, "seconds": round(time.perf_counter() - start, 2)}


def render(result: dict[str, Any]) -> str:
    """Return the result in a line."""
    if not result["vectors_dropped"]:
        return f"no vector is dead in {result['index']}; version {result['version']}"
    return (
        f"{result['vectors_dropped']:,} dead vectors dropped from {result['index']}\n"
        f"  {result['chunks']:,} stay, version {result['version']}, {result['seconds']:.1f} s"
    )
