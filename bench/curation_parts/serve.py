"""A server on stdin and stdout, one JSON object a line, for programs in any environment.

Only the standard library: this file is imported by interpreters that have nothing of the kit's.
"""

from __future__ import annotations

import gc
import json
import os
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

__all__ = ["documents", "serve", "timed"]


def serve(calls: dict[str, Callable[..., Any]]) -> None:
    """Answer ``{"call": NAME, ...arguments}`` until stdin ends.

    What libraries print goes to stderr, so that it cannot mix with the answers.

    Args:
        calls: What can be called, by name; the results must be JSON-able.
    """
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    for line in sys.stdin:
        request = json.loads(line)
        try:
            answer = {"ok": calls[request.pop("call")](**request)}
        except Exception as error:
            answer = {"error": f"{type(error).__name__}: {error}", "trace": traceback.format_exc()}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


def documents(path: str) -> Iterator[tuple[str, str]]:
    """Yield the id and the text of each line of a JSONL file."""
    with Path(path).open(encoding="utf-8") as handle:
        for line in handle:
            row = json.loads(line)
            yield row["id"], row["text"]


def timed(work: Callable[[], Any], *, least: float) -> dict[str, float]:
    """Repeat ``work`` for at least ``least`` seconds; return the seconds of one turn.

    Returns:
        ``wall``, ``cpu`` (of this process, all threads) and ``turns``.
    """
    gc.collect()
    turns = 0
    wall, cpu = time.perf_counter(), time.process_time()
    while turns == 0 or time.perf_counter() - wall < least:
        work()
        turns += 1
    return {
        "wall": (time.perf_counter() - wall) / turns,
        "cpu": (time.process_time() - cpu) / turns,
        "turns": turns,
    }
