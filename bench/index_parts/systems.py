"""What is measured: the kit and its peers, each with its settings."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

from curation_parts.peers import Peer
from curation_parts.worker import Worker
from gpu_parts.common import Row

__all__ = ["DEFAULT", "OURS", "PEERS", "System", "kit"]

OURS, DEFAULT = "hinterland", "hinterland, as it comes"
_HERE = Path(__file__).resolve().parent


def _same(*names: str) -> tuple[str, ...]:
    """Pin packages to the versions of this environment, so that the encoder is the same everywhere."""
    return tuple(f"{name}=={version(name).partition('+')[0]}" for name in names)


_ENCODER = _same("torch", "transformers", "tokenizers", "sentence-transformers", "faiss-cpu", "numpy")

PEERS = (
    Peer("txtai", "9.14.0", "peer_txtai.py", _ENCODER),
    Peer(
        "llama-index-core",
        "0.14.25",
        "peer_llama_index.py",
        (*_ENCODER, "llama-index-vector-stores-faiss==0.7.0", "llama-index-embeddings-huggingface==0.8.0"),
    ),
    # Without their pins: the store's asks for NumPy 1, and the encoder's versions are to be the same.
    Peer(
        "haystack-ai",
        "3.4.1",
        "peer_haystack.py",
        (
            *_ENCODER,
            *("anyio", "certifi", "docstring-parser", "filetype", "httpx", "jinja2", "jsonschema"),
            *("lazy-imports", "more-itertools", "networkx", "openai", "pillow", "posthog", "pydantic"),
            *("pypdfium2", "python-dateutil", "pyyaml", "tenacity", "tqdm"),
        ),
        alone=True,
        beside=("faiss-haystack==3.0.0", "sentence-transformers-haystack==2.0.0"),
    ),
)
#: Of each peer: how it is called in tables, texts to a batch, and how it makes batches. Where texts are
#: sorted by characters, 8 to a batch are padded less than the usual 32 (1.14 for 1.19 on SciFact).
PEER_SETTINGS: dict[str, tuple[str, int, str]] = {
    "txtai": ("txtai", 8, "sorts 1,024 texts at a time by characters; Flat; texts in SQLite"),
    "llama-index-core": ("LlamaIndex", 10, "batches in the order of texts; Flat; texts in JSON"),
    "haystack-ai": ("Haystack", 8, "sorts all texts by characters; Flat; texts in JSON"),
}


@dataclass(frozen=True)
class System:
    """A tool with settings.

    Attributes:
        name: As tables call it.
        python: Its interpreter.
        program: Its file in this folder.
        settings: What its worker is started with.
        words: What the settings are, for people.
    """

    name: str
    python: Path
    program: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    words: str = ""

    def worker(self, *, threads: int) -> Worker:
        """Start its process."""
        return Worker(self.python, _HERE / self.program, threads=threads)

    def row(self) -> Row:
        """Return its line in a table, to be filled."""
        return {"tool": self.name}


def kit(*, tokens: int) -> list[System]:
    """Return the kit with equal settings, and as it comes."""
    python = Path(sys.executable)
    return [
        System(
            OURS,
            python,
            "ours.py",
            {"dtype": "float32", "words": False, "tokens": tokens},
            "float32; batches of like token counts, 16 texts and 1,024 tokens at most, a core each; equal"
            " texts once; Flat; texts in Parquet; no BM25",
        ),
        System(
            DEFAULT,
            python,
            "ours.py",
            {"dtype": "auto", "words": True, "tokens": tokens},
            "the same with dtype: auto and BM25 beside the vectors",
        ),
    ]


def peer_system(peer: Peer, python: Path, *, tokens: int, batch: int | None = None) -> System:
    """Return a peer that is installed.

    Args:
        peer: Which.
        python: Its interpreter.
        tokens: Tokens read of a text.
        batch: Texts to a batch; ``None`` takes what suits it best.
    """
    name, best, how = PEER_SETTINGS[peer.name]
    size = batch or best
    words = f"float32; batches of {size}; {how}"
    return System(name, python, peer.program, {"batch": size, "tokens": tokens}, words)
