"""Embed many texts in blocks on disk, so that a killed run goes on where it stopped.

Texts are made unique, sorted by length and cut into blocks; each block's vectors are
written under a name made from its texts and the embedder's fingerprint. What a block
holds does not depend on the others, so an interrupted run ends with the same bytes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hinterland.core.errors import IndexBundleError
from hinterland.core.files import atomic_path
from hinterland.core.progress import track
from hinterland.indexes.embed import Embedder

__all__ = ["embed_passages"]

Vectors = NDArray[np.float32]


def _block_name(texts: Sequence[str], embedder: Embedder) -> str:
    digest = hashlib.sha256(embedder.fingerprint.encode())
    for text in texts:
        data = text.encode("utf-8", "surrogatepass")
        digest.update(len(data).to_bytes(8, "big") + data)
    return f"{digest.hexdigest()[:32]}.npy"


def _load(path: Path, shape: tuple[int, int]) -> Vectors | None:
    """Return a finished block, or ``None`` where there is none of that shape."""
    try:
        vectors = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError):
        return None
    if vectors.shape != shape or vectors.dtype != np.float32:
        return None
    return np.asarray(vectors)


def _embed(texts: Sequence[str], embedder: Embedder, step: int) -> Iterator[Vectors]:
    for start in range(0, len(texts), step):
        part = list(texts[start : start + step])
        vectors = embedder.passages(part)
        bad = ~np.isfinite(vectors).all(axis=1)
        if bad.any():
            raise IndexBundleError(
                f"the encoder gave {int(bad.sum())} vectors that are not finite numbers",
                where=repr(part[int(bad.argmax())][:80]),
                cure="set dtype: float32, or use another model",
            )
        yield vectors


def embed_passages(
    texts: Sequence[str],
    embedder: Embedder,
    *,
    folder: Path | None = None,
    block: int = 1024,
    step: int = 64,
    label: str = "embed",
) -> Vectors:
    """Embed passages with a progress bar; equal texts are embedded once.

    Args:
        texts: The passages.
        embedder: The encoder.
        folder: Where blocks are kept; blocks of other texts or models are removed from
            it at the end. ``None`` keeps nothing.
        block: Texts to a block.
        step: Texts embedded between two movements of the bar.
        label: What the bar says.

    Returns:
        Unit vectors in the order of ``texts``, shape (texts, dimension), float32.

    Raises:
        IndexBundleError: The encoder gave a vector that is not finite.
        StorageError: The folder cannot be written, or the disk is full.
    """
    # Longest first: memory peaks at once and the time left is never promised too low.
    unique = sorted(set(texts), key=lambda text: (-len(text), text))
    blocks = [unique[start : start + block] for start in range(0, len(unique), block)]
    names = [_block_name(part, embedder) if folder else "" for part in blocks]
    done: dict[int, Vectors] = {}
    for number, (part, name) in enumerate(zip(blocks, names, strict=True)):
        found = _load(folder / name, (len(part), embedder.dimension)) if folder else None
        if found is not None:
            done[number] = found

    def missing() -> Iterator[int]:
        """Do the missing blocks, and yield once for every text done."""
        for number, (part, name) in enumerate(zip(blocks, names, strict=True)):
            if number in done:
                continue
            pieces = []
            for piece in _embed(part, embedder, step):
                pieces.append(piece)
                yield from range(len(piece))
            done[number] = np.concatenate(pieces)
            with atomic_path(folder / name) if folder else nullcontext() as temporary:
                if temporary is not None:
                    with temporary.open("wb") as handle:
                        np.save(handle, done[number], allow_pickle=False)

    left = sum(len(part) for number, part in enumerate(blocks) if number not in done)
    if left:
        for _ in track(missing(), label, total=left):
            pass
    if folder is not None and folder.is_dir():
        for file in folder.glob("*.npy"):
            if file.name not in names:
                file.unlink(missing_ok=True)
    if not blocks:
        return np.zeros((0, embedder.dimension), dtype=np.float32)
    vectors = np.concatenate([done[number] for number in range(len(blocks))])
    row = {text: number for number, text in enumerate(unique)}
    return np.ascontiguousarray(vectors[[row[text] for text in texts]])
