"""Look for what is left of removed chunks in every file below a folder.

Each file is read as bytes, and what can be decoded is decoded too: the string and number
columns of Parquet, the strings of JSON, the words of BM25, the vectors of the cache. A trace is
a piece of a removed text or id that nothing kept shares, a word that only removed passages
have, or a removed vector.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from hinterland.core.errors import IndexBundleError
from hinterland.indexes.lexical import LexicalConfig
from hinterland.indexes.removal_rules import digest
from hinterland.indexes.residue_patterns import WINDOW, Patterns
from hinterland.indexes.segments import SUFFIX, key_of, keys_of, open_segment
from hinterland.indexes.version import passages_of
from hinterland.indexes.words import Words

__all__ = ["Report", "Traces", "refuse_residue", "scan"]

_LONG = 16  # an id of so many characters is looked for in raw bytes too
_BLOCK = 1 << 24  # bytes read at a time
_ROWS = 4096  # of a table at a time
_SKIPPED = frozenset({".lock"})  # always empty


@dataclass(frozen=True, slots=True)
class Traces:
    """What must not be found.

    Attributes:
        texts: Pieces of texts, titles, addresses and ids.
        strings: SHA-256 of whole strings: ids, and texts too short to be looked for in bytes.
        words: Words that only removed passages have.
        vectors: The first bytes of removed vectors.
        keys: Keys in the cache of removed passages.
        chunks: How many chunks these are of.
        shared: Ids and short texts that are no trace, because kept chunks have the same string.
        whole: Whether the removed texts were known, not only their hashes.
    """

    texts: Patterns
    strings: frozenset[str]
    words: frozenset[str]
    vectors: Patterns
    keys: frozenset[tuple[int, int]]
    chunks: int
    shared: int = 0
    whole: bool = True

    @classmethod
    def of(
        cls,
        removed: pa.Table,
        kept: pa.Table,
        *,
        lexical: LexicalConfig | None,
        vectors: Iterable[NDArray[np.float32]] = (),
        kept_vectors: Iterable[NDArray[np.float32]] = (),
        named: Iterable[str] = (),
    ) -> Traces:
        """Return the traces of chunks.

        Args:
            removed: The chunks that went.
            kept: The chunks that stay; what they share is no trace.
            lexical: How words are made, if words are indexed.
            vectors: Blocks of vectors of ``removed``.
            kept_vectors: Blocks of vectors of ``kept``.
            named: Further texts that may stay: the rule in the user's words, the encoder's name.
        """
        ids = set(_strings(removed, "document_id", "id"))
        long_ids = [each for each in ids if len(each) >= _LONG]
        shown = ("text", "title", "url")

        def allowed() -> Iterator[str]:
            return chain(_strings(kept, *shown, "document_id", "id"), names)

        names = list(named)
        texts = Patterns.of_texts(chain(_strings(removed, *shown), long_ids), allowed())
        short = {each for each in _strings(removed, *shown) if each.strip() and len(each.encode()) < 8}
        strings = (ids | short).difference(_strings(kept, *kept.column_names))
        gone, only = set(map(key_of, _passages(removed))), _words(removed, lexical)
        cut = Words(lexical.language) if lexical else None
        for passage in _passages(kept):
            gone.discard(key_of(passage))
            if cut is not None:
                only.difference_update(cut.passage(passage))
        return cls(
            texts,
            frozenset(map(digest, strings)),
            frozenset(only),
            _vector_patterns(vectors, kept_vectors),
            frozenset((int(one), int(two)) for one, two in keys_of(gone)),
            removed.num_rows,
            shared=len(ids | short) - len(strings),
        )

    @classmethod
    def of_hashes(
        cls,
        strings: Collection[str],
        kept: pa.Table,
        *,
        vectors: Iterable[NDArray[np.float32]],
        kept_vectors: Iterable[NDArray[np.float32]],
        chunks: int,
    ) -> Traces:
        """Return what is known of chunks whose texts are gone.

        Args:
            strings: SHA-256 of their documents' ids and of their texts.
            kept: The chunks that stay.
            vectors: Blocks of their vectors, as far as they are there.
            kept_vectors: Blocks of vectors of ``kept``.
            chunks: How many they were.
        """
        left = frozenset(strings).difference(map(digest, _strings(kept, *kept.column_names)))
        found = _vector_patterns(vectors, kept_vectors)
        shared = len(set(strings)) - len(left)
        nothing = Patterns(())
        return cls(nothing, left, frozenset(), found, frozenset(), chunks, shared=shared, whole=False)


@dataclass(slots=True)
class Report:
    """What was read and what was found.

    Attributes:
        files: Files read.
        bytes: Their bytes.
        looked_for: How many pieces, strings, words, vectors and keys.
        found: The file and what was found in it, for each trace; never the text itself.
    """

    files: int = 0
    bytes: int = 0
    looked_for: dict[str, int] = field(default_factory=dict)
    found: list[dict[str, str]] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON-able values."""
        return {
            "clean": not self.found,
            "files": self.files,
            "bytes": self.bytes,
            "looked_for": self.looked_for,
            "found": self.found,
        }


