"""dolma's taggers, run in its own environment; see `serve` for the protocol."""

from __future__ import annotations

import sys
import sysconfig
from pathlib import Path
from types import ModuleType
from typing import Any

from serve import documents, serve, timed


def bare(name: str) -> None:
    """Stand in for a package whose ``__init__`` imports what its taggers do not need.

    dolma's own imports every tagger there is, with fastText, and lets NLTK download a model.
    The modules that are used are imported as they are.
    """
    module = ModuleType(name)
    module.__path__ = [str(Path(sysconfig.get_paths()["platlib"], *name.split(".")))]
    sys.modules[name] = module


bare("dolma")
bare("dolma.taggers")

import dolma.taggers.c4  # noqa: E402 - importing it registers its taggers
import dolma.taggers.gopher  # noqa: E402, F401
from dolma.core.data_types import InputSpec  # noqa: E402
from dolma.core.registry import TaggerRegistry  # noqa: E402

TAGGERS = {name: TaggerRegistry.get(name)() for name in ("gopher_v1", "gopher_v2", "c4_v1", "c4_v2")}
ROWS: list[InputSpec] = []


def load(path: str) -> int:
    """Read the documents that timings go over; return how many there are."""
    ROWS[:] = [InputSpec(id=key, text=text) for key, text in documents(path)]
    return len(ROWS)


def tag(limit: int | None = None) -> None:
    """Score each document with the second versions of both taggers."""
    for row in ROWS[:limit]:
        TAGGERS["gopher_v2"].tag(row)
        TAGGERS["c4_v2"].tag(row)


def scores(path: str, taggers: list[str]) -> dict[str, Any]:
    """Return each document's scores as dolma stores them, and how many spans of each kind there are."""
    ids: list[str] = []
    found: list[dict[str, Any]] = []
    for key, text in documents(path):
        row: dict[str, Any] = {}
        for name in taggers:
            for kind, spans in TAGGERS[name].tag(InputSpec(id=key, text=text)).items():
                row[f"{name}__{kind}"] = [spans[0][2], len(spans)]
        ids.append(key)
        found.append(row)
    return {"ids": ids, "scores": found}


if __name__ == "__main__":
    serve(
        {
            "load": load,
            "warm": lambda: tag(20),
            "time": lambda least: timed(tag, least=least),
            "scores": scores,
        }
    )
