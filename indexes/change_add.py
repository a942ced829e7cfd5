"""Add documents to a published index, or put new ones in the place of old ones."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from hinterland.core.corpus import Corpus, conform
from hinterland.core.errors import CorpusError, IndexBundleError
from hinterland.indexes.change_faiss import append
from hinterland.indexes.change_state import State, check_space, next_version, state_of
from hinterland.indexes.chunking import chunking_of, cut_documents
from hinterland.indexes.corpus_rows import as_documents, chunk_table, read_documents
from hinterland.indexes.embed import Embedder
from hinterland.indexes.embed_cache import CACHE, EmbeddingCache
from hinterland.indexes.embed_passages import embed_passages
from hinterland.indexes.removal import withhold
from hinterland.indexes.removal_finish import writing
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
    with writing(root, wait_seconds=wait_seconds):
        state = state_of(root)
        check_space(embedder, state.bundle)
        if isinstance(documents, Corpus):
            there = documents.manifest.get("columns", {})
            columns = [name for name in state.chunks.column_names if name not in _OWN and name in there]
            table = read_documents(documents, only_kept=only_kept, columns=columns)
        else:
            table = conform(documents)
        given = table.num_rows
        table, withheld = withhold(root, table)
        new = _cut(table, embedder, state)
        old = state.chunks
        asked = pc.is_in(old["document_id"], value_set=table["id"].unique())
        old_ones = np.asarray(asked.combine_chunks().to_numpy(zero_copy_only=False), dtype=np.bool_)
        before, after = _by_document(old.filter(pa.array(old_ones))), _by_document(new)
        changed = {name for name in set(before) | set(after) if before.get(name) != after.get(name)}
        told = {
            "documents": given,
            "withheld": sum(withheld.values()),
            "withheld_by_rule": withheld,
            "unchanged": len(set(before) & set(after) - changed),
            "added": len(changed - set(before)),
            "replaced": len(changed & set(before)),
        }
        if changed & set(before) and not replace:
            raise CorpusError(
                f"{len(changed & set(before))} of the documents are in the index with another content",
                where=f"{root}: {min(changed & set(before))!r}",
                cure="upsert them, or leave them out",
            )
        if not changed:
            return _told(state, state.bundle.version, told, chunks=old.num_rows)
        wanted = pa.array(sorted(changed), pa.string())
        fresh = new.filter(pc.is_in(new["document_id"], value_set=wanted))
        gone = np.asarray(
            pc.is_in(old["document_id"], value_set=wanted).combine_chunks().to_numpy(zero_copy_only=False)
        )
        rows, embedded = _rows(state, old.filter(pa.array(gone)), fresh, embedder)
        fresh = fresh.append_column(ROW, pa.array(rows))
        chunks = pa.concat_tables([old.filter(pa.array(~gone)), fresh.cast(old.schema)])
        change = {
            "what": "upsert" if replace else "add",
            "documents": told["added"] + told["replaced"],
            "chunks_added": fresh.num_rows,
            "chunks_removed": int(gone.sum()),
        }
        dense = state.backend if embedded else None
        bundle = next_version(state, chunks, change, dense=dense, keep=keep)
        counts = {"chunks_added": fresh.num_rows, "chunks_removed": int(gone.sum()), "embedded": embedded}
        return _told(state, bundle.version, {**told, **counts}, chunks=chunks.num_rows)


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


def _rows(state: State, old: pa.Table, fresh: pa.Table, embedder: Embedder) -> tuple[NDArray[np.int64], int]:
    """Return the row of each new chunk, after adding the vectors that are new, and how many these are.

    A chunk of an old version of its document with the same text and title keeps its vector.
    """
    keys = zip(*(old[name].to_pylist() for name in _SAME), strict=True)
    known = dict(zip(keys, old[ROW].to_pylist(), strict=True))
    again = zip(*(fresh[name].to_pylist() for name in _SAME), strict=True)
    rows = np.asarray([known.get(key, -1) for key in again], dtype=np.int64)
    new = np.flatnonzero(rows < 0)
    if len(new):
        passages = passages_of(fresh.take(pa.array(new)))
        vectors = embed_passages(passages, embedder, cache=EmbeddingCache(state.root / CACHE))
        rows[new] = state.backend.size + np.arange(len(new))
        append(state.backend, vectors)
    return rows, len(new)