def scan(
    root: Path,
    traces: Traces,
    *,
    leave_out: Collection[Path] = (),
    layout: Collection[Path] = (),
    no_strings: Collection[Path] = (),
) -> Report:
    """Read every file below ``root`` and report the traces in it.

    Args:
        root: A folder.
        traces: What to look for.
        leave_out: Files and folders that are not read.
        layout: Files whose names are given by the index, and may be what a document is called.
        no_strings: Files and folders of which the same holds for whole strings: they have names of
            settings, words and hashes, but no ids. Anything else is looked for in them too.
    """
    report = Report(
        looked_for={
            "pieces": len(traces.texts),
            "strings": len(traces.strings),
            "words": len(traces.words),
            "vectors": len(traces.vectors),
            "cached": len(traces.keys),
        }
    )
    for path in sorted(each for each in root.rglob("*") if each.is_file() and each.name not in _SKIPPED):
        if _within(path, leave_out):
            continue
        ours = _within(path, no_strings)
        report.files += 1
        report.bytes += path.stat().st_size
        name = path.relative_to(root).as_posix()
        if not ours and path not in layout and _named(path.relative_to(root), traces):
            report.found.append({"file": name, "what": "its name"})
        found = _traces_in(path, replace(traces, strings=frozenset()) if ours else traces)
        report.found += [{"file": name, "what": what} for what in dict.fromkeys(found)]
    return report


def refuse_residue(report: Report, root: Path) -> None:
    """Raise if anything was found.

    Raises:
        IndexBundleError: Traces are left; the first file is named.
    """
    if report.found:
        first = report.found[0]
        more = f", and in {len(report.found) - 1} more places" if len(report.found) > 1 else ""
        raise IndexBundleError(
            f"what was removed is still there: {first['what']}{more}",
            where=str(root / first["file"]),
            cure="delete that file if it is not the index's, and run the same command again",
        )


def _within(path: Path, places: Collection[Path]) -> bool:
    return any(path == each or each in path.parents for each in places)


def _named(path: Path, traces: Traces) -> bool:
    return bool(traces.strings) and any(digest(part) in traces.strings for part in path.parts)


def _strings(table: pa.Table, *columns: str) -> Iterator[str]:
    """Yield the strings of some columns that are not empty, one perhaps again and again."""
    for name in columns:
        for part in table[name].chunks if name in table.column_names else ():
            for start in range(0, len(part), _ROWS):
                for column in _flat(part.slice(start, _ROWS)):
                    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
                        yield from filter(None, column.unique().to_pylist())


def _passages(table: pa.Table) -> Iterator[str]:
    for start in range(0, table.num_rows, _ROWS):
        yield from passages_of(table.slice(start, _ROWS))


def _words(table: pa.Table, lexical: LexicalConfig | None) -> set[str]:
    if lexical is None:
        return set()
    cut = Words(lexical.language)
    return {word for passage in _passages(table) for word in cut.passage(passage)}


