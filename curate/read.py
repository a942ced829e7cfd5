"""Reading: a corpus folder, JSONL (plain or .gz), Parquet or .txt files, onto the record schema.

What cannot be read is counted and listed with its file, position and reason; the reading
goes on. Nothing is dropped without an entry.
"""

from __future__ import annotations

import gzip
import json
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, cast

import pyarrow as pa
import pyarrow.parquet as pq

from hinterland.core.corpus import MANIFEST, Corpus
from hinterland.core.errors import CorpusError, HinterlandError
from hinterland.core.files import read_json, write_text
from hinterland.core.progress import track
from hinterland.curate.record import RecordBuilder, Unreadable

__all__ = ["SUFFIXES", "Reading", "Reject", "count_rows", "find_inputs", "read_inputs", "write_rejects"]

SUFFIXES = (".jsonl", ".jsonl.gz", ".parquet", ".txt")


@dataclass(frozen=True, slots=True)
class Reject:
    """Something that could not be read as it is.

    Attributes:
        file: The file it is in.
        position: Line (JSONL) or row (Parquet), from 1; 0 is the file as a whole.
        reason: A name such as ``not_json``, ``empty_text``, ``unknown_country``.
        detail: What was found.
        kept: Whether the document is kept all the same (without the unknown country).
    """

    file: str
    position: int
    reason: str
    detail: str = ""
    kept: bool = False


@dataclass
class Reading:
    """What was read.

    Attributes:
        table: The documents on the record schema.
        rejects: What could not be read, in the order of files and positions.
    """

    table: pa.Table
    rejects: list[Reject] = field(default_factory=list)

    @property
    def counts(self) -> dict[str, int]:
        """Documents in, read and rejected; in = read + rejected."""
        rejected = sum(not reject.kept for reject in self.rejects)
        return {"in": self.table.num_rows + rejected, "read": self.table.num_rows, "rejected": rejected}

    @property
    def reasons(self) -> dict[str, int]:
        """How often each reason occurs, also for documents that are kept."""
        return dict(sorted(Counter(reject.reason for reject in self.rejects).items()))


def is_corpus(path: Path) -> bool:
    """Whether ``path`` is a corpus folder of the kit."""
    manifest = path / MANIFEST
    if not manifest.is_file():
        return False
    try:
        content = read_json(manifest)
    except HinterlandError:
        return True  # meant to be one: opening it says what is wrong
    return isinstance(content, dict) and content.get("kind") == "corpus"


def find_inputs(paths: Sequence[Path]) -> list[Path]:
    """Return the corpora and files to read: folders are searched, in the order of names.

    Files of unknown kinds that stand in a folder are returned too, to be rejected by name.

    Raises:
        CorpusError: A path does not exist, or a folder holds nothing to read.
    """
    found: list[Path] = []
    for path in paths:
        if not path.exists():
            raise CorpusError("no such file or folder", where=str(path), cure="check the path")
        if path.is_file() or is_corpus(path):
            found.append(path)
            continue
        files = [
            file
            for file in sorted(path.rglob("*"))
            if file.is_file() and not any(part.startswith(".") for part in file.relative_to(path).parts)
        ]
        if not any(file.name.endswith(SUFFIXES) for file in files):
            raise CorpusError(
                "nothing to read in here", where=str(path), cure=f"known: {', '.join(SUFFIXES)}"
            )
        found += files
    return found


def read_inputs(paths: Sequence[Path]) -> Reading:
    """Read corpora and files onto the record schema.

    Ids that are missing become the text's hash; an id that is taken gets the text's hash,
    and if need be a number, behind it.

    Args:
        paths: Corpus folders, files, or folders of files.

    Raises:
        CorpusError: A path does not exist or holds nothing, or a corpus is damaged.
    """
    inputs = find_inputs(paths)
    if len(inputs) == 1 and inputs[0].is_dir():
        return Reading(Corpus.open(inputs[0]).read())
    builder = RecordBuilder()
    rejects: list[Reject] = []
    for path in track(inputs, "curate: read"):
        try:
            for position, row in _rows(path):
                notes: Sequence[tuple[str, str]]
                try:
                    if isinstance(row, Unreadable):
                        raise row
                    notes = builder.add(row)
                except Unreadable as problem:
                    rejects.append(Reject(str(path), position, problem.reason, problem.detail))
                else:
                    rejects += [Reject(str(path), position, name, what, kept=True) for name, what in notes]
        except Unreadable as problem:  # the file as a whole, from here on
            rejects.append(Reject(str(path), problem.position, problem.reason, problem.detail))
    return Reading(builder.table(), rejects)


def count_rows(path: Path) -> int:
    """Return how many documents a file or corpus from `find_inputs` holds, at most; 0 if unreadable."""
    try:
        if path.is_dir():
            return len(Corpus.open(path))
        if path.name.endswith(".parquet"):
            return int(pq.read_metadata(path).num_rows)
        if path.name.endswith((".jsonl", ".jsonl.gz")):
            with _opened(path) as handle:
                return sum(bool(line.strip()) for line in handle)
        return int(path.name.endswith(".txt"))
    except (OSError, EOFError, zlib.error, pa.ArrowException):
        return 0


def _rows(path: Path) -> Iterator[tuple[int, dict[str, Any] | Unreadable]]:
    """Yield each row of a file, or of a corpus, with its position."""
    if path.is_dir():
        yield from enumerate(Corpus.open(path).read().to_pylist(), 1)
    elif path.name.endswith((".jsonl", ".jsonl.gz")):
        yield from _jsonl(path)
    elif path.name.endswith(".parquet"):
        yield from _parquet(path)
    elif path.name.endswith(".txt"):
        try:
            text = path.read_bytes().decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise Unreadable("not_utf8", f"byte {error.start}") from error
        except OSError as error:
            raise Unreadable("unreadable_file", error.strerror or "") from error
        yield 0, {"text": text, "source": path.name}
    else:
        raise Unreadable("unknown_kind", f"known: {', '.join(SUFFIXES)}")


def _jsonl(path: Path) -> Iterator[tuple[int, dict[str, Any] | Unreadable]]:
    """Yield the rows of a JSONL file; lines that are blank are not documents."""
    position = 0
    try:
        with _opened(path) as handle:
            for position, line in enumerate(handle, 1):
                if line.strip():
                    yield position, _parsed(line)
    except (OSError, EOFError, zlib.error) as error:
        raise Unreadable("broken_file", str(error), position=position + 1) from error


def _opened(path: Path) -> BinaryIO:
    return cast("BinaryIO", gzip.open(path, "rb")) if path.suffix == ".gz" else path.open("rb")


def _parsed(line: bytes) -> dict[str, Any] | Unreadable:
    try:
        row = json.loads(line.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        return Unreadable("not_utf8", f"byte {error.start}")
    except (ValueError, RecursionError) as error:
        return Unreadable("not_json", str(error))
    return row if isinstance(row, dict) else Unreadable("not_an_object", type(row).__name__)


def _parquet(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    position = 0
    try:
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches():
                for row in batch.to_pylist():
                    position += 1
                    yield position, row
    except (pa.ArrowException, OSError) as error:
        raise Unreadable("broken_file", str(error).splitlines()[0], position=position + 1) from error


def write_rejects(path: Path, rejects: Sequence[Reject]) -> None:
    """Write the ledger: one JSON object a line with file, position, reason, detail, kept."""
    write_text(path, "".join(json.dumps(asdict(each), ensure_ascii=True) + "\n" for each in rejects))
