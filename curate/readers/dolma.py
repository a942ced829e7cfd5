"""Dolma's layout: ``documents/*.jsonl.gz``, and beside them ``attributes/<name>/`` with the same files.

An attribute file has one line for each document, in the same order. What it says is put
into the document's ``attributes``, which become part of ``meta``.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hinterland.curate.readers.base import Note, Piece, ReadConfig, Unreadable
from hinterland.curate.readers.stream import blocks, lines

__all__ = ["attribute_files", "is_attributes", "with_attributes"]


def is_attributes(path: Path) -> bool:
    """Whether a file lies in an ``attributes`` folder that stands beside ``documents``."""
    return any(
        folder.name == "attributes" and (folder.parent / "documents").is_dir() for folder in path.parents
    )


def attribute_files(path: Path) -> dict[str, Path]:
    """Return the attribute files of a file of documents by their names, in order."""
    for folder in path.parents:
        attributes = folder.parent / "attributes"
        if folder.name == "documents" and attributes.is_dir():
            inside = path.relative_to(folder)
            found = {each.name: each / inside for each in sorted(attributes.iterdir())}
            return {name: file for name, file in found.items() if file.is_file()}
    return {}


def with_attributes(
    rows: Iterator[tuple[int, Piece]], files: dict[str, Path], config: ReadConfig
) -> Iterator[tuple[int, Piece]]:
    """Yield rows with their attributes; where a line is missing or of another id, a note says so."""
    sources = {name: _lines(file, config) for name, file in files.items()}
    for position, row in rows:
        found = {name: next(source, None) for name, source in sources.items()}
        if isinstance(row, dict):
            fitting = {
                name: each.get("attributes")
                for name, each in found.items()
                if each is not None and each.get("id") == row.get("id")
            }
            if len(fitting) < len(found):
                absent = ", ".join(sorted(found.keys() - fitting.keys()))
                yield position, Note("no_attributes", absent)
            yield position, {**row, "attributes": fitting}
        else:
            yield position, row


def _lines(file: Path, config: ReadConfig) -> Iterator[dict[str, Any] | None]:
    from hinterland.curate.readers.jsonl import parse

    try:
        for _, line in lines(blocks(file), config.max_document_bytes):
            row = parse(line) if isinstance(line, bytes) and line.strip() else None
            yield row if isinstance(row, dict) else None
    except Unreadable:
        return
