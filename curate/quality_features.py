"""Documents for the quality classifier: read once, kept as hashed counts on disk.

Each document goes into one of three parts by the hash of its words, so that documents
which differ only in case or punctuation are never on two sides; inside a part, into a
bucket by the same hash, so that every bucket is a random sample of all sources and fits in
memory. In memory are 9 bytes a document.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from hinterland.core.progress import track
from hinterland.core.seeds import integer
from hinterland.curate.hashing import words
from hinterland.curate.kernels.hashed import Features, Hashes, count_ngrams, document_keys
from hinterland.curate.textfiles import find_text_files, rows

__all__ = ["PARTS", "Bucket", "Chosen", "Store", "choose", "read_buckets", "store_documents"]

#: The parts and their shares, and how many buckets each has.
PARTS = {"train": 0.8, "validation": 0.1, "test": 0.1}
_BUCKETS = {"train": 32, "validation": 4, "test": 4}
_CHUNK = 1 << 20  # characters hashed at once

_SCHEMA = pa.schema(
    [
        ("key", pa.uint64()),
        ("label", pa.uint8()),
        ("source", pa.int32()),
        ("indices", pa.list_(pa.uint32())),
        ("counts", pa.list_(pa.float32())),
    ]
)


@dataclass
class Store:
    """What was read, and where its features are.

    Attributes:
        folder: Holds one Arrow stream per bucket.
        keys: Every document's hash, in the order they were read.
        labels: 1 for positives, 0 for negatives, in the same order.
        sources: Names of the sources; a bucket has their numbers.
        counts: By class, what was read and what could not be: ``documents``, ``no_text``,
            ``unreadable``, ``characters``.
    """

    folder: Path
    keys: Hashes
    labels: NDArray[np.uint8]
    sources: list[str]
    counts: dict[str, Counter[str]] = field(default_factory=dict)


class Bucket(NamedTuple):
    """Documents of one bucket that are chosen, ordered by key.

    Attributes:
        labels: 1 or 0, shape (documents,).
        sources: Numbers of sources, shape (documents,).
        rows: Their features.
    """

    labels: NDArray[np.uint8]
    sources: NDArray[np.int32]
    rows: Features


@dataclass(frozen=True)
class Chosen:
    """Which documents take part, by their hash.

    Attributes:
        salt: Mixed into the hashes to order the documents at random.
        limits: The largest mixed hash that takes part, of negatives and positives.
        documents: How many take part of each class, negatives and positives.
        available: How many could, before the larger class is cut.
        copies: Documents left out because one like them is in.
        in_both: Documents left out because they are in both classes.
    """

    salt: int
    limits: tuple[int, int]
    documents: tuple[int, int]
    available: tuple[int, int]
    copies: int
    in_both: int


def _documents(files: Sequence[Path], column: str, counts: Counter[str]) -> Iterator[tuple[str, str]]:
    """Yield each document's text and its source: its own, else the file's name."""

    def bad(_path: Path, _position: int, _reason: str) -> None:
        counts["unreadable"] += 1

    for file in files:
        for row in rows(file, bad=bad):
            text = row.get(column)
            if not isinstance(text, str) or not text.strip():
                counts["no_text"] += 1
                continue
            counts["documents"] += 1
            counts["characters"] += len(text)
            source = row.get("source")
            yield text, source if isinstance(source, str) and source else file.name


def _chunks(documents: Iterator[tuple[str, str]]) -> Iterator[list[tuple[str, str]]]:
    chunk: list[tuple[str, str]] = []
    size = 0
    for item in documents:
        chunk.append(item)
        size += len(item[0])
        if size >= _CHUNK:
            yield chunk
            chunk, size = [], 0
    if chunk:
        yield chunk


def _mixed(keys: Hashes, salt: int) -> Hashes:
    """Return the keys in another random order: a one-to-one mixing (the end of SplitMix64)."""
    value = keys + np.uint64(salt)
    value = (value ^ (value >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    value = (value ^ (value >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return value ^ (value >> np.uint64(31))


def _part_of(keys: Hashes, seed: int) -> NDArray[np.int64]:
    """Return the number of each document's part in `PARTS`."""
    share = _mixed(keys, integer(seed, "train-quality", "split")).astype(np.float64) / 2.0**64
    return np.searchsorted(np.cumsum(list(PARTS.values()))[:-1], share, side="right")


def _name(part: str, bucket: int) -> str:
    return f"{part}-{bucket:02d}.arrow"


