"""Hold an index against the receipts of its removals: is anything of what went there again?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from hinterland.core.errors import ConfigError, StorageError, nearest
from hinterland.indexes.bundle import CHUNKS, open_bundle, writer_lock
from hinterland.indexes.removal_look import look_through, other_folders
from hinterland.indexes.removal_receipt import RECEIPTS, check_receipt
from hinterland.indexes.removal_rules import digest, rules_in_force
from hinterland.indexes.residue_traces import Traces

__all__ = ["Held", "check_receipts", "read_receipts"]

_ROWS = 16_384  # chunks whose texts are in memory at a time


@dataclass(frozen=True, slots=True)
class Held:
    """What of the removed documents a version's chunks have.

    Attributes:
        documents: Ids of removed documents.
        alike: Chunks of other documents that have a removed text word for word.
    """

    documents: int = 0
    alike: int = 0


def read_receipts(root: Path, receipt: Path | None = None) -> dict[str, dict[str, Any]]:
    """Return receipts by name, each checked by its own hash: the one named, or all there are.

    Raises:
        ConfigError: There is none, or none of this name.
        StorageError: One was changed, or is no receipt of a removal.
    """
    folder = root / RECEIPTS
    known = {each.stem: each for each in sorted(folder.glob("*.json"))}
    if receipt is not None:
        path = receipt if receipt.is_file() else known.get(receipt.name.removesuffix(".json"))
        if path is None:
            raise ConfigError("no such receipt", where=str(receipt), cure=nearest(receipt.name, known))
        known = {path.stem: path}
    if not known:
        raise ConfigError("there is no receipt", where=str(folder), cure="nothing was removed with a receipt")
    found = {name: check_receipt(path) for name, path in known.items()}
    for name, each in found.items():
        if each.get("kind") != "removal" or "hashes" not in each:
            raise StorageError(
                "this is no receipt of a removal", where=str(known[name]), cure="name one of the index's"
            )
    return found


def check_receipts(
    root: Path, receipts: Mapping[str, Mapping[str, Any]], *, wait_seconds: float = 0.0
) -> dict[str, Any]:
    """Look for what receipts say is gone, by its hashes.

    Ids are compared with those of the version served and of the others on disk; ids and whole
    texts of chunks with every string in the Parquet and JSON files and every name of a file below
    the index's folder. A text that another document has word for word is no trace, but counted.
    Pieces of texts, words and vectors cannot be looked for: no receipt has them.

    Args:
        root: The index's folder.
        receipts: By name (`read_receipts`).
        wait_seconds: How long to wait for a writer.

    Returns:
        All JSON-able: ``found`` lists the places, each with its file and what it was.

    Raises:
        IndexBundleError: The index is missing or damaged.
        StorageError: Another process writes, or the rules were edited by hand.
    """
    with writer_lock(root, wait_seconds=wait_seconds):
        bundle, rules = open_bundle(root), rules_in_force(root)
        hashes = [each for told in receipts.values() for each in told["hashes"]]
        ids = {each["id_sha256"] for each in hashes}
        texts = {text for each in hashes for text in each["chunks_sha256"]}
        chunks = pq.read_table(bundle.folder / CHUNKS)
        served = _held(bundle.folder / CHUNKS, ids, texts)
        traces = Traces.of_hashes(ids | texts, chunks, vectors=(), kept_vectors=(), chunks=len(texts))
        report, left = look_through(root, bundle, traces)
        older = {each.name: _held(each / CHUNKS, ids, texts) for each in other_folders(root, bundle.version)}
    place = f"versions/{bundle.version}/{CHUNKS}"
    found = [{"file": place, "what": f"{served.documents} removed documents"}] if served.documents else []
    return {
        "index": str(root),
        "version": bundle.version,
        "receipts": [
            {
                "receipt": name,
                **{key: told.get(key) for key in ("at", "rule_id", "documents", "chunks", "complete")},
                "in_force": told.get("rule_id") in rules,
            }
            for name, told in receipts.items()
        ],
        "looked_for": {"documents": len(ids), "chunks": len(texts)},
        "files": report.files,
        "bytes": report.bytes,
        "found": [*found, *report.found],
        "alike": served.alike,
        "older_versions": {name: held.documents for name, held in older.items() if held.documents},
        "not_looked_for": [*left, "pieces of texts, words and vectors: a receipt has hashes only"],
    }


def _held(path: Path, ids: set[str], texts: set[str]) -> Held:
    """Look through a version's chunks for ids and texts, by their hashes."""
    if not path.is_file():
        return Held()
    found, alike = set(), 0
    for batch in pq.ParquetFile(path).iter_batches(batch_size=_ROWS, columns=["document_id", "text"]):
        table = pa.table(batch)
        here = {each: digest(each) for each in table["document_id"].unique().to_pylist()}
        found |= ids.intersection(here.values())
        pairs = zip(table["document_id"].to_pylist(), table["text"].to_pylist(), strict=True)
        alike += sum(here[name] not in ids and digest(text) in texts for name, text in pairs)
    return Held(len(found), alike)
