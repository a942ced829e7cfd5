"""Dataclasses to plain values and back."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass

import pytest

from hinterland.core.revive import plain, revive
from hinterland.core.stats import Interval


@dataclass(frozen=True)
class Inner:
    name: str
    value: float
    maybe: str | None = None


@dataclass(frozen=True)
class Outer:
    parts: tuple[Inner, ...]
    pair: tuple[int, float]
    by_name: dict[str, dict[str, Inner]]
    interval: Interval
    missing: float


def test_values_come_back_through_json_with_nan_as_null() -> None:
    inner = Inner("a", math.inf)
    given = Outer(
        (inner, Inner("b", 2.0, "x")), (3, 0.5), {"k": {"l": inner}}, Interval(1, 0, math.nan), math.nan
    )
    written = plain(given)
    assert written["missing"] is None
    assert written["parts"][0]["value"] is None
    found = revive(Outer, json.loads(json.dumps(written, allow_nan=False)))
    assert found.parts[1] == Inner("b", 2.0, "x")
    assert found.pair == (3, 0.5)
    assert math.isnan(found.missing)
    assert math.isnan(found.interval.high)
    assert found.by_name["k"]["l"].name == "a"
    assert plain(found) == written


def test_an_unknown_field_is_an_error() -> None:
    with pytest.raises(TypeError):
        revive(Inner, {"name": "a", "value": 1, "other": 2})
