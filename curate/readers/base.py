"""What a reader is, which suffixes there are, and what a config can say about reading."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Protocol, TypeAlias

import pyarrow as pa
from pydantic import Field, field_validator

from hinterland.core.config import Config
from hinterland.core.errors import nearest
from hinterland.core.record import BASE_SCHEMA
from hinterland.core.registry import Registry

__all__ = [
    "COMPRESSED",
    "CURE",
    "READERS",
    "Note",
    "Piece",
    "ReadConfig",
    "Reader",
    "Unreadable",
    "has_reader",
    "known_suffixes",
    "reader_for",
    "suffix_of",
]

#: What to do where a package for reading is missing.
CURE = "pip install 'hinterland[curate]'"
#: Behind any other suffix; the content decides how a file is packed, not its name.
COMPRESSED = (".gz", ".zst", ".bz2")


class Unreadable(Exception):  # noqa: N818 - a reason, caught and counted, never shown as an error
    """Why a row, or the rest of a file, cannot be read.

    Args:
        reason: A name for counting.
        detail: What was found; it is cut after 200 characters.
        position: Where a file breaks off; 0 is the file as a whole.
        documents: How many documents are lost by it.
    """

    def __init__(self, reason: str, detail: str = "", *, position: int = 0, documents: int = 1) -> None:
        self.reason, self.position, self.documents = reason, position, documents
        self.detail = " ".join(detail.split())[:200]
        super().__init__(reason)


@dataclass(frozen=True, slots=True)
class Note:
    """What is said about a document that is kept all the same."""

    reason: str
    detail: str = ""


#: A row, a row that cannot be read, a note on the row that follows, or a record batch of many rows.
Piece: TypeAlias = "dict[str, Any] | Unreadable | Note | pa.RecordBatch"


class ReadConfig(Config):
    """How to read.

    Attributes:
        columns: Which column holds what, ``{text: body, country: nation}``; it wins over
            the usual names. ``meta.link`` is the key ``link`` inside the column ``meta``.
        strict: Stop at the first document that cannot be read, instead of listing it.
        encoding: Of text files; UTF-8 (or UTF-16 and UTF-32 by their marks) if not given.
        max_document_bytes: A document, or a line of JSON, that is larger is not read. Scoring
            takes up to 46 bytes of memory for each byte of one document, so that the default
            keeps one under 1 GB.
        shard_bytes: UTF-8 bytes of text in one shard.
    """

    columns: dict[str, str] = Field(default_factory=dict)
    strict: bool = False
    encoding: str | None = None
    max_document_bytes: int = Field(default=20_000_000, ge=1)
    shard_bytes: int = Field(default=32_000_000, ge=1)

    @field_validator("columns")
    @classmethod
    def _known_columns(cls, columns: dict[str, str]) -> dict[str, str]:
        for name in columns:
            if name not in BASE_SCHEMA.names or name == "meta":
                known = [field for field in BASE_SCHEMA.names if field != "meta"]
                raise ValueError(f"unknown column {name!r}, {nearest(name, known)}")
        return columns

    @field_validator("encoding")
    @classmethod
    def _known_encoding(cls, encoding: str | None) -> str | None:
        try:
            "a".encode(encoding or "utf-8")  # refuses codecs that are none of text, such as hex
            return codecs.lookup(encoding).name if encoding else None
        except (LookupError, UnicodeError):
            raise ValueError(f"unknown encoding {encoding!r}, try utf-8, cp1252 or latin-1") from None


class Reader(Protocol):
    """Reads one format.

    Attributes:
        effort: Work for a byte of the file, beside a plain JSON line's; it sizes the
            groups in which small files are read.
    """

    effort: int

    def read(self, path: Path, config: ReadConfig) -> Iterator[tuple[int, Piece]]:
        """Yield each row with its position from 1, or a table with its first row's position.

        Memory stays bounded whatever the file's size. What cannot be read is yielded as
        `Unreadable`, and the reading goes on.

        Raises:
            Unreadable: Nothing after this position can be read.
        """
        ...

    def count(self, path: Path) -> int:
        """Return about how many documents the file holds, quickly; it may raise as `read` does."""
        ...


#: By suffix, without the dot and in small letters.
READERS: Registry[Reader] = Registry("reader")


def suffix_of(path: Path) -> str:
    """Return the suffix that names the format, in small letters.

    >>> suffix_of(Path("pages.WARC.gz"))
    'warc'
    """
    name = path.name.lower()
    for packed in COMPRESSED:
        name = name.removesuffix(packed)
    return Path(name).suffix.removeprefix(".")


def reader_for(path: Path) -> Reader:
    """Return the reader of a file by its suffix, or of a data set by its prefix ``hf:``.

    Raises:
        Unreadable: There is no reader of this kind.
    """
    try:
        if path.is_dir():  # what `find_inputs` could not search
            raise Unreadable("folder_loop" if path.is_symlink() else "unreadable_folder")
    except OSError as error:
        raise Unreadable("unreadable_file", error.strerror or "") from error
    suffix = "hf" if str(path).startswith("hf:") else suffix_of(path)
    reader = _reader(suffix)
    if reader is None:
        raise Unreadable("unknown_kind", f"known: {', '.join(known_suffixes())}")
    return reader


def has_reader(path: Path) -> bool:
    """Whether the suffix of a file is known."""
    return _reader(suffix_of(path)) is not None


@cache
def _reader(suffix: str) -> Reader | None:
    """Return a reader; asking each time which packages have one would take longer than reading."""
    return READERS.get(suffix) if suffix in READERS else None


@cache
def known_suffixes() -> tuple[str, ...]:
    """Return the suffixes that can be read, with their dots."""
    return tuple(f".{name}" for name in READERS if name != "hf")
