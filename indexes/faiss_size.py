"""What an index takes in memory, and which one to build by it.

``auto`` takes the first line that fits; bytes are per vector, d its dimension (384 in brackets):

    | vectors          | factory                        | bytes per vector              |
    |------------------|--------------------------------|-------------------------------|
    | under 50,000     | Flat, exact                    | 4 d (1,536)                   |
    | under 1 million  | HNSW32, if it fits             | 4 d + 272 (1,808)             |
    | more, or tighter | IVF, SQ8                       | d + 8 (392)                   |
    | tighter          | IVF, RaBitQ, Refine(SQ4)       | d/8 + 8 + 8 + d/2 (256)       |
    | tighter          | IVF, PQ of d/8 bytes           | d/8 + 8 (56)                  |
    | none fits        | IVF, SQ8, its lists on disk    | d + 8 on disk (392)           |

Lists are a power of two near 4 √n. Beside the vectors there are the centroids, 4 d bytes a list.
Fits means: vectors and centroids stay below the memory given. PQ is Jégou et al. 2011, RaBitQ
Gao and Long 2024 (arXiv:2405.12497), HNSW Malkov and Yashunin 2018.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from hinterland.core.errors import ConfigError
from hinterland.core.imports import require_faiss

__all__ = [
    "Choice",
    "auto_factory",
    "available_memory",
    "bytes_per_vector",
    "choose",
    "index_bytes",
    "make_empty",
]

_FLAT_BELOW = 50_000  # up to here exact search answers in milliseconds
_GRAPH_BELOW = 1_000_000  # above, a graph's memory and build time outgrow its speed
_SHARE = 0.6  # of the memory that is free, for the index: building it takes some, too


@dataclass(frozen=True, slots=True)
class Choice:
    """Which index is built, and why.

    Attributes:
        factory: The FAISS factory string.
        on_disk: Whether its lists are kept on disk.
        why: A few words for people.
    """

    factory: str
    on_disk: bool
    why: str


def available_memory() -> int:
    """Return how many bytes this process may still take, by ``/proc`` and its control group.

    Where the system does not say, it is 8 GB.
    """
    found: list[int] = []
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
        found += [int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:")]
        group = Path("/sys/fs/cgroup")
        limit = (group / "memory.max").read_text(encoding="ascii").strip()
        if limit != "max":
            found.append(int(limit) - int((group / "memory.current").read_text(encoding="ascii")))
    except (OSError, ValueError, IndexError):
        pass
    free: int = min(found, default=8_000_000_000)
    return max(free, 0)


def make_empty(faiss: ModuleType, dimension: int, factory: str) -> Any:
    """Return an empty index.

    Raises:
        ConfigError: FAISS does not know the factory string.
    """
    try:
        return faiss.index_factory(dimension, factory, faiss.METRIC_INNER_PRODUCT)
    except RuntimeError as error:
        text = " ".join(str(error).split())
        raise ConfigError(
            f"FAISS does not know the factory string {factory!r}: {text.partition('Error: ')[2] or text}",
            where="factory",
            cure="write factory: auto, or one such as Flat, HNSW32, IVF1024,SQ8",
        ) from error


def bytes_per_vector(factory: str, dimension: int) -> float:
    """Return the bytes that each further vector takes in an index, codebooks and centroids left out.

    >>> [bytes_per_vector(name, 384) for name in ("Flat", "IVF64,SQ8", "IVF64,RaBitQ,Refine(SQ4)")]
    [1536.0, 392.0, 256.0]

    Raises:
        ConfigError: FAISS does not know the factory string.
    """
    faiss = require_faiss()
    index = make_empty(faiss, dimension, factory)  # held while its parts are looked at
    return _bytes(faiss, index)


def _bytes(faiss: ModuleType, index: Any) -> float:
    index = faiss.downcast_index(index)
    if isinstance(index, faiss.IndexPreTransform):
        return _bytes(faiss, index.index)
    if isinstance(index, faiss.IndexRefine):
        return _bytes(faiss, index.base_index) + _bytes(faiss, index.refine_index)
    if isinstance(index, faiss.IndexHNSW):
        links = int(index.hnsw.nb_neighbors(1))
        # Twice the links at the bottom; a node of M links is in 1 / (M - 1) levels above it, on average.
        upper = links / max(links - 1, 1)
        return _bytes(faiss, index.storage) + 4 * (2 * links + upper) + 8 + 4  # offset, level
    if isinstance(index, faiss.IndexIVF):
        return float(index.code_size) + 8
    return float(index.sa_code_size())


def index_bytes(factory: str, dimension: int, rows: int) -> float:
    """Return about how many bytes an index of so many vectors takes, centroids included.

    Raises:
        ConfigError: FAISS does not know the factory string.
    """
    faiss = require_faiss()
    index = make_empty(faiss, dimension, factory)
    inner = faiss.try_extract_index_ivf(index)
    lists = 0 if inner is None else int(inner.nlist)
    return rows * _bytes(faiss, index) + 4.0 * dimension * lists


def _lists(rows: int) -> int:
    return min(1 << round(math.log2(4 * math.sqrt(max(rows, 1)))), 65536)


def auto_factory(rows: int, *, dimension: int = 384, memory: int | None = None) -> str:
    """Return the factory string for so many vectors; see the table above.

    Args:
        rows: Vectors.
        dimension: Numbers in a vector.
        memory: Bytes that the index may take; without end when ``None``.

    >>> [auto_factory(rows) for rows in (10, 100_000, 2_000_000)]
    ['Flat', 'HNSW32', 'IVF4096,SQ8']
    >>> auto_factory(2_000_000, memory=600_000_000)
    'IVF4096,RaBitQ,Refine(SQ4)'
    """
    return _automatic(rows, dimension, math.inf if memory is None else memory).factory


def _automatic(rows: int, dimension: int, memory: float) -> Choice:
    if rows < _FLAT_BELOW:
        return Choice("Flat", False, f"under {_FLAT_BELOW:,} vectors, where exact search is fast enough")
    lists = _lists(rows)
    pieces = max((m for m in range(1, dimension // 8 + 1) if dimension % m == 0), default=1)
    ladder = [
        (f"IVF{lists},SQ8", "the most exact of the compact ones that fits"),
        (f"IVF{lists},RaBitQ,Refine(SQ4)", "memory is short"),
        (f"IVF{lists},PQ{pieces}", "memory is very short"),
    ]
    if rows < _GRAPH_BELOW:
        ladder.insert(0, ("HNSW32", f"under {_GRAPH_BELOW:,} vectors, where a graph is fastest"))
    for factory, why in ladder:
        size = index_bytes(factory, dimension, rows)
        if size <= memory:
            return Choice(factory, False, f"{why} ({size / 1e9:.2f} GB)")
    return Choice(f"IVF{lists},SQ8", True, "no index fits into memory, so the lists are kept on disk")


def choose(
    factory: str,
    rows: int,
    dimension: int,
    *,
    memory: int | None = None,
    lists_on_disk: bool | None = None,
) -> Choice:
    """Return what is built.

    Args:
        factory: The factory string, or ``auto``.
        rows: Vectors.
        dimension: Numbers in a vector.
        memory: Bytes that the index may take; ``None``: a share of what is free.
        lists_on_disk: ``None``: only if the index does not fit.

    Raises:
        ConfigError: The factory string is unknown, or has no lists to keep on disk.
    """
    room = memory if memory is not None else int(_SHARE * available_memory())
    if factory == "auto":
        if lists_on_disk is None:
            return _automatic(rows, dimension, room)
        chosen = _automatic(rows, dimension, math.inf if lists_on_disk else room)
        if not lists_on_disk:
            return Choice(chosen.factory, False, chosen.why)
        name = f"IVF{max(min(_lists(rows), rows // 40), 1)},SQ8"
        return Choice(name, True, "its lists are kept on disk, as asked")
    faiss = require_faiss()
    disk = make_empty(faiss, dimension, factory)
    plain = isinstance(faiss.downcast_index(disk), faiss.IndexIVF)
    if lists_on_disk and not plain:
        raise ConfigError(
            f"{factory!r} has no inverted lists to keep on disk",
            where="lists_on_disk",
            cure="write a factory that begins with IVF and has no refinement, such as IVF4096,SQ8",
        )
    size = index_bytes(factory, dimension, rows)
    on_disk = bool(lists_on_disk) or (lists_on_disk is None and plain and size > room)
    return Choice(factory, on_disk, f"as given ({size / 1e9:.2f} GB{', lists on disk' if on_disk else ''})")
