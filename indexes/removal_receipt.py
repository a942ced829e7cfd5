"""The receipt of a removal: what went, when and by which rule, and how it was checked.

It holds hashes and counts, never a text. Its own hash is over the other entries as JSON with
sorted keys and no spaces, so that a receipt changed by hand is known.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa

from hinterland.core.errors import StorageError
from hinterland.core.files import hash_file, read_json, write_json
from hinterland.indexes.bundle import MANIFEST, Bundle
from hinterland.indexes.names import plain
from hinterland.indexes.removal_rules import digest

__all__ = ["RECEIPTS", "check_receipt", "counted", "hashed", "receipt_hash", "write_receipt"]

RECEIPTS = "receipts"


def hashed(chunks: pa.Table) -> list[dict[str, Any]]:
    """Return each document's id and its chunks' texts as SHA-256, in the order of the documents."""
    found: dict[str, list[str]] = {}
    for document, text in zip(chunks["document_id"].to_pylist(), chunks["text"].to_pylist(), strict=True):
        found.setdefault(document, []).append(digest(text))
    return [{"id_sha256": digest(name), "chunks_sha256": texts} for name, texts in found.items()]


def counted(chunks: pa.Table) -> dict[str, Any]:
    """Return how many documents and chunks these are, and of which sources."""
    documents = dict(zip(chunks["document_id"].to_pylist(), chunks["source"].to_pylist(), strict=True))
    sources = Counter("(none)" if source is None else source for source in documents.values())
    return {
        "documents": len(documents),
        "chunks": chunks.num_rows,
        "documents_by_source": dict(sources.most_common()),
    }


def receipt_hash(receipt: Mapping[str, Any]) -> str:
    """Return the hash of all entries but ``sha256``."""
    rest = {name: value for name, value in receipt.items() if name != "sha256"}
    return digest(json.dumps(rest, sort_keys=True, separators=(",", ":"), ensure_ascii=True))


def write_receipt(root: Path, name: str, bundle: Bundle, entries: Mapping[str, Any]) -> Path:
    """Write a receipt, with the hashes of the served version's files and its own, and return its path.

    Raises:
        IndexBundleError: ``name`` is a path.
        StorageError: The disk is full, or the folder cannot be written.
    """
    files = {**bundle.manifest["files"], MANIFEST: hash_file(bundle.folder / MANIFEST)}
    receipt = {"kind": "removal", "format": 1, **entries, "version_after": bundle.version, "files": files}
    path = root / RECEIPTS / f"{plain(name, 'the receipt', where=root)}.json"
    write_json(path, {**receipt, "sha256": receipt_hash(receipt)})
    return path


def check_receipt(path: Path) -> dict[str, Any]:
    """Read a receipt and check its hash.

    Raises:
        StorageError: It is not readable, or was changed.
    """
    receipt = read_json(path)
    if not isinstance(receipt, dict) or receipt.get("sha256") != receipt_hash(receipt):
        raise StorageError(
            "the receipt was changed: its hash is another", where=str(path), cure="restore the file"
        )
    return receipt
