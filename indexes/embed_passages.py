"""Embed many passages: each once, in blocks of like length, with a cache and any engine.

Passages are made unique, sorted by length and cut into blocks. What a block holds does not
depend on who embeds it, so one process, many, or a cluster end with the same bytes.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hinterland.core.engine import Engine, LocalEngine
from hinterland.core.files import storage_errors
from hinterland.core.produce import make_target, pending
from hinterland.core.progress import track
from hinterland.indexes.embed import Embedder, finite_passages
from hinterland.indexes.embed_cache import EmbeddingCache, VectorStore
from hinterland.indexes.segments import SUFFIX, keys_of, open_segment, write_block

__all__ = ["embed_passages"]

Vectors = NDArray[np.float32]

#: Passages embedded in one call of the encoder, and what a block is a multiple of.
_STEP = 64
_BLOCK = 4 * _STEP
#: Blocks handed to an engine at a time: their texts travel to the workers.
_GROUP = 1024
#: Up to so many bytes the result is in memory; above, it is mapped from a file without a name.
_IN_MEMORY = 256_000_000


def _name(texts: Sequence[str], fingerprint: str) -> str:
    digest = hashlib.sha256(fingerprint.encode())
    for text in texts:
        data = text.encode("utf-8", "surrogatepass")
        digest.update(len(data).to_bytes(8, "big") + data)
    return f"{digest.hexdigest()[:32]}{SUFFIX}"


def _steps(texts: Sequence[str], embedder: Embedder) -> Iterator[Vectors]:
    for start in range(0, len(texts), _STEP):
        yield finite_passages(embedder, list(texts[start : start + _STEP]))


def _make_block(embedder: Embedder, texts: Sequence[str], temporary: Path) -> None:
    """Write the vectors of one block; a stage of an engine."""
    write_block(temporary, texts, np.concatenate(list(_steps(texts, embedder))))


def _here(blocks: Sequence[Sequence[str]], targets: Sequence[Path], embedder: Embedder) -> Iterator[int]:
    """Make blocks in this process, and yield once for every passage done."""
    for texts, target in pending(blocks, targets):
        parts = []
        for vectors in _steps(texts, embedder):
            parts.append(vectors)
            yield from range(len(vectors))
        make_target(partial(_write, np.concatenate(parts)), (texts, target))


def _write(vectors: Vectors, texts: Sequence[str], temporary: Path) -> None:
    write_block(temporary, texts, vectors)


def _embed_missing(
    rest: list[str], embedder: Embedder, store: VectorStore, engine: Engine, block: int, label: str
) -> None:
    """Embed passages that the store lacks, and join them there."""
    blocks = [rest[start : start + block] for start in range(0, len(rest), block)]
    targets = [store.pending / _name(part, embedder.fingerprint) for part in blocks]
    if isinstance(engine, LocalEngine) and engine.workers <= 1:
        left = sum(len(part) for part, path in zip(blocks, targets, strict=True) if not path.exists())
        if left:
            for _ in track(_here(blocks, targets, embedder), label, total=left):
                pass
    else:
        with engine.started():
            for start in range(0, len(blocks), _GROUP):
                chosen = slice(start, start + _GROUP)
                engine.produce(
                    partial(_make_block, embedder),
                    blocks[chosen],
                    targets[chosen],
                    label=f"{label}, in blocks of {block}",
                )
    store.join(targets)


def _missing(unique: Sequence[str], store: VectorStore) -> list[str]:
    number, _ = store.find(keys_of(unique))
    return [unique[row] for row in np.flatnonzero(number < 0).tolist()]


def _result(rows: int, dimension: int, folder: Path) -> Vectors:
    """Return an empty array for the result, in memory or mapped from a file that vanishes with it."""
    if 4 * rows * dimension <= _IN_MEMORY:
        return np.empty((rows, dimension), dtype=np.float32)
    path = folder / f".result.{os.getpid()}.tmp"
    mapped = np.memmap(path, dtype=np.float32, mode="w+", shape=(rows, dimension))
    path.unlink(missing_ok=True)  # the map keeps it
    return mapped


def _uncached(texts: Sequence[str], unique: Sequence[str], embedder: Embedder, label: str) -> Vectors:
    parts = [np.zeros((0, embedder.dimension), dtype=np.float32)]

    def done() -> Iterator[int]:
        for vectors in _steps(unique, embedder):
            parts.append(vectors)
            yield from range(len(vectors))

    for _ in track(done(), label, total=len(unique)):
        pass
    row = {text: number for number, text in enumerate(unique)}
    order = np.asarray([row[text] for text in texts], dtype=np.int64)
    return np.ascontiguousarray(np.concatenate(parts)[order])


def embed_passages(
    texts: Sequence[str],
    embedder: Embedder,
    *,
    cache: EmbeddingCache | None = None,
    engine: Engine | None = None,
    block: int = _BLOCK,
    label: str = "embed",
) -> Vectors:
    """Embed passages; equal ones once, and none that the cache knows.

    Args:
        texts: The passages.
        embedder: The encoder; an engine with several workers sends it to them by pickle.
        cache: Where vectors are looked up and kept; the caller holds `EmbeddingCache.embedding`,
            and makes them finished by `EmbeddingCache.commit`. ``None`` keeps nothing.
        engine: What embeds the blocks if there is a cache; ``None``: this process.
        block: Passages to a block, a multiple of 64; it does not change the vectors.
        label: What the progress bar says.

    Returns:
        Unit vectors in the order of ``texts``, shape (texts, dimension), float32; mapped from
        a nameless file if they are large.

    Raises:
        EngineError: A worker died.
        IndexBundleError: The encoder gave a vector that is not finite.
        StorageError: The cache cannot be written, or the disk is full.
    """
    # Longest first: memory peaks at once and the time left is never promised too low.
    unique = sorted(set(texts), key=lambda text: (-len(text), text))
    if cache is None:
        return _uncached(texts, unique, embedder, label)
    with storage_errors(cache.folder):
        store = cache.store(embedder.fingerprint, embedder.dimension)
        rest = _missing(unique, store)
        names = {
            _name(rest[start : start + block], embedder.fingerprint) for start in range(0, len(rest), block)
        }
        waiting = sorted(store.pending.glob(f"[!.]*{SUFFIX}")) if store.pending.is_dir() else []
        for path in waiting:
            if open_segment(path, embedder.dimension) is None:  # cut off: it is done again
                path.unlink(missing_ok=True)
        if any(path.name not in names for path in waiting):
            # A run over other passages was killed: what it finished is worth keeping.
            store.join(waiting)
            rest = _missing(unique, store)
        if rest:
            _embed_missing(rest, embedder, store, engine or LocalEngine(), block, label)
        found = _result(len(texts), embedder.dimension, cache.folder)
        for start in range(0, len(texts), 65_536):
            store.read(keys_of(texts[start : start + 65_536]), found[start : start + 65_536])
    return found