def _vector_patterns(vectors: Iterable[NDArray[np.float32]], kept: Iterable[NDArray[np.float32]]) -> Patterns:
    """Return the first bytes of vectors, less those that a kept vector has too."""
    heads = (
        row.tobytes()
        for block in vectors
        for row in np.ascontiguousarray(np.atleast_2d(block)[:, : WINDOW // 4], "<f4")
    )
    return Patterns(heads).without(np.ascontiguousarray(block, "<f4").tobytes() for block in kept)


def _traces_in(path: Path, traces: Traces) -> Iterator[str]:
    start = b""
    texts = vectors = False
    with path.open("rb") as handle:
        overlap = b""
        while block := handle.read(_BLOCK):
            start = start or block[:4]
            data = overlap + block
            texts = texts or bool(traces.texts.find(data, most=1))
            vectors = vectors or bool(traces.vectors.find(data, most=1))
            overlap = data[-WINDOW:]
    if texts:
        yield "a piece of text"
    if vectors:
        yield "a vector"
    if start == b"PAR1":
        yield from _in_parquet(path, traces)
    elif path.suffix == SUFFIX:
        yield from _in_cache(path, traces)
    elif path.suffix in (".json", ".jsonl") or start[:1] in (b"{", b"["):
        yield from _in_json(path, traces)


def _in_strings(strings: Collection[str], traces: Traces) -> Iterator[str]:
    joined = "\0".join(strings).encode("utf-8", "surrogatepass")
    if traces.texts.find(joined, most=1):
        yield "a piece of text"
    if any(digest(each) in traces.strings for each in strings):
        yield "an id or a short text"


def _in_parquet(path: Path, traces: Traces) -> Iterator[str]:
    try:
        file = pq.ParquetFile(path)
        for batch in file.iter_batches(batch_size=16_384):
            for column in (flat for each in batch.columns for flat in _flat(each)):
                yield from _in_column(column, traces)
    except (pa.ArrowInvalid, OSError) as error:
        yield f"cannot be read as Parquet: {' '.join(str(error).split())[:80]}"


def _flat(column: pa.Array) -> Iterator[pa.Array]:
    """Yield the plain columns that a column is made of."""
    kind = column.type
    if pa.types.is_dictionary(kind):
        yield from _flat(column.dictionary)
    elif pa.types.is_struct(kind):
        for each in column.flatten():
            yield from _flat(each)
    elif pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind):
        yield from _flat(column.flatten())
    else:
        yield column


def _in_column(column: pa.Array, traces: Traces) -> Iterator[str]:
    kind = column.type
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        yield from _in_strings([each for each in column.unique().to_pylist() if each], traces)
    elif pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_fixed_size_binary(kind):
        joined = b"\0".join(each for each in column.to_pylist() if each)
        if traces.texts.find(joined, most=1):
            yield "a piece of text"
        if traces.vectors.find(joined, most=1):
            yield "a vector"
    elif pa.types.is_floating(kind):
        numbers = column.cast(pa.float32()).drop_null().to_numpy(zero_copy_only=False)
        if traces.vectors.find(np.ascontiguousarray(numbers, "<f4").tobytes(), most=1):
            yield "a vector"


def _in_cache(path: Path, traces: Traces) -> Iterator[str]:
    segment = open_segment(path)
    if segment is None:
        yield "cannot be read as cached vectors"
    elif traces.keys and any((int(one), int(two)) in traces.keys for one, two in segment.keys):
        yield "a cached vector"


def _in_json(path: Path, traces: Traces) -> Iterator[str]:
    text = path.read_text(encoding="utf-8", errors="surrogateescape")
    values: list[Any] = []
    try:
        values = [json.loads(text)]
    except ValueError:
        try:
            values = [json.loads(line) for line in text.splitlines() if line.strip()]
        except ValueError:
            return  # it was read as bytes
    strings = list(dict.fromkeys(_strings_in(values)))
    yield from _in_strings(strings, traces)
    if path.parent.name == "bm25" and not traces.words.isdisjoint(strings):
        yield "a word that only removed passages have"


def _strings_in(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, each in value.items():
            yield str(key)
            yield from _strings_in(each)
    elif isinstance(value, list):
        for each in value:
            yield from _strings_in(each)
