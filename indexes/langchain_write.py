"""Changes of the LangChain store: each is one version, published as a whole."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from hinterland.core.run import fingerprint
from hinterland.indexes.backend import BACKENDS
from hinterland.indexes.bundle import CURRENT, Bundle, current_version
from hinterland.indexes.change_faiss import append, compacted
from hinterland.indexes.change_state import State, next_version
from hinterland.indexes.embed import Embedder, finite_passages
from hinterland.indexes.embed_cache import CACHE, EmbeddingCache
from hinterland.indexes.langchain_rules import refuse_removed
from hinterland.indexes.langchain_view import View, open_view
from hinterland.indexes.lexical import LexicalConfig
from hinterland.indexes.removal_finish import writing
from hinterland.indexes.segments import keys_of
from hinterland.indexes.version import ROW, passages_of, publish_version

__all__ = ["StoreSettings", "change", "current_view"]

Vectors = NDArray[np.float32]
Rows = NDArray[np.int64]

_DEAD = 0.5  # of the vectors: where more are dead, they are dropped
_WHAT = "langchain"


@dataclass(frozen=True, slots=True)
class StoreSettings:
    """How a store's index is made where there is none, and how changes are published.

    Attributes:
        factory: The FAISS factory string; it must need no training (Flat, HNSW32).
        lexical: How words are indexed; ``None`` leaves BM25 out.
        wait: Seconds to wait for another writer.
        keep: Versions that stay on disk. Where something was removed only the new one does.
    """

    factory: str = "Flat"
    lexical: LexicalConfig | None = None
    wait: float = 60.0
    keep: int = 2


@dataclass(frozen=True, slots=True)
class _Plan:
    """What a change leaves of a version.

    Attributes:
        stays: Places of the chunks that stay as they are.
        rows: Rows of the vectors that the added chunks keep; -1 where the text is new.
        changes: Whether anything does change.
    """

    stays: Rows
    rows: Rows
    changes: bool

    @property
    def fresh(self) -> NDArray[np.bool_]:
        """Which added chunks need a vector."""
        return self.rows < 0


def _plan(view: View, add: pa.Table, remove: Collection[str] | None) -> _Plan:
    place, count = view.place, view.chunks.num_rows
    ids, texts = add["id"].to_pylist(), add["text"].to_pylist()
    replaced = np.asarray([place.get(each, -1) for each in ids], dtype=np.int64)
    there = replaced >= 0
    old = view.chunks.take(pa.array(replaced[there]))
    rows = np.full(len(ids), -1, dtype=np.int64)
    new_texts = [text for text, known in zip(texts, there, strict=True) if known]
    passages = zip(old["title"].to_pylist(), old["text"].to_pylist(), new_texts, strict=True)
    same = np.asarray([not title and one == two for title, one, two in passages], dtype=np.bool_)
    rows[np.flatnonzero(there)[same]] = view.rows[replaced[there]][same]
    gone = range(count) if remove is None else [place[each] for each in remove if each in place]
    stays = np.setdiff1d(np.arange(count), [*gone, *replaced[there].tolist()])
    equal = bool(there.all()) and set(add.column_names) <= set(old.column_names)
    equal = equal and old.select(add.column_names).equals(add.combine_chunks())
    return _Plan(stays, rows, changes=not (equal and len(stays) == count - len(ids)))


def _embed(embedder: Embedder, texts: Sequence[str], known: dict[str, Vectors]) -> None:
    """Embed texts that are not known, each once.

    Raises:
        IndexBundleError: A vector is not finite.
    """
    missing = list(dict.fromkeys(text for text in texts if text not in known))
    if missing:
        known.update(zip(missing, finite_passages(embedder, missing), strict=True))


def current_view(root: Path, embedder: Embedder, known: View) -> View:
    """Return the version that is served: ``known`` if it is that one.

    Raises:
        IndexBundleError: It is damaged, of a newer format, or made with another encoder.
    """
    if not (root / CURRENT).is_file():
        return View.empty()
    return known if current_version(root) == known.version else open_view(root, embedder)


def change(
    root: Path,
    embedder: Embedder,
    settings: StoreSettings,
    known: View,
    *,
    add: pa.Table,
    remove: Collection[str] | None = (),
) -> View:
    """Remove chunks and add others, and publish what comes of it if anything changed.

    An added chunk replaces the one with its id; if its text is the same, it keeps its vector.
    What is removed is gone from the version's chunks and words, and no older version stays;
    its vector is dead, and gone too once more than half of the vectors are.

    Args:
        root: The index's folder.
        embedder: Embeds new texts, before the lock is taken.
        settings: How the index is made and published.
        known: A version that is open, to spare reading it again.
        add: Chunks with different ids (`langchain_rows.chunk_rows`).
        remove: Ids of chunks; those that are not there do not matter. ``None``: all.

    Returns:
        The version served now.

    Raises:
        StorageError: Another writer did not end in time, or the disk is full.
        IndexBundleError: The index is damaged or made with another encoder, a vector is not finite, or
            a document fits a rule by which documents were removed.
    """
    texts, vectors = add["text"].to_pylist(), dict[str, Vectors]()
    view = current_view(root, embedder, known)
    plan = _plan(view, add, remove)
    _embed(embedder, [texts[at] for at in np.flatnonzero(plan.fresh)], vectors)
    with writing(root, wait_seconds=settings.wait):
        latest = current_view(root, embedder, view)
        if latest is not view:  # another writer came between
            view, plan = latest, _plan(latest, add, remove)
        if not plan.changes:
            return view
        refuse_removed(root, add)
        fresh = [texts[at] for at in np.flatnonzero(plan.fresh)]
        _embed(embedder, fresh, vectors)
        new = np.zeros((0, embedder.dimension), np.float32)
        new = np.stack([vectors[text] for text in fresh]) if fresh else new
        if view.bundle is None or view.backend is None:
            return _first(root, embedder, settings, add, new)
        return _next(State(root, view.bundle, view.chunks, view.backend), settings, plan, add, new)


def _first(
    root: Path, embedder: Embedder, settings: StoreSettings, chunks: pa.Table, vectors: Vectors
) -> View:
    """Publish the first version of an index."""
    backend = BACKENDS.get("faiss").build(vectors, factory=settings.factory, seed=0)
    manifest = {
        "corpus": {"fingerprint": fingerprint(_WHAT), "documents": chunks.num_rows},
        "chunking": {"by": _WHAT},
        "embedder": embedder.describe(),
        "index": {**backend.describe(), "seed": 0},
        "changes": [_told(chunks.num_rows, 0)],
    }
    chunks = chunks.append_column(ROW, pa.array(np.arange(chunks.num_rows, dtype=np.int64)))
    bundle = publish_version(root, backend, chunks, manifest, lexical=settings.lexical, keep=settings.keep)
    return View(bundle, backend, chunks)


def _next(state: State, settings: StoreSettings, plan: _Plan, add: pa.Table, new: Vectors) -> View:
    """Publish the version after ``state``. The backend of ``state`` belongs to readers and stays as it is."""
    rows = np.concatenate([state.rows[plan.stays], plan.rows])
    fresh = rows < 0
    backend, described = state.backend, state.bundle.manifest["index"]
    crowded = backend.size + len(new) - len(rows) > _DEAD * (backend.size + len(new))
    if len(new) or crowded:
        backend = BACKENDS.get(described["backend"]).load(state.dense, settings=described)
        if crowded:
            kept = np.unique(rows[~fresh])
            backend, _ = compacted(backend, kept, seed=int(described.get("seed", 0)), afresh=False)
            rows[~fresh] = np.searchsorted(kept, rows[~fresh])
        rows[fresh] = np.arange(backend.size, backend.size + len(new))
        append(backend, new)
    removed = state.chunks.num_rows - len(plan.stays)
    old = state.chunks.drop_columns([ROW] if ROW in state.chunks.column_names else [])
    chunks = pa.concat_tables([old.take(pa.array(plan.stays)), add], promote_options="permissive")
    chunks = chunks.append_column(ROW, pa.array(rows))
    before, told = _folded(state.bundle, _told(add.num_rows, removed))
    bundle = next_version(
        State(state.root, before, state.chunks, state.backend),
        chunks,
        told,
        dense=None if backend is state.backend else backend,
        index=backend.describe(),
        keep=1 if removed else settings.keep,
    )
    if removed:
        _forget(state, plan, chunks)
    return View(bundle, backend, chunks)


def _forget(state: State, plan: _Plan, chunks: pa.Table) -> None:
    """Delete the vectors that a build kept of passages that are gone; the caller holds the lock."""
    cache = state.root / CACHE
    if cache.is_dir():
        gone = np.setdiff1d(np.arange(state.chunks.num_rows), plan.stays)
        passages = set(passages_of(state.chunks.take(pa.array(gone))))
        EmbeddingCache(cache).forget(keys_of(sorted(passages - set(passages_of(chunks)))))


def _told(added: int, removed: int) -> dict[str, int | str]:
    return {"what": _WHAT, "chunks_added": added, "chunks_removed": removed, "times": 1}


def _folded(bundle: Bundle, told: dict[str, int | str]) -> tuple[Bundle, dict[str, int | str]]:
    """Join the change with the last one if that was the store's too, so that the list stays short."""
    changes = list(bundle.manifest.get("changes", []))
    tuned = int(bundle.manifest.get("tuning", {}).get("changes", 0))
    if len(changes) <= tuned or changes[-1].get("what") != _WHAT:
        return bundle, told
    last = changes.pop()
    joined = {key: last[key] + value if isinstance(value, int) else value for key, value in told.items()}
    return Bundle(bundle.folder, bundle.version, {**bundle.manifest, "changes": changes}), joined