def store_documents(
    positive: Sequence[Path], negative: Sequence[Path], folder: Path, *, column: str, seed: int
) -> Store:
    """Read all documents of both classes and store their hashed counts in ``folder``.

    Args:
        positive: Files or folders of positives.
        negative: Files or folders of negatives.
        folder: An empty folder for the buckets.
        column: The column with the text.
        seed: Decides on the parts.

    Raises:
        CorpusError: A path does not exist or holds nothing to read.
    """
    store = Store(folder, np.empty(0, np.uint64), np.empty(0, np.uint8), [])
    numbers: dict[str, int] = {}
    keys: list[Hashes] = []
    labels: list[NDArray[np.uint8]] = []
    with ExitStack() as stack:
        writers = {
            name: stack.enter_context(pa.ipc.new_stream(str(folder / name), _SCHEMA))
            for part, buckets in _BUCKETS.items()
            for name in (_name(part, bucket) for bucket in range(buckets))
        }
        for label, (kind, paths) in enumerate((("negative", negative), ("positive", positive))):
            counts = store.counts.setdefault(kind, Counter())
            stream = _documents(find_text_files(paths), column, counts)
            for chunk in track(_chunks(stream), f"train-quality: read {kind}"):
                split = words([text for text, _ in chunk])
                of_chunk = document_keys(split)
                numbered = [numbers.setdefault(source, len(numbers)) for _, source in chunk]
                batch = _batch(of_chunk, label, numbered, count_ngrams(split))
                keys.append(of_chunk)
                labels.append(np.full(len(chunk), label, dtype=np.uint8))
                part = _part_of(of_chunk, seed)
                for number, (name, buckets) in enumerate(_BUCKETS.items()):
                    bucket = np.where(part == number, (of_chunk % np.uint64(buckets)).astype(np.int64), -1)
                    for each in np.unique(bucket[bucket >= 0]):
                        rows_there = np.flatnonzero(bucket == each)
                        writers[_name(name, int(each))].write_batch(batch.take(pa.array(rows_there)))
    if keys:
        store.keys, store.labels = np.concatenate(keys), np.concatenate(labels)
    store.sources = list(numbers)
    return store


def _batch(keys: Hashes, label: int, sources: list[int], found: Features) -> pa.RecordBatch:
    offsets = pa.array(found.offsets.astype(np.int32))
    columns = [
        pa.array(keys),
        pa.array(np.full(len(keys), label, dtype=np.uint8)),
        pa.array(sources, pa.int32()),
        pa.ListArray.from_arrays(offsets, pa.array(found.indices)),
        pa.ListArray.from_arrays(offsets, pa.array(found.counts)),
    ]
    return pa.RecordBatch.from_arrays(columns, schema=_SCHEMA)


def choose(store: Store, *, balance: bool, seed: int) -> Chosen:
    """Return which documents take part: each once, none that is in both classes.

    Args:
        store: What was read.
        balance: Whether the larger class is cut, at random, to the size of the smaller.
        seed: Decides on the cut.
    """
    salt = integer(seed, "train-quality", "balance")
    unique = [np.unique(store.keys[store.labels == label]) for label in (0, 1)]
    both = np.intersect1d(unique[0], unique[1], assume_unique=True)
    mixed = [np.sort(_mixed(np.setdiff1d(keys, both, assume_unique=True), salt)) for keys in unique]
    sizes = [min(map(len, mixed)) if balance else len(keys) for keys in mixed]
    limits = [int(keys[size - 1]) if size else 0 for keys, size in zip(mixed, sizes, strict=True)]
    in_both = int(np.isin(store.keys, both).sum())
    copies = len(store.keys) - in_both - sum(map(len, mixed))
    return Chosen(
        salt, (limits[0], limits[1]), (sizes[0], sizes[1]), (len(mixed[0]), len(mixed[1])), copies, in_both
    )


def read_buckets(
    store: Store, chosen: Chosen, part: str, order: Sequence[int] | None = None
) -> Iterator[Bucket]:
    """Yield a part's buckets with the chosen documents, in ``order`` (by number if not given)."""
    rank = np.argsort(np.argsort(np.array(store.sources, dtype=str), kind="stable"))
    for number in range(_BUCKETS[part]) if order is None else order:
        with (
            pa.memory_map(str(store.folder / _name(part, number))) as file,
            pa.ipc.open_stream(file) as reader,
        ):
            table = reader.read_all().combine_chunks()
        keys, labels = table["key"].to_numpy(), table["label"].to_numpy()
        # By key, then source name: neither the order nor the copy that stays depends on
        # the order of the files.
        order_by_key = np.lexsort((rank[table["source"].to_numpy()], keys))
        keep = order_by_key[_taking_part(keys[order_by_key], labels[order_by_key], chosen)]
        taken = table.take(pa.array(keep))
        indices, counts = (taken[name].combine_chunks() for name in ("indices", "counts"))
        yield Bucket(
            taken["label"].to_numpy(),
            taken["source"].to_numpy(),
            Features(
                np.asarray(indices.offsets.to_numpy(), dtype=np.int64),
                indices.values.to_numpy(),
                counts.values.to_numpy(),
            ),
        )


def _taking_part(keys: Hashes, labels: NDArray[np.uint8], chosen: Chosen) -> NDArray[np.bool_]:
    """Return which of a bucket's documents, ordered by key, take part."""
    first = np.ones(len(keys), dtype=bool)
    first[1:] = keys[1:] != keys[:-1]
    inside = np.zeros(len(keys), dtype=bool)
    for label, (limit, documents) in enumerate(zip(chosen.limits, chosen.documents, strict=True)):
        if documents:
            inside |= (labels == label) & (_mixed(keys, chosen.salt) <= np.uint64(limit))
    both = np.intersect1d(keys[labels == 0], keys[labels == 1])
    return first & inside & ~np.isin(keys, both)


def buckets_of(part: str) -> int:
    """Return how many buckets a part has."""
    return _BUCKETS[part]
