from __future__ import annotations

import json
import sys

import pytest

from hinterland.core.errors import MissingDependencyError
from hinterland.core.imports import require, require_faiss


def test_what_is_there_is_returned() -> None:
    assert require("json", cure="none") is json


def test_what_is_missing_is_named_with_the_command() -> None:
    with pytest.raises(
        MissingDependencyError, match=r"'no_such_package' is not installed\n  → pip install it"
    ):
        require("no_such_package", cure="pip install it")


def test_without_faiss_both_extras_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "faiss", None)
    with pytest.raises(MissingDependencyError, match=r"hinterland\[cpu\].*hinterland\[gpu\]"):
        require_faiss()
