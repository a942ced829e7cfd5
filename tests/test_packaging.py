"""The wheel holds every room, installs outside the checkout, and starts fast."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ROOMS = [
    "core",
    "curate",
    "curate.audit",
    "curate.debias",
    "indexes",
    "rag",
    "adapt",
    "eval",
    "configs",
    "demo",
]
#: What importing the rooms needs; models and index libraries are imported when used.
LIGHT = ["click", "httpx", "jinja2", "numpy", "pyarrow", "pydantic", "pyyaml", "rich"]


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("wheel")
    # Built from a copy: setuptools leaves a build/ folder and an egg-info behind. What other tests write
    # into the checkout meanwhile stays out.
    source = tmp_path_factory.mktemp("source") / "hinterland"
    written = ("build", "hinterland-demo*", "__pycache__", ".*_cache", ".coverage*", ".hypothesis")
    shutil.copytree(ROOT, source, symlinks=True, ignore=shutil.ignore_patterns(".git", ".venv*", *written))
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--outdir", str(out), str(source)],
        check=True,
        capture_output=True,
    )
    return next(out.glob("*.whl"))


@pytest.mark.timeout(600)
def test_the_wheel_holds_a_module_of_every_room(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    for room in ROOMS:
        assert f"hinterland/{room.replace('.', '/')}/__init__.py" in names
    assert "hinterland/py.typed" in names
    assert "hinterland/core/data/places.csv" in names
    tops = {name.split("/")[0] for name in names}
    assert tops == {"hinterland", next(top for top in tops if top.endswith(".dist-info"))}


@pytest.mark.timeout(900)
def test_every_room_imports_in_an_empty_environment(wheel: Path, tmp_path: Path) -> None:
    # The checkout's own pip fills it: a pip of its own, and bytecode of all, take longer than the packages.
    venv.create(tmp_path / "env", with_pip=False)
    python = tmp_path / "env" / "bin" / "python"
    pip = [sys.executable, "-m", "pip", "--python", str(python), "--quiet", "--disable-pip-version-check"]
    install = [*pip, "install", "--no-compile"]
    subprocess.run([*install, "-c", str(ROOT / "requirements.lock"), *LIGHT], check=True, cwd=tmp_path)
    subprocess.run([*install, "--no-deps", str(wheel)], check=True, cwd=tmp_path)
    code = (
        "import importlib, hinterland\n"
        f"for room in {ROOMS}: importlib.import_module('hinterland.' + room)\n"
        "print(hinterland.__file__)"
    )
    done = subprocess.run([str(python), "-c", code], check=True, cwd=tmp_path, capture_output=True, text=True)
    assert str(ROOT) not in done.stdout
    # Without faiss, the error names both wheels.
    ask = "from hinterland.core.imports import require_faiss; require_faiss()"
    refused = subprocess.run(
        [str(python), "-c", ask], check=False, cwd=tmp_path, capture_output=True, text=True
    )
    assert "hinterland[cpu]" in refused.stderr
    assert "hinterland[gpu]" in refused.stderr


def test_help_answers_in_under_half_a_second() -> None:
    command = [sys.executable, "-m", "hinterland.core.cli", "--help"]
    subprocess.run(command, check=True, capture_output=True)  # fills the bytecode cache
    times = []
    for _ in range(5):
        start = time.perf_counter()
        subprocess.run(command, check=True, capture_output=True)
        times.append(time.perf_counter() - start)
    assert min(times) < 0.5


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys\nfrom hinterland.core.cli import cli\n"
        "heavy = {'torch', 'transformers', 'faiss', 'pyarrow', 'pydantic', 'numpy', 'sklearn', 'fastapi'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "[]"
