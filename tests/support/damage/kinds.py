"""What a kind of damage is, and how all are written."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

__all__ = [
    "AFTER",
    "BEFORE",
    "KINDS",
    "MAX_DOCUMENT_BYTES",
    "Kind",
    "around",
    "damage",
    "line",
    "possible",
    "write_all",
]

MAX_DOCUMENT_BYTES = 1_000_000
BEFORE, AFTER = "a text that stands before the damage", "a text that stands behind the damage"


@dataclass(frozen=True)
class Kind:
    """One kind of damage.

    Attributes:
        name: The function's, and its folder's.
        about: What is damaged, in words.
        write: Writes it into a folder.
        reasons: The expected entries of the ledger.
        texts: The texts that are expected to be read, in order; each begins as given.
    """

    name: str
    about: str
    write: Callable[[Path], None]
    reasons: dict[str, int]
    texts: list[str] = field(default_factory=list)


KINDS: list[Kind] = []


def damage(
    about: str, reasons: dict[str, int] | None = None, texts: list[str] | None = None
) -> Callable[[Callable[[Path], None]], Callable[[Path], None]]:
    def add(write: Callable[[Path], None]) -> Callable[[Path], None]:
        KINDS.append(
            Kind(write.__name__, about, write, reasons or {}, [BEFORE, AFTER] if texts is None else texts)
        )
        return write

    return add


def write_all(folder: Path) -> list[Kind]:
    """Write every kind into its own folder; return those that this system can express."""
    written = []
    for kind in KINDS:
        place = folder / kind.name
        place.mkdir(parents=True)
        if not possible(kind):
            continue
        kind.write(place)
        written.append(kind)
    return written


def possible(kind: Kind) -> bool:
    """Whether this user can be forbidden what the kind forbids: nothing is forbidden to root."""
    return kind.name != "no_permission" or os.geteuid() != 0


def line(text: object = BEFORE, **further: object) -> bytes:
    return json.dumps({"text": text, **further}).encode() + b"\n"


def around(middle: bytes) -> bytes:
    return line() + middle + line(AFTER)
