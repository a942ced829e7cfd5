"""Look for what is left of removed chunks in every file below a folder.

Each file is read as bytes, and what can be decoded is decoded too: the string and number
columns of Parquet, the strings of JSON, the words of BM25, the vectors of the cache. A trace is
a piece of a removed text or id that nothing kept shares, a word that only removed passages
have, or a removed vector.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field, replace
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from hinterland.core.errors import IndexBundleError
from hinterland.indexes.removal_ledger import digest
from hinterland.indexes.residue_patterns import WINDOW
from hinterland.indexes.residue_traces import Traces, flat
from hinterland.indexes.segments import SUFFIX, open_segment

__all__ = ["Report", "refuse_residue", "scan"]

_BLOCK = 1 << 24  # bytes read at a time
_SKIPPED = frozenset({".lock"})  # always empty


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
            for column in chain.from_iterable(map(flat, batch.columns)):
                yield from _in_column(column, traces)
    except (pa.ArrowInvalid, OSError) as error:
        yield f"cannot be read as Parquet: {' '.join(str(error).split())[:80]}"


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
