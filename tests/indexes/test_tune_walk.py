"""The walk over settings and the choice, on curves that are known."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hinterland.indexes.tune_walk import Point, choose, lines_of, walk


def curve(parameters: Mapping[str, int]) -> Point:
    """Recall 1 − 1/(effort + 1); ten times k_factor is as good as ten times nprobe, but dearer."""
    nprobe, factor = parameters.get("nprobe", 1), parameters.get("k_factor", 1)
    recall = 1 - 1 / (nprobe * factor + 1)
    return Point(dict(parameters), recall, recall - 0.01, nprobe + 2 * factor, 1000 / (nprobe + 2 * factor))


@given(st.floats(0.3, 0.98))
def test_one_line_ends_at_the_least_setting_that_keeps_the_promise(promise: float) -> None:
    points = walk({"nprobe": [1, 2, 4, 8, 16, 32, 64, 128]}, curve, promise)
    values = [point.parameters["nprobe"] for point in points]
    assert values == sorted(set(values))
    recalls = [point.recall for point in points]
    assert recalls == sorted(recalls)
    point, met = choose(points, promise)
    keeping = [value for value in range(1, 129) if curve({"nprobe": value}).lower >= promise]
    if not keeping:
        assert not met
        assert point.parameters == {"nprobe": 128}
    else:
        assert met
        assert keeping[0] <= point.parameters["nprobe"] <= keeping[0] * 33 / 32 + 1


def test_several_parameters() -> None:
    grid = {"nprobe": [1, 2, 4, 8, 16, 32, 64, 128], "k_factor": [1, 2, 4, 8]}
    assert len(lines_of(grid)) == 4
    point, met = choose(walk(grid, curve, 0.95), 0.95)
    assert met
    assert point.lower >= 0.95
    fastest = min(
        (curve({"nprobe": n, "k_factor": f}) for n in range(1, 129) for f in grid["k_factor"]),
        key=lambda each: each.milliseconds if each.lower >= 0.95 else 1e9,
    )
    assert point.milliseconds <= 1.05 * fastest.milliseconds + 1


def test_a_line_whose_end_fails_costs_one_measurement() -> None:
    seen = []

    def measure(parameters: Mapping[str, int]) -> Point:
        seen.append(dict(parameters))
        return Point(dict(parameters), 0.5, 0.4, 1.0, 1.0)

    point, met = choose(walk({"nprobe": [1, 2, 4], "k_factor": [1, 2]}, measure, 0.9), 0.9)
    assert not met
    assert point.recall == 0.5
    assert seen == [{"nprobe": 4, "k_factor": 1}, {"nprobe": 4, "k_factor": 2}]


def test_settings_without_an_order_of_numbers_keep_the_order_of_effort() -> None:
    effort = {4: 0.5, 8: 0.96, 0: 0.999}

    def measure(parameters: Mapping[str, int]) -> Point:
        recall = effort[parameters["qb"]]
        return Point(dict(parameters), recall, recall - 0.01, recall, 1.0)

    points = walk({"qb": [4, 8, 0]}, measure, 0.9)
    assert [point.parameters["qb"] for point in points] == [4, 8, 0]
    assert choose(points, 0.9)[0].parameters == {"qb": 8}


def test_nothing_to_walk() -> None:
    assert walk({}, curve, 0.9) == [curve({})]
    assert curve({}).as_dict()["recall"] == pytest.approx(0.5)
