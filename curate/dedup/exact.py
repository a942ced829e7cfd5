"""Exact duplicates of whole documents, and the hashes that find them."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from hinterland.curate.dedup.policy import Policy, keep_order
from hinterland.curate.filter import Scores

__all__ = [
    "Copies",
    "TextHashes",
    "exact_copies",
    "exact_duplicates",
    "exact_hashes",
    "hex_hashes",
    "normalised_hash",
    "paragraph_hashes",
    "text_hashes",
]

_DIGEST = 16  # bytes


def normalised_hash(text: str) -> str:
    """Return a hash of the text that case and white space do not change (16 bytes, hex)."""
    plain = " ".join(text.casefold().split())
    return hashlib.sha256(plain.encode("utf-8", "surrogatepass")).hexdigest()[: 2 * _DIGEST]


class TextHashes(NamedTuple):
    """What the duplicate search needs of a batch's texts, apart from MinHash.

    Attributes:
        exact: `normalised_hash` as bytes, uint8, shape (documents, 16).
        counts: Paragraphs of each document, shape (documents,).
        paragraphs: The hash of each paragraph, case and white space normalised, 64 bits.
        characters: Its code points.
    """

    exact: NDArray[np.uint8]
    counts: NDArray[np.int64]
    paragraphs: NDArray[np.uint64]
    characters: NDArray[np.int32]


def text_hashes(texts: Sequence[str]) -> TextHashes:
    """Return the hashes of whole texts and of their paragraphs, normalised once.

    Paragraphs are what blank lines separate; in a text without a blank line inside, every
    line is a paragraph, which is how extracted web pages are written.

    Args:
        texts: The documents; a `curate.words.Batch` is read without a copy.
    """
    from hinterland.curate.kernels.paragraphs import normalise
    from hinterland.curate.words import Batch

    batch = Batch.of(texts)
    found = normalise(batch.data, batch.offsets)
    view, bounds = memoryview(found.data.data), found.offsets.tolist()
    digests = [hashlib.sha256(view[start:stop]).digest()[:_DIGEST] for start, stop in pairwise(bounds)]
    exact = np.frombuffer(b"".join(digests), dtype=np.uint8).reshape(len(digests), _DIGEST)
    return TextHashes(exact, found.counts, found.hashes, found.characters)


def exact_hashes(texts: Sequence[str]) -> NDArray[np.uint8]:
    """Return `normalised_hash` of each text as bytes, shape (documents, 16)."""
    return text_hashes(texts).exact


def paragraph_hashes(
    texts: Sequence[str],
) -> tuple[NDArray[np.uint64], NDArray[np.int64], NDArray[np.int32]]:
    """Return the paragraphs' hashes, their number in each text, and their characters."""
    found = text_hashes(texts)
    return found.paragraphs, found.counts, found.characters


def hex_hashes(hashes: NDArray[np.uint8]) -> pa.Array:
    """Return hashes of shape (n, 16) as strings of 32 hexadecimal digits."""
    rows = len(hashes)
    digits = pa.py_buffer(np.ascontiguousarray(hashes).tobytes().hex().encode("ascii"))
    offsets = pa.py_buffer(np.arange(rows + 1, dtype=np.int64) * 2 * _DIGEST)
    return pa.Array.from_buffers(pa.large_string(), rows, [None, offsets, digits]).cast(pa.string())


class Copies(NamedTuple):
    """Clusters of equal documents, in the order they were given.

    Attributes:
        first: The place of each cluster's first document, shape (documents,).
        size: How many there are, shape (documents,).
    """

    first: NDArray[np.uint32]
    size: NDArray[np.int64]


def exact_copies(hashes: NDArray[np.uint64]) -> Copies:
    """Return which documents have equal hashes, shape (documents, 2)."""
    documents = len(hashes)
    order = np.lexsort((hashes[:, 1], hashes[:, 0]))  # stable: the first of a cluster leads it
    ordered = hashes[order]
    begins = np.ones(documents, dtype=bool)
    begins[1:] = (ordered[1:] != ordered[:-1]).any(axis=1)
    starts = np.flatnonzero(begins)
    sizes = np.diff(starts, append=documents)
    first = np.empty(documents, dtype=np.uint32)
    size = np.empty(documents, dtype=np.int64)
    first[order] = np.repeat(order[starts], sizes)
    size[order] = np.repeat(sizes, sizes)
    return Copies(first, size)


def exact_duplicates(
    ids: Sequence[str],
    texts: Sequence[str],
    *,
    policy: Policy = "first",
    dates: Sequence[str | None] | None = None,
    sources: Sequence[str | None] | None = None,
) -> Scores:
    """Return the clusters of documents that are equal but for case and white space.

    The result for a document does not depend on the documents' order.

    Args:
        ids: One unique id per document.
        texts: The documents.
        policy: Which copy is kept; see `curate.dedup.policy`.
        dates: ISO 8601 dates, for ``oldest``.
        sources: For ``rarest``.

    Returns:
        ``exact_dup.cluster`` (the shared hash, also for a document without a copy),
        ``exact_dup.size`` (documents in the cluster) and ``exact_dup.first`` (whether
        this is the copy that is kept), each of shape (documents,).

    Raises:
        ConfigError: The policy is unknown.
    """
    given = {"longest": [len(text) for text in texts], "oldest": dates, "rarest": sources}.get(policy)
    values = None if given is None else pa.chunked_array([pa.array(given, _types[policy])])
    order = keep_order(policy, pa.chunked_array([pa.array(ids, pa.string())]), values)
    hashes = exact_hashes(texts)
    copies = exact_copies(hashes[order].view(np.uint64))
    size, first = np.empty(len(ids), dtype=np.int64), np.empty(len(ids), dtype=bool)
    size[order] = copies.size
    first[order] = copies.first == np.arange(len(ids))
    return {
        "exact_dup.cluster": np.array(hex_hashes(hashes).to_pylist(), dtype=object),
        "exact_dup.size": size,
        "exact_dup.first": first,
    }


_types = {"longest": pa.int64(), "oldest": pa.string(), "rarest": pa.string()}
