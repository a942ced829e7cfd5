"""How vectors are made into an index: memory, device, engine."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from hinterland.core.engine import Engine

__all__ = ["BuildOptions"]


@dataclass(frozen=True, slots=True)
class BuildOptions:
    """How an index is built; none of it changes what a search finds but for rounding.

    Attributes:
        memory: Bytes that the index may take; ``None``: a share of what is free.
        device: Where it is trained and filled; ``auto``: on GPUs if FAISS sees one.
        lists_on_disk: Whether inverted lists stay in a file; ``None``: if they do not fit.
        engine: What fills shards of inverted files; ``None``: this process.
        work: A folder for shards that all workers see, for these vectors alone; without one
            there are no shards, and lists stay in memory.
    """

    memory: int | None = None
    device: Literal["auto", "cpu", "gpu"] = "auto"
    lists_on_disk: bool | None = None
    engine: Engine | None = None
    work: Path | None = None
