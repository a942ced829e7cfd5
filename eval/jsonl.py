"""JSON Lines in, with the lines that cannot be used listed instead of lost."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from hinterland.core.errors import StorageError

__all__ = ["BadLine", "read_jsonl"]

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class BadLine:
    """A line that was left out.

    Attributes:
        line: Its number, from 1.
        reason: What is wrong with it.
    """

    line: int
    reason: str


def read_jsonl(path: Path, parse: Callable[[dict[str, Any]], T]) -> tuple[list[T], list[BadLine]]:
    """Return what ``parse`` makes of each line, and the lines it cannot use.

    Args:
        path: A UTF-8 file with one JSON object per line; empty lines are passed over.
        parse: Turns an object into an item; raises `ValueError` with the reason if it
            cannot.

    Raises:
        StorageError: The file is missing or cannot be read.
    """
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise StorageError(
            f"cannot read: {error.strerror}", where=str(path), cure="check the path"
        ) from error
    items, bad = [], []
    # Split at line feeds alone: U+2028 and its like may stand inside a JSON string.
    for number, line in enumerate(raw.removeprefix(b"\xef\xbb\xbf").split(b"\n"), 1):
        if not line.strip():
            continue
        try:
            value = json.loads(line)
            if not isinstance(value, dict):
                raise ValueError(f"not an object but {type(value).__name__}")
            json.dumps(value, ensure_ascii=False).encode()  # half a surrogate pair can't be written out
            items.append(parse(value))
        except UnicodeError:
            bad.append(BadLine(number, "not UTF-8"))
        except json.JSONDecodeError as error:
            bad.append(BadLine(number, f"not JSON: {error.msg}"))
        except (ValueError, RecursionError) as error:
            bad.append(BadLine(number, str(error)))
    return items, bad
