"""Add documents to a published index, or put new ones in the place of old ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from hinterland.core.corpus import Corpus, conform
from hinterland.core.errors import CorpusError, IndexBundleError
from hinterland.indexes.bundle import current_version
from hinterland.indexes.change_faiss import append
from hinterland.indexes.change_state import State, next_version, state_of
from hinterland.indexes.chunking import chunking_of, cut_documents
from hinterland.indexes.corpus_rows import as_documents, chunk_table, read_documents
from hinterland.indexes.embed import Embedder
from hinterland.indexes.embed_cache import EmbeddingCache
from hinterland.indexes.embed_passages import embed_passages
from hinterland.indexes.embedding import embedding, keep_vectors, publishing, rules_now
from hinterland.indexes.encoder import check_space
from hinterland.indexes.removal import withhold
from hinterland.indexes.removal_rules import Rule, rules_in_force
from hinterland.indexes.version import ROW, passages_of

__all__ = ["add_documents", "upsert"]

#: Columns that chunks have of their own.
_OWN = frozenset({"id", "document_id", "start", "end", "text", "title", "row", "meta"})
#: How a chunk is known again: if all of this is equal, its vector is too.
_SAME = ("document_id", "id", "title", "text")


def add_documents(
    root: Path,
    documents: Corpus | pa.Table,
    embedder: Embedder,
    *,
    only_kept: bool = True,
    keep: int = 2,
    wait_seconds: float = 0.0,
) -> dict[str, Any]:
    """Add documents whose ids the index does not have, and publish.

    They are cut as the manifest says, and only what has no cached vector is embedded. A
    document that is there unchanged is passed over.

    Args:
        root: The index's folder.
        documents: A corpus, or a table with at least ``id`` and ``text``.
        embedder: The encoder that the index was built with.
        only_kept: Of a corpus: leave out what its ``keep`` column rejects, and weights of 0.
        keep: Versions that stay on disk.
        wait_seconds: How long to wait for another writer.

    Returns:
        The version, and counts, all JSON-able.

    Raises:
        CorpusError: A document with one of these ids is there with another text, or the
            documents do not fit the record schema.
        IndexBundleError: The index is missing, damaged, or made with another encoder.
        StorageError: Another process writes, or the disk is full.
    """
    return _change(root, documents, embedder, only_kept, keep, wait_seconds, replace=False)


def upsert(
    root: Path,
    documents: Corpus | pa.Table,
    embedder: Embedder,
    *,
    only_kept: bool = True,
    keep: int = 2,
    wait_seconds: float = 0.0,
) -> dict[str, Any]:
    """Add documents; those whose ids the index has take the place of the old ones.

    What is unchanged stays as it is; if nothing changed, no version is published. See
    `add_documents` for arguments and errors.
    """
    return _change(root, documents, embedder, only_kept, keep, wait_seconds, replace=True)


def _change(
    root: Path,
    documents: Corpus | pa.Table,
    embedder: Embedder,
    only_kept: bool,
    keep: int,
    wait_seconds: float,
    *,
    replace: bool,
) -> dict[str, Any]:
    with embedding(root, wait_seconds=wait_seconds) as cache:
        rules, state = rules_now(root), state_of(root)
        plan = _plan(state, documents, embedder, only_kept, rules, replace=replace)
        _embed(plan, embedder, cache)
        with publishing(root):
            now = rules_in_force(root)
            if now != rules or current_version(root) != state.bundle.version:  # somebody was faster
                state = state_of(root)
                plan = _plan(state, documents, embedder, only_kept, now, replace=replace)
            if not plan.changed:
                return _told(state, state.bundle.version, plan.told, chunks=state.chunks.num_rows)
            vectors = _embed(plan, embedder, cache)
            rows = plan.rows
            rows[rows < 0] = state.backend.size + np.arange(len(vectors))
            if len(vectors):
                append(state.backend, vectors)
            fresh = plan.fresh.append_column(ROW, pa.array(rows))
            old = state.chunks
            chunks = pa.concat_tables([old.filter(pa.array(~plan.gone)), fresh.cast(old.schema)])
            counts = {"chunks_added": fresh.num_rows, "chunks_removed": int(plan.gone.sum())}
            documents_changed = plan.told["added"] + plan.told["replaced"]
            change = {"what": "upsert" if replace else "add", "documents": documents_changed, **counts}
            dense = state.backend if len(vectors) else None
            bundle = next_version(state, chunks, change, dense=dense, keep=keep)
            keep_vectors(root, cache)
        told = {**plan.told, **counts, "embedded": len(vectors)}
        return _told(state, bundle.version, told, chunks=chunks.num_rows)


@dataclass(frozen=True, slots=True)
class _Plan:
    """What a change makes of a version.

    Attributes:
        told: Counts of documents.
        changed: Whether anything does change.
        fresh: The new chunks, without rows.
        rows: The row of each new chunk whose vector is there, -1 for the others.
        gone: Which of the old chunks go, shape (chunks,).
    """

    told: dict[str, Any]
    changed: bool
    fresh: pa.Table
    rows: NDArray[np.int64]
    gone: NDArray[np.bool_]


def _plan(
    state: State,
    documents: Corpus | pa.Table,
    embedder: Embedder,
    only_kept: bool,
    rules: Mapping[str, Rule],
    *,
    replace: bool,
) -> _Plan:
    """Cut documents, and say what they change in a version.

    Raises:
        CorpusError: A document with one of these ids is there with another text, and may not be replaced.
        IndexBundleError: The encoder is another.
    """
    check_space(embedder, state.bundle)
    if isinstance(documents, Corpus):
        there = documents.manifest.get("columns", {})
        columns = [name for name in state.chunks.column_names if name not in _OWN and name in there]
        table = read_documents(documents, only_kept=only_kept, columns=columns)
    else:
        table = conform(documents)
    given = table.num_rows
    table, withheld = withhold(table, rules)
    new = _cut(table, embedder, state)
    old = state.chunks
    before, after = _by_document(old.filter(_is_in(old["document_id"], table["id"]))), _by_document(new)
    changed = {name for name in set(before) | set(after) if before.get(name) != after.get(name)}
    if changed & set(before) and not replace:
        raise CorpusError(
            f"{len(changed & set(before))} of the documents are in the index with another content",
            where=f"{state.root}: {min(changed & set(before))!r}",
            cure="upsert them, or leave them out",
        )
    told = {
        "documents": given,
        "withheld": sum(withheld.values()),
        "withheld_by_rule": withheld,
        "unchanged": len(set(before) & set(after) - changed),
        "added": len(changed - set(before)),
        "replaced": len(changed & set(before)),
    }
    wanted = pa.array(sorted(changed), pa.string())
    fresh = new.filter(_is_in(new["document_id"], wanted))
    gone = _is_in(old["document_id"], wanted)
    rows = _known_rows(old.filter(gone), fresh)
    return _Plan(told, bool(changed), fresh, rows, np.array(gone.to_numpy(zero_copy_only=False), np.bool_))


def _is_in(column: pa.ChunkedArray, values: pa.Array | pa.ChunkedArray) -> pa.BooleanArray:
    return pc.is_in(column, value_set=values.unique()).combine_chunks()


def _embed(plan: _Plan, embedder: Embedder, cache: EmbeddingCache) -> NDArray[np.float32]:
    """Return the vectors of the chunks that have none, in their order."""
    passages = passages_of(plan.fresh.filter(pa.array(plan.rows < 0)))
    return embed_passages(passages, embedder, cache=cache)


def _told(state: State, version: str, told: dict[str, Any], *, chunks: int) -> dict[str, Any]:
    none = {"chunks_added": 0, "chunks_removed": 0, "embedded": 0}
    published = version != state.bundle.version
    return {
        "index": str(state.root),
        "version": version,
        "published": published,
        **none,
        **told,
        "chunks": chunks,
    }


def _cut(table: pa.Table, embedder: Embedder, state: State) -> pa.Table:
    """Return the documents' chunks, cut as the index was, with its columns less ``row``.

    Raises:
        IndexBundleError: The manifest does not say how to cut.
    """
    told = state.bundle.manifest["chunking"]
    if "tokens" not in told:
        raise IndexBundleError(
            f"the index was not cut from documents ({told.get('by', 'unknown')})",
            where=str(state.root),
            cure="add to it in the way it was made",
        )
    config = chunking_of(state.bundle.manifest)
    chunks, _ = cut_documents(as_documents(table), embedder.tokenizer, config)
    cut = chunk_table(chunks, table)
    columns = {}
    for field in state.chunks.schema:
        if field.name == ROW:
            continue
        there = field.name in cut.column_names
        columns[field.name] = (cut[field.name] if there else pa.nulls(cut.num_rows)).cast(field.type)
    return pa.table(columns)


def _by_document(chunks: pa.Table) -> dict[str, list[tuple[Any, ...]]]:
    """Return what each document's chunks hold, apart from their rows."""
    columns = [chunks[name].to_pylist() for name in sorted(set(chunks.column_names) - {ROW})]
    found: dict[str, list[tuple[Any, ...]]] = {}
    for document, *values in zip(chunks["document_id"].to_pylist(), *columns, strict=True):
        found.setdefault(document, []).append(tuple(values))
    return found


def _known_rows(old: pa.Table, fresh: pa.Table) -> NDArray[np.int64]:
    """Return the row of each new chunk that an old version of its document has, too; else -1."""
    keys = zip(*(old[name].to_pylist() for name in _SAME), strict=True)
    known = dict(zip(keys, old[ROW].to_pylist(), strict=True))
    again = zip(*(fresh[name].to_pylist() for name in _SAME), strict=True)
    return np.asarray([known.get(key, -1) for key in again], dtype=np.int64)
