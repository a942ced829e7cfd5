"""Slow tests run when asked for: `pytest --slow`, or `make test-slow`. The longest files come first."""

from __future__ import annotations

from pathlib import Path

import pytest

#: Begun first, so that at the end no test worker waits for the one that has such a file.
LONGEST = ("demo/test_demo.py", "test_packaging.py", "core/test_ray_engine.py")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--slow", action="store_true", help="also run tests marked slow")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    first = {Path(__file__).parent / name: place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: first.get(item.path, len(LONGEST)))
    if config.getoption("--slow"):
        return
    skip = pytest.mark.skip(reason="slow: give --slow (make test-slow)")
    for item in items:
        if "slow" in item.keywords:
            item.add_marker(skip)
