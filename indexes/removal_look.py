"""What a removal looks for in an index's files, and what it says it did not look for."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from hinterland.core.errors import IndexBundleError
from hinterland.core.files import read_json
from hinterland.indexes.bundle import MANIFEST, Bundle
from hinterland.indexes.change_faiss import vectors_of
from hinterland.indexes.change_state import State, read_version
from hinterland.indexes.embed_cache import CACHE, EmbeddingCache
from hinterland.indexes.lexical import LexicalConfig
from hinterland.indexes.names import plain
from hinterland.indexes.needed_vectors import needed_by_served
from hinterland.indexes.removal_ledger import HEAD, LEDGER
from hinterland.indexes.removal_receipt import RECEIPTS
from hinterland.indexes.removal_rules import Rule, matching_chunks
from hinterland.indexes.residue import Report, refuse_residue, scan
from hinterland.indexes.residue_traces import Traces
from hinterland.indexes.version import LEXICAL

__all__ = ["PENDING", "look", "look_through", "other_folders", "read_pending", "traces_left", "traces_of"]

PENDING = ".removal.json"
_NEEDED = {"removal", "name", "stage", "rule", "version_before", "keep_versions", "chunks", "hashes"}
_HASHES = (PENDING, LEDGER, HEAD, RECEIPTS)
_BLOCK = 16_384
_BESIDE = ": somebody embeds beside"
_TEXTS_GONE = "pieces of texts, words and cached vectors: looked for before, and known no more by now"


def read_pending(root: Path) -> dict[str, Any]:
    """Return what ``.removal.json`` says of the removal that is open.

    Raises:
        IndexBundleError: It was edited by hand: something is missing, or a name is a path.
        StorageError: It is not JSON.
    """
    pending, path = read_json(root / PENDING), root / PENDING
    if not isinstance(pending, dict) or not pending.keys() >= _NEEDED:
        raise IndexBundleError(
            "the file of the open removal was edited by hand",
            where=str(path),
            cure="put the file back as it was",
        )
    for name in ("name", "version_before"):
        plain(pending[name], name, where=path)
    return pending


def other_folders(root: Path, version: str) -> list[Path]:
    """Return the folders of all versions but one."""
    return [each for each in (root / "versions").iterdir() if each.is_dir() and each.name != version]


def traces_of(root: Path, state: State, rule: Rule, before: str) -> Traces:
    """Return what must not be found, from the version before the removal."""
    old = read_version(root, before)
    gone = matching_chunks(old.chunks, rule)
    removed, kept = old.chunks.filter(pa.array(gone)), old.rows[~gone]
    dead = old.rows[gone]
    manifest = state.bundle.manifest
    lexical = LexicalConfig.model_validate(manifest["bm25"]) if "bm25" in manifest else None
    return Traces.of(
        removed,
        state.chunks,
        lexical=lexical,
        vectors=(vectors_of(old.backend, dead[at : at + _BLOCK]) for at in range(0, len(dead), _BLOCK)),
        kept_vectors=(vectors_of(old.backend, kept[at : at + _BLOCK]) for at in range(0, len(kept), _BLOCK)),
        named=[
            rule.where,
            *(value for _, values in rule.columns for value in values),
            *(each for each in removed["source"].unique().to_pylist() if each),
            str(manifest["embedder"].get("model", "")),
        ],
    )


def traces_left(state: State, pending: Mapping[str, Any]) -> Traces:
    """Return what can still be looked for once the version before is gone.

    That is whole ids and whole texts of chunks, by the hashes that the receipt has of them, and
    the vectors that are dead in the version served, if they are still there.
    """
    alive = np.zeros(state.backend.size, dtype=np.bool_)
    alive[state.rows] = True
    dead, rows = np.flatnonzero(~alive), state.rows if state.dead else state.rows[:0]
    hashes = {each["id_sha256"] for each in pending["hashes"]}
    hashes.update(text for each in pending["hashes"] for text in each["chunks_sha256"])
    return Traces.of_hashes(
        hashes,
        state.chunks,
        vectors=(vectors_of(state.backend, dead[at : at + _BLOCK]) for at in range(0, len(dead), _BLOCK)),
        kept_vectors=(
            vectors_of(state.backend, rows[at : at + _BLOCK]) for at in range(0, len(rows), _BLOCK)
        ),
        chunks=int(pending["chunks"]),
    )


def look_through(
    root: Path, bundle: Bundle, traces: Traces, *, leave_out: Collection[Path] = ()
) -> tuple[Report, list[str]]:
    """Look for traces in every file but the other versions, and return what was not looked for too.

    The caller holds the writer's lock.

    Args:
        root: The index's folder.
        bundle: The version served.
        traces: What to look for.
        leave_out: Files that are not read; who calls says why.
    """
    cache = EmbeddingCache(root / CACHE)
    folder, versions = bundle.folder, other_folders(root, bundle.version)
    with cache.alone() as alone:
        # Who embeds now prunes the cache when it is done, and publishes nothing that a rule forbids.
        beside = [] if alone else cache.unfinished
        report = scan(
            root,
            traces,
            leave_out=[*versions, *leave_out, *beside],
            layout=[folder / name for name in (*bundle.manifest["files"], MANIFEST)],
            no_strings=[*(root / name for name in _HASHES), folder / MANIFEST, folder / LEXICAL],
        )
    left = [f"{each.relative_to(root)}: an older version" for each in versions]
    left += [f"{each.relative_to(root)}{_BESIDE}" for each in beside]
    left += [f"{traces.shared} ids or short texts, which kept data has too"] if traces.shared else []
    return report, left


def look(root: Path, state: State, traces: Traces, pending: dict[str, Any]) -> None:
    """Look for the traces in every file, and write into ``pending`` what was found and what was left out.

    Raises:
        IndexBundleError: Something was found.
    """
    EmbeddingCache(root / CACHE).settle(lambda: needed_by_served(root))
    dense = sorted(state.bundle.folder.glob("dense.*")) if state.dead else []
    report, left = look_through(root, state.bundle, traces, leave_out=dense)
    left += [f"{each.relative_to(root)}: the removed vectors, until index compact" for each in dense]
    beside = {"embedding_beside": True} if any(each.endswith(_BESIDE) for each in left) else {}
    told = {**report.as_dict(), **beside}
    if not traces.whole:
        vectors = [] if len(traces.vectors) else ["vectors: dropped before this look, and known no more"]
        told["not_looked_for"] = [*left, _TEXTS_GONE, *vectors]
        pending["residue"] = {**pending["residue"], "again": told}
    else:
        pending["residue"] = {**told, "not_looked_for": left}
    refuse_residue(report, root)
