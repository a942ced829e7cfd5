"""Rows of text files, one after the other: what the quality classifier and contamination read.

A file is JSONL (plain, .gz, .zst), Parquet or .txt (one text); a folder is all such files
in it in the order of their names, so a corpus folder is its shards.
"""

from __future__ import annotations

import gzip
import io
import json
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from hinterland.core.errors import CorpusError
from hinterland.core.imports import require

__all__ = ["SUFFIXES", "Bad", "Stamp", "find_text_files", "rows", "stamp"]

SUFFIXES = (".jsonl", ".jsonl.gz", ".jsonl.zst", ".parquet", ".txt")
_CURE = "pip install 'hinterland[curate]'"
_ROWS = 1024  # rows of Parquet in memory at once

#: What to do with a row that cannot be read: its file, its line or row, and the reason.
Bad = Callable[[Path, int, str], None]


#: A file's name, size and time of change: what a cache within one process goes by.
Stamp = tuple[str, int, int]


def stamp(path: Path) -> Stamp:
    """Return the file's stamp.

    Raises:
        CorpusError: There is no such file.
    """
    try:
        status = path.stat()
    except OSError as error:
        raise CorpusError(
            f"no such file: {error.strerror}", where=str(path), cure="check the path"
        ) from error
    return str(path), status.st_size, status.st_mtime_ns


def find_text_files(paths: Iterable[Path]) -> list[Path]:
    """Return the files to read: those given, and those of known kinds in given folders.

    Raises:
        CorpusError: A path does not exist, is of no known kind, or is a folder without any.
    """
    found: list[Path] = []
    for path in paths:
        if not path.exists():
            raise CorpusError("no such file or folder", where=str(path), cure="check the path")
        if path.is_file():
            files = [path] if path.name.endswith(SUFFIXES) else []
        else:
            files = [
                file
                for file in sorted(path.rglob("*"))
                if file.is_file()
                and file.name.endswith(SUFFIXES)
                and not any(part.startswith(".") for part in file.relative_to(path).parts)
            ]
        if not files:
            raise CorpusError("nothing to read here", where=str(path), cure=f"known: {', '.join(SUFFIXES)}")
        found += files
    return found


def rows(path: Path, *, bad: Bad | None = None) -> Iterator[dict[str, Any]]:
    """Yield each row of a file as a mapping; a .txt file is one row with ``text``.

    Args:
        path: A file from `find_text_files`.
        bad: Called for what cannot be read; without it that is an error.

    Raises:
        CorpusError: A row cannot be read and there is no ``bad``, or the file cannot be opened.
        MissingDependencyError: The file is .zst and zstandard is not installed.
    """
    import pyarrow as pa

    def report(position: int, reason: str) -> None:
        if bad is None:
            raise CorpusError(
                f"not readable at {position}: {reason}", where=str(path), cure="correct or remove it"
            )
        bad(path, position, reason)

    position = 0
    try:
        if path.name.endswith(".parquet"):
            import pyarrow.parquet as pq

            with pq.ParquetFile(path) as file:
                for batch in file.iter_batches(batch_size=_ROWS):
                    for row in batch.to_pylist():
                        position += 1
                        yield row
        elif path.name.endswith(".txt"):
            yield {"text": path.read_bytes().decode("utf-8-sig")}
        else:
            with _opened(path) as handle:
                for position, line in enumerate(handle, 1):
                    if not line.strip():
                        continue
                    try:
                        row = json.loads(line.decode("utf-8-sig"))
                    except (ValueError, RecursionError) as error:  # also not UTF-8
                        report(position, f"not JSON: {error}")
                        continue
                    if isinstance(row, dict):
                        yield row
                    else:
                        report(position, f"not an object but {type(row).__name__}")
    except (pa.ArrowException, OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
        report(position + 1, " ".join(str(error).split()))


def _opened(path: Path) -> Any:
    """Return something that yields the lines of a file as bytes, and closes it."""
    if path.name.endswith(".gz"):
        return gzip.open(path, "rb")
    return closing(_zst_lines(path)) if path.name.endswith(".zst") else path.open("rb")


def _zst_lines(path: Path) -> Iterator[bytes]:
    zstandard = require("zstandard", cure=_CURE)
    try:
        with zstandard.open(path, "rb", dctx=zstandard.ZstdDecompressor()) as handle:
            yield from io.BufferedReader(handle)
    except zstandard.ZstdError as error:
        raise OSError(str(error)) from error
