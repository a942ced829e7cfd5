"""`hinterland index build`: a corpus in, a published index out."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from hinterland.core.config import Config
from hinterland.core.corpus import Corpus
from hinterland.core.engine import ENGINES, Engine, LocalEngine
from hinterland.indexes.budget import estimate
from hinterland.indexes.build import build_index
from hinterland.indexes.build_options import BuildOptions
from hinterland.indexes.chunking import ChunkConfig
from hinterland.indexes.embed import EmbedConfig, SentenceEmbedder
from hinterland.indexes.lexical import LexicalConfig
from hinterland.indexes.search_check import check_mode
from hinterland.indexes.search_config import SearchConfig

__all__ = ["CommandConfig", "plan", "render", "run"]


class CommandConfig(Config):
    """What to index, and how.

    Attributes:
        corpus: The corpus's folder.
        out: The index's folder.
        embed: The encoder.
        chunking: How documents are cut.
        columns: Further columns of the corpus that chunks carry, for filters.
        backend: What holds the vectors.
        factory: A FAISS factory string, or ``auto``.
        memory_gb: What the index may take in memory; ``None``: a share of what is free.
        lists_on_disk: Whether inverted lists stay in a file; ``auto``: if they do not fit.
        device: Where the index is trained and filled; ``auto``: on GPUs if FAISS sees one.
        bm25: How words are indexed; ``null`` leaves them out.
        search: How the index ranks where a search does not say; ``null``: by vectors.
        only_kept: Leave out what the corpus's ``keep`` column rejects, and weights of 0.
        engine: ``local`` (processes of this machine) or ``ray`` (a cluster).
        workers: Processes or tasks at a time; ``None``: one here, or the cluster's CPUs.
        address: The Ray cluster's address.
        seed: For the training of clustered indexes.
    """

    corpus: Path
    out: Path
    embed: EmbedConfig = Field(default_factory=EmbedConfig)
    chunking: ChunkConfig = Field(default_factory=ChunkConfig)
    columns: tuple[str, ...] = ()
    backend: str = "faiss"
    factory: str = "auto"
    memory_gb: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    lists_on_disk: Literal["auto"] | bool = "auto"
    device: Literal["auto", "cpu", "gpu"] = "auto"
    bm25: LexicalConfig | None = Field(default_factory=LexicalConfig)
    search: SearchConfig | None = None
    only_kept: bool = True
    engine: Literal["local", "ray"] = "local"
    workers: int | None = Field(default=None, ge=1)
    address: str | None = None
    seed: int = 0


def _engine(config: CommandConfig) -> Engine:
    if config.engine == "local":
        return LocalEngine(config.workers or 1)
    make: Any = ENGINES.get(config.engine)
    made: Engine = make(workers=config.workers, address=config.address)
    return made


def _options(config: CommandConfig) -> BuildOptions:
    return BuildOptions(
        memory=None if config.memory_gb is None else int(config.memory_gb * 1e9),
        device=config.device,
        lists_on_disk=None if config.lists_on_disk == "auto" else config.lists_on_disk,
        engine=_engine(config),
    )


def plan(config: CommandConfig) -> dict[str, Any]:
    """Cut and embed a small sample, and say what the whole will take; write nothing."""
    config.chunking.check()
    check_mode(config.search, words=config.bm25 is not None)
    return estimate(
        Corpus.open(config.corpus),
        SentenceEmbedder(config.embed),
        config.chunking,
        columns=config.columns,
        factory=config.factory,
        options=_options(config),
        lexical=config.bm25,
        search=config.search,
        only_kept=config.only_kept,
        seed=config.seed,
    )


def run(config: CommandConfig) -> dict[str, Any]:
    """Build and publish the index."""
    start = time.perf_counter()
    check_mode(config.search, words=config.bm25 is not None)
    options = _options(config)
    result = build_index(
        Corpus.open(config.corpus),
        config.out,
        SentenceEmbedder(config.embed),
        chunking=config.chunking,
        columns=config.columns,
        backend=config.backend,
        factory=config.factory,
        lexical=config.bm25,
        search=config.search,
        only_kept=config.only_kept,
        seed=config.seed,
        options=options,
    )
    return {**result, "by": config.chunking.by, "seconds": round(time.perf_counter() - start, 2)}


def render(result: dict[str, Any]) -> str:
    """Return the result in a few lines."""
    lines = [
        f"{result['chunks']:,} chunks of {result['documents']:,} documents in {result['index']}",
        f"  version {result['version']}, {result['factory']}, {result['dimension']} dimensions, "
        f"{result['bytes'] / 1e6:.1f} MB, {result['seconds']:.1f} s",
    ]
    windows = result["by"] == "tokens"  # these end where their tokens do, whatever a sentence's length
    cut = "that no window holds whole" if windows else "longer than a chunk cut between words"
    for key, words in (
        ("empty", "documents without text left out"),
        ("sentences_cut", f"sentences {cut}"),
        ("titles_cut", "titles shortened to half a chunk"),
    ):
        if result[key]:
            lines.append(f"  {result[key]:,} {words}")
    return "\n".join(lines)
