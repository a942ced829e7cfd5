"""A writer killed anywhere leaves a whole version, the next run is clean, and what went stays away.

The child adds, removes, replaces, compacts and rolls back. It is killed before each of its file
operations once, half-written files included, and at random moments.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from tests.support.changing_index import EMBEDDER, build, documents
from tests.support.killed_writer import RULE

from hinterland.core.seeds import generator
from hinterland.indexes.bundle import open_bundle
from hinterland.indexes.change import add_documents, compact
from hinterland.indexes.change_state import State, state_of
from hinterland.indexes.lexical import LexicalConfig
from hinterland.indexes.removal_finish import PENDING
from hinterland.indexes.removal_receipt import check_receipt
from hinterland.indexes.removal_rules import rules_in_force
from hinterland.indexes.residue import scan
from hinterland.indexes.residue_traces import Traces
from hinterland.indexes.search import Index
from hinterland.indexes.versions import rollback, versions

HERE = Path(__file__).parents[2]


class Writer:
    """The process that forks writers."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.killed_writer"],
            cwd=HERE,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        )
        assert self.line() == "ready"

    def line(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def run(self, root: Path, last: int, *, seconds: float | None = None) -> tuple[int, int]:
        """Return a child's exit status, and how many operations one that ended counted.

        Args:
            root: The index's folder.
            last: The operation before which the child kills itself; 0: none.
            seconds: When to kill it from outside.
        """
        assert self.process.stdin is not None
        self.process.stdin.write(f"{root}\t{last}\n")
        self.process.stdin.flush()
        count = 0
        while True:
            word, number = self.line().split()
            if word == "child" and seconds is not None:
                time.sleep(seconds)
                with suppress(ProcessLookupError):  # it came to its end before
                    os.kill(int(number), signal.SIGKILL)
            elif word == "done":
                count = int(number)
            elif word == "ended":
                return int(number), count


@pytest.fixture(scope="module")
def writer() -> Iterator[Writer]:
    made = Writer()
    yield made
    made.process.communicate("")


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("base") / "index"
    build(root, lexical=LexicalConfig(language="none"))
    return root


@pytest.fixture(scope="module")
def before(base: Path) -> State:
    return state_of(base)


def removed_from(state: State) -> Traces:
    web = pc.equal(state.chunks["source"], "web")
    kept = pa.concat_tables([state.chunks.filter(pc.invert(web))])
    return Traces.of(state.chunks.filter(web), kept, lexical=LexicalConfig(language="none"))


def sources(root: Path) -> set[str]:
    return set(state_of(root).chunks["source"].to_pylist())


def check(root: Path, traces: Traces) -> str:
    """Hold the promises after a kill, and return what was served."""
    found = Index.open(root, embedder=EMBEDDER)  # every file is checked
    assert len(found.search(["hidden ledger"], 3)[0]) == 3
    served = sources(root)
    gone = "web" not in served
    pending = (root / PENDING).exists()
    add_documents(root, documents(20, 21, source="next"), EMBEDDER)  # the next run
    assert not (root / PENDING).exists()
    assert not list(root.rglob(".new*"))
    assert not [each for each in root.rglob("*.tmp") if each.is_file()]
    assert not (root / ".publishing").exists()
    if gone:
        assert "web" not in sources(root)
        assert list(rules_in_force(root)) == [RULE.id]
        (receipt,) = (root / "receipts").iterdir()
        assert check_receipt(receipt)["complete"]
        assert scan(root, traces).as_dict()["found"] == []
        result = add_documents(root, documents(6, 8), EMBEDDER)
        assert result["withheld"] == 2
        if len(versions(root)) > 1:
            rollback(root)
            assert "web" not in sources(root)
        compact(root)
        assert scan(root, traces).as_dict()["found"] == []
    else:
        assert not rules_in_force(root)
        assert not list(root.glob("receipts/*"))
    open_bundle(root)
    return ("removed" if gone else "there") + (", finished by the next run" if pending and gone else "")


def copy_of(base: Path, root: Path) -> Path:
    shutil.rmtree(root, ignore_errors=True)
    shutil.copytree(base, root)
    return root


def kill_at(writer: Writer, base: Path, before: State, folder: Path, places: list[int]) -> Counter[str]:
    traces, seen = removed_from(before), Counter[str]()
    for place in places:
        root = copy_of(base, folder / "index")
        status, _ = writer.run(root, place)
        assert status == -signal.SIGKILL, (place, status)
        try:
            seen[check(root, traces)] += 1
        except Exception as error:
            raise AssertionError(f"killed before operation {place}") from error
    return seen


def operations(writer: Writer, base: Path, folder: Path) -> int:
    status, count = writer.run(copy_of(base, folder / "whole"), 0)
    assert status == 0
    assert count > 100
    return count


def test_killed_before_some_operations(writer: Writer, base: Path, before: State, tmp_path: Path) -> None:
    total = operations(writer, base, tmp_path)
    seen = kill_at(writer, base, before, tmp_path, list(range(5, total, max(total // 8, 1))))
    print(f"killed before {sum(seen.values())} of {total} file operations: {dict(seen)}")  # noqa: T201
    assert len(seen) >= 2


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_killed_before_every_operation(writer: Writer, base: Path, before: State, tmp_path: Path) -> None:
    total = operations(writer, base, tmp_path)
    seen = kill_at(writer, base, before, tmp_path, list(range(1, total + 1)))
    print(f"killed before each of {total} file operations: {dict(seen)}")  # noqa: T201
    assert sum(seen.values()) == total


def random_kills(writer: Writer, base: Path, before: State, folder: Path, kills: int) -> Counter[str]:
    traces, random, seen = removed_from(before), generator(0, "kills"), Counter[str]()
    start = time.monotonic()
    writer.run(copy_of(base, folder / "index"), 0)
    whole = time.monotonic() - start
    while sum(seen.values()) < kills:
        root = copy_of(base, folder / "index")
        status, _ = writer.run(root, 0, seconds=float(random.uniform(0, whole)))
        if status == -signal.SIGKILL:
            seen[check(root, traces)] += 1
    return seen


def test_killed_at_ten_random_moments(writer: Writer, base: Path, before: State, tmp_path: Path) -> None:
    seen = random_kills(writer, base, before, tmp_path, 10)
    print(f"killed at 10 random moments: {dict(seen)}")  # noqa: T201 - the count is asked for
    assert sum(seen.values()) == 10


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_killed_at_a_hundred_random_moments(
    writer: Writer, base: Path, before: State, tmp_path: Path
) -> None:
    seen = random_kills(writer, base, before, tmp_path, 100)
    print(f"killed at 100 random moments: {dict(seen)}")  # noqa: T201
    assert sum(seen.values()) == 100
