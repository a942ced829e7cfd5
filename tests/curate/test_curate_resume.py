"""A curation that is killed, or whose cluster loses workers, ends with the bytes of one left alone."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import orjson
import pytest

from hinterland.core.engine import RayEngine
from hinterland.curate import command
from hinterland.curate.command import CommandConfig, run

DEADLY = '''
"""A stage that kills its worker the first time."""
import os, signal
from pathlib import Path

def deadly(item, temporary, make, mark):
    if not Path(mark).exists():
        Path(mark).touch()
        os.kill(os.getpid(), signal.SIGKILL)
    make(item, temporary)
'''


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six files of prose with exact and near copies, a copied paragraph and a broken line."""
    folder = tmp_path_factory.mktemp("pages")
    draw = random.Random(0)
    words = ["the", "of", "and", "with", *("".join(draw.choices("abcdefgh", k=6)) for _ in range(400))]
    texts = [
        "\n".join(" ".join(draw.choices(words, k=12)).capitalize() + "." for _ in range(9)) for _ in range(60)
    ]
    texts += [texts[0].upper(), texts[1] + " one more", f"{texts[2].splitlines()[0]}\n\nnew end"]
    for number in range(6):
        rows = [{"text": text, "source": f"s{row % 3}"} for row, text in enumerate(texts[number::6])]
        lines = b"\n".join(map(orjson.dumps, rows))
        (folder / f"{number}.jsonl").write_bytes(lines + (b"\n{broken" if number == 3 else b""))
    return folder


def settings(pages: Path, out: Path) -> dict[str, Any]:
    read = {"shard_bytes": 4000}
    return {"input": [str(pages)], "out": str(out), "read": read, "workers": 1, "seed": 3}


@pytest.fixture(scope="module")
def whole(pages: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """What an uninterrupted run writes."""
    out = tmp_path_factory.mktemp("whole") / "out"
    result = run(CommandConfig.model_validate(settings(pages, out)))
    assert result["counts"]["in"] == 64
    assert result["counts"]["rejected"] == 1
    assert result["reasons"]["exact_dup.copy"] == 1
    assert result["cards"]["duplicates"]["near"]["verified"] >= 1
    return snapshot(out)


def snapshot(out: Path) -> dict[str, bytes]:
    """Return the bytes of the read, scored and curated shards, and of the ledger."""
    files = [*out.glob("*/corpus/*"), *out.glob("corpus/*"), *out.rglob("*.parquet"), *out.rglob("*.jsonl")]
    return {
        str(file.relative_to(out)): file.read_bytes()
        for file in files
        if file.is_file() and file.name != "stage.json" and ".work" not in file.parts
    }


def kill_when(out: Path, pattern: str, pages: Path) -> bool:
    """Start the command and kill it as soon as a file is there; return whether it was killed."""
    given = [f"{key}={value}" for key, value in {"workers": 1, "seed": 3, "read.shard_bytes": 4000}.items()]
    overrides = [part for each in given for part in ("--set", each)]
    process = subprocess.Popen(
        [sys.executable, "-m", "hinterland.core.cli", "curate", str(pages), "--out", str(out), *overrides],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        while process.poll() is None and not any(out.glob(pattern)):
            time.sleep(0.002)
        process.send_signal(signal.SIGKILL)
    finally:
        process.wait()
    return process.returncode == -signal.SIGKILL


def test_killed_in_every_stage(pages: Path, whole: dict[str, bytes], tmp_path: Path) -> None:
    out = tmp_path / "out"
    moments = [
        ".work/read/parts/*",
        "filters/part-00003.parquet",
        ".work/score/duplicates-*/*",
        ".work/write/*/joined/part-00002.parquet",
    ]
    assert sum(kill_when(out, moment, pages) for moment in moments) >= 3
    run(CommandConfig.model_validate(settings(pages, out)))
    assert snapshot(out) == whole
    assert not (out / ".work").exists()


@pytest.mark.ray
@pytest.mark.timeout(280)
@pytest.mark.filterwarnings("ignore::DeprecationWarning:ray.*")  # settings that it reads itself
@pytest.mark.slow
def test_a_cluster_that_loses_workers(
    pages: Path, whole: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("ray", reason="Ray is not installed: pip install 'hinterland[ray]'")
    (tmp_path / "modules").mkdir()
    (tmp_path / "modules" / "deadly_stages.py").write_text(DEADLY)
    monkeypatch.syspath_prepend(str(tmp_path / "modules"))
    from deadly_stages import deadly  # type: ignore[import-not-found]

    fatal = ("curate-read", "curate-filters", "duplicates-bands", "curate-write")

    class Deadly(RayEngine):
        def produce(
            self,
            make: Callable[[Any, Path], None],
            items: Sequence[Any],
            targets: Sequence[Path],
            *,
            label: str,
        ) -> None:
            mark = tmp_path / label.replace(": ", "-")
            if mark.name in fatal:
                make = partial(deadly, make=make, mark=str(mark))
            super().produce(make, items, targets, label=label)

    monkeypatch.setattr(command, "_engine", lambda config: Deadly(workers=2))
    run(CommandConfig.model_validate({**settings(pages, tmp_path / "out"), "engine": "ray"}))
    assert all((tmp_path / name).exists() for name in fatal)  # each of these killed a worker
    assert snapshot(tmp_path / "out") == whole


def test_two_workers(pages: Path, whole: dict[str, bytes], tmp_path: Path) -> None:
    run(CommandConfig.model_validate({**settings(pages, tmp_path / "out"), "workers": 2}))
    assert snapshot(tmp_path / "out") == whole
    assert os.listdir(tmp_path) == ["out"]  # noqa: PTH208 - nothing is left beside it
