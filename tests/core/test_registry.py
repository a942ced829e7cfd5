from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from hinterland.core.errors import RegistryError
from hinterland.core.registry import Registry


def test_what_is_registered_is_found() -> None:
    registry: Registry[int] = Registry("number")
    assert registry.register("one")(1) == 1
    registry.register("two")(2)
    assert registry.get("one") == 1
    assert list(registry) == ["one", "two"]
    assert "one" in registry
    assert "three" not in registry


def test_mistakes_are_named() -> None:
    registry: Registry[int] = Registry("number")
    registry.register("one")(1)
    with pytest.raises(RegistryError, match="number 'one' is registered twice"):
        registry.register("one")(2)
    with pytest.raises(RegistryError, match=r"unknown number 'onne'\n  → did you mean 'one'\? Known: one"):
        registry.get("onne")
    empty: Registry[int] = Registry("letter")
    with pytest.raises(RegistryError, match="Known: none"):
        empty.get("a")


SCRIPT = """
import sys
from hinterland.core.registry import Registry
registry = Registry("kind_of_test")
assert list(registry) == ["broken", "gone", "outside"], list(registry)
assert "outside" in registry
assert "addon" not in sys.modules  # listed without being imported
assert registry.get("outside") == 42
for name in ("broken", "gone"):
    try:
        registry.get(name)
    except Exception as error:
        print(type(error).__name__, error)
"""


def test_other_packages_add_theirs_by_entry_point(tmp_path: Path) -> None:
    (tmp_path / "addon.py").write_text("ANSWER = 42\n")
    info = tmp_path / "addon-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: addon\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "[hinterland.kind_of_test]\noutside = addon:ANSWER\nbroken = addon:NOTHING\ngone = no_such_module:X\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "RegistryError kind_of_test 'broken' cannot be loaded" in done.stdout
    assert (
        "RegistryError kind_of_test 'gone' cannot be loaded: No module named 'no_such_module'" in done.stdout
    )
