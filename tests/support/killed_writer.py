"""A writer that kills itself before or in the midst of its n-th file operation, or runs until killed.

Started as ``python -m tests.support.killed_writer``, it reads one job a line, forks for each and
answers with how the child ended and how many operations it counted. It never imports torch.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.support.changing_index import EMBEDDER, documents

from hinterland.indexes.change import Rule, add_documents, compact, remove, upsert
from hinterland.indexes.versions import rollback
from hinterland.indexes.words import Words

__all__ = ["RULE", "STEPS", "run_steps"]

#: What the writer removes.
RULE = Rule.make(columns={"source": ["web"]})
#: Operations on files that are hooked, by module and name.
_HOOKED = ("rename", "replace", "fsync", "unlink", "remove", "rmdir", "mkdir", "link", "utime", "open")


def _roll(root: Path) -> object:
    add_documents(root, documents(30, 32, source="later"), EMBEDDER)
    return rollback(root)


STEPS: list[Callable[[Path], object]] = [
    lambda root: add_documents(root, documents(10, 12, source="forum"), EMBEDDER),
    lambda root: remove(root, RULE),
    lambda root: upsert(root, documents(3, 6, source="shelf"), EMBEDDER),
    compact,
    _roll,
]


def run_steps(root: Path) -> None:
    """Change the index in all ways, one after the other."""
    for step in STEPS:
        step(root)


class _Counter:
    """Counts operations and kills this process before the one with the number ``last``."""

    def __init__(self, last: int) -> None:
        self.last, self.count = last, 0

    def __call__(self, half: Callable[[], object] | None = None) -> None:
        self.count += 1
        if self.count == self.last:
            if half is not None:
                half()
            os.kill(os.getpid(), signal.SIGKILL)

    def hook(self, name: str) -> None:
        real = getattr(os, name)

        def hooked(*args: Any, **kwargs: Any) -> Any:
            self()
            return real(*args, **kwargs)

        setattr(os, name, hooked)

    def hook_writes(self) -> None:
        """Count what is written whole by a library, and kill once half of it is on disk."""
        import pyarrow.parquet as pq

        write, write_bytes, write_text = pq.write_table, Path.write_bytes, Path.write_text

        def table(content: Any, where: Any, **kwargs: Any) -> None:
            def half() -> None:
                write(content, where, **kwargs)
                os.truncate(where, Path(where).stat().st_size // 2)

            self(half)
            write(content, where, **kwargs)

        def data(path: Path, content: bytes) -> int:
            self(lambda: write_bytes(path, content[: len(content) // 2]))
            return write_bytes(path, content)

        def text(path: Path, content: str, *args: Any, **kwargs: Any) -> int:
            self(lambda: write_text(path, content[: len(content) // 2], *args, **kwargs))
            return write_text(path, content, *args, **kwargs)

        pq.write_table, Path.write_bytes, Path.write_text = table, data, text  # type: ignore[assignment,method-assign]


def _say(line: str) -> None:
    os.write(1, f"{line}\n".encode())


def _child(root: Path, last: int) -> None:
    counter = _Counter(last)
    for name in _HOOKED:
        counter.hook(name)
    counter.hook_writes()
    run_steps(root)
    _say(f"done {counter.count}")


def main() -> None:
    """Answer jobs: a root and the number of the fatal operation; 0 runs to the end."""
    import bm25s  # noqa: F401 - once, here, instead of in every child
    import faiss  # noqa: F401
    import Stemmer  # noqa: F401

    Words("none").passage("é")  # compiles its patterns
    assert "torch" not in sys.modules
    sys.stderr = Path(os.devnull).open("w")  # noqa: SIM115 - progress bars of all children
    _say("ready")
    for line in sys.stdin:
        root, last = line.rstrip("\n").split("\t")
        pid = os.fork()
        if not pid:
            status = 1
            try:
                _child(Path(root), int(last))
                status = 0
            finally:
                os._exit(status)
        _say(f"child {pid}")
        _, status = os.waitpid(pid, 0)
        _say(f"ended {os.waitstatus_to_exitcode(status)}")


if __name__ == "__main__":
    main()
