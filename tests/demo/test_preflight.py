"""What is missing is said before anything is done."""

from __future__ import annotations

import shutil
import sys
from collections import namedtuple
from pathlib import Path

import pytest

from hinterland.core.errors import EndpointError, MissingDependencyError, ModelSourceError, StorageError
from hinterland.demo.config import DemoConfig
from hinterland.demo.preflight import preflight


def config(tmp_path: Path, **values: object) -> DemoConfig:
    return DemoConfig.model_validate({"out": tmp_path / "out", **values})


def test_nothing_is_missing_here(tmp_path: Path) -> None:
    preflight(config(tmp_path))


@pytest.mark.parametrize(
    ("module", "cure"),
    [("faiss", r"hinterland\[cpu\].*hinterland\[gpu\]"), ("xllamacpp", r"hinterland\[cpu,demo\]")],
)
def test_a_missing_package_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, module: str, cure: str
) -> None:
    monkeypatch.setitem(sys.modules, module, None)  # what Python does where it is not installed
    with pytest.raises(MissingDependencyError, match=cure):
        preflight(config(tmp_path))


def test_a_vendor_needs_its_key_and_no_local_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "xllamacpp", None)
    monkeypatch.delenv("A_KEY", raising=False)
    vendor = {"base_url": "https://api.example.com/v1", "model": "x", "api_key_env": "A_KEY"}
    with pytest.raises(EndpointError, match="A_KEY is not set"):
        preflight(config(tmp_path, closed_model=vendor))
    monkeypatch.setenv("A_KEY", "secret")
    preflight(config(tmp_path, closed_model=vendor))


def test_a_disk_without_room_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(10, 10, 5_000_000))
    with pytest.raises(StorageError, match=r"0\.0 GB are free"):
        preflight(config(tmp_path))


def test_a_model_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelSourceError, match=r"nowhere/model\.gguf"):
        preflight(config(tmp_path, model="nowhere/model.gguf"))
