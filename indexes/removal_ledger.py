"""The file of the rules of removal, line by line, and the file that knows its last line.

``<root>/removals.jsonl`` grows by whole lines. ``<root>/.removals.head`` holds the hash of the last
one, so that a line that was cut off is missed. It is written before the line, as the ``next``, and
again after it: wherever a writer is killed, the last line is one of the two that it names.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from hinterland.core.errors import StorageError
from hinterland.core.files import read_json, write_json, write_text

__all__ = ["HEAD", "LEDGER", "append", "check_end", "digest", "lines_of", "settle"]

LEDGER, HEAD = "removals.jsonl", ".removals.head"
_FORMAT = 1
_CURE = "put the file back as it was; files that begin with a dot belong to the index too"


def digest(text: str) -> str:
    """Return the SHA-256 of a text, as hex."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def lines_of(root: Path) -> list[str]:
    """Return the lines there are; `check_end` says whether the last one is the last."""
    path = root / LEDGER
    return path.read_text(encoding="utf-8").splitlines() if path.is_file() else []


def check_end(root: Path, lines: list[str]) -> None:
    """Refuse lines that end before, or other than, what was written last.

    An index of an older version has no head: its end is not known until the next writer comes.

    Raises:
        StorageError: Lines were cut off, or the head is missing or of a newer version.
    """
    head = _head(root)
    if head is None:
        if any('"anchored": true' in line for line in lines):
            raise StorageError(
                f"the end of {LEDGER} is not known: {HEAD} is missing",
                where=str(root / HEAD),
                cure=f"{_CURE}; without it build into another folder, and remove again there",
            )
    elif _end(lines) not in (head.get("last"), head.get("next")):
        raise StorageError(
            "rules were cut off at the end, or edited: the last line is not the one that was written last",
            where=str(root / LEDGER),
            cure=_CURE,
        )


def append(root: Path, event: Mapping[str, Any]) -> None:
    """Write one more line. The caller holds the writer's lock and has checked those before.

    Raises:
        StorageError: The disk is full, or the folder cannot be written.
    """
    lines = lines_of(root)
    at, before = datetime.now(UTC).isoformat(timespec="seconds"), _end(lines)
    line = {"format": 1, **event, "at": at, "after": before, "anchored": True}
    lines.append(json.dumps(line, ensure_ascii=False))
    write_json(root / HEAD, {"format": _FORMAT, "last": before, "next": _end(lines)})
    write_text(root / LEDGER, "\n".join(lines) + "\n")
    write_json(root / HEAD, {"format": _FORMAT, "last": _end(lines)})


def settle(root: Path) -> None:
    """Hold on to the last line, where a writer was killed or the index is of an older version.

    The caller holds the writer's lock.

    Raises:
        StorageError: See `check_end`; or the folder cannot be written.
    """
    head = _head(root)
    if "next" in head if head is not None else (root / LEDGER).is_file():
        lines = lines_of(root)
        check_end(root, lines)
        write_json(root / HEAD, {"format": _FORMAT, "last": _end(lines)})


def _end(lines: list[str]) -> str:
    return digest(lines[-1]) if lines else ""


def _head(root: Path) -> dict[str, Any] | None:
    path = root / HEAD
    if not path.is_file():
        return None
    head = read_json(path)
    if not isinstance(head, dict) or not isinstance(head.get("format"), int):
        raise StorageError("this is no end of a list of rules", where=str(path), cure=_CURE)
    if head["format"] > _FORMAT:
        raise StorageError("a file of a newer version", where=str(path), cure="upgrade hinterland")
    return head
